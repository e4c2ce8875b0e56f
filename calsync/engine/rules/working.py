"""The condition about working hours: shifts laid against an event, exact on the days when clocks change.

What lives here: how much of an event a person's shifts cover. What does not: the shifts themselves (``shifts``), other
times (``clocks``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from calsync.engine import zones
from calsync.engine.events import AllDay
from calsync.engine.rules.clocks import OWN, zone_or_word
from calsync.engine.rules.condition import Question
from calsync.engine.rules.facts import Facts, Hours
from calsync.engine.rules.written import Written, Wrong, at, clock, mapping, weekdays, word
from calsync.engine.shifts import shift_on

INSIDE, OUTSIDE, PARTLY = "inside", "outside", "partly"
_DAY = timedelta(days=1)
_MOST_DAYS = 8  # no shift is longer than a day: what lasts longer is neither inside nor, with a workday, outside


def working_hours(value: Written) -> Question:
    """Wholly inside working hours, wholly outside, or partly in them."""
    if not isinstance(value, dict):
        value = {"is": value}
    named = mapping(value, ("is", "zone", "from", "to", "days"))
    if "is" not in named:
        raise Wrong("say is: inside, outside or partly")
    wanted = at("is", named, word, known=(INSIDE, OUTSIDE, PARTLY))
    place = at("zone", named, zone_or_word, allowed=(OWN,)) if "zone" in named else OWN
    starts, ends = (at(name, named, clock) if name in named else None for name in ("from", "to"))
    days = at("days", named, weekdays) if "days" in named else None
    if (starts is None) is not (ends is None) or (starts is not None and starts == ends):
        raise Wrong("from and to belong together and differ")

    @lru_cache(maxsize=1024)
    def asked(hours: Hours) -> Hours:
        changed = replace(hours, zone=hours.zone if place == OWN else place, days=hours.days if days is None else days)
        return replace(changed, starts=starts, ends=ends) if starts and ends else changed

    def told(facts: Facts) -> str:
        hours = asked(facts.hours)
        return f"It lies {_WORDS[against(facts, hours)]} {hours.starts:%H:%M} to {hours.ends:%H:%M} in {hours.zone}."

    return Question("working_hours", lambda facts: against(facts, asked(facts.hours)) == wanted, told)


_WORDS = {
    INSIDE: "inside the working hours",
    OUTSIDE: "outside the working hours",
    PARTLY: "partly in the working hours",
}


def against(facts: Facts, hours: Hours) -> str:
    """Where an event lies. An all-day event is inside when each of its days is a working day, outside when none is."""
    when = facts.when
    if isinstance(when, AllDay):
        return _days_against(when, hours)
    begin, end = facts.span
    touched = _overlaps(begin, end, hours)
    if begin == end:
        return INSIDE if touched is not None else OUTSIDE
    covered = touched or timedelta()
    return INSIDE if covered == end - begin else PARTLY if covered else OUTSIDE


def _overlaps(begin: datetime, end: datetime, hours: Hours) -> timedelta | None:
    """How much of the span lies in shifts; None when it touches none (a moment may lie in one without length)."""
    first = zones.to_wall(begin, hours.zone).date()
    last = zones.to_wall(end, hours.zone).date()
    found = None
    for number in range(-1, min((last - first).days, _MOST_DAYS) + 1):
        day = first + number * _DAY
        if day.isoweekday() not in hours.days:
            continue
        opens, closes = shift_on(day, hours.starts, hours.ends, hours.zone)
        overlap = min(end, closes) - max(begin, opens)
        if overlap > timedelta() or (begin == end and opens <= begin < closes):
            found = (found or timedelta()) + overlap
    return found


def _days_against(when: AllDay, hours: Hours) -> str:
    count = max(1, (when.end - when.start).days)
    working = [(when.start + number * _DAY).isoweekday() in hours.days for number in range(min(count, 7))]
    return INSIDE if all(working) else PARTLY if any(working) else OUTSIDE
