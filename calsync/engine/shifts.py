"""Working hours as instants, exact on the days when clocks change.

What lives here: the shifts of a person. What does not: the rule condition about them (``rules.working``), and the
search for free time (``slots``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from calsync.engine import zones
from calsync.engine.rules.facts import Hours

_DAY = timedelta(days=1)


@lru_cache(maxsize=4096)
def shift_on(day: date, starts: time, ends: time, zone: str) -> tuple[datetime, datetime]:
    """The shift that starts on that local day, as instants (UTC); ``ends`` before ``starts`` is on the next day."""
    closing = day if ends > starts else day + _DAY
    opens = zones.to_instant(datetime.combine(day, starts), zone)
    return opens, zones.to_instant(datetime.combine(closing, ends), zone)


def shifts(hours: Hours, *, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """All shifts that touch the time from ``start`` to ``end`` (aware), in order, not cut off at its edges."""
    day, last = zones.to_wall(start, hours.zone).date() - _DAY, zones.to_wall(end, hours.zone).date()
    while day <= last:
        if day.isoweekday() in hours.days:
            opens, closes = shift_on(day, hours.starts, hours.ends, hours.zone)
            if closes > start and opens < end:
                yield opens, closes
        day += _DAY
