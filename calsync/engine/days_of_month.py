"""Spelling of days inside a month: BYDAY, BYMONTHDAY and BYSETPOS of monthly rules and of yearly ones with BYMONTH.

What lives here: steps of ``canonical_rule.canonical`` that rewrite days without changing the occurrences, and the
clamp form. What does not: anything about frequencies or weeks.

The clamp form ``BYMONTHDAY=28,29,30;BYSETPOS=-1`` means "the 30th, or the last day of a shorter month", which is what
Exchange does; RFC 5545 and Google skip months that lack the day of a plain ``BYMONTHDAY=30``.
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from calsync.engine.events import Frequency, Rule, Weekday, When

_LENGTHS = {1: 31, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}  # February has none
_SHORTEST = 28


def clamped(day: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """BYMONTHDAY and BYSETPOS for "this day, or the last day of a shorter month"; ``day`` is 1 to 31."""
    if day <= _SHORTEST:
        return (day,), ()
    return ((-1,), ()) if day == 31 else (tuple(range(_SHORTEST, day + 1)), (-1,))


def months_reached(interval: int, start: When) -> set[int]:
    """The months (1 to 12) that a monthly rule with this interval ever visits."""
    step = gcd(interval, 12)
    return {month for month in range(1, 13) if (month - start.start.month) % step == 0}


def positions_as_ordinals(rule: Rule, *, farthest: int) -> tuple[tuple[int | None, Weekday], ...]:
    """``BYDAY=MO;BYSETPOS=1`` told as ``1MO``; empty when that cannot be."""
    if len(rule.by_day) != 1 or rule.by_day[0][0] is not None or rule.by_month_day:
        return ()
    return tuple((position, rule.by_day[0][1]) for position in rule.by_set_pos if abs(position) <= farthest)


def _is_by_month(rule: Rule) -> bool:
    if rule.by_year_day or rule.by_week_no:
        return False
    return rule.frequency is Frequency.MONTHLY or bool(rule.by_month)


def _is_one_month_a_period(rule: Rule) -> bool:
    """Whether BYSETPOS counts within one month (it counts within a year when a yearly rule names several)."""
    return _is_by_month(rule) and (rule.frequency is Frequency.MONTHLY or len(rule.by_month) == 1)


def _any_weekday(rule: Rule, start: When) -> Rule:  # noqa: ARG001 - every step has one signature
    """All seven weekdays: the n-th of them is the n-th day, and beside month days they say nothing."""
    if not _is_by_month(rule) or len({day for ordinal, day in rule.by_day if ordinal is None}) != 7:
        return rule
    if rule.by_month_day:
        return replace(rule, by_day=())
    days = tuple(position for position in rule.by_set_pos if abs(position) <= 31)
    if days and _is_one_month_a_period(rule):
        return replace(rule, by_day=(), by_month_day=days, by_set_pos=())
    return rule


def _week_of_month_days(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    """``BYDAY=SA;BYMONTHDAY=8,9,10,11,12,13,14`` is ``2SA``."""
    days = rule.by_month_day
    if not _is_by_month(rule) or not rule.by_day or any(ordinal for ordinal, _ in rule.by_day):
        return rule
    if len(days) != 7 or days[6] - days[0] != 6 or (days != tuple(range(-7, 0)) and (days[0] % 7 != 1 or days[0] < 1)):
        return rule
    week = -1 if days[0] < 0 else days[0] // 7 + 1
    if week > 4:
        return rule
    return replace(rule, by_day=tuple((week, day) for _, day in rule.by_day), by_month_day=())


def _position_of_one_weekday(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    if not rule.by_set_pos or not _is_one_month_a_period(rule):
        return rule
    ordinals = positions_as_ordinals(rule, farthest=5)
    return replace(rule, by_day=ordinals, by_set_pos=()) if ordinals else rule


def _position_of_one_day(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    """BYSETPOS on a set that never holds more than one day."""
    is_one_weekday = len(rule.by_day) == 1 and rule.by_day[0][0] is not None
    is_one_day = is_one_weekday or len(rule.by_month_day) == 1
    if is_one_day and _is_one_month_a_period(rule) and {1, -1} & set(rule.by_set_pos):
        return replace(rule, by_set_pos=())
    return rule


def _first_or_last_of_days(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    """The last of several month days: those before one that every month has can never be it; likewise the first."""
    days = rule.by_month_day
    if rule.by_day or not days or days[0] < 1 or not _is_one_month_a_period(rule):
        return rule
    if rule.by_set_pos == (1,) and days[0] <= _SHORTEST:
        return replace(rule, by_month_day=days[:1], by_set_pos=())
    if rule.by_set_pos != (-1,) or days[0] > _SHORTEST:
        return rule
    sure = max(day for day in days if day <= _SHORTEST)
    rest = tuple(day for day in days if day >= sure)
    if rest == (28, 29, 30, 31):
        return replace(rule, by_month_day=(-1,), by_set_pos=())
    return replace(rule, by_month_day=rest, by_set_pos=() if len(rest) == 1 else (-1,))


def _days_of_known_months(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    """In months of one fixed length last days and positions are plain: ``BYMONTH=4;BYMONTHDAY=-1`` is the 30th."""
    lengths = {_LENGTHS.get(month, 0) for month in rule.by_month}
    if rule.frequency is not Frequency.YEARLY or not _is_by_month(rule) or not rule.by_month_day or len(lengths) != 1:
        return rule
    length = lengths.pop()
    if not length:
        return _february(rule)
    days = sorted({day if day > 0 else length + 1 + day for day in rule.by_month_day} & set(range(1, length + 1)))
    if rule.by_set_pos and not rule.by_day and _is_one_month_a_period(rule):
        size = len(days)
        picks = {position - 1 if position > 0 else size + position for position in rule.by_set_pos}
        days = [days[pick] for pick in sorted(picks) if 0 <= pick < size]
        return replace(rule, by_month_day=tuple(days), by_set_pos=()) if days else rule
    return replace(rule, by_month_day=tuple(days)) if days else rule


def _february(rule: Rule) -> Rule:
    """ "The 28th or 29th, whichever is last" is the last day of February."""
    days = tuple(day for day in rule.by_month_day if day <= 29)
    if rule.by_day or not days:
        return rule
    if rule.by_set_pos == (-1,) and {28, 29} <= set(days):
        return replace(rule, by_month_day=(-1,), by_set_pos=())
    return replace(rule, by_month_day=days)


def _days_that_are_never_missing(rule: Rule, start: When) -> Rule:
    """The 29th to 31st in months that all have it: skipping and clamping agree, and the clamp form stands for both."""
    if rule.frequency is not Frequency.MONTHLY or rule.by_day or rule.by_set_pos or len(rule.by_month_day) != 1:
        return rule
    day = rule.by_month_day[0]
    shortest = min(_LENGTHS.get(month, _SHORTEST) for month in months_reached(rule.interval, start))
    if day <= _SHORTEST or day > shortest:
        return rule
    days, positions = clamped(day)
    return replace(rule, by_month_day=days, by_set_pos=positions)


STEPS = (
    _any_weekday,
    _week_of_month_days,
    _position_of_one_weekday,
    _position_of_one_day,
    _first_or_last_of_days,
    _days_of_known_months,
    _days_that_are_never_missing,
)
