"""Push channels: asking for notifications and stopping them.

Google cannot prolong a channel and cannot list them: open a new one with a new id, then stop the old one.
Source: Calendar API guide "Push notifications".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from calsync.providers.base import Mailbox, NotFound, Rejected, Subscription
from calsync.providers.google.calls import CalendarCalls
from calsync.providers.google.transport import UserApi

LIFE = timedelta(days=7)
"""What we ask for; longer lives are cut."""

_LONGEST_ID, _LONGEST_TOKEN = 64, 256


def subscribe(api: UserApi, mailbox: Mailbox, *, url: str, secret: str, channel_id: str) -> Subscription:
    """Open a channel. ``channel_id`` must never have been used before; ``secret`` comes back as its token.

    Raises Rejected when the calendar offers no push (``pushNotSupportedForRequestedResource``): poll it then.
    """
    if not 0 < len(channel_id) <= _LONGEST_ID or len(secret) > _LONGEST_TOKEN:
        raise Rejected("Google takes channel ids up to 64 and channel secrets up to 256 characters.")
    body = {
        "id": channel_id,
        "type": "web_hook",
        "address": url,
        "token": secret,
        "params": {"ttl": str(int(LIFE.total_seconds()))},
    }
    answer = api.send(CalendarCalls(api, mailbox).watch(body))
    return Subscription(
        subscription_id=str(answer.get("id") or channel_id),
        resource_id=str(answer.get("resourceId") or ""),
        expires_at=_expiry(answer.get("expiration")),
    )


def _expiry(told: Any) -> datetime:  # Any: documented as text with milliseconds since 1970
    try:
        return datetime.fromtimestamp(int(told) / 1000, tz=UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC) + timedelta(hours=1)  # unknown: renew soon


def unsubscribe(api: UserApi, subscription: Subscription) -> None:
    """Stop a channel; one that is gone is fine."""
    body = {"id": subscription.subscription_id, "resourceId": subscription.resource_id}
    try:
        api.send(api.channels.stop(body=body))
    except NotFound:
        return
