"""The one spelling of a recurrence rule among the many that mean the same.

What lives here: ``canonical`` and the steps that change a rule's frequency or its weeks. Each step keeps the set of
occurrences exactly (python-dateutil is the oracle in the tests). What does not: spelling of days inside a month
(``days_of_month``), text (``recurrence_text``), comparison by expansion (``expansion.equivalent``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from calsync.engine import days_of_month
from calsync.engine.events import Frequency, Rule, Weekday, When

Step = Callable[[Rule, When], Rule]

WEEKDAYS: Final[tuple[Weekday, ...]] = tuple(Weekday)
_ROUNDS = 8  # every step moves towards one form; a few rounds reach it


@lru_cache(maxsize=4096)
def canonical(rule: Rule, start: When) -> Rule:
    """The canonical form of ``rule`` for a series that begins at ``start``.

    What RFC 5545 section 3.3.10 derives from DTSTART is filled in, lists are sorted, WKST is kept only where it
    changes the outcome, and a rule that can be told with a simpler or more usual frequency is: ``DAILY;BYDAY=MO`` is
    weekly, ``MONTHLY;INTERVAL=12`` is yearly, ``BYDAY=MO;BYSETPOS=1`` is ``1MO``. Two canonical rules that differ may
    still mean the same; ``equivalent`` decides.
    """
    rule = _with_defaults(_tidied(rule), start)
    for _ in range(_ROUNDS):
        simpler = _round(rule, start)
        if simpler == rule:
            break
        rule = simpler
    return replace(rule, week_start=_week_start(rule, start))


def weekday_of(start: When) -> Weekday:
    """The weekday on which the series begins."""
    return WEEKDAYS[start.start.weekday()]


def _round(rule: Rule, start: When) -> Rule:
    for step in _STEPS[rule.frequency]:
        changed = _tidied(step(rule, start))
        if changed != rule:
            return changed
    return rule


def _tidied(rule: Rule) -> Rule:
    by_month = tuple(sorted(set(rule.by_month)))
    if len(by_month) == 12 and rule.frequency is not Frequency.YEARLY:
        by_month = ()
    return replace(
        rule,
        by_day=_tidied_days(rule),
        by_month_day=tuple(sorted(set(rule.by_month_day))),
        by_month=by_month,
        by_set_pos=tuple(sorted(set(rule.by_set_pos))),
        by_year_day=tuple(sorted(set(rule.by_year_day))),
        by_week_no=tuple(sorted(set(rule.by_week_no))),
    )


def _tidied_days(rule: Rule) -> tuple[tuple[int | None, Weekday], ...]:
    days = set(rule.by_day)
    if rule.frequency in (Frequency.DAILY, Frequency.WEEKLY):
        days = {(None, day) for _, day in days}  # ordinals have no meaning there; libraries and Google pass over them
    plain = {day for ordinal, day in days if ordinal is None}
    if plain and len(plain) < len(days):  # "every Monday and the first Tuesday": told with ordinals only
        last = 53 if rule.frequency is Frequency.YEARLY and not rule.by_month else 5
        days = {(ordinal, day) for ordinal, day in days if day not in plain}
        days |= {(ordinal, day) for day in plain for ordinal in range(1, last + 1)}
    return tuple(sorted(days, key=lambda item: (WEEKDAYS.index(item[1]), item[0] or 0)))


def _with_defaults(rule: Rule, start: When) -> Rule:
    if rule.by_day or rule.by_month_day or rule.by_year_day or rule.by_week_no:
        return rule
    match rule.frequency:
        case Frequency.YEARLY:
            months = rule.by_month or (start.start.month,)
            return replace(rule, by_month=months, by_month_day=(start.start.day,))
        case Frequency.MONTHLY:
            return replace(rule, by_month_day=(start.start.day,))
        case Frequency.WEEKLY:
            return replace(rule, by_day=((None, weekday_of(start)),))
    return rule


# --- daily and weekly -------------------------------------------------------------------------------------


def _position_of_one_day(rule: Rule, start: When) -> Rule:  # noqa: ARG001 - every step has one signature
    is_one = rule.frequency is Frequency.DAILY or len(rule.by_day) == 1
    return replace(rule, by_set_pos=()) if is_one and {1, -1} & set(rule.by_set_pos) else rule


def _daily_on_month_days(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    if rule.interval == 1 and rule.by_month_day and not rule.by_set_pos:
        return replace(rule, frequency=Frequency.MONTHLY)
    return rule


def _daily_on_weekdays(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    if rule.interval == 1 and rule.by_day and not rule.by_month_day and not rule.by_set_pos:
        return replace(rule, frequency=Frequency.WEEKLY)
    return rule


def _every_seventh_day(rule: Rule, start: When) -> Rule:
    if rule.interval % 7 or rule.by_day or rule.by_month_day or rule.by_set_pos:
        return rule
    return replace(rule, frequency=Frequency.WEEKLY, interval=rule.interval // 7, by_day=((None, weekday_of(start)),))


def _all_days_of_the_week(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    if rule.interval == 1 and len(rule.by_day) == 7 and not rule.by_set_pos:
        return replace(rule, frequency=Frequency.DAILY, by_day=())
    return rule


def _week_start(rule: Rule, start: When) -> Weekday:
    """The first WKST that gives the same outcome: Monday unless it matters."""
    if rule.by_week_no or (rule.frequency is Frequency.WEEKLY and rule.by_set_pos):
        return rule.week_start
    if rule.frequency is not Frequency.WEEKLY or rule.interval == 1:
        return Weekday.MO
    wanted = _offsets(rule, weekday_of(start), rule.week_start)
    return next(day for day in WEEKDAYS if _offsets(rule, weekday_of(start), day) == wanted)


def _offsets(rule: Rule, first: Weekday, week_start: Weekday) -> set[int]:
    """Days from the start to each weekday of the rule within the first week, which begins on ``week_start``."""

    def place(day: Weekday) -> int:
        return (WEEKDAYS.index(day) - WEEKDAYS.index(week_start)) % 7

    return {place(day) - place(first) for _, day in rule.by_day}


# --- monthly and yearly -----------------------------------------------------------------------------------


def _only_plain_weekdays(rule: Rule) -> bool:
    others = rule.by_month_day or rule.by_set_pos or rule.by_year_day or rule.by_week_no
    return bool(rule.by_day) and not others and all(ordinal is None for ordinal, _ in rule.by_day)


def _every_such_weekday(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    if rule.interval == 1 and _only_plain_weekdays(rule):
        return replace(rule, frequency=Frequency.WEEKLY)
    return rule


def _twelve_months(rule: Rule, start: When) -> Rule:
    month = start.start.month
    if rule.interval % 12 or (rule.by_month and month not in rule.by_month):
        return rule
    return replace(rule, frequency=Frequency.YEARLY, interval=rule.interval // 12, by_month=(month,))


def _months_of_the_year(rule: Rule, start: When) -> Rule:
    """BYMONTH on a monthly rule whose interval divides the year: drop it when idle, else tell the rule as yearly."""
    if not rule.by_month or 12 % rule.interval:
        return rule
    reached = days_of_month.months_reached(rule.interval, start)
    common = tuple(month for month in rule.by_month if month in reached)
    if set(common) == reached:
        return replace(rule, by_month=())
    if len(common) == 1 or (common and not rule.by_set_pos):
        return replace(rule, frequency=Frequency.YEARLY, interval=1, by_month=common)
    return rule


def _evenly_spread_months(rule: Rule, start: When) -> Rule:
    """Yearly in evenly spread months (March, June, September, December) is monthly with an interval."""
    count = len(rule.by_month)
    if rule.interval != 1 or count < 2 or 12 % count or rule.by_set_pos or rule.by_year_day or rule.by_week_no:
        return rule
    if set(rule.by_month) != days_of_month.months_reached(12 // count, start):
        return rule
    return replace(rule, frequency=Frequency.MONTHLY, interval=12 // count, by_month=())


def _month_days_of_every_month(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    """Yearly with BYMONTHDAY and no BYMONTH means every month (RFC 5545: BYMONTHDAY expands)."""
    blocked = rule.by_month or rule.by_set_pos or rule.by_year_day or rule.by_week_no
    if rule.interval != 1 or blocked or not rule.by_month_day or any(ordinal for ordinal, _ in rule.by_day):
        return rule
    return replace(rule, frequency=Frequency.MONTHLY)


def _weekday_of_the_year(rule: Rule, start: When) -> Rule:  # noqa: ARG001
    """The first Monday of the year is in January, the last in December; up to four weeks that always holds."""
    if rule.by_month or rule.by_month_day or rule.by_year_day or rule.by_week_no or not rule.by_day:
        return rule
    if rule.by_set_pos:
        ordinals = days_of_month.positions_as_ordinals(rule, farthest=53)
        return replace(rule, by_day=ordinals, by_set_pos=()) if ordinals else rule
    for month, near in ((1, range(1, 5)), (12, range(-4, 0))):
        if all(ordinal in near for ordinal, _ in rule.by_day):
            return replace(rule, by_month=(month,))
    return rule


_STEPS: Final[dict[Frequency, tuple[Step, ...]]] = {
    Frequency.DAILY: (_position_of_one_day, _daily_on_month_days, _daily_on_weekdays, _every_seventh_day),
    Frequency.WEEKLY: (_position_of_one_day, _all_days_of_the_week),
    Frequency.MONTHLY: (
        _every_such_weekday,
        _twelve_months,
        _months_of_the_year,
        *days_of_month.STEPS,
    ),
    Frequency.YEARLY: (
        _every_such_weekday,
        _weekday_of_the_year,
        _month_days_of_every_month,
        *days_of_month.STEPS,
        _evenly_spread_months,
    ),
}
