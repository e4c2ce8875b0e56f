"""One person's mailbox as that person uses it: the same plain verbs over either pretend platform.

Used to fill the pretend company and to let its people act. Everything done here counts as done by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Protocol

from calsync.simulator.google.records import Record
from calsync.simulator.google.store import GoogleStore
from calsync.simulator.graph.records import Event
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.sketches import Body, Sketch, google_body, graph_body, until_text

SEEN = 8  # upcoming occurrences that a person looks at


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that the owner may edit. ``upcoming`` are wall-clock starts of a series' unchanged occurrences."""

    id: str
    title: str
    start: datetime
    end: datetime
    all_day: bool
    is_series: bool
    upcoming: tuple[datetime, ...] = ()


class Desk(Protocol):
    """What a person can do. ``on`` is the original wall-clock start of one occurrence, None means the whole event."""

    address: str

    def create(self, sketch: Sketch) -> str:
        """Make an event and return its id."""

    def rename(self, event_id: str, title: str, *, on: datetime | None = None) -> None:
        """Give it another title."""

    def move(self, entry: Entry, by: timedelta, *, on: datetime | None = None) -> None:
        """Move it on the wall clock."""

    def delete(self, event_id: str, *, on: datetime | None = None) -> None:
        """Delete it."""

    def end_series(self, entry: Entry, last: date) -> None:
        """Let the series end with this local day."""

    def entries(self, *, now: datetime) -> list[Entry]:
        """What the owner organizes and may edit."""


class GoogleDesk:
    """A mailbox in the pretend Workspace domain. Guests are mailed, as from Google's own pages."""

    def __init__(self, store: GoogleStore, address: str) -> None:
        self._store = store
        self.address = address

    def create(self, sketch: Sketch) -> str:
        """Make an event and return its id."""
        made = self._store.create_event(self.address, google_body(sketch), send_updates="all")
        return str(made["id"])

    def rename(self, event_id: str, title: str, *, on: datetime | None = None) -> None:
        """Give it another title."""
        self._patch(self._id(event_id, on), {"summary": title})

    def move(self, entry: Entry, by: timedelta, *, on: datetime | None = None) -> None:
        """Move it on the wall clock."""
        record = self._record(entry.id)
        start = record.start.wall() if on is None else on
        ends = start + by + record.duration
        zone = record.start.zone
        self._patch(self._id(entry.id, on), {"start": _google(start + by, zone), "end": _google(ends, zone)})

    def delete(self, event_id: str, *, on: datetime | None = None) -> None:
        """Delete it."""
        self._store.delete_event(self.address, self._id(event_id, on), send_updates="all")

    def end_series(self, entry: Entry, last: date) -> None:
        """Let the series end with this local day."""
        record = self._record(entry.id)
        until = until_text(last, zone=record.start.zone or "UTC", all_day=entry.all_day)
        self._patch(entry.id, {"recurrence": [_cut(line, until) for line in record.fields["recurrence"]]})

    def entries(self, *, now: datetime) -> list[Entry]:
        """What the owner organizes and may edit."""
        with self._store.core.lock:
            rows = list(self._store.calendars[self.address].rows)
            return [self._entry(record, now) for record in rows if self._is_editable(record)]

    def _is_editable(self, record: Record) -> bool:
        if record.master is not None or record.cancelled or record.organizer != self.address:
            return False
        return str(record.fields.get("eventType", "default")) == "default"

    def _entry(self, record: Record, now: datetime) -> Entry:
        upcoming: Iterator[datetime] = iter(())
        if record.recurring:
            changed = {child.original for child in self._store.calendars[self.address].exceptions(record)}
            starts = islice(record.series().between(now, None), SEEN)
            upcoming = (wall for wall in starts if record.start.at_wall(wall) not in changed)
        start, end = record.start.wall(), record.end.wall()
        title = record.fields.get("summary", "")
        return Entry(record.id, title, start, end, record.start.all_day, record.recurring, tuple(upcoming))

    def _record(self, event_id: str) -> Record:
        return self._store.calendars[self.address].records[event_id]

    def _id(self, event_id: str, on: datetime | None) -> str:
        if on is None:
            return event_id
        return f"{event_id}_{self._record(event_id).start.at_wall(on).suffix()}"

    def _patch(self, event_id: str, change: Body) -> None:
        self._store.patch_event(self.address, event_id, change, send_updates="all")


def _google(wall: datetime, zone: str) -> Body:
    """An EventDateTime that leaves nothing of the other kind behind."""
    if not zone:
        return {"date": f"{wall:%Y-%m-%d}"}
    return {"dateTime": wall.isoformat(), "timeZone": zone}


def _cut(line: str, until: str) -> str:
    if not line.startswith("RRULE:"):
        return line
    parts = [part for part in line[6:].split(";") if not part.startswith(("COUNT=", "UNTIL="))]
    return "RRULE:" + ";".join([*parts, f"UNTIL={until}"])


class GraphDesk:
    """A mailbox in the pretend tenant. Exchange mails the guests by itself."""

    def __init__(self, store: GraphStore, address: str) -> None:
        self._store = store
        self.address = address

    def create(self, sketch: Sketch) -> str:
        """Make an event and return its id."""
        return str(self._store.create_event(self.address, graph_body(sketch))["id"])

    def rename(self, event_id: str, title: str, *, on: datetime | None = None) -> None:
        """Give it another title."""
        self._store.update_event(self.address, self._id(event_id, on), {"subject": title})

    def move(self, entry: Entry, by: timedelta, *, on: datetime | None = None) -> None:
        """Move it on the wall clock; a series is sent with its recurrence, as Outlook does."""
        event = self._event(entry.id)
        start, end = event.span(None if on is None else on.date())
        first = start.wall + by
        change: Body = {"start": _graph(first, start.named), "end": _graph(end.wall + by, end.named)}
        if entry.all_day:
            change["isAllDay"] = True
        if entry.is_series and on is None and event.recurrence:
            span = event.recurrence["range"] | {"startDate": f"{first:%Y-%m-%d}"}
            change["recurrence"] = event.recurrence | {"range": span}
        self._store.update_event(self.address, self._id(entry.id, on), change)

    def delete(self, event_id: str, *, on: datetime | None = None) -> None:
        """Delete it."""
        self._store.delete_event(self.address, self._id(event_id, on))

    def end_series(self, entry: Entry, last: date) -> None:
        """Let the series end with this local day."""
        recurrence: Any = self._event(entry.id).recurrence
        span = recurrence["range"] | {"type": "endDate", "endDate": last.isoformat()}
        self._store.update_event(self.address, entry.id, {"recurrence": recurrence | {"range": span}})

    def entries(self, *, now: datetime) -> list[Entry]:
        """What the owner organizes and may edit."""
        with self._store.core.lock:
            events = list(self._store.mailbox(self.address).default.events.values())
            return [self._entry(event, now) for event in events if event.is_organizer()]

    def _entry(self, event: Event, now: datetime) -> Entry:
        upcoming: tuple[datetime, ...] = ()
        if event.series is not None:
            midnight = datetime.combine(now.date(), time())
            starts = event.series.between(midnight, midnight + timedelta(days=200))[:SEEN]
            gone = event.cancelled | event.exceptions.keys()
            upcoming = tuple(wall for wall in starts if wall.date() not in gone)
        start, end = event.span(None)
        title, all_day = str(event.props["subject"]), bool(event.props["isAllDay"])
        return Entry(event.id, title, start.wall, end.wall, all_day, event.series is not None, upcoming)

    def _event(self, event_id: str) -> Event:
        return self._store.mailbox(self.address).items[event_id]

    def _id(self, event_id: str, on: datetime | None) -> str:
        return event_id if on is None else self._event(event_id).reference(on.date(), immutable=False)


def _graph(wall: datetime, zone: str) -> Body:
    return {"dateTime": wall.isoformat(), "timeZone": zone}
