"""Graph's patternedRecurrence against RFC 5545: both tables of the protocol page, and round trips."""

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings

from calsync.engine.events import AllDay, Frequency, Recurrence, Rule, Timed, Weekday
from calsync.engine.recurrence import (
    BadRecurrence,
    aligned,
    canonical,
    equivalent,
    expand,
    key_of,
    normal_form,
    parse,
    to_text,
)
from calsync.providers.base import CannotRepresent
from calsync.providers.graph.recurrence import expressible, from_graph, obstacle, to_graph
from tests.engine.recurrence_rules import rules, starts
from tests.providers.exchange_days import WEEK, WORKDAYS, exchange_days, patterns

NO_END = {"type": "noEnd", "startDate": "2026-01-31"}
FILLERS = {"month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"}
MODERATE = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def starting(text):
    begin = datetime.fromisoformat(text)
    return Timed(start=begin, end=begin + timedelta(hours=1), zone="Europe/Berlin")


START = starting("2026-01-31T09:00")  # a Saturday


def pattern(**fields):
    return {"pattern": {"interval": 1, **FILLERS, **fields}, "range": NO_END}


READ = [
    (pattern(type="daily", interval=3), "FREQ=DAILY;INTERVAL=3"),
    (pattern(type="Daily"), "FREQ=DAILY"),
    (pattern(type="weekly", daysOfWeek=["Monday", "wednesday"]), "FREQ=WEEKLY;BYDAY=MO,WE"),
    (pattern(type="weekly", interval=2, daysOfWeek=["sunday", "monday"]), "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,SU"),
    (pattern(type="weekly", daysOfWeek=WEEK), "FREQ=DAILY"),
    (pattern(type="absoluteMonthly", dayOfMonth=15), "FREQ=MONTHLY;BYMONTHDAY=15"),
    (pattern(type="absoluteMonthly", dayOfMonth=29), "FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1"),
    (pattern(type="absoluteMonthly", dayOfMonth=30), "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
    (pattern(type="absoluteMonthly", dayOfMonth=31), "FREQ=MONTHLY;BYMONTHDAY=-1"),
    (pattern(type="relativeMonthly", index="second", daysOfWeek=["wednesday"]), "FREQ=MONTHLY;BYDAY=2WE"),
    (pattern(type="relativeMonthly", index="Last", daysOfWeek=["Friday"]), "FREQ=MONTHLY;BYDAY=-1FR"),
    (pattern(type="relativeMonthly", daysOfWeek=["thursday", "friday"]), "FREQ=MONTHLY;BYDAY=TH,FR;BYSETPOS=1"),
    (
        pattern(type="relativeMonthly", index="last", daysOfWeek=WORKDAYS),
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    ),
    (pattern(type="relativeMonthly", daysOfWeek=WEEK), "FREQ=MONTHLY;BYMONTHDAY=1"),
    (pattern(type="relativeMonthly", index="last", daysOfWeek=WEEK), "FREQ=MONTHLY;BYMONTHDAY=-1"),
    (pattern(type="absoluteYearly", month=4, dayOfMonth=15), "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=15"),
    (pattern(type="absoluteYearly", month=2, dayOfMonth=29), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"),
    (pattern(type="absoluteYearly", month=4, dayOfMonth=31), "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=30"),
    (
        pattern(type="relativeYearly", month=11, index="last", daysOfWeek=["wednesday"]),
        "FREQ=YEARLY;BYMONTH=11;BYDAY=-1WE",
    ),
    (
        pattern(type="relativeYearly", month=11, index="third", daysOfWeek=["monday", "sunday"]),
        "FREQ=YEARLY;BYMONTH=11;BYDAY=MO,SU;BYSETPOS=3",
    ),
    (pattern(type="absoluteMonthly", interval=12, dayOfMonth=15), "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=15"),
]


@pytest.mark.parametrize(("found", "text"), READ)
def test_every_pattern_of_graph_is_read_as_its_rule(found, text):
    assert to_text(from_graph(found, start=START)) == text


@pytest.mark.parametrize(("found", "text"), READ)
def test_what_was_read_from_graph_can_be_written_to_graph(found, text):
    once = from_graph(found, start=START)
    assert from_graph(to_graph(once, start=START), start=START) == once


@pytest.mark.parametrize(("found", "text"), READ)
def test_the_same_meaning_read_from_text_is_the_same_value(found, text):
    assert parse([f"RRULE:{text}"], start=START).recurrence == from_graph(found, start=START)


def test_a_month_day_that_short_months_lack_is_clamped_as_exchange_does():
    monthly = from_graph(pattern(type="absoluteMonthly", dayOfMonth=30), start=starting("2026-01-30T09:00"))
    found = expand(START, monthly, after=datetime(2026, 1, 1, tzinfo=UTC), before=datetime(2026, 5, 1, tzinfo=UTC))
    assert list(found) == ["2026-02-28T09:00", "2026-03-30T09:00", "2026-04-30T09:00"]


def test_several_weekdays_with_an_index_are_one_occurrence_a_month():
    first = from_graph(pattern(type="relativeMonthly", daysOfWeek=["thursday", "friday"]), start=START)
    found = expand(START, first, after=datetime(2026, 2, 1, tzinfo=UTC), before=datetime(2026, 6, 1, tzinfo=UTC))
    assert list(found) == ["2026-02-05T09:00", "2026-03-05T09:00", "2026-04-02T09:00", "2026-05-01T09:00"]


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ({"type": "numbered", "numberOfOccurrences": 48, "endDate": "0001-01-01"}, "FREQ=DAILY;COUNT=48"),
        ({"type": "endDate", "endDate": "2026-12-31", "numberOfOccurrences": 0}, "FREQ=DAILY;UNTIL=20261231"),
        ({"type": "noEnd", "endDate": "0001-01-01", "numberOfOccurrences": 0}, "FREQ=DAILY"),
        ({"type": "endDate", "endDate": "9999-12-31"}, "FREQ=DAILY"),
    ],
)
def test_every_range_is_read_by_its_type(bounds, text):
    found = from_graph({"pattern": {"type": "daily", "interval": 1}, "range": bounds}, start=START)
    assert to_text(found) == text


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"pattern": {"type": "daily"}},
        {"pattern": {"type": "hourly"}, "range": NO_END},
        {"pattern": {"type": "daily", "interval": 0}, "range": NO_END},
        {"pattern": {"type": "daily", "interval": "x"}, "range": NO_END},
        {"pattern": {"type": "weekly", "daysOfWeek": ["someday"]}, "range": NO_END},
        {"pattern": {"type": "weekly", "daysOfWeek": "monday"}, "range": NO_END},
        {"pattern": {"type": "relativeMonthly", "index": "first"}, "range": NO_END},
        {"pattern": {"type": "relativeMonthly", "index": "fifth", "daysOfWeek": ["monday"]}, "range": NO_END},
        {"pattern": {"type": "absoluteYearly", "month": 13, "dayOfMonth": 1}, "range": NO_END},
        {"pattern": {"type": "daily"}, "range": {"type": "endDate", "endDate": "0001-01-01"}},
        {"pattern": {"type": "daily"}, "range": {"type": "endDate", "endDate": "soon"}},
        {"pattern": {"type": "daily"}, "range": {"type": "numbered", "numberOfOccurrences": 0}},
        {"pattern": {"type": 5}, "range": NO_END},
        {"pattern": None, "range": None},
    ],
)
def test_a_malformed_recurrence_is_refused_and_does_not_crash(broken):
    with pytest.raises(BadRecurrence):
        from_graph(broken, start=START)


WRITTEN = [
    ("FREQ=DAILY;INTERVAL=2", {"type": "daily", "interval": 2}),
    (
        "FREQ=DAILY;BYDAY=MO,TU",
        {"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "tuesday"], "firstDayOfWeek": "monday"},
    ),
    ("FREQ=WEEKLY", {"type": "weekly", "interval": 1, "daysOfWeek": ["saturday"], "firstDayOfWeek": "monday"}),
    (
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,SA",
        {"type": "weekly", "interval": 2, "daysOfWeek": ["saturday", "sunday"], "firstDayOfWeek": "sunday"},
    ),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
    (
        "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
        {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 30},
    ),
    (
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1",
        {"type": "relativeMonthly", "interval": 1, "index": "last", "daysOfWeek": ["monday"]},
    ),
    (
        "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=4",
        {"type": "relativeMonthly", "interval": 1, "index": "fourth", "daysOfWeek": ["saturday", "sunday"]},
    ),
    ("FREQ=YEARLY", {"type": "absoluteYearly", "interval": 1, "month": 1, "dayOfMonth": 31}),
    ("FREQ=MONTHLY;INTERVAL=24", {"type": "absoluteYearly", "interval": 2, "month": 1, "dayOfMonth": 31}),
    (
        "FREQ=YEARLY;BYDAY=2MO",
        {"type": "relativeYearly", "interval": 1, "month": 1, "index": "second", "daysOfWeek": ["monday"]},
    ),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", {"type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29}),
    ("FREQ=YEARLY;BYMONTHDAY=7", {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 7}),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR", None),
]


@pytest.mark.parametrize(("text", "wanted"), WRITTEN)
def test_a_rule_is_written_with_the_fields_of_its_type_only(text, wanted):
    wanted = wanted or {"type": "weekly", "interval": 1, "daysOfWeek": WORKDAYS, "firstDayOfWeek": "monday"}
    written = to_graph(parse([f"RRULE:{text}"], start=START).recurrence, start=START)
    assert written == {"pattern": wanted, "range": {"type": "noEnd", "startDate": "2026-01-31"}}


def test_the_end_is_the_last_local_day_and_the_zone_is_left_out():
    # 22:30 UTC on 30 June is 00:30 on 1 July in Berlin, before nine o'clock: the last day is 30 June.
    series = parse(["RRULE:FREQ=DAILY;UNTIL=20260630T223000Z"], start=START).recurrence
    assert to_graph(series, start=START)["range"] == {
        "type": "endDate",
        "startDate": "2026-01-31",
        "endDate": "2026-06-30",
    }
    counted = parse(["RRULE:FREQ=DAILY;COUNT=7"], start=START).recurrence
    assert to_graph(counted, start=START)["range"] == {
        "type": "numbered",
        "startDate": "2026-01-31",
        "numberOfOccurrences": 7,
    }


def test_an_all_day_series_starts_on_its_date():
    start = AllDay(start=date(2026, 3, 2), end=date(2026, 3, 3))
    series = parse(["RRULE:FREQ=WEEKLY;UNTIL=20260401"], start=start).recurrence
    assert to_graph(series, start=start)["range"] == {
        "type": "endDate",
        "startDate": "2026-03-02",
        "endDate": "2026-04-01",
    }


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;INTERVAL=2;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTHDAY=30",  # skips February, where Exchange would clamp
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY",  # of a start on the 31st
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYDAY=1MO,3MO",
        "FREQ=MONTHLY;BYDAY=5FR",
        "FREQ=MONTHLY;BYDAY=2TH,2FR",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=5",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-2",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1",
        "FREQ=WEEKLY;BYMONTH=1,2;BYDAY=MO",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYMONTH=1,2;BYMONTHDAY=3",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "FREQ=YEARLY;BYYEARDAY=100",
        "FREQ=DAILY;COUNT=1000",
        "FREQ=DAILY;INTERVAL=1000",
        "FREQ=WEEKLY;INTERVAL=100",
        "FREQ=DAILY;UNTIL=45010101T000000Z",
    ],
)
def test_what_graph_has_no_form_for_is_refused_with_a_reason(text):
    series = parse([f"RRULE:{text}"], start=START).recurrence
    assert not expressible(series)
    with pytest.raises(CannotRepresent) as refused:
        to_graph(series, start=START)
    assert str(refused.value) == obstacle(series) != ""


def test_extra_dates_and_several_rules_are_refused():
    extra = parse(["RRULE:FREQ=DAILY;COUNT=2", "RDATE;TZID=Europe/Berlin:20260901T090000"], start=START).recurrence
    several = parse(["RRULE:FREQ=WEEKLY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=3"], start=START).recurrence
    assert "single dates" in obstacle(extra)
    assert "several rules" in obstacle(several)


def test_a_series_that_ends_before_it_begins_is_refused():
    series = parse(["RRULE:FREQ=DAILY;UNTIL=20250101T000000Z"], start=START).recurrence
    with pytest.raises(CannotRepresent):
        to_graph(series, start=START)


def test_quarterly_on_the_thirtieth_fits_because_no_month_reached_lacks_that_day():
    start = starting("2026-03-30T09:00")
    series = parse(["RRULE:FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=30"], start=start).recurrence
    assert to_graph(series, start=start)["pattern"] == {"type": "absoluteMonthly", "interval": 3, "dayOfMonth": 30}


@given(rules(), starts)
@MODERATE
def test_what_graph_can_hold_comes_back_equivalent(rule, start):
    series = normal_form(Recurrence((rule,)), start=start)
    if not expressible(series):
        with pytest.raises(CannotRepresent):
            to_graph(series, start=start)
        return
    start = aligned(start, series)
    if rule.until is not None and rule.until < start.start.date():
        return
    back = from_graph(to_graph(series, start=start), start=start)
    assert back == normal_form(series, start=start)
    assert equivalent(back, series, start_a=start, start_b=start)


@given(patterns, starts)
@settings(MODERATE, max_examples=60)
def test_every_pattern_expands_as_exchange_defines_it(found, start):
    series = from_graph({"pattern": found, "range": NO_END}, start=start)
    end = datetime.combine(start.start.date() + timedelta(days=366 * 4), time())
    keys = expand(
        start, series, after=start.start.replace(tzinfo=UTC) - timedelta(days=1), before=end.replace(tzinfo=UTC)
    )
    assert list(islice(keys, 60)) == [key_of(wall) for wall in islice(exchange_days(found, start.start, end), 60)]
    assert expressible(series)


def test_recurrences_of_the_server_read_as_the_rules_noted_beside_them(repository):
    path = repository.parent / "shared/protocols/corpus/graph/recurrence_server_shapes_derived.json"
    if not path.exists():
        pytest.skip("the corpus of provider payloads is not beside the repository")
    for found in json.loads(path.read_text()):
        if "rrule" not in found:
            continue
        start = starting(f"{found['recurrence']['range']['startDate']}T09:00")
        noted = rrulestr(f"RRULE:{found['rrule'].replace('Z', '')}", dtstart=start.start)
        horizon = start.start + timedelta(days=900)
        keys = expand(
            start,
            from_graph(found["recurrence"], start=start),
            after=start.start.replace(tzinfo=UTC) - timedelta(days=1),
            before=horizon.replace(tzinfo=UTC),
        )
        assert list(keys) == [key_of(wall) for wall in noted.between(start.start, horizon, inc=True)], found["kind"]


def test_a_rule_told_without_its_defaults_is_completed_from_the_start():
    bare = Recurrence((Rule(Frequency.WEEKLY),))
    assert to_graph(bare, start=START)["pattern"]["daysOfWeek"] == ["saturday"]
    assert canonical(Rule(Frequency.WEEKLY), START).by_day == ((None, Weekday.SA),)
