"""An event that a platform cannot hold as one, told as the smallest set of events that it can.

What lives here: the parts of an event and their names, and under one name the neighbours that do the rest:
``crossing`` (exceptions that Exchange refuses), ``lifting`` (edits of parts, told of the whole). What does not: which
series a recurrence is split into (``splitting``).

A part is a series (its name is its rule) or a single event (its name is the key of the occurrence it stands for).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time

from calsync.engine.crossing import crossing, without_crossing
from calsync.engine.events import AllDay, Event, Field, OccurrenceKey, Timed
from calsync.engine.expansion import all_keys
from calsync.engine.fingerprint import instants
from calsync.engine.lifting import cancel, lift, lifted_path
from calsync.engine.part_names import part_key
from calsync.engine.recurrence import apply_override, expand, generates
from calsync.engine.splitting import Strand, strands_of
from calsync.engine.traits import Traits

__all__ = [
    "cancel",
    "crossing",
    "has_others",
    "is_split",
    "lift",
    "lifted_path",
    "part_key",
    "parts_of",
    "without_crossing",
]


def is_split(event: Event, traits: Traits) -> bool:
    """Whether the event recurs in a way for which the platform has no single series."""
    return event.recurrence is not None and not traits.expressible(event.recurrence)


def parts_of(
    event: Event, *, traits: Traits, after: datetime, before: datetime, kept: Collection[str] = ()
) -> dict[str, Event]:
    """The parts that must stand beside the event, or instead of it when it is split; empty when it needs none.

    Series come first. Occurrences that no series has stand alone if they start in ``after <= start < before``, or when
    ``kept`` names them: what left the horizon stays as long as the event has it.
    """
    if not is_split(event, traits):
        return _alone(event, crossing(event)) if traits.neighbour_bound else {}
    strands = _strands(event, traits)
    series = {strand.name: _series(event, strand) for strand in strands}
    crossed = {key for part in series.values() for key in crossing(part)} if traits.neighbour_bound else set()
    bound = {name: without_crossing(part) if crossed else part for name, part in series.items()}
    held = {name: part for name, part in bound.items() if _has_any(part)}
    return held | _alone(event, crossed | _rest(event, strands, after=after, before=before, kept=kept))


def has_others(event: Event, key: OccurrenceKey) -> bool:
    """Whether the event goes on without this occurrence."""
    gone = event.cancelled | {key}
    return event.recurrence is not None and any(
        other not in gone for other in all_keys(event.content.when, event.recurrence)
    )


# --- inside -----------------------------------------------------------------------------------------------


def _strands(event: Event, traits: Traits) -> tuple[Strand, ...]:
    assert event.recurrence is not None
    return strands_of(event.content.when, event.recurrence, traits.expressible)


def _series(event: Event, strand: Strand) -> Event:
    """One strand as an event, with the exceptions and cancelled occurrences that its rule makes."""

    def is_mine(key: OccurrenceKey) -> bool:
        return key not in strand.elsewhere and generates(strand.when, strand.recurrence, key)

    return replace(
        event,
        content=replace(event.content, when=strand.when),
        recurrence=strand.recurrence,
        exceptions={key: override for key, override in event.exceptions.items() if is_mine(key)},
        cancelled=frozenset(filter(is_mine, event.cancelled)) | strand.elsewhere,
        uid="",
    )


def _has_any(part: Event) -> bool:
    """Whether some occurrence is left: a platform deletes a series without any."""
    assert part.recurrence is not None
    return any(key not in part.cancelled for key in all_keys(part.content.when, part.recurrence))


def _alone(event: Event, keys: Collection[OccurrenceKey]) -> dict[str, Event]:
    return {str(key): _single(event, key) for key in sorted(keys)}


def _single(event: Event, key: OccurrenceKey) -> Event:
    content = apply_override(event.content, key, event.exceptions.get(key, {}))
    return replace(event, content=content, recurrence=None, exceptions={}, cancelled=frozenset(), uid="")


def _rest(
    event: Event, strands: Collection[Strand], *, after: datetime, before: datetime, kept: Collection[str]
) -> set[OccurrenceKey]:
    """The occurrences inside the horizon, and the kept ones, that no strand has."""
    assert event.recurrence is not None
    when = event.content.when
    inside = set(expand(when, event.recurrence, after=after, before=before))
    for strand in strands:
        inside.difference_update(expand(strand.when, strand.recurrence, after=after, before=before))
    named = {*_moved_inside(event, after, before), *(key for name in kept if (key := part_key(name)))}
    outside = {
        key
        for key in named - inside
        if generates(when, event.recurrence, key)
        and not any(generates(strand.when, strand.recurrence, key) for strand in strands)
    }
    return (inside | outside) - event.cancelled


def _moved_inside(event: Event, after: datetime, before: datetime) -> Iterator[OccurrenceKey]:
    """The exceptions that stand inside the horizon, wherever they were born."""
    for key, override in event.exceptions.items():
        match override.get(Field.WHEN):
            case Timed() as when:
                start = instants(when)[0]
            case AllDay(start=day):
                start = datetime.combine(day, time(), UTC)
            case _:
                continue
        if after <= start < before:
            yield key
