"""Occurrences of series as records: unchanged ones computed, changed ones taken from their exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from calsync.simulator.google.moments import known_zone
from calsync.simulator.google.records import Calendar, Record, occurrence

MOST = 730  # occurrences of one series in an answer without an upper bound


def meets(record: Record, low: datetime | None, high: datetime | None, zone: ZoneInfo) -> bool:
    """Whether the event ends after ``low`` and starts before ``high`` (aware instants)."""
    return (low is None or record.end.at(zone) > low) and (high is None or record.start.at(zone) < high)


def occurrences(
    calendar: Calendar, master: Record, low: datetime | None, high: datetime | None, *, cancelled: bool = False
) -> Iterator[Record]:
    """The occurrences that meet the window, in order of their original starts, exceptions last."""
    changed = {child.id: child for child in calendar.exceptions(master)}
    zone = calendar.zone
    place = zone if master.start.all_day else known_zone(master.start.zone)
    wall_low = None if low is None else _wall(low, place) - master.duration - timedelta(days=1)
    wall_high = None if high is None else _wall(high, place) + timedelta(days=1)
    count = 0
    for wall in master.series().between(wall_low, wall_high):
        found = occurrence(master, master.start.at_wall(wall))
        if found.id not in changed and meets(found, low, high, zone):
            count += 1
            yield found
        if high is None and count >= MOST:
            break
    for child in changed.values():
        if (cancelled or not child.cancelled) and meets(child, low, high, zone):
            yield child


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def any_occurrence(calendar: Calendar, master: Record, low: datetime | None, high: datetime | None) -> bool:
    """Whether any living occurrence meets the window."""
    return next(occurrences(calendar, master, low, high), None) is not None
