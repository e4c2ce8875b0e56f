"""Occurrences of a series: windows, clocks that change, keys, inheritance and overrides, equivalence."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import process_time

import pytest

from calsync.engine.events import AllDay, Content, Field, Frequency, Recurrence, Rule, ShowAs, Timed
from calsync.engine.recurrence import (
    aligned,
    apply_override,
    equivalent,
    expand,
    generates,
    key_at,
    key_of,
    last_day,
    occurrence_when,
    override_of,
    parse,
)


def timed(text, zone="Europe/Berlin", minutes=60):
    begin = datetime.fromisoformat(text)
    return Timed(start=begin, end=begin + timedelta(minutes=minutes), zone=zone)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def series(*lines, start):
    return parse([line if ":" in line else f"RRULE:{line}" for line in lines], start=start).recurrence


def keys(start, recurrence, after, before):
    return list(expand(start, recurrence, after=at(after), before=at(before)))


NINE = timed("2026-01-05T09:00")  # a Monday
DAY = AllDay(date(2026, 1, 5), date(2026, 1, 6))


# --- windows and clocks -----------------------------------------------------------------------------------


def test_wall_clock_time_is_kept_when_clocks_change():
    daily = series("FREQ=DAILY", start=NINE)
    assert keys(NINE, daily, "2026-03-28T00:00", "2026-03-31T00:00") == [
        "2026-03-28T09:00",
        "2026-03-29T09:00",
        "2026-03-30T09:00",
    ]
    # 09:00 is 08:00 UTC before the change and 07:00 UTC after it.
    assert keys(NINE, daily, "2026-03-28T08:00", "2026-03-29T07:00") == ["2026-03-28T09:00"]
    assert keys(NINE, daily, "2026-03-28T08:01", "2026-03-29T07:01") == ["2026-03-29T09:00"]


def test_a_start_in_the_spring_gap_is_named_by_the_time_that_clocks_show():
    night = timed("2027-03-20T02:30")
    daily = series("FREQ=DAILY", start=night)
    assert keys(night, daily, "2027-03-27T00:00", "2027-03-30T00:00") == [
        "2027-03-27T02:30",
        "2027-03-28T03:30",
        "2027-03-29T02:30",
    ]
    assert generates(night, daily, "2027-03-28T03:30")


def test_the_window_holds_its_beginning_and_not_its_end():
    daily = series("FREQ=DAILY", start=DAY)
    assert keys(DAY, daily, "2026-02-01T00:00", "2026-02-03T00:00") == ["2026-02-01", "2026-02-02"]


def test_an_early_hour_far_from_greenwich_is_found_by_instant():
    auckland = timed("2026-01-05T01:00", "Pacific/Auckland")  # 12:00 UTC on the day before
    daily = series("FREQ=DAILY;COUNT=3", start=auckland)
    assert keys(auckland, daily, "2026-01-04T12:00", "2026-01-04T12:01") == ["2026-01-05T01:00"]


def test_at_most_the_wanted_number_is_yielded():
    found = expand(NINE, series("FREQ=DAILY", start=NINE), after=at("2026-01-01"), before=at("2099-01-01"), limit=3)
    assert len(list(found)) == 3


def test_extra_starts_and_several_rules_come_in_order_and_once():
    both = series(
        "FREQ=WEEKLY;COUNT=2", "FREQ=DAILY;INTERVAL=7;COUNT=3", "RDATE;TZID=Europe/Berlin:20260106T110000", start=NINE
    )
    assert keys(NINE, both, "2026-01-01", "2026-02-01") == [
        "2026-01-05T09:00",
        "2026-01-06T11:00",
        "2026-01-12T09:00",
        "2026-01-19T09:00",
    ]


def test_without_a_rule_the_start_is_the_first_occurrence():
    dates = series("RDATE;TZID=Europe/Berlin:20260301T090000", start=NINE)
    assert keys(NINE, dates, "2026-01-01", "2027-01-01") == ["2026-01-05T09:00", "2026-03-01T09:00"]
    assert last_day(NINE, dates) == date(2026, 3, 1)
    earlier = series("RDATE;TZID=Europe/Berlin:20250301T090000", start=NINE)
    assert last_day(NINE, earlier) == date(2026, 1, 5)


def test_a_day_early_in_january_belongs_to_the_last_week_of_the_old_year():
    start = timed("2021-01-04T09:00")
    week = series("FREQ=YEARLY;BYWEEKNO=52;BYDAY=MO,SU", start=start)
    # Week 52 of 2021 ends on Sunday 2 January 2022 (ISO 8601).
    assert keys(start, week, "2021-12-01", "2022-06-01") == ["2021-12-27T09:00", "2022-01-02T09:00"]


def test_the_29th_of_february_is_skipped_or_clamped_as_the_rule_says():
    leap = timed("2024-02-29T09:00")
    assert keys(leap, series("FREQ=YEARLY", start=leap), "2024-01-01", "2030-01-01") == [
        "2024-02-29T09:00",
        "2028-02-29T09:00",
    ]
    last = series("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", start=leap)
    assert keys(leap, last, "2025-01-01", "2029-01-01") == [
        "2025-02-28T09:00",
        "2026-02-28T09:00",
        "2027-02-28T09:00",
        "2028-02-29T09:00",
    ]


# --- cost -------------------------------------------------------------------------------------------------


def spent(work):
    before = process_time()
    work()
    return process_time() - before


def test_an_old_series_costs_no_more_than_a_young_one():
    old = timed("1970-01-05T09:00")
    for rule in ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=MONTHLY;BYDAY=2TU", "FREQ=YEARLY"):
        recurrence = series(rule, start=old)
        assert spent(lambda of=recurrence: [generates(old, of, "2026-05-05T09:00") for _ in range(20)]) < 0.5


def test_a_rule_that_never_matches_ends_its_search():
    for rule in (
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTH=2",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",
    ):
        never = series(rule, start=NINE)
        assert spent(lambda of=never: keys(NINE, of, "2026-01-01", "2027-01-01")) < 0.5
        assert keys(NINE, never, "2026-01-01", "2027-01-01") == []
        assert aligned(NINE, never) == NINE
        counted = series(f"{rule};COUNT=5", start=NINE)
        assert spent(lambda of=counted: last_day(NINE, of)) < 5
        assert last_day(NINE, counted) == date(2026, 1, 5)


# --- keys and inheritance ---------------------------------------------------------------------------------


def test_keys_are_wall_time_to_the_minute_or_a_date():
    assert key_of(datetime.combine(date(2026, 11, 22), time(9, 0, 30))) == "2026-11-22T09:00"
    assert key_of(date(2026, 11, 22)) == "2026-11-22"
    with pytest.raises(ValueError, match="naive"):
        key_of(at("2026-11-22T09:00"))


def test_an_instant_names_its_occurrence_in_the_zone_of_the_series():
    assert key_at(at("2026-07-06T07:00"), start=NINE) == "2026-07-06T09:00"
    assert key_at(at("2026-07-06T00:00"), start=DAY) == "2026-07-06"


@pytest.mark.parametrize(
    "key", ["2026-01-06T09:00", "2026-01-12T09:01", "2026-01-12", "junk", "2025-12-29T09:00", "0001-01-01T00:00"]
)
def test_a_key_that_is_no_occurrence_is_not_generated(key):
    assert not generates(NINE, series("FREQ=WEEKLY", start=NINE), key)


def test_an_occurrence_inherits_the_wall_clock_length():
    night = timed("2026-01-05T23:00", minutes=240)
    assert occurrence_when(night, "2026-03-28T23:00") == replace(
        timed("2026-03-28T23:00"), end=datetime.fromisoformat("2026-03-29T03:00")
    )
    two_days = AllDay(date(2026, 1, 5), date(2026, 1, 7))
    assert occurrence_when(two_days, "2026-03-01") == AllDay(date(2026, 3, 1), date(2026, 3, 3))


def test_a_key_of_the_other_kind_is_refused():
    with pytest.raises(ValueError, match="kind of series"):
        occurrence_when(DAY, "2026-03-01T09:00")
    with pytest.raises(ValueError, match="kind of series"):
        occurrence_when(NINE, "2026-03-01")


MASTER = Content(when=NINE, title="Stand-up", body="Daily", location="Room 1")
KEY = "2026-01-12T09:00"


def test_a_regular_occurrence_overrides_nothing():
    regular = replace(MASTER, when=timed("2026-01-12T09:00"))
    assert override_of(MASTER, KEY, regular) == {}


def test_the_inherited_time_told_in_another_zone_overrides_nothing():
    assert override_of(MASTER, KEY, replace(MASTER, when=timed("2026-01-12T08:00", "UTC"))) == {}


def test_an_exception_overrides_what_differs_and_comes_back_whole():
    moved = replace(MASTER, when=timed("2026-01-12T11:00"), title="Stand-up, late", show_as=ShowAs.FREE, location="")
    override = override_of(MASTER, KEY, moved)
    assert override == {
        Field.WHEN: timed("2026-01-12T11:00"),
        Field.TITLE: "Stand-up, late",
        Field.SHOW_AS: ShowAs.FREE,
        Field.LOCATION: "",
    }
    assert apply_override(MASTER, KEY, override) == moved


def test_an_exception_follows_its_master_in_what_it_does_not_override():
    override = override_of(MASTER, KEY, replace(MASTER, when=timed("2026-01-12T09:00"), title="Other"))
    later = replace(MASTER, body="New agenda")
    assert apply_override(later, KEY, override) == replace(later, when=timed("2026-01-12T09:00"), title="Other")


def test_an_exception_may_become_all_day():
    whole = AllDay(date(2026, 1, 12), date(2026, 1, 13))
    assert override_of(MASTER, KEY, replace(MASTER, when=whole)) == {Field.WHEN: whole}


# --- start, end, equivalence ------------------------------------------------------------------------------


def test_a_start_that_the_rule_does_not_generate_moves_to_the_first_occurrence():
    tuesdays = series("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", start=NINE)
    assert aligned(NINE, tuesdays) == timed("2026-01-06T09:00")
    assert aligned(NINE, series("FREQ=WEEKLY", start=NINE)) == NINE


@pytest.mark.parametrize(
    ("rule", "last"),
    [
        ("FREQ=DAILY", None),
        ("FREQ=DAILY;COUNT=10", date(2026, 1, 14)),
        ("FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20280330T000000Z", date(2028, 1, 31)),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;UNTIL=20350101T000000Z", date(2032, 2, 29)),
        ("FREQ=DAILY;UNTIL=20250101T000000Z", date(2026, 1, 5)),
    ],
)
def test_the_last_day_is_the_day_of_the_last_occurrence(rule, last):
    assert last_day(NINE, series(rule, start=NINE)) == last


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;UNTIL=20260119T080000Z"),
        ("FREQ=WEEKLY;UNTIL=20260119T080000Z", "FREQ=WEEKLY;UNTIL=20260125T225959Z"),
        ("FREQ=MONTHLY;BYMONTHDAY=5,5", "FREQ=MONTHLY;BYMONTHDAY=5"),
        ("FREQ=YEARLY;BYYEARDAY=5", "FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=29;COUNT=1", "FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1;COUNT=1"),
    ],
)
def test_series_with_the_same_starts_are_equivalent_however_they_are_told(one, other):
    a, b = series(one, start=NINE), series(other, start=NINE)
    assert equivalent(a, b, start_a=NINE, start_b=NINE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=DAILY", "FREQ=DAILY;COUNT=3000"),
        ("FREQ=DAILY", "FREQ=DAILY;UNTIL=20400101T000000Z"),
        ("FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=4"),
        ("FREQ=DAILY", "FREQ=DAILY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11"),
    ],
)
def test_series_that_part_later_are_not_equivalent(one, other):
    assert not equivalent(series(one, start=NINE), series(other, start=NINE), start_a=NINE, start_b=NINE)


def test_spellings_of_one_zone_are_equivalent_and_other_zones_are_not():
    daily = series("FREQ=DAILY", start=NINE)
    rome, utc = replace(NINE, zone="Europe/Rome"), timed("2026-01-05T08:00", "UTC")
    assert equivalent(daily, daily, start_a=NINE, start_b=rome)
    assert not equivalent(daily, daily, start_a=NINE, start_b=utc)  # they part when clocks change
    assert not equivalent(daily, daily, start_a=NINE, start_b=timed("2026-01-05T09:30"))
    assert not equivalent(daily, daily, start_a=NINE, start_b=DAY)


def test_a_start_before_the_first_match_does_not_matter():
    tuesdays = Recurrence(series("FREQ=WEEKLY;BYDAY=TU", start=NINE).rules)
    assert equivalent(tuesdays, tuesdays, start_a=NINE, start_b=timed("2026-01-06T09:00"))


def test_a_series_that_begins_at_a_time_that_clocks_skip_is_not_moved_to_another_time():
    gap = datetime.fromisoformat("2026-03-29T02:30")  # shown as 03:30 on that day only
    start = Timed(start=gap, end=gap + timedelta(hours=1), zone="Europe/Berlin")
    assert aligned(start, Recurrence((Rule(Frequency.DAILY),))) == start
