"""Exceptions that Exchange would refuse because of their neighbours, and the series without them.

What lives here: telling such exceptions, and cancelling them in the series that is written instead. What does not: the
single events that stand for them (``parts``).

An exception may not move to or before the day of the previous occurrence, nor to or after the day of the next one, and
not overlap either. A neighbour that moved itself counts both where it was born and where it stands: then the order in
which the exceptions of a series are written does not matter. Cancelled occurrences stand in nobody's way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from calsync.engine import zones
from calsync.engine.events import AllDay, Event, Field, OccurrenceKey, Timed, When
from calsync.engine.fingerprint import instants
from calsync.engine.recurrence import expand, generates, occurrence_when, start_of

_INSTANT = timedelta(minutes=1)  # keys stop at the minute
_EARLIEST, _LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)
_REACHES = tuple(timedelta(days=days) for days in (40, 400, 4_000, 40_000))  # growing steps: a series may be old


@dataclass(frozen=True, slots=True)
class _Span:
    """Where an occurrence stands: its first day in the zone of the series, and its instants."""

    day: date
    begins: datetime
    ends: datetime


def crossing(event: Event) -> frozenset[OccurrenceKey]:
    """The exceptions that move to or across the day of a neighbour, or whose all-day-ness is not the series' own."""
    moved = {key for key, override in event.exceptions.items() if Field.WHEN in override}
    return frozenset(key for key in moved - event.cancelled if _occurs(event, key) and _crosses(event, key))


def without_crossing(event: Event) -> Event:
    """The event as the series is written where exceptions are bound: those that cross are cancelled instead."""
    gone = crossing(event)
    if not gone:
        return event
    kept = {key: override for key, override in event.exceptions.items() if key not in gone}
    return replace(event, exceptions=kept, cancelled=event.cancelled | gone)


# --- inside -----------------------------------------------------------------------------------------------


def _occurs(event: Event, key: OccurrenceKey) -> bool:
    return event.recurrence is not None and generates(event.content.when, event.recurrence, key)


def _crosses(event: Event, key: OccurrenceKey) -> bool:
    own = _moved_to(event, key)
    if own is None:
        return True
    before = [span for span in _stands(event, _previous(event, key)) if own.day <= span.day or own.begins < span.ends]
    after = [span for span in _stands(event, _next(event, key)) if own.day >= span.day or own.ends > span.begins]
    return bool(before or after)


def _stands(event: Event, key: OccurrenceKey | None) -> list[_Span]:
    """Where a neighbour was born and, when it moved, where it stands."""
    if key is None:
        return []
    born = _span(occurrence_when(event.content.when, key), event.content.when)
    return [span for span in (born, _moved_to(event, key)) if span is not None]


def _moved_to(event: Event, key: OccurrenceKey) -> _Span | None:
    """The span that an exception has of its own; None when it has none, or one of the other kind."""
    when = event.exceptions.get(key, {}).get(Field.WHEN)
    return _span(when, event.content.when) if isinstance(when, Timed | AllDay) else None


def _span(when: When, master: When) -> _Span | None:
    if isinstance(when, Timed) and isinstance(master, Timed):
        begins, ends = instants(when)
        return _Span(zones.to_wall(begins, master.zone).date(), begins, ends)
    if isinstance(when, AllDay) and isinstance(master, AllDay):
        return _Span(when.start, _midnight(when.start), _midnight(when.end))
    return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _born_at(event: Event, key: OccurrenceKey) -> datetime:
    original, when = start_of(key), event.content.when
    if isinstance(original, datetime) and isinstance(when, Timed):
        return zones.to_instant(original, when.zone)
    return _midnight(original)


def _next(event: Event, key: OccurrenceKey) -> OccurrenceKey | None:
    born = _born_at(event, key)
    later = _between(event, born + _INSTANT, min(born + _REACHES[-1], _LATEST))
    return next(later, None)


def _previous(event: Event, key: OccurrenceKey) -> OccurrenceKey | None:
    born = _born_at(event, key)
    for reach in _REACHES:
        if earlier := list(_between(event, born - min(reach, born - _EARLIEST), born)):
            return earlier[-1]
    return None


def _between(event: Event, after: datetime, before: datetime) -> Iterator[OccurrenceKey]:
    """The occurrences that the series still has."""
    assert event.recurrence is not None
    keys = expand(event.content.when, event.recurrence, after=after, before=before)
    return (key for key in keys if key not in event.cancelled)
