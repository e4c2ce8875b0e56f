"""Conditions about repeating: single or series, how often, how long, without end.

What lives here: questions about a series as a whole. What does not: the time of one occurrence (``clocks``).
"""

from __future__ import annotations

from datetime import timedelta

from calsync.engine.events import AllDay, Frequency
from calsync.engine.recurrence import last_day
from calsync.engine.rules.condition import Question, one_of
from calsync.engine.rules.facts import Facts
from calsync.engine.rules.written import Written, amount, at, bounds, flag, mapping, span, words

_FREQUENCIES = {frequency.value.lower(): frequency for frequency in Frequency}


def repeats(facts: Facts) -> bool:
    """Whether it is a series."""
    return facts.event.is_series


def series(value: Written) -> Question:
    """A single event (false), a series (true), or a series of a certain kind."""
    if isinstance(value, bool):
        return _plain(value)
    named = mapping(value, ("frequency", "endless", "lasts"))
    frequencies = at("frequency", named, words, known=_FREQUENCIES) if "frequency" in named else frozenset(_FREQUENCIES)
    endless = at("endless", named, flag) if "endless" in named else None
    lasts = at("lasts", named, lambda asked: bounds(asked, span)) if "lasts" in named else None
    wanted = frozenset(_FREQUENCIES[name] for name in frequencies)

    def test(facts: Facts) -> bool:
        recurrence = facts.event.recurrence
        if recurrence is None:
            return False
        if "frequency" in named and not any(rule.frequency in wanted for rule in recurrence.rules):
            return False
        if endless is not None and is_endless(facts) is not endless:
            return False
        return lasts is None or (not is_endless(facts) and lasts.holds(length(facts)))

    return Question("series", test, _told, repeats, frozenset({True}))


def _plain(wanted: bool) -> Question:
    return one_of("series", repeats, frozenset({wanted}), _told)


def is_endless(facts: Facts) -> bool:
    """Whether a series never ends."""
    rules = facts.event.recurrence.rules if facts.event.recurrence else ()
    return any(rule.count is None and rule.until is None for rule in rules)


def length(facts: Facts) -> timedelta:
    """From the first day of a series that ends to its last."""
    event = facts.event
    if event.recurrence is None or (last := last_day(event.content.when, event.recurrence)) is None:
        return timedelta()
    start = event.content.when.start if isinstance(event.content.when, AllDay) else event.content.when.start.date()
    return max(timedelta(), last - start)


def _told(facts: Facts) -> str:
    recurrence = facts.event.recurrence
    if recurrence is None:
        return "It is a single event."
    often = ", ".join(sorted({rule.frequency.value.lower() for rule in recurrence.rules})) or "irregular"
    if is_endless(facts):
        return f"It is a series ({often}) without an end."
    return f"It is a series ({often}) over {amount(length(facts))}."
