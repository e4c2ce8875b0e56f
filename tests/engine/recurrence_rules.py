"""Random recurrence rules, and what plain python-dateutil makes of them: the oracle of the recurrence tests."""

import datetime as datetime_module
from datetime import date, datetime, time, timedelta
from itertools import islice
from unittest.mock import patch

from dateutil.rrule import rrule, weekday
from hypothesis import strategies as st

from calsync.engine.events import AllDay, Frequency, Rule, Timed, Weekday

WEEKDAYS = tuple(Weekday)
HORIZON = timedelta(days=366 * 12)

starts = st.dates(min_value=date(2019, 1, 1), max_value=date(2024, 12, 31)).map(
    lambda day: Timed(
        start=datetime.combine(day, time(9, 30)),
        end=datetime.combine(day, time(10, 30)),
        zone="Europe/Berlin",
    )
)
days = st.dates(min_value=date(2019, 1, 1), max_value=date(2024, 12, 31)).map(
    lambda day: AllDay(start=day, end=day + timedelta(days=1))
)
_month_days = st.one_of(st.sampled_from([1, 15, 28, 29, 30, 31, -1, -2, -7]), st.integers(1, 31))
_month_day_lists = st.one_of(
    st.lists(_month_days, min_size=1, max_size=4),
    st.sampled_from(
        [[28, 29], [28, 29, 30], [28, 29, 30, 31], [27, 28, 29, 30], list(range(8, 15)), list(range(-7, 0))]
    ),
)
_months = st.one_of(
    st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
    st.sampled_from([[2], [4], [1, 7], [3, 6, 9, 12], [1, 4, 7, 10], [4, 10], list(range(1, 13))]),
)
_positions = st.lists(st.sampled_from([1, 2, 3, 4, 5, -1, -2]), min_size=1, max_size=2)
# Weeks at the edge of a year are left out: dateutil passes over the days that lie in the neighbouring year.
WEEK_AND_YEAR_PARTS = st.one_of(
    st.fixed_dictionaries(
        {
            "by_week_no": st.lists(st.sampled_from([2, 20, 50, -3, -30]), min_size=1, max_size=3).map(tuple),
            "by_day": st.lists(st.tuples(st.none(), st.sampled_from(WEEKDAYS)), max_size=3).map(tuple),
        }
    ),
    st.fixed_dictionaries(
        {"by_year_day": st.lists(st.sampled_from([1, 59, 60, 366, -1, -366]), min_size=1, max_size=3).map(tuple)}
    ),
)


def _maybe(strategy):
    return st.one_of(st.just([]), strategy)


@st.composite
def rules(draw, frequencies=tuple(Frequency), parts=None):
    """A rule as a calendar might send it: any allowed mix of parts, in no canonical order."""
    frequency = draw(st.sampled_from(frequencies))
    is_monthly = frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    ordinals = st.sampled_from([1, 2, 3, 4, 5, -1, -2]) if is_monthly else st.none()
    kind = draw(st.sampled_from([ordinals, st.none()]))  # dateutil intersects "MO,1TU"; RFC 5545 unites it
    weekdays = st.one_of(
        st.lists(st.tuples(kind, st.sampled_from(WEEKDAYS)), min_size=1, max_size=4),
        st.sampled_from([[(None, day) for day in WEEKDAYS], [(None, day) for day in WEEKDAYS[:5]]]),
    )
    by_day = draw(_maybe(weekdays))
    by_month_day = [] if frequency is Frequency.WEEKLY else draw(_maybe(_month_day_lists))
    by_month = draw(_maybe(_months))
    by_set_pos = draw(_maybe(_positions)) if by_day or by_month_day else []
    ends = draw(st.sampled_from(["never", "count", "until"]))
    rule = Rule(
        frequency=frequency,
        interval=draw(st.sampled_from([1, 1, 1, 2, 3, 4, 5, 6, 7, 12, 14, 24])),
        by_day=tuple(by_day),
        by_month_day=tuple(by_month_day),
        by_month=tuple(by_month),
        by_set_pos=tuple(by_set_pos),
        week_start=draw(st.sampled_from(WEEKDAYS)),
        count=draw(st.integers(1, 40)) if ends == "count" else None,
        until=draw(st.dates(date(2024, 1, 1), date(2030, 12, 31))) if ends == "until" else None,
    )
    if parts is None:
        return rule
    return Rule(frequency, interval=rule.interval, week_start=rule.week_start, count=rule.count, **draw(parts))


def oracle(rule, start, *, until=None, limit=400):
    """Wall clock starts by python-dateutil alone, for a rule that need not be canonical."""
    first = start.start if isinstance(start, Timed) else datetime.combine(start.start, time())
    bound = until or first + HORIZON
    if rule.until is not None:
        bound = min(bound, datetime.combine(rule.until, time.max))
    if bound < first:
        return []
    found = rrule(
        ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"].index(rule.frequency.value),
        dtstart=first,
        interval=rule.interval,
        wkst=WEEKDAYS.index(rule.week_start),
        until=bound,
        bysetpos=rule.by_set_pos or None,
        bymonth=rule.by_month or None,
        bymonthday=rule.by_month_day or None,
        byyearday=rule.by_year_day or None,
        byweekno=rule.by_week_no or None,
        byweekday=[weekday(WEEKDAYS.index(day), ordinal) for ordinal, day in rule.by_day] or None,
    )
    # dateutil looks at its bound only when it has found a day; a rule that never matches would run to the year 9999.
    with patch.object(datetime_module, "MAXYEAR", bound.year):
        return list(islice(found, min(limit, rule.count or limit)))
