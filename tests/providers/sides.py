"""Both providers seen from outside: an adapter, the mailbox behind it, and what its owner does there by hand.

What people do is said in the provider's own words, so that no mistake of an adapter can hide itself here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from calsync.engine.events import Event
from calsync.providers.base import CalendarProvider, Item, Known, Mailbox, Window, Write, WriteKind, Written
from calsync.providers.google.oauth import GoogleCredentials, GoogleEndpoints
from calsync.providers.google.provider import GoogleProvider
from calsync.providers.graph.oauth import GraphCredentials, GraphEndpoints
from calsync.providers.graph.provider import GraphProvider
from calsync.simulator.core import Fault
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.server import Simulator

ADDRESS = "ann@example.com"
ZONE = "Europe/Berlin"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
DAYS = {"MO": "monday", "TU": "tuesday", "WE": "wednesday", "TH": "thursday", "FR": "friday"}


class Side(Protocol):
    """One provider with one mailbox (``ADDRESS``, in ``ZONE``), and its owner."""

    name: str
    simulator: Simulator
    provider: CalendarProvider
    mailbox: Mailbox

    def strangers_provider(self) -> CalendarProvider:
        """An adapter whose credentials the provider does not know."""

    def person_creates(self, title: str, start: datetime, end: datetime, *, weekly_on: str = "") -> str: ...

    def person_renames(self, remote_id: str, title: str) -> None: ...

    def person_renames_one(self, remote_id: str, occurrence: datetime, title: str) -> None: ...

    def person_moves(self, remote_id: str, occurrence: datetime, start: datetime, end: datetime) -> None: ...

    def person_cancels(self, remote_id: str, occurrence: datetime) -> None: ...

    def person_deletes(self, remote_id: str) -> None: ...

    def stored_titles(self) -> list[str]:
        """The titles of what lives in the mailbox, sorted; a series counts once."""

    def expire_cursors(self) -> None: ...

    def limit_rate(self, *, skip: int) -> None:
        """Refuse one create, after ``skip`` good ones, because of too many requests."""


@dataclass
class GoogleSide:
    """Google Calendar."""

    simulator: Simulator
    name: str = "google"
    provider: CalendarProvider = field(init=False)
    mailbox: Mailbox = field(default_factory=lambda: Mailbox(ADDRESS, "primary", ZONE))

    def __post_init__(self) -> None:
        self.simulator.google.add_mailbox(ADDRESS, "Ann", ZONE)
        self.provider = self._provider(service_account_info(self.simulator.url))

    def _provider(self, info: dict[str, str]) -> CalendarProvider:
        return GoogleProvider(GoogleCredentials(info), GoogleEndpoints(self.simulator.url))

    def strangers_provider(self) -> CalendarProvider:
        return self._provider(service_account_info(self.simulator.url) | {"client_email": "stranger@example.com"})

    def person_creates(self, title: str, start: datetime, end: datetime, *, weekly_on: str = "") -> str:
        body: dict[str, Any] = {"summary": title, **_google_span(start, end)}
        if weekly_on:
            body["recurrence"] = [f"RRULE:FREQ=WEEKLY;BYDAY={weekly_on}"]
        return str(self.simulator.google.create_event(ADDRESS, body)["id"])

    def person_renames(self, remote_id: str, title: str) -> None:
        self.simulator.google.patch_event(ADDRESS, remote_id, {"summary": title})

    def person_renames_one(self, remote_id: str, occurrence: datetime, title: str) -> None:
        self.person_renames(_google_instance(remote_id, occurrence), title)

    def person_moves(self, remote_id: str, occurrence: datetime, start: datetime, end: datetime) -> None:
        self.simulator.google.patch_event(ADDRESS, _google_instance(remote_id, occurrence), _google_span(start, end))

    def person_cancels(self, remote_id: str, occurrence: datetime) -> None:
        self.simulator.google.delete_event(ADDRESS, _google_instance(remote_id, occurrence))

    def person_deletes(self, remote_id: str) -> None:
        self.simulator.google.delete_event(ADDRESS, remote_id)

    def stored_titles(self) -> list[str]:
        events = self.simulator.google.events(ADDRESS)
        return sorted(str(raw.get("summary", "")) for raw in events if "recurringEventId" not in raw)

    def expire_cursors(self) -> None:
        self.simulator.google.expire_sync_tokens(ADDRESS)

    def limit_rate(self, *, skip: int) -> None:
        said = {"domain": "usageLimits", "reason": "rateLimitExceeded", "message": "Rate Limit Exceeded"}
        body: dict[str, object] = {"error": {"code": 403, "message": "Rate Limit Exceeded", "errors": [said]}}
        fault = Fault("google", "status", method="POST", path=r"/events\?", skip=skip, status=403, body=body)
        self.simulator.core.faults.append(fault)


def _google_span(start: datetime, end: datetime) -> dict[str, Any]:
    return {name: {"dateTime": at.isoformat(), "timeZone": ZONE} for name, at in (("start", start), ("end", end))}


def _google_instance(remote_id: str, occurrence: datetime) -> str:
    return f"{remote_id}_{occurrence.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC):%Y%m%dT%H%M%SZ}"


@dataclass
class GraphSide:
    """Microsoft 365."""

    simulator: Simulator
    name: str = "graph"
    provider: CalendarProvider = field(init=False)
    mailbox: Mailbox = field(default_factory=lambda: Mailbox(ADDRESS, "primary", ZONE))

    def __post_init__(self) -> None:
        self.simulator.graph.add_mailbox(ADDRESS, "Ann", ZONE)
        self.provider = self._provider(CLIENT_SECRET)

    def _provider(self, secret: str) -> CalendarProvider:
        credentials = GraphCredentials(self.simulator.graph.tenant_id, CLIENT_ID, client_secret=secret)
        return GraphProvider(credentials, GraphEndpoints(self.simulator.url, self.simulator.url))

    def strangers_provider(self) -> CalendarProvider:
        return self._provider("wrong")

    def person_creates(self, title: str, start: datetime, end: datetime, *, weekly_on: str = "") -> str:
        body: dict[str, Any] = {"subject": title, **_graph_span(start, end)}
        if weekly_on:
            pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [DAYS[weekly_on]], "firstDayOfWeek": "monday"}
            span = {"type": "noEnd", "startDate": start.date().isoformat(), "recurrenceTimeZone": ZONE}
            body["recurrence"] = {"pattern": pattern, "range": span}
        return str(self.simulator.graph.create_event(ADDRESS, body)["immutableId"])

    def person_renames(self, remote_id: str, title: str) -> None:
        self.simulator.graph.update_event(ADDRESS, remote_id, {"subject": title})

    def person_renames_one(self, remote_id: str, occurrence: datetime, title: str) -> None:
        self.person_renames(self._instance(remote_id, occurrence), title)

    def person_moves(self, remote_id: str, occurrence: datetime, start: datetime, end: datetime) -> None:
        self.simulator.graph.update_event(ADDRESS, self._instance(remote_id, occurrence), _graph_span(start, end))

    def person_cancels(self, remote_id: str, occurrence: datetime) -> None:
        self.simulator.graph.delete_event(ADDRESS, self._instance(remote_id, occurrence))

    def person_deletes(self, remote_id: str) -> None:
        self.simulator.graph.delete_event(ADDRESS, remote_id)

    def stored_titles(self) -> list[str]:
        return sorted(str(raw["subject"]) for raw in self.simulator.graph.events(ADDRESS))

    def expire_cursors(self) -> None:
        self.simulator.graph.expire_delta_tokens(ADDRESS)

    def limit_rate(self, *, skip: int) -> None:
        body: dict[str, object] = {"error": {"code": "ApplicationThrottled", "message": "Too many requests"}}
        headers = {"Retry-After": "30"}
        path = r"/events/?(\?|$)"
        fault = Fault("graph", "status", method="POST", path=path, skip=skip, status=429, body=body, headers=headers)
        self.simulator.core.faults.append(fault)

    def _instance(self, remote_id: str, occurrence: datetime) -> str:
        frame = self.simulator.graph.mailbox(ADDRESS).items[remote_id].frame
        return frame.instance(occurrence.date())


def _graph_span(start: datetime, end: datetime) -> dict[str, Any]:
    return {name: {"dateTime": at.isoformat(), "timeZone": ZONE} for name, at in (("start", start), ("end", end))}


# --- a caller's view --------------------------------------------------------------------------------------


@dataclass
class Reading:
    """A caller that keeps what it has read, as the pipeline does: cursor, versions and occurrence keys."""

    side: Side
    cursor: str = ""
    held: dict[str, Known] = field(default_factory=dict)
    complete: bool = False
    asked: set[str] = field(default_factory=set)  # ids that the adapter has met, given as items or not

    def round(self) -> list[Item]:
        """One round of changes, remembered; the items in the order in which they came."""
        items: list[Item] = []
        for page in self.side.provider.changes(self.side.mailbox, cursor=self.cursor, window=WINDOW, known=self._known):
            assert not self.cursor or not page.complete or not self.held, "a later round is never complete"
            items.extend(page.items)
            last = page
        self.cursor, self.complete = last.cursor, last.complete
        for item in items:
            self.remember(item)
        return items

    def remember(self, item: Item | Written) -> None:
        """Hold what a read or the echo of a write told."""
        if item.event is None:
            self.held.pop(item.remote_id, None)
        else:
            keys = frozenset(item.event.exceptions.keys() | item.event.cancelled)
            self.held[item.remote_id] = Known(item.version, keys)

    def _known(self, ids: Sequence[str]) -> dict[str, Known]:
        self.asked.update(ids)
        return {one: self.held[one] for one in ids if one in self.held}


def created(side: Side, event: Event, *, key: str = "key-1") -> Written:
    """Create one event through the adapter."""
    return expect_written(side, Write(WriteKind.CREATE, key=key, event=event))


def expect_written(side: Side, write: Write) -> Written:
    """Carry out one write that must succeed."""
    (outcome,) = side.provider.apply(side.mailbox, [write])
    assert isinstance(outcome, Written), f"not written: {outcome!r}"
    return outcome


def wall(text: str) -> datetime:
    """Wall clock time, as in ``2026-12-01T09:00``."""
    return datetime.fromisoformat(text)


def week_later(at: datetime, weeks: int = 1) -> datetime:
    """The same wall clock time some weeks on."""
    return at + timedelta(weeks=weeks)
