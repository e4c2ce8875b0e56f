"""Keeps the parts of a merged series in line: its time, its rule, and the keys of its exceptions.

What lives here: whether a time fits a rule, and moving or dropping occurrence keys that a merged rule no longer makes.
What does not: who wins a field (``merge``).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date, datetime

from calsync.engine.events import AllDay, Field, OccurrenceKey, Recurrence, When
from calsync.engine.fingerprint import key_of_path
from calsync.engine.recurrence import generates, key_of

Paths = Mapping[str, object]
SHAPE = frozenset({Field.WHEN.value, Field.RECURRENCE.value})


def shape_of(paths: Paths) -> tuple[When, Recurrence | None]:
    """Time and rule of a flattened event."""
    when, recurrence = paths[Field.WHEN.value], paths.get(Field.RECURRENCE.value)
    assert isinstance(when, When)
    return when, recurrence if isinstance(recurrence, Recurrence) else None


def begins_with_its_start(when: When, recurrence: Recurrence | None) -> bool:
    """Whether the start is an occurrence of the rule; with time and rule from two sides it may not be."""
    return recurrence is None or generates(when, recurrence, key_of(when.start))


def realign(paths: Paths, *, trusted: Set[OccurrenceKey]) -> tuple[dict[str, object], dict[str, object]]:
    """The paths with every occurrence key made by the series' own rule, and those that found no place (they are lost).

    ``trusted`` keys come from the side that supplied time and rule, and stay. Another key moves to the occurrence of
    the same day when only the time of day (or all-day against timed) changed.
    """
    places = _places({key for path in paths if (key := key_of_path(path)) is not None}, paths, trusted=trusted)
    kept: dict[str, object] = {}
    orphans: dict[str, object] = {}
    for path, value in paths.items():
        key = key_of_path(path)
        if key is None:
            kept[path] = value
        elif (place := places.get(key)) is not None:
            kept[path.replace(key, place, 1)] = value
        else:
            orphans[path] = value
    return kept, orphans


def _places(
    keys: Set[OccurrenceKey], paths: Paths, *, trusted: Set[OccurrenceKey]
) -> dict[OccurrenceKey, OccurrenceKey]:
    """Where each occurrence key belongs now; keys that fit go before keys that have to move."""
    when, recurrence = shape_of(paths)
    if recurrence is None:
        return {}
    places = {key: key for key in keys if key in trusted or generates(when, recurrence, key)}
    for key in sorted(keys - places.keys()):
        place = _same_day(key, when)
        if place not in places.values() and generates(when, recurrence, place):
            places[key] = place
    return places


def _same_day(key: OccurrenceKey, when: When) -> OccurrenceKey:
    day = date.fromisoformat(key[:10])
    return key_of(day if isinstance(when, AllDay) else datetime.combine(day, when.start.time()))
