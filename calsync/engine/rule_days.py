"""The days on which a recurrence rule falls, by RFC 5545 section 3.3.10.

What lives here: the walk from period to period, the tests of the BY parts, BYSETPOS and COUNT, all on plain dates:
a rule says nothing about the time of day. What does not: zones, windows in instants, extra starts (``expansion``).

We walk ourselves because python-dateutil, which the tests use as oracle, looks at its upper bound only when it has
found a day: a rule that never matches (30 February) keeps it busy up to the year 9999. Here the bounds always hold,
and a walk begins near ``lower`` however old the series is, unless COUNT forces it to begin at the start.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from calsync.engine.events import Frequency, Rule, Weekday

_WEEKDAYS = tuple(Weekday)
_WEEK = 7
Test = Callable[[date], bool]


def days_of(rule: Rule, first: date, *, lower: date, upper: date) -> Iterator[date]:
    """The days of a canonical rule with ``lower <= day <= upper``, for a series that begins on ``first``."""
    upper = min(upper, rule.until or upper)
    fits = _tests(rule)
    counted = 0
    for period in _periods(rule, first, max(lower, first) if rule.count is None else first, upper):
        days = [day for day in period if all(test(day) for test in fits)]
        for day in _at_positions(days, rule.by_set_pos) if rule.by_set_pos else days:
            if day < first:
                continue
            counted += 1
            if day > upper or (rule.count is not None and counted > rule.count):
                return
            if day >= lower:
                yield day


# --- periods ----------------------------------------------------------------------------------------------


def _periods(rule: Rule, first: date, lower: date, upper: date) -> Iterator[Sequence[date]]:
    """The days of each period that the interval reaches, from the one that holds ``lower`` on."""
    match rule.frequency:
        case Frequency.DAILY:
            begin = first.toordinal()
            for ordinal in _steps(begin, lower.toordinal(), upper.toordinal(), rule.interval):
                yield (date.fromordinal(ordinal),)
        case Frequency.WEEKLY:
            begin = first.toordinal() - (first.weekday() - _WEEKDAYS.index(rule.week_start)) % _WEEK
            for ordinal in _steps(begin, lower.toordinal(), upper.toordinal(), rule.interval * _WEEK):
                # BYSETPOS does not count days of the first week that lie before the start.
                days = range(max(ordinal, first.toordinal()), ordinal + _WEEK)
                yield [date.fromordinal(day) for day in days]
        case Frequency.MONTHLY:
            for month in _steps(_month_number(first), _month_number(lower), _month_number(upper), rule.interval):
                yield _days_of_month(month // 12, month % 12 + 1)
        case Frequency.YEARLY:
            months = rule.by_month or range(1, 13)
            for year in _steps(first.year, lower.year, upper.year, rule.interval):
                yield [day for month in months for day in _days_of_month(year, month)]


def _steps(begin: int, lower: int, upper: int, step: int) -> range:
    """Every ``step``-th number from ``begin`` to ``upper``, without those whose period ends before ``lower``."""
    return range(begin + max(0, (lower - begin) // step) * step, upper + 1, step)


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _days_of_month(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _at_positions(days: Sequence[date], positions: Sequence[int]) -> list[date]:
    count = len(days)
    places = {position - 1 if position > 0 else count + position for position in positions}
    return [days[place] for place in sorted(places) if 0 <= place < count]


# --- tests of one day -------------------------------------------------------------------------------------


def _tests(rule: Rule) -> list[Test]:
    tests: list[Test] = []
    if rule.by_month and rule.frequency is not Frequency.YEARLY:
        months = frozenset(rule.by_month)
        tests.append(lambda day: day.month in months)
    if rule.by_month_day:
        month_days = frozenset(rule.by_month_day)
        tests.append(lambda day: day.day in month_days or day.day - _length_of_month(day) - 1 in month_days)
    if rule.by_year_day:
        year_days = frozenset(rule.by_year_day)
        tests.append(lambda day: not year_days.isdisjoint(_places_in_year(day)))
    if rule.by_week_no:
        weeks = frozenset(rule.by_week_no)
        tests.append(lambda day: not weeks.isdisjoint(_week_numbers(day, rule.week_start)))
    if rule.by_day:
        tests.append(_weekday_test(rule))
    return tests


def _weekday_test(rule: Rule) -> Test:
    """Plain weekdays, or the n-th of its kind in the month (in the year for a yearly rule without BYMONTH)."""
    if all(ordinal is None for ordinal, _ in rule.by_day):
        weekdays = frozenset(_WEEKDAYS.index(weekday) for _, weekday in rule.by_day)
        return lambda day: day.weekday() in weekdays
    wanted = frozenset((ordinal, _WEEKDAYS.index(weekday)) for ordinal, weekday in rule.by_day)
    in_year = rule.frequency is Frequency.YEARLY and not rule.by_month

    def test(day: date) -> bool:
        from_first, from_last = _places_in_year(day) if in_year else (day.day, day.day - _length_of_month(day) - 1)
        weekday = day.weekday()
        return ((from_first - 1) // _WEEK + 1, weekday) in wanted or (
            -((-from_last - 1) // _WEEK + 1),
            weekday,
        ) in wanted

    return test


def _length_of_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _places_in_year(day: date) -> tuple[int, int]:
    """The number of a day in its year, from the first (1) and from the last (-1)."""
    number = day.timetuple().tm_yday
    return number, number - (366 if isleap(day.year) else 365) - 1


def _week_numbers(day: date, week_start: Weekday) -> tuple[int, ...]:
    """The BYWEEKNO values that name the day's week: within the week's own year, from its first and from its last week.

    The first week is the first with four days in the year. A day of January may lie in the last week of the old year,
    one of December in the first of the new; either is reached by the rule in the calendar year of the day.
    """
    into_week = (day.weekday() - _WEEKDAYS.index(week_start)) % _WEEK
    year = (day - timedelta(days=into_week) + timedelta(days=3)).year  # the week's fourth day decides its year
    number = (day - _first_week(year, week_start)).days // _WEEK + 1
    weeks = (_first_week(year + 1, week_start) - _first_week(year, week_start)).days // _WEEK
    return number, number - weeks - 1


def _first_week(year: int, week_start: Weekday) -> date:
    fourth = date(year, 1, 4)
    return fourth - timedelta(days=(fourth.weekday() - _WEEKDAYS.index(week_start)) % _WEEK)
