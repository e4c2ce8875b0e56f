"""Push channels: watch, the ``sync`` message, ``exists`` messages after changes, expiry, stop.

The wire is that of the push guide: POST with an empty body and ``X-Goog-*`` headers. Message numbers rise without
being consecutive, there is no order and no promise; the sending itself is the notifier's job.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote, urlsplit
from zlib import crc32

from calsync.simulator.core import Core
from calsync.simulator.google.errors import (
    Refusal,
    channel_not_found,
    channel_not_unique,
    invalid,
    push_not_supported,
    required,
)
from calsync.simulator.google.records import Calendar, Fields

DEFAULT_LIFE = timedelta(days=7)
LONGEST_LIFE = timedelta(days=30)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(slots=True, eq=False)
class Channel:
    """One live channel on one calendar."""

    id: str
    calendar_id: str
    user: str
    address: str
    token: str
    resource_id: str
    resource_uri: str
    expires_at: datetime
    number: int = 0
    waiting: bool = False


@dataclass(slots=True)
class Channels:
    """All channels of the domain; ids stay used after a stop."""

    core: Core
    live: dict[str, Channel] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    by_calendar: dict[str, dict[str, Channel]] = field(default_factory=dict)

    def watch(self, calendar: Calendar, asked: Fields, *, user: str, as_asked: str) -> Fields:
        """Open a channel and owe it the ``sync`` message; returns the ``api#channel`` resource."""
        if calendar.read_only:
            raise push_not_supported()
        channel = self._channel(calendar, asked, user=user, as_asked=as_asked)
        self.used.add(channel.id)
        self.live[channel.id] = channel
        self.by_calendar.setdefault(calendar.id, {})[channel.id] = channel
        self._send(channel, "sync")
        answer = {
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource_id,
            "resourceUri": channel.resource_uri,
            "expiration": str(int(channel.expires_at.timestamp() * 1000)),
        }
        return answer | ({"token": channel.token} if channel.token else {})

    def _channel(self, calendar: Calendar, asked: Fields, *, user: str, as_asked: str) -> Channel:
        identifier, address, token = (str(asked.get(key) or "") for key in ("id", "address", "token"))
        if not identifier or len(identifier) > 64 or len(token) > 256:
            raise required("Missing channel id.") if not identifier else invalid("Invalid channel.")
        if asked.get("type") not in {"web_hook", "webhook"}:
            raise invalid("Unknown channel type")
        parts = urlsplit(address)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Refusal(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
        if identifier in self.used:
            raise channel_not_unique(identifier)
        resource = f"{crc32(f'{calendar.id} {user}'.encode()):08x}{crc32(user.encode()):08x}"
        uri = f"https://www.googleapis.com/calendar/v3/calendars/{quote(as_asked, safe='')}/events?alt=json"
        return Channel(identifier, calendar.id, user, address, token, resource, uri, self._expiry(asked))

    def _expiry(self, asked: Fields) -> datetime:
        """The more restrictive of what is asked for and what is allowed."""
        now = self.core.clock.now()
        wishes = [now + DEFAULT_LIFE]
        try:
            if asked.get("expiration"):
                wishes = [datetime.fromtimestamp(int(asked["expiration"]) / 1000, UTC)]
            if (asked.get("params") or {}).get("ttl"):
                wishes = [now + timedelta(seconds=int(asked["params"]["ttl"]))]
        except (ValueError, OverflowError, OSError):
            raise invalid("Invalid expiration.") from None
        if min(wishes) <= now:
            raise invalid("Invalid expiration.")
        return min(*wishes, now + LONGEST_LIFE)

    def stop(self, asked: Fields, *, user: str) -> None:
        """End a channel; 404 when id and resource do not name a live one of this user."""
        channel = self.live.get(str(asked.get("id") or ""))
        if channel is None or channel.resource_id != asked.get("resourceId") or channel.user != user:
            raise channel_not_found(str(asked.get("id") or ""))
        self._drop(channel)

    def _drop(self, channel: Channel) -> None:
        self.live.pop(channel.id, None)
        self.by_calendar.get(channel.calendar_id, {}).pop(channel.id, None)

    def ring(self, calendar: Calendar) -> None:
        """Owe an ``exists`` message to every live channel of a changed calendar; waiting ones cover it already."""
        if not self.core.switches.notifications:
            return
        for channel in list(self.by_calendar.get(calendar.id, {}).values()):
            if channel.expires_at <= self.core.clock.now():
                self._drop(channel)
            elif not channel.waiting:
                channel.waiting = True
                for _ in range(2 if self.core.switches.duplicate_notifications else 1):
                    self._send(channel, "exists")

    def _send(self, channel: Channel, state: str) -> None:
        channel.number += 1 if state == "sync" else random.randint(1, 4)  # noqa: S311 - rising, not consecutive
        headers = {
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
            "Content-Type": "application/json; utf-8",
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": format_datetime(channel.expires_at.replace(microsecond=0), usegmt=True),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-URI": channel.resource_uri,
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(channel.number),
        }
        if channel.token:
            headers["X-Goog-Channel-Token"] = channel.token
        key = f"google {channel.id}"
        self.core.notifier.send(key=key, url=channel.address, build=self._builder(channel), headers=headers)

    def _builder(self, channel: Channel) -> Callable[[], bytes | None]:
        """Makes the empty body at sending time; nothing is sent for a channel that ended meanwhile."""

        def build() -> bytes | None:
            channel.waiting = False
            alive = channel.id in self.live and channel.expires_at > self.core.clock.now()
            return b"" if alive else None

        return build
