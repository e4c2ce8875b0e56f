"""One calendar's events as the pretend Google keeps them: records, their index by id and UID, and the change log.

A record is a single event, the master of a series, or one exception (a changed or cancelled occurrence), which
keeps only what differs from its master. Occurrences without changes are not stored. What changes records lives
in ``writing``, what renders them in ``wire``.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from calsync.simulator.google import ids, recurrence
from calsync.simulator.google.moments import Moment, from_suffix, known_zone

Fields = dict[str, Any]  # wire fields of an event: JSON values of any kind


@dataclass(slots=True, eq=False)
class Record:
    """One stored event. ``fields`` are wire fields without times, ids and versions; None overrides with absence."""

    id: str
    fields: Fields
    start: Moment
    end: Moment
    created_us: int
    ordinal: int = 0
    updated_us: int = 0
    master: Record | None = None
    original: Moment | None = None
    swept: bool = False  # an exception whose original start the series no longer has
    moved_away: bool = False  # left for another calendar; only its id is known here
    rendered: dict[str, Fields] = field(default_factory=dict)  # by zone, dropped when the version changes

    @property
    def effective(self) -> Fields:
        """All fields, those inherited from the master included."""
        if self.master is None:
            return self.fields
        merged = {key: value for key, value in self.master.fields.items() if key != "recurrence"} | self.fields
        return {key: value for key, value in merged.items() if value is not None}

    @property
    def cancelled(self) -> bool:
        """Whether this event is deleted, or belongs to a deleted series."""
        if self.swept or self.moved_away or self.fields.get("status") == "cancelled":
            return True
        return self.master is not None and self.master.cancelled

    @property
    def recurring(self) -> bool:
        """Whether this is the master of a series."""
        return bool(self.fields.get("recurrence"))

    @property
    def organizer(self) -> str:
        """The organizer's address."""
        return str(self.effective["organizer"].get("email", ""))

    @property
    def duration(self) -> timedelta:
        """Wall-clock length."""
        return self.end.in_zone(self.start.zone).wall() - self.start.wall()

    def series(self) -> recurrence.Series:
        """The expanded recurrence of a master."""
        return recurrence.read(self.fields["recurrence"], self.start)


@dataclass(slots=True, eq=False)
class Calendar:
    """One calendar. ``id`` is the owner's address for a primary calendar."""

    id: str
    owner: str
    zone_name: str
    summary: str
    primary: bool = True
    read_only: bool = False  # a holiday calendar: no writes and no push
    records: dict[str, Record] = field(default_factory=dict)
    rows: list[Record] = field(default_factory=list)
    children: dict[str, dict[str, Record]] = field(default_factory=dict)
    by_uid: dict[str, list[Record]] = field(default_factory=dict)
    log: list[tuple[int, Record]] = field(default_factory=list)
    updated_us: int = 0
    created_us: int = 0
    generation: int = 0  # of the valid sync tokens; starts from the id, so that a foreign token is refused

    def __post_init__(self) -> None:
        self.generation = self.generation or crc32(self.id.encode()) >> 8

    @property
    def zone(self) -> ZoneInfo:
        """The calendar's time zone."""
        return known_zone(self.zone_name)

    def add(self, record: Record) -> None:
        """Index a new record."""
        record.ordinal = len(self.rows)
        self.rows.append(record)
        self.records[record.id] = record
        if record.master is not None:
            self.children.setdefault(record.master.id, {})[record.id] = record
        else:
            self.by_uid.setdefault(record.fields["iCalUID"], []).append(record)

    def exceptions(self, master: Record) -> list[Record]:
        """The stored occurrences of a series, swept ones left out."""
        return [child for child in self.children.get(master.id, {}).values() if not child.swept]

    def changes_since(self, updated_us: int) -> int:
        """The position in the log right after everything up to ``updated_us``."""
        return bisect_right(self.log, updated_us, key=lambda entry: entry[0])

    def with_uid(self, uid: str) -> list[Record]:
        """Events of that iCalUID, exceptions included."""
        found = self.by_uid.get(uid, [])
        return [record for master in found for record in (master, *self.exceptions(master))]

    def virtual(self, event_id: str) -> Record | None:
        """An unchanged occurrence by its id (not stored), None when the series has none there."""
        named = ids.INSTANCE_ID.match(event_id)
        master = self.records.get(named.group(1)) if named else None
        if named is None or master is None or not master.recurring:
            return None
        original = from_suffix(named.group(2), master.start)
        if original is None or not master.series().yields(original.wall()):
            return None
        return occurrence(master, original)


def occurrence(master: Record, original: Moment) -> Record:
    """An unchanged occurrence of ``master`` as a record of its own, not indexed."""
    wall = original.wall() + master.duration
    end = Moment(zone=master.start.zone, instant=original.instant, day=original.day).at_wall(wall)
    return Record(
        id=f"{master.id}_{original.suffix()}",
        fields={},
        start=original,
        end=end.in_zone(master.end.zone),
        created_us=master.created_us,
        updated_us=master.updated_us,
        master=master,
        original=original,
    )
