"""Graph's recurrences in both directions: Exchange's own definition on one side, python-dateutil on the other."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from calsync.engine.events import Frequency, Recurrence, Rule, Timed, Weekday
from calsync.engine.recurrence import aligned, key_of, last_day, normal_form, parse, to_lines
from calsync.providers.graph.recurrence import expressible, from_graph, to_graph
from tests.engine.recurrence_rules import oracle, rules, starts
from tests.providers.exchange_days import days_of_series, patterns

MODERATE = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
YEARS = timedelta(days=366 * 5)  # with a leap year


def beginning(text):
    begin = datetime.fromisoformat(text)
    return Timed(begin, begin + timedelta(hours=1), "Europe/Berlin")


def by_day(*names):
    return tuple((None, Weekday(name)) for name in names)


def expected(rule, start, end):
    """The starts on days before that of ``end``, by dateutil."""
    return [wall for wall in oracle(rule, start, until=end, limit=5000) if wall.date() < end.date()]


CLAMPED = Rule(Frequency.MONTHLY, by_month_day=(28, 29, 30), by_set_pos=(-1,))
LAST_OF_FEBRUARY = Rule(Frequency.YEARLY, by_month=(2,), by_month_day=(28, 29), by_set_pos=(-1,), count=9)
SECOND_WORKDAY = Rule(Frequency.MONTHLY, by_day=by_day("MO", "TU", "WE", "TH", "FR"), by_set_pos=(2,), interval=2)
SUNDAY_FIRST = Rule(Frequency.WEEKLY, interval=2, by_day=by_day("SU", "MO"), week_start=Weekday.SU, count=7)
MONDAY_FIRST = Rule(Frequency.WEEKLY, interval=2, by_day=by_day("SU", "MO"), until=date(2026, 5, 1))


@given(rules(), starts)
@example(CLAMPED, beginning("2026-01-30T09:00"))
@example(LAST_OF_FEBRUARY, beginning("2023-02-28T09:00"))
@example(SECOND_WORKDAY, beginning("2026-01-31T09:00"))
@example(SUNDAY_FIRST, beginning("2026-01-31T09:00"))
@example(MONDAY_FIRST, beginning("2026-01-31T09:00"))
@MODERATE
def test_what_is_written_to_graph_means_there_what_the_rule_means_to_dateutil(rule, start):
    series = normal_form(Recurrence((rule,)), start=start)
    assume(expressible(series))
    wanted = expected(rule, start, start.start + YEARS)
    assume(wanted)
    first = aligned(start, series)
    written = to_graph(series, start=first)
    assert days_of_series(written, first.start, start.start + YEARS) == wanted


RANGES = st.one_of(
    st.just({"type": "noEnd"}),
    st.integers(1, 999).map(lambda count: {"type": "numbered", "numberOfOccurrences": count}),
    st.integers(0, 3000).map(lambda days: {"type": "endDate", "days": days}),
)


@given(patterns, RANGES, starts)
@MODERATE
def test_what_is_read_from_graph_means_to_dateutil_what_it_means_there(found, bounds, start):
    anywhere = from_graph({"pattern": found, "range": {"type": "noEnd"}}, start=start)
    start = aligned(start, anywhere)
    bounds = {**bounds, "startDate": start.start.date().isoformat()}
    if "days" in bounds:
        bounds["endDate"] = (start.start.date() + timedelta(days=bounds.pop("days"))).isoformat()
    told = {"pattern": found, "range": bounds}
    series = from_graph(told, start=start)
    end = start.start + YEARS
    there = days_of_series(told, start.start, end)
    assert expected(series.rules[0], start, end) == there
    again = to_graph(series, start=start)
    assert from_graph(again, start=start) == series
    assert again["range"] == bounds
    assert days_of_series(again, start.start, end) == there


ZONES = ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati"]
TIMES = ["00:00", "00:30", "09:00", "17:00", "23:30"]


@given(
    st.sampled_from(ZONES),
    st.sampled_from(TIMES),
    st.sampled_from(["DAILY", "WEEKLY;BYDAY=MO,TH", "MONTHLY;BYDAY=-1FR"]),
    st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - hypothesis wants naive bounds
)
@MODERATE
def test_the_end_written_to_graph_is_the_local_day_of_the_last_occurrence_not_after_until(zone, at, rule, until):
    begin = datetime.combine(date(2026, 1, 1), time.fromisoformat(at))
    start = Timed(begin, begin + timedelta(minutes=30), zone)
    line = f"RRULE:FREQ={rule};UNTIL={until:%Y%m%dT%H%M%SZ}"
    occurring = list(rrulestr(line, dtstart=begin.replace(tzinfo=ZoneInfo(zone))))
    assume(occurring)
    series = parse([line], start=start).recurrence
    first = aligned(start, series)
    written = to_graph(series, start=first)
    walls = [moment.replace(tzinfo=None) for moment in occurring]
    assert days_of_series(written, first.start, datetime.combine(date(2028, 1, 1), time())) == walls
    assert last_day(start, series) == walls[-1].date()
    assert parse(to_lines(series, start=start), start=start).recurrence == series


@pytest.mark.parametrize(
    ("rule", "start", "day", "wanted"),
    [
        (CLAMPED, "2026-01-30T09:00", 30, ["2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"]),
        (
            Rule(Frequency.MONTHLY, by_month_day=(28, 29), by_set_pos=(-1,)),
            "2028-01-29T09:00",
            29,
            ["2028-01-29", "2028-02-29", "2028-03-29", "2028-04-29"],
        ),
        (
            Rule(Frequency.YEARLY, by_month=(2,), by_month_day=(-1,)),
            "2026-02-28T09:00",
            29,
            ["2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"],
        ),
    ],
)
def test_clamping_is_written_as_the_day_that_exchange_clamps(rule, start, day, wanted):
    start = beginning(start)
    written = to_graph(Recurrence((rule,)), start=start)
    assert written["pattern"]["dayOfMonth"] == day
    found = days_of_series(written, start.start, start.start + YEARS)[:4]
    assert [str(key_of(wall.date())) for wall in found] == wanted
    assert expected(rule, start, start.start + YEARS)[:4] == found
