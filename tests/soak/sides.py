"""Hands and eyes of an end user on either side: what can be done by hand, and what is seen.

What lives here: acting on and looking at the simulator's own stores. What does not: any judgement (``oracle``).
Nothing of the engine or the adapters is used, so that their mistakes are not shared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Protocol

from calsync.simulator.desks import Entry, GoogleDesk, GraphDesk
from calsync.simulator.google.expansion import occurrences
from calsync.simulator.google.records import Record
from calsync.simulator.google.store import GoogleStore
from calsync.simulator.graph.records import Event
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.sketches import Sketch

SINCE = datetime.fromisoformat("2026-11-23")
UNTIL = SINCE + timedelta(days=300)
"""What is looked at lies in here: well inside every window that CalSync reads, wherever the clock was moved to."""

SEEN = 5  # first occurrences of a series that somebody acts on
TAG = re.compile(r"E(\d+)\b")
WORD = re.compile(r"\b[trn]\d+\b")


@dataclass(frozen=True, slots=True, order=True)
class Face:
    """What one event or occurrence shows, reduced to the unique words in it. ``when`` is ``start/end``."""

    title: str
    when: str
    place: str
    note: str


@dataclass(slots=True)
class Shown:
    """All that one side shows of one made event: ``whole`` is the single or master itself, ``by_original`` the
    occurrences by the start that the rule gives them ('' for a single), ``units`` how many singles and masters.
    """

    whole: Face
    units: int = 1
    has_guests: bool = False
    faces: list[Face] = field(default_factory=list)
    by_original: dict[str, Face] = field(default_factory=dict)

    def face(self, key: str) -> Face | None:
        """The occurrence of that original start; '' means the event as a whole."""
        return self.by_original.get(key) if key else self.whole

    def words(self) -> frozenset[str]:
        """Every value that can be seen."""
        return frozenset(
            value for face in (self.whole, *self.faces) for value in (face.title, face.when, face.place, face.note)
        )

    def join(self, other: Shown) -> None:
        """Another event that carries the same number: a part of the same series, or a doubled one."""
        self.units += other.units
        self.has_guests |= other.has_guests
        self.faces += other.faces
        self.by_original |= other.by_original

    def add(self, original: str, face: Face) -> None:
        """One more occurrence inside the time that is looked at."""
        self.faces.append(face)
        self.by_original[original] = face


Look = dict[int, Shown]  # by the number that every title carries


class Side(Protocol):
    """One person's calendar on one platform. ``on`` is the original wall-clock start of an occurrence."""

    name: str

    def entries(self, *, now: datetime) -> list[Entry]:
        """What may be edited here, in the order in which it was made."""

    def create(self, sketch: Sketch) -> str:
        """Make an event."""

    def rename(self, event_id: str, title: str, *, on: datetime | None = None) -> None:
        """Give it another title."""

    def move(self, entry: Entry, by: timedelta, *, on: datetime | None = None) -> None:
        """Move it on the wall clock."""

    def put(self, event_id: str, *, place: str = "", note: str = "", on: datetime | None = None) -> None:
        """Give it another place or text."""

    def delete(self, event_id: str, *, on: datetime | None = None) -> None:
        """Delete it."""

    def end_series(self, entry: Entry, last: date) -> None:
        """Let the series end with this local day."""

    def invite(self, event_id: str, address: str) -> None:
        """Ask somebody to come."""

    def starts(self, event_id: str) -> list[tuple[datetime, str]]:
        """The first living occurrences of a series: wall clock, and the key under which ``look`` shows them."""

    def show(self, event_id: str) -> Shown:
        """One single or master and its occurrences, by itself."""

    def look(self) -> Look:
        """Everything that can be seen."""


class Outlook(GraphDesk):
    """A mailbox in the pretend tenant."""

    name = "outlook"

    def __init__(self, store: GraphStore, address: str) -> None:
        super().__init__(store, address)
        self.store = store

    def put(self, event_id: str, *, place: str = "", note: str = "", on: datetime | None = None) -> None:
        body: dict[str, object] = {}
        if place:
            body["location"] = {"displayName": place}
        if note:
            body["body"] = {"contentType": "html", "content": f"<html><body><p>{note}</p></body></html>"}
        self.store.update_event(self.address, self._id(event_id, on), body)

    def invite(self, event_id: str, address: str) -> None:
        guests = [{"emailAddress": {"address": address}, "type": "required"}]
        self.store.update_event(self.address, event_id, {"attendees": guests})

    def starts(self, event_id: str) -> list[tuple[datetime, str]]:
        event = self._event(event_id)
        if event.series is None:
            return []
        walls = event.series.between(SINCE, UNTIL)
        living = (wall for wall in walls if wall.date() not in event.cancelled)
        return [(wall, self._original(event, wall.date())) for wall in islice(living, SEEN)]

    def look(self) -> Look:
        with self.store.core.lock:
            found: Look = {}
            for event in self.store.mailbox(self.address).default.events.values():
                _enter(found, self.show(event.id), str(event.props["subject"]))
            return found

    def show(self, event_id: str) -> Shown:
        event = self._event(event_id)
        shown = Shown(self._face(event, None), has_guests=bool(event.props["attendees"]))
        for on in self._occurrences(event):
            shown.add("" if on is None else self._original(event, on), self._face(event, on))
        return shown

    def _occurrences(self, event: Event) -> list[date | None]:
        if event.series is None:
            return [None] if event.overlaps(None, SINCE, UNTIL) else []
        return list(event.instances(SINCE, UNTIL))

    def _original(self, event: Event, on: date) -> str:
        if event.props["isAllDay"]:
            return on.isoformat()
        return _instant(event.start.at(event.original_start(on)).utc)

    def _face(self, event: Event, on: date | None) -> Face:
        start, end = event.span(on)
        values = event.values(on)
        if values["isAllDay"]:
            when = f"{start.wall.date()}/{end.wall.date()}"
        else:
            when = f"{_instant(start.utc)}/{_instant(end.utc)}"
        return Face(_word(values["subject"]), when, _word(values["location"]["displayName"]), _word(values["body"]))


class Google(GoogleDesk):
    """A mailbox in the pretend Workspace domain."""

    name = "google"

    def __init__(self, store: GoogleStore, address: str) -> None:
        super().__init__(store, address)
        self.store = store

    def put(self, event_id: str, *, place: str = "", note: str = "", on: datetime | None = None) -> None:
        change = {"location": place} if place else {}
        self._patch(self._id(event_id, on), change | ({"description": note} if note else {}))

    def invite(self, event_id: str, address: str) -> None:
        self._patch(event_id, {"attendees": [{"email": address}]})

    def starts(self, event_id: str) -> list[tuple[datetime, str]]:
        master = self._record(event_id)
        if not master.recurring:
            return []
        cancelled = {
            child.original.wall()
            for child in self.store.calendars[self.address].exceptions(master)
            if child.cancelled and child.original is not None
        }
        living = (wall for wall in master.series().between(SINCE, UNTIL) if wall not in cancelled)
        return [(wall, _google_original(master, wall)) for wall in islice(living, SEEN)]

    def look(self) -> Look:
        with self.store.core.lock:
            found: Look = {}
            for record in self.store.calendars[self.address].rows:
                if record.master is None and not record.cancelled:
                    _enter(found, self.show(record.id), str(record.fields.get("summary", "")))
            return found

    def show(self, event_id: str) -> Shown:
        record = self._record(event_id)
        shown = Shown(self._face(record), has_guests=bool(record.fields.get("attendees")))
        if not record.recurring:
            shown.add("", self._face(record))
            return shown
        low, high = SINCE.replace(tzinfo=UTC), UNTIL.replace(tzinfo=UTC)
        for one in occurrences(self.store.calendars[self.address], record, low, high):
            assert one.original is not None
            shown.add(_google_original(record, one.original.wall()), self._face(one))
        return shown

    def _face(self, record: Record) -> Face:
        values = record.effective
        if record.start.day is not None:
            when = f"{record.start.day}/{record.end.day}"
        else:
            assert record.start.instant is not None
            assert record.end.instant is not None
            when = f"{_instant(record.start.instant)}/{_instant(record.end.instant)}"
        title, place, note = (str(values.get(name, "")) for name in ("summary", "location", "description"))
        return Face(_word(title), when, _word(place), _word(note))


def _enter(found: Look, shown: Shown, title: str) -> None:
    tag = TAG.match(title)
    assert tag is not None, f"an event that nobody made: {title}"
    number = int(tag.group(1))
    if number in found:
        found[number].join(shown)
    else:
        found[number] = shown


def _word(text: object) -> str:
    """The unique words in a text: markup, notes and spelling do not matter."""
    return " ".join(WORD.findall(str(text)))


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _google_original(master: Record, wall: datetime) -> str:
    if master.start.all_day:
        return wall.date().isoformat()
    instant = master.start.at_wall(wall).instant
    assert instant is not None
    return _instant(instant)
