"""Push notifications: Graph subscriptions on a mailbox's events.

What lives here: making, prolonging and dropping them. What does not: answering their validation calls and bells. Graph
calls both URLs while it makes a subscription, so something must be able to answer meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from calsync.providers.base import Mailbox, NotFound, Rejected, Subscription, Transient, VersionMismatch
from calsync.providers.graph.client import GraphClient, Json, Request, segment
from calsync.providers.graph.instances import pages, utc_text
from calsync.providers.graph.times import stamp

LIFETIME = timedelta(minutes=10_000)
"""Asked for; the maximum for events is 10,080 minutes. What counts is the expiry that comes back."""
CHANGES = "created,updated,deleted"


def subscribe(
    client: GraphClient, *, mailbox: Mailbox, url: str, lifecycle_url: str, secret: str, now: datetime
) -> Subscription:
    """Watch all events of the mailbox. A leftover of our own that stands in the way is dropped first."""
    body = {
        "changeType": CHANGES,
        "notificationUrl": url,
        "lifecycleNotificationUrl": lifecycle_url,
        "resource": resource_of(mailbox),
        "expirationDateTime": utc_text(now + LIFETIME),
        "clientState": secret,
    }
    request = Request("POST", "/subscriptions", body=body, label="subscription")
    answer = client.send(request)
    if answer.status == 409:
        # The secret of the old one is not told, so it cannot be used again.
        for leftover in _own(client, mailbox, url):
            _drop(client, str(leftover.get("id")))
        answer = client.send(request)
    if isinstance(answer.error, Rejected | VersionMismatch):
        raise Transient(
            "Microsoft could not set up notifications (is the notification address reachable?).",
            status=answer.status,
            code=answer.error.code,
        )
    return _subscription(answer.checked().body, now)


def renew(client: GraphClient, *, subscription: Subscription, now: datetime) -> Subscription | None:
    """Prolong; None when Graph does not know it any more."""
    body = {"expirationDateTime": utc_text(now + LIFETIME)}
    path = f"/subscriptions/{segment(subscription.subscription_id)}"
    answer = client.send(Request("PATCH", path, body=body, label="subscription"))
    if isinstance(answer.error, NotFound):
        return None
    found = _subscription(answer.checked().body, now)
    return Subscription(subscription.subscription_id, subscription.resource_id, found.expires_at)


def unsubscribe(client: GraphClient, *, subscription: Subscription) -> None:
    """Drop; silent when it is gone already."""
    _drop(client, subscription.subscription_id)


def known(client: GraphClient) -> frozenset[str]:
    """Ids of all subscriptions of ours, to the last page."""
    request = Request("GET", "/subscriptions", label="subscription")
    return frozenset(str(entry.get("id")) for entry in pages(client, client.get(request), request))


def resource_of(mailbox: Mailbox) -> str:
    """What is watched: the one form for events that is documented covers all calendars of the mailbox."""
    return f"users/{mailbox.address}/events"


def _drop(client: GraphClient, subscription_id: str) -> None:
    answer = client.send(Request("DELETE", f"/subscriptions/{segment(subscription_id)}", label="subscription"))
    if not isinstance(answer.error, NotFound):
        answer.checked()


def _own(client: GraphClient, mailbox: Mailbox, url: str) -> Iterator[Json]:
    request = Request("GET", "/subscriptions", label="subscription")
    for entry in list(pages(client, client.get(request), request)):
        resource = str(entry.get("resource") or "").strip("/").lower()
        if entry.get("notificationUrl") == url and resource == resource_of(mailbox).lower():
            yield entry


def _subscription(raw: Json, now: datetime) -> Subscription:
    expires_at = stamp(raw.get("expirationDateTime")) or now + LIFETIME
    return Subscription(subscription_id=str(raw.get("id") or ""), resource_id="", expires_at=expires_at)
