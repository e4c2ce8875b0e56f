"""Single occurrences of a series: their keys, what they inherit from the master, and what an exception overrides.

What lives here: the arithmetic between a master, an occurrence key and one occurrence's content. What does not: which
occurrences a rule generates (``expansion``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import cast

from calsync.engine import zones
from calsync.engine.events import AllDay, Content, Field, FieldValue, OccurrenceKey, Override, Timed, When

_ATTRIBUTES = {field: field.value for field in Field if field not in (Field.WHEN, Field.RECURRENCE)}


def key_of(when_start: datetime | date) -> OccurrenceKey:
    """The key of an occurrence by its original start: naive wall time in the series' zone, or a date for all-day."""
    if isinstance(when_start, datetime):
        if when_start.tzinfo is not None:
            raise ValueError("an occurrence key is made from naive wall clock time in the zone of the series")
        return OccurrenceKey(when_start.isoformat(timespec="minutes"))
    return OccurrenceKey(when_start.isoformat())


def key_at(instant: datetime, *, start: When) -> OccurrenceKey:
    """The key, in the series that begins at ``start``, of the occurrence that starts at an aware ``instant``.

    For an all-day series it is the UTC date.
    """
    if isinstance(start, AllDay):
        return key_of(zones.to_wall(instant, "UTC").date())
    return key_of(zones.to_wall(instant, start.zone))


def start_of(key: OccurrenceKey) -> datetime | date:
    """The reverse of ``key_of``. Raises ValueError on a malformed key."""
    return datetime.fromisoformat(key) if "T" in key else date.fromisoformat(key)


def midnight_or_time(start: When) -> time:
    """The wall clock time at which the series' occurrences start; midnight for all-day."""
    return start.start.time() if isinstance(start, Timed) else time()


def occurrence_when(master: When, key: OccurrenceKey) -> When:
    """The span that the occurrence ``key`` inherits: its original start with the master's wall clock duration.

    Raises ValueError when a date key meets a timed master or the reverse.
    """
    original = start_of(key)
    if isinstance(master, AllDay) and not isinstance(original, datetime):
        return AllDay(start=original, end=original + (master.end - master.start))
    if isinstance(master, Timed) and isinstance(original, datetime):
        # Keys stop at the minute; the seconds of an odd start come from the master.
        begins = original + timedelta(seconds=master.start.second, microseconds=master.start.microsecond)
        return replace(master, start=begins, end=begins + (master.end - master.start))
    raise ValueError(f"occurrence key {key!r} does not belong to this kind of series")


def same_span(a: When, b: When) -> bool:
    """Whether two spans cover the same instants (or the same dates), in whatever zones they are told."""
    if isinstance(a, Timed) and isinstance(b, Timed):
        return _instants(a) == _instants(b)
    return a == b


def override_of(master: Content, key: OccurrenceKey, content: Content) -> Override:
    """What ``content`` of the occurrence ``key`` changes against its master; empty when it is a regular occurrence.

    A span that covers the inherited instants is no override, even when it is told in another zone: providers
    differ in the zone in which they tell an exception.
    """
    override: dict[Field, FieldValue] = {}
    if not same_span(occurrence_when(master.when, key), content.when):
        override[Field.WHEN] = content.when
    for field, name in _ATTRIBUTES.items():
        value = getattr(content, name)
        if value != getattr(master, name):
            override[field] = value
    return override


def apply_override(master: Content, key: OccurrenceKey, override: Override) -> Content:
    """The whole content of the occurrence ``key``: what it inherits, with the exception's own fields on top."""
    own = {_ATTRIBUTES[field]: value for field, value in override.items() if field in _ATTRIBUTES}
    when = cast(When, override.get(Field.WHEN) or occurrence_when(master.when, key))
    return replace(master, when=when, **own)  # type: ignore[arg-type]  # each field holds its own type of value


def _instants(when: Timed) -> tuple[datetime, datetime]:
    return zones.to_instant(when.start, when.zone), zones.to_instant(when.end, when.end_zone or when.zone)
