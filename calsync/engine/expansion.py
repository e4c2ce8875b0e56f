"""Which occurrences a recurrence generates, and whether two recurrences generate the same.

What lives here: expansion in naive wall clock time, windows in instants, and questions answered by expanding
(``generates``, ``last_day``, ``aligned``, ``equivalent``). What does not: the days of one rule (``rule_days``), text,
the canonical spelling of rules.

A start that its rule does not generate is no occurrence: the series begins with the first match (``aligned``). When
there are only extra starts and no rule, the start itself is the first occurrence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import islice, zip_longest
from typing import Final

from calsync.engine import zones
from calsync.engine.canonical_rule import canonical
from calsync.engine.events import AllDay, OccurrenceKey, Recurrence, Rule, Timed, When
from calsync.engine.occurrences import key_of, occurrence_when, start_of
from calsync.engine.rule_days import days_of

_DAY = timedelta(days=1)
_END_OF_TIME: Final = datetime(9999, 12, 1)  # noqa: DTZ001 - wall clock; some days are left for zones and weeks
_COMPARED = 1500  # occurrences; about four years of a daily series
_COMPARED_YEARS = 100
_WALKED_YEARS = 400  # the Gregorian calendar repeats itself after that


def expand(
    start: When, recurrence: Recurrence, *, after: datetime, before: datetime, limit: int | None = None
) -> Iterator[OccurrenceKey]:
    """The keys of occurrences that start in ``after <= start < before``, in order, at most ``limit`` of them.

    ``after`` and ``before`` are aware; the days of an all-day series count from midnight UTC. Cancelled occurrences
    and exceptions are the event's business: their keys are yielded too. Raises UnknownZone.
    """
    lower, upper = _wall(after, start) - _DAY, _wall(before, start) + _DAY  # a day: clocks change by hours
    found = (key for key, instant in _occurrences(start, recurrence, lower, upper) if after <= instant < before)
    return islice(found, limit)


def all_keys(start: When, recurrence: Recurrence) -> Iterator[OccurrenceKey]:
    """The keys of all occurrences in order, but none that starts 400 years after the series or later."""
    last = _years_later(start, _WALKED_YEARS)
    return (key for key, _ in _occurrences(start, recurrence, _first_of_all(start, recurrence), last))


def generates(start: When, recurrence: Recurrence, key: OccurrenceKey) -> bool:
    """Whether the recurrence has an occurrence with this key; False for a key of the other kind or a malformed one."""
    try:
        original = start_of(key)
    except ValueError:
        return False
    if isinstance(original, datetime) is isinstance(start, AllDay) or not 1 < original.year < _END_OF_TIME.year:
        return False
    wall = original if isinstance(original, datetime) else datetime.combine(original, time())
    return any(key == found for found, _ in _occurrences(start, recurrence, wall - _DAY, wall + _DAY))


def aligned(start: When, recurrence: Recurrence) -> When:
    """``start`` moved to the first occurrence, where Exchange begins a series; unchanged when there is none."""
    horizon = _years_later(start, _COMPARED_YEARS)
    first = next(_walls(start, recurrence, _first_wall(start), horizon), None)
    if first is None:
        return start
    key = key_of(first.date() if isinstance(start, AllDay) else first)  # in the spring gap, too, its own time
    return start if key == key_of(start.start) else occurrence_when(start, key)


@lru_cache(maxsize=1024)
def last_day(start: When, recurrence: Recurrence) -> date | None:
    """The local day on which the last occurrence starts; None for an endless series.

    The start's own day when the rule ends before its first match.
    """
    if any(rule.count is None and rule.until is None for rule in recurrence.rules):
        return None
    days = [day for rule in recurrence.rules if (day := _last_of(start, rule)) is not None]
    days += [wall.date() for wall in _extra_walls(start, recurrence)]
    return max(days, default=_first_wall(start).date())


def equivalent(a: Recurrence, b: Recurrence, *, start_a: When, start_b: When) -> bool:
    """Whether two series have the same occurrence starts (instants, or dates for all-day).

    Equal canonical rules decide at once. Otherwise the first occurrences are compared in lockstep, up to 1500 of them
    or 100 years, and the last days.
    """
    if isinstance(start_a, AllDay) is not isinstance(start_b, AllDay):
        return False
    if _begin_alike(start_a, start_b) and _canonical(a, start_a) == _canonical(b, start_b):
        return True
    if last_day(start_a, a) != last_day(start_b, b) and _share_zone(start_a, start_b):
        return False
    theirs = (instant for _, instant in _first_occurrences(start_b, b))
    ours = (instant for _, instant in _first_occurrences(start_a, a))
    return all(one == other for one, other in islice(zip_longest(ours, theirs), _COMPARED))


def wall_times(rule: Rule, start: When, *, lower: datetime, upper: datetime) -> Iterator[datetime]:
    """Naive wall clock starts of one rule with ``lower <= start <= upper``, in order."""
    rule = canonical(rule, start)
    first = _first_wall(start)
    for day in days_of(rule, first.date(), lower=lower.date(), upper=upper.date()):
        wall = datetime.combine(day, first.time())
        if lower <= wall <= upper:
            yield wall


# --- inside -----------------------------------------------------------------------------------------------


def _occurrences(
    start: When, recurrence: Recurrence, lower: datetime, upper: datetime
) -> Iterator[tuple[OccurrenceKey, datetime]]:
    """Keys and instants in order, each once; ``lower`` and ``upper`` are wall clock bounds, inclusive."""
    previous = None
    for wall in _walls(start, recurrence, lower, upper):
        key, instant = _named(wall, start)
        if instant != previous:
            yield key, instant
        previous = instant


def _walls(start: When, recurrence: Recurrence, lower: datetime, upper: datetime) -> Iterator[datetime]:
    """Wall clock starts with ``lower <= start <= upper`` in order, some perhaps twice."""
    walls = [wall_times(rule, start, lower=lower, upper=upper) for rule in recurrence.rules]
    extra = sorted(_extra_walls(start, recurrence))
    walls.append(wall for wall in extra if lower <= wall <= upper)
    return merge(*walls)


def _extra_walls(start: When, recurrence: Recurrence) -> Iterator[datetime]:
    if not recurrence.rules:
        yield _first_wall(start)
    for key in recurrence.extra_starts:
        original = start_of(key)
        yield original if isinstance(original, datetime) else datetime.combine(original, time())


def _named(wall: datetime, start: When) -> tuple[OccurrenceKey, datetime]:
    """Key and instant of one wall clock start. A time in the spring gap becomes the time that clocks really show."""
    if isinstance(start, AllDay):
        return key_of(wall.date()), wall.replace(tzinfo=UTC)
    instant = zones.to_instant(wall, start.zone)
    return key_of(zones.to_wall(instant, start.zone)), instant


def _first_wall(start: When) -> datetime:
    return start.start.replace(microsecond=0) if isinstance(start, Timed) else datetime.combine(start.start, time())


def _wall(instant: datetime, start: When) -> datetime:
    return zones.to_wall(instant, start.zone if isinstance(start, Timed) else "UTC")


def _years_later(start: When, years: int) -> datetime:
    first = _first_wall(start)
    return _END_OF_TIME if first.year + years >= _END_OF_TIME.year else first + timedelta(days=366 * years)


def _last_of(start: When, rule: Rule) -> date | None:
    """The day of a finite rule's last match. With UNTIL it looks backwards from the end in growing steps."""
    first = _first_wall(start)
    if rule.until is None:
        days = [wall.date() for wall in wall_times(rule, start, lower=first, upper=_years_later(start, _WALKED_YEARS))]
        return max(days, default=None)
    end = datetime.combine(rule.until, time.max)
    reach = timedelta(days=40)
    while True:
        lower = end - reach if rule.count is None and end - first > reach else first
        days = [wall.date() for wall in wall_times(rule, start, lower=lower, upper=end)]
        if days or lower <= first:
            return max(days, default=None)
        reach *= 8


def _first_occurrences(start: When, recurrence: Recurrence) -> Iterator[tuple[OccurrenceKey, datetime]]:
    return _occurrences(start, recurrence, _first_of_all(start, recurrence), _years_later(start, _COMPARED_YEARS))


def _first_of_all(start: When, recurrence: Recurrence) -> datetime:
    return min((_first_wall(start), *_extra_walls(start, recurrence)))


def _share_zone(a: When, b: When) -> bool:
    return isinstance(a, AllDay) or isinstance(b, AllDay) or zones.same(a.zone, b.zone)


def _begin_alike(a: When, b: When) -> bool:
    return a.start == b.start and _share_zone(a, b)


def _canonical(recurrence: Recurrence, start: When) -> Recurrence:
    rules = tuple(sorted({canonical(rule, start) for rule in recurrence.rules}, key=repr))
    return replace(recurrence, rules=rules, extra_starts=tuple(sorted(set(recurrence.extra_starts))))
