"""Zone pinning: a series is told in the zone that a rule names, where that moves no occurrence of it.

What lives here: the check and the other name. What does not: series whose clock is another one than the pinned zone's
at any time: told in that zone they would stand at other times than the event itself, so they stay as they were made.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from calsync.engine import zones
from calsync.engine.events import Event, Recurrence, Timed
from calsync.engine.expansion import all_keys
from calsync.engine.fingerprint import instants
from calsync.engine.recurrence import occurrence_when

MOST_CHECKED = 1000
"""Occurrences that are compared: daily for almost three years, weekly for almost twenty."""


def pinned(event: Event, zone: str) -> Event:
    """The series told in ``zone``; anything else, and a series that would be moved by it, as it is."""
    when = event.content.when
    if not zone or event.recurrence is None or not isinstance(when, Timed) or zones.same(when.zone, zone):
        return event
    if when.end_zone is not None or not _same_clock(when, event.recurrence, zone):
        return event
    return replace(event, content=replace(event.content, when=replace(when, zone=zone)))


@lru_cache(maxsize=1024)
def _same_clock(start: Timed, recurrence: Recurrence, zone: str) -> bool:
    """Whether every occurrence begins and ends at the same instant when its wall clock is read in ``zone``."""
    if zones.to_iana(zone) is None:
        return False
    for _, key in zip(range(MOST_CHECKED), all_keys(start, recurrence), strict=False):
        span = occurrence_when(start, key)
        if not isinstance(span, Timed) or instants(span) != instants(replace(span, zone=zone)):
            return False
    return True
