"""A series whose time or rule was changed in a place that forgets all its exceptions thereby, as Exchange does.

What lives here: telling that forgetting from a person's wish, and which exceptions have no day in the new shape. What
does not: moving exceptions along with their series (``merge_series``), writing them back (``wanted``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from calsync.engine.events import Event, Field
from calsync.engine.fingerprint import FingerprintMap, flatten, key_of_path
from calsync.engine.plan_values import LinkState
from calsync.engine.recurrence import last_day
from calsync.engine.wanted import may_write

_RULE = Field.RECURRENCE.value


def forgotten(now: FingerprintMap, link: LinkState, *, event: Event) -> frozenset[str]:
    """The paths of exceptions and cancelled occurrences that the place itself dropped when its series was reshaped.

    What a day shows now was put there after the reshape and is its person's own word. Empty where nothing may be
    written: there they cannot be brought back, so that their loss counts.
    """
    if not (link.place.traits.wipes_on_reshape and _is_reshaped(now, link.remote_map) and may_write(event, link)):
        return frozenset()
    shown = _days(now)
    return frozenset(path for path in link.remote_map if (day := _day(path)) and day not in shown)


def left_behind(before: Event, after: Event, paths: Iterable[str]) -> dict[str, object]:
    """The values of the exceptions on the days of ``paths`` that the reshaped series does not have any more.

    Days after its new end are left out: ending a series early is meant to take them away, and a cancelled occurrence
    holds nothing to lose.
    """
    gone, flat = _days(paths) - _days(flatten(after)), flatten(before)
    last = last_day(after.content.when, after.recurrence) if after.recurrence else None
    lost = {path: flat[path] for path in sorted(flat) if "/" in path and _day(path) in gone}
    return {path: value for path, value in lost.items() if last is None or date.fromisoformat(_day(path)) <= last}


def _is_reshaped(now: FingerprintMap, then: FingerprintMap) -> bool:
    """Whether time or rule differ, of what was a series and is one still."""
    if _RULE not in now or _RULE not in then:
        return False
    return any(now.get(path) != then.get(path) for path in (_RULE, Field.WHEN.value))


def _days(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(day for path in paths if (day := _day(path)))


def _day(path: str) -> str:
    """The original day of the occurrence that a path speaks of; '' for the series' own fields."""
    key = key_of_path(path)
    return key[:10] if key else ""
