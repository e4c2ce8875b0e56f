"""What rules may ask about: one event on its way from one platform to the other, and the people in it.

What lives here: values, and what follows from them by arithmetic. What does not: conditions, any lookup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from functools import cached_property

from calsync.engine import zones
from calsync.engine.events import AllDay, Content, Event, Field, OccurrenceKey, Platform, Timed, When
from calsync.engine.recurrence import expand, occurrence_when

_FAR = timedelta(days=366 * 30)  # no series that people make pauses longer


class Topology(StrEnum):
    """Between whose calendars an event travels."""

    OWN = "own"  # T1: one person's calendars on both platforms
    COLLEAGUES = "colleagues"  # T2: from the organiser's calendar to a guest's


class Level(IntEnum):
    """How confidential something is; equally what a person's clearance covers. Higher includes lower."""

    PUBLIC = 0
    INTERNAL = 10
    CONFIDENTIAL = 20
    RESTRICTED = 30


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody works: wall clock in a zone. ``ends`` before ``starts`` is a shift over midnight, which belongs to
    the day on which it starts. ``days`` are ISO weekdays, Monday is 1.
    """

    zone: str = "UTC"
    starts: time = time(9)
    ends: time = time(17)
    days: frozenset[int] = frozenset({1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in a meeting. ``inside``: the organisation knows the person; only then is the rest known."""

    address: str = ""
    inside: bool = False
    unit: str = ""  # path of the org unit, such as /Sales/EMEA
    groups: frozenset[str] = frozenset()
    zone: str = ""


NOBODY = Party()


@dataclass(frozen=True)
class Facts:
    """Everything that rules may know about one event in one place. Nothing else ever decides.

    ``hours`` are those of the person whose rules are asked. ``host`` is the organiser, or the event's owner where
    nobody else organises. ``colleague`` is the guest in whose calendar a copy would stand (COLLEAGUES only).
    ``occurrence``: judge this one instead of the first of a series. ``response`` is the person's own answer.
    """

    event: Event
    source: Platform
    target: Platform
    now: datetime
    topology: Topology = Topology.OWN
    hours: Hours = field(default_factory=Hours)
    host: Party = NOBODY
    guests: tuple[Party, ...] = ()
    colleague: Party | None = None
    calendar_level: int = Level.PUBLIC
    event_level: int = Level.PUBLIC
    categories: frozenset[str] = frozenset()
    response: str = "none"  # none, accepted, tentative, declined; organizer
    occurrence: Content | None = None

    @property
    def content(self) -> Content:
        """The occurrence that is judged; the first one, or the event itself."""
        return self.occurrence or self.event.content

    @property
    def when(self) -> When:
        """The span that is judged."""
        return self.content.when

    @property
    def level(self) -> int:
        """The event's classification: the higher of its own and its calendar's."""
        return max(self.calendar_level, self.event_level)

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """Start and end as instants. All-day events count from midnight to midnight where the person is."""
        return span_in(self.when, zone=self.hours.zone)

    @cached_property
    def duration(self) -> timedelta:
        """How long it lasts; each day of an all-day event counts 24 hours."""
        when = self.when
        return when.end - when.start if isinstance(when, AllDay) else self.span[1] - self.span[0]

    @cached_property
    def next_start(self) -> datetime:
        """The start that is still to come: of a series its next occurrence; of what is over its first start."""
        series = self.event.recurrence
        if self.occurrence is not None or series is None:
            return self.span[0]
        start = self.event.content.when
        after = self.now - timedelta(days=1) if isinstance(start, AllDay) else self.now
        coming = expand(start, series, after=after, before=self.now + _FAR)
        key = next((key for key in coming if key not in self.event.cancelled), None)
        return self.span[0] if key is None else span_in(self._when_of(key), zone=self.hours.zone)[0]

    def _when_of(self, key: OccurrenceKey) -> When:
        moved = self.event.exceptions.get(key, {}).get(Field.WHEN)
        return moved if isinstance(moved, Timed | AllDay) else occurrence_when(self.event.content.when, key)

    @cached_property
    def zone_distance(self) -> float | None:
        """Hours between the clocks of the host and of the colleague (else of the guest farthest away), at the start.

        None while no two zones are known.
        """
        others = (self.colleague,) if self.colleague else self.guests
        guests = {guest.zone for guest in others if guest.zone}
        if not self.host.zone or not guests:
            return None
        here = offset_at(self.span[0], self.host.zone)
        return max(abs(offset_at(self.span[0], zone) - here) for zone in guests) / timedelta(hours=1)


def span_in(when: When, *, zone: str) -> tuple[datetime, datetime]:
    """Start and end as aware UTC; dates begin at midnight in ``zone``."""
    if isinstance(when, Timed):
        return zones.to_instant(when.start, when.zone), zones.to_instant(when.end, when.end_zone or when.zone)
    start, end = (zones.to_instant(datetime.combine(day, time()), zone) for day in (when.start, when.end))
    return start, end


def offset_at(instant: datetime, zone: str) -> timedelta:
    """How far a zone's clocks are ahead of UTC at that instant."""
    return instant.astimezone(zones.zone_info(zone)).utcoffset() or timedelta()
