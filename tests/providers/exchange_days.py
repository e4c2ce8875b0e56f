"""Exchange's own definition of its patterns, day by day: from its documentation, not from the code under test."""

from datetime import date, datetime, timedelta
from itertools import islice

from hypothesis import strategies as st

WORKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]
WEEK = [*WORKDAYS, "saturday", "sunday"]

patterns = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"]
        ),
        "interval": st.sampled_from([1, 1, 2, 3, 4, 12]),
        "month": st.integers(1, 12),
        "dayOfMonth": st.integers(1, 31),
        "daysOfWeek": st.lists(st.sampled_from(WEEK), min_size=1, max_size=7, unique=True),
        "firstDayOfWeek": st.sampled_from(WEEK),
        "index": st.sampled_from(["first", "second", "third", "fourth", "last"]),
    }
)


def days_of_series(recurrence, first, end):
    """The starts of a whole ``patternedRecurrence`` before ``end``: its pattern inside its range."""
    bounds = recurrence["range"]
    assert bounds["startDate"] == first.date().isoformat()
    if bounds["type"] == "endDate":
        end = min(end, datetime.combine(date.fromisoformat(bounds["endDate"]) + timedelta(days=1), datetime.min.time()))
    # Only the fields of the type are written: the rest are fillers.
    found = {"daysOfWeek": [], "firstDayOfWeek": "sunday", "dayOfMonth": 0} | recurrence["pattern"]
    return list(islice(exchange_days(found, first, end), bounds.get("numberOfOccurrences")))


def exchange_days(found, first, end):
    """Exchange's own definition, day by day: written from its documentation and not from the code under test."""
    names = found["daysOfWeek"]
    week_start = WEEK.index(found["firstDayOfWeek"])
    first_week = first.date() - timedelta(days=(first.weekday() - week_start) % 7)
    day = first.date()
    while day < end.date():
        months = (day.year - first.year) * 12 + day.month - first.month
        match found["type"]:
            case "daily":
                hit = (day - first.date()).days % found["interval"] == 0
            case "weekly":
                hit = (day - first_week).days // 7 % found["interval"] == 0 and WEEK[day.weekday()] in names
            case "absoluteMonthly":
                hit = months % found["interval"] == 0 and day.day == _clamp(found, day)
            case "relativeMonthly":
                hit = months % found["interval"] == 0 and _is_indexed(found, day)
            case "absoluteYearly":
                hit = _is_its_month(found, day, first) and day.day == _clamp(found, day)
            case _:
                hit = _is_its_month(found, day, first) and _is_indexed(found, day)
        if hit:
            yield datetime.combine(day, first.time())
        day += timedelta(days=1)


def _is_its_month(found, day, first):
    return day.month == found["month"] and (day.year - first.year) % found["interval"] == 0


def _days_in_month(day):
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def _clamp(found, day):
    return min(found["dayOfMonth"], _days_in_month(day))


def _is_indexed(found, day):
    if WEEK[day.weekday()] not in found["daysOfWeek"]:
        return False
    all_days = [day.replace(day=number) for number in range(1, _days_in_month(day) + 1)]
    fitting = [each for each in all_days if WEEK[each.weekday()] in found["daysOfWeek"]]
    place = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}[found["index"]]
    return fitting[place] == day
