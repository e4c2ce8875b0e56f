"""Conditions about the time of an event: weekday, length, all-day, how far ahead, hours between clocks.

What lives here: one question each. What does not: working hours (``working``), series (``repeats``).
"""

from __future__ import annotations

from datetime import timedelta

from calsync.engine import zones
from calsync.engine.events import AllDay
from calsync.engine.rules.condition import Question, one_of
from calsync.engine.rules.facts import Facts
from calsync.engine.rules.written import (
    WEEKDAYS,
    Written,
    amount,
    at,
    bounds,
    flag,
    hours,
    mapping,
    span,
    weekdays,
    zone,
)

OWN, EVENT = "own", "event"


def zone_or_word(value: Written, *, allowed: tuple[str, ...]) -> str:
    """One of the words, or a time zone."""
    return value if value in allowed else zone(value)


def is_all_day(facts: Facts) -> bool:
    """Whether it takes whole days."""
    return isinstance(facts.when, AllDay)


def all_day(value: Written) -> Question:
    """Whole days, or not."""
    wanted = flag(value)

    def told(facts: Facts) -> str:
        return "It is an all-day event." if is_all_day(facts) else "It is not an all-day event."

    return one_of("all_day", is_all_day, frozenset({wanted}), told)


def weekday(value: Written) -> Question:
    """The weekday on which it starts, seen in a zone."""
    place = OWN
    if isinstance(value, dict):
        named = mapping(value, ("days", "zone"))
        place = at("zone", named, zone_or_word, allowed=(OWN, EVENT)) if "zone" in named else OWN
        wanted = at("days", {"days": named.get("days")}, weekdays)
    else:
        wanted = weekdays(value)

    def told(facts: Facts) -> str:
        where = "" if is_all_day(facts) else f" in {_zone_of(facts, place)}"
        return f"It starts on {WEEKDAYS[weekday_of(facts, place) - 1]}{where}."

    return Question("weekday", lambda facts: weekday_of(facts, place) in wanted, told)


def weekday_of(facts: Facts, place: str) -> int:
    """The ISO weekday of the start in ``place``: own, event, or a zone. Dates are the same everywhere."""
    when = facts.when
    if isinstance(when, AllDay):
        return when.start.isoweekday()
    zone_name = _zone_of(facts, place)
    local = when.start if zone_name == when.zone else zones.to_wall(facts.span[0], zone_name)
    return local.isoweekday()


def _zone_of(facts: Facts, place: str) -> str:
    if place == EVENT and not isinstance(facts.when, AllDay):
        return facts.when.zone
    return facts.hours.zone if place in (OWN, EVENT) else place


def duration(value: Written) -> Question:
    """How long it lasts."""
    wanted = bounds(value, span)

    def told(facts: Facts) -> str:
        return f"It lasts {amount(facts.duration)}; asked is {wanted}."

    return Question("duration", lambda facts: wanted.holds(facts.duration), told)


def ahead(value: Written) -> Question:
    """How far ahead it starts; of a series, its next occurrence."""
    wanted = bounds(value, span)

    def told(facts: Facts) -> str:
        away = facts.next_start - facts.now
        starts = f"It starts in {amount(away)}" if away >= timedelta() else "It has started"
        return f"{starts}; asked is {wanted}."

    return Question("ahead", lambda facts: wanted.holds(facts.next_start - facts.now), told)


def zone_distance(value: Written) -> Question:
    """Hours between the clocks of host and guest at the start of the event."""
    wanted = bounds(value, hours)

    def test(facts: Facts) -> bool:
        return facts.zone_distance is not None and wanted.holds(facts.zone_distance)

    def told(facts: Facts) -> str:
        if facts.zone_distance is None:
            return "The zones of host and guests are not known."
        return f"The clocks of host and guest are {facts.zone_distance:g} h apart; asked is {wanted}."

    return Question("zone_distance", test, told)
