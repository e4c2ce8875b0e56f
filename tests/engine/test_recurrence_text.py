"""Recurrence lines: what calendars really send is read, and what makes no sense is refused without a crash."""

import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calsync.engine.events import AllDay, Recurrence, Timed
from calsync.engine.recurrence import BadRecurrence, equivalent, last_day, parse, to_lines, to_text


def timed(text, zone="Europe/Berlin"):
    begin = datetime.fromisoformat(text)
    return Timed(start=begin, end=begin + timedelta(hours=1), zone=zone)


def all_day(text):
    day = date.fromisoformat(text)
    return AllDay(start=day, end=day + timedelta(days=1))


START = timed("2026-01-05T09:00")  # a Monday
DAY = all_day("2026-01-05")


def text_of(*lines, start=START):
    return to_text(parse(lines, start=start).recurrence)


# --- one spelling -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=1;WKST=SU;BYDAY=MO"),
        ("freq=weekly;byday=tu,mo", "FREQ=DAILY;BYDAY=MO,TU"),
        ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,MO,TU,WE,TH,FR,SA"),
        ("FREQ=DAILY;INTERVAL=14", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=TH"),
        ("FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=5"),
        ("FREQ=MONTHLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1"),
        ("FREQ=MONTHLY;BYDAY=2SA", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=8,9,10,11,12,13,14"),
        ("FREQ=MONTHLY;BYDAY=-1SA", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=-1,-2,-3,-4,-5,-6,-7"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1"),
        ("FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=5"),
        ("FREQ=YEARLY", "FREQ=MONTHLY;INTERVAL=12"),
        ("FREQ=YEARLY", "FREQ=MONTHLY;BYMONTH=1"),
        ("FREQ=YEARLY;BYMONTH=1,4,7,10", "FREQ=MONTHLY;INTERVAL=3"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1"),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"),
        ("FREQ=YEARLY;BYDAY=1MO", "FREQ=YEARLY;BYMONTH=1;BYDAY=MO;BYSETPOS=1"),
        ("FREQ=YEARLY;BYDAY=MO", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;COUNT=6;BYDAY=MO", "BYDAY=MO;COUNT=6;FREQ=WEEKLY;"),
        ("FREQ=DAILY", "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0"),
        ("FREQ=DAILY", "FREQ=DAILY;UNTIL=99991231T235959Z"),
        ("FREQ=DAILY", "FREQ=DAILY;X-WHO=ME"),
    ],
)
def test_the_same_meaning_has_one_spelling(one, other):
    assert text_of(f"RRULE:{one}") == text_of(f"RRULE:{other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
        ("FREQ=MONTHLY;BYDAY=5FR", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("FREQ=MONTHLY;BYDAY=2TH,2FR", "FREQ=MONTHLY;BYDAY=TH,FR;BYSETPOS=2"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=MO"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=9"),
    ],
)
def test_different_meanings_keep_different_spellings(one, other):
    a, b = (parse([f"RRULE:{text}"], start=START).recurrence for text in (one, other))
    assert to_text(a) != to_text(b)
    assert not equivalent(a, b, start_a=START, start_b=START)


# --- until and count --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("until", "start", "last"),
    [
        ("20260331T215959Z", START, "2026-03-31"),  # the last second of the local day, as Google's editor writes it
        ("20260331T070000Z", START, "2026-03-31"),  # the occurrence itself: 09:00 summer time
        ("20260331T065959Z", START, "2026-03-30"),  # one second before it
        ("20260331", START, "2026-03-31"),  # a date in a timed series: that day included
        ("20260331T090000", START, "2026-03-31"),  # no zone: the series' own
        ("20260401T030000Z", timed("2026-01-05T20:00", "America/Chicago"), "2026-03-31"),
        ("20250326T045959Z", timed("2025-01-05T09:00", "America/Chicago"), "2025-03-25"),
        ("20130225T000000Z", all_day("2012-11-27"), "2013-02-25"),  # all-day with UTC: its date
        ("20200915", all_day("2020-07-06"), "2020-09-15"),
    ],
)
def test_until_is_the_last_local_day(until, start, last):
    series = parse([f"RRULE:FREQ=DAILY;UNTIL={until}"], start=start).recurrence
    assert series.rules[0].until == date.fromisoformat(last)
    assert last_day(start, series) == date.fromisoformat(last)


def test_until_is_written_as_the_last_second_of_the_local_day_in_utc():
    series = parse(["RRULE:FREQ=DAILY;UNTIL=20260331T070000Z"], start=START).recurrence
    assert to_lines(series, start=START) == ["RRULE:FREQ=DAILY;UNTIL=20260331T215959Z"]
    whole_days = parse(["RRULE:FREQ=DAILY;UNTIL=20260331"], start=DAY).recurrence
    assert to_lines(whole_days, start=DAY) == ["RRULE:FREQ=DAILY;UNTIL=20260331"]


# --- single dates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=Europe/Berlin:20260706T090000",
        "EXDATE;TZID=W. Europe Standard Time:20260706T090000",
        'exdate;tzid="America/New_York":20260706T030000',
        "EXDATE:20260706T070000Z",
        "EXDATE:20260706T090000",
        "EXDATE;VALUE=DATE:20260706",
        "EXDATE;VALUE=DATE-TIME;TZID=Europe/Berlin:20260706T0\r\n 90000",
        "EXDATE;TZID=Europe/Berlin:20260706T090059",  # keys stop at the minute
    ],
)
def test_a_cancelled_occurrence_is_named_in_the_zone_of_the_series(line):
    assert parse([line, "RRULE:FREQ=WEEKLY"], start=START).cancelled == {"2026-07-06T09:00"}


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;VALUE=DATE:20260706",
        "EXDATE:20260706",
        "EXDATE;TZID=Pacific/Auckland:20260706T000000",  # the date as written, whatever the zone
        "EXDATE:20260706T000000Z",
    ],
)
def test_a_cancelled_day_of_an_all_day_series_is_its_date(line):
    assert parse(["RRULE:FREQ=WEEKLY", line], start=DAY).cancelled == {"2026-07-06"}


def test_exdates_that_no_occurrence_has_say_nothing():
    parsed = parse(["RRULE:FREQ=WEEKLY", "EXDATE:20260707T070000Z,20260706T080000Z,20250106T080000Z"], start=START)
    assert parsed.cancelled == frozenset()


def test_rdates_are_extra_starts_unless_the_rule_has_them_or_an_exdate_takes_them_out():
    lines = [
        "RRULE:FREQ=WEEKLY",
        "RDATE;TZID=Europe/Berlin:20260707T090000,20260706T090000",
        "RDATE:20260708T120000Z",
        "EXDATE:20260708T120000Z",
    ]
    parsed = parse(lines, start=START)
    assert parsed.recurrence.extra_starts == ("2026-07-07T09:00",)
    assert parsed.cancelled == frozenset()


def test_extra_starts_and_cancelled_occurrences_are_written_in_order():
    series = Recurrence(parse(["RRULE:FREQ=WEEKLY"], start=START).recurrence.rules, ("2026-07-07T11:30",))
    cancelled = frozenset({"2026-02-02T09:00", "2026-01-12T09:00"})
    lines = to_lines(series, start=START, cancelled=cancelled)
    assert lines == [
        "RRULE:FREQ=WEEKLY;BYDAY=MO",
        "RDATE;TZID=Europe/Berlin:20260707T113000",
        "EXDATE;TZID=Europe/Berlin:20260112T090000,20260202T090000",
    ]
    back = parse(lines, start=START)
    assert (back.recurrence, back.cancelled) == (series, cancelled)


def test_an_all_day_series_is_written_with_dates():
    parsed = parse(["RRULE:FREQ=DAILY;COUNT=9", "EXDATE;VALUE=DATE:20260107,20260106"], start=DAY)
    lines = to_lines(parsed.recurrence, start=DAY, cancelled=parsed.cancelled)
    assert lines == ["RRULE:FREQ=DAILY;COUNT=9", "EXDATE;VALUE=DATE:20260106,20260107"]


def test_odd_seconds_of_the_start_are_kept_in_written_dates():
    start = timed("2026-01-05T09:00:30")
    parsed = parse(["RRULE:FREQ=WEEKLY", "EXDATE:20260112T080030Z"], start=start)
    assert parsed.cancelled == {"2026-01-12T09:00"}
    assert to_lines(parsed.recurrence, start=start, cancelled=parsed.cancelled)[1].endswith(":20260112T090030")


def test_an_exrule_with_an_end_becomes_cancelled_occurrences():
    parsed = parse(["RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY;COUNT=2"], start=START)
    assert parsed.cancelled == {"2026-01-05T09:00", "2026-01-12T09:00"}


def test_nothing_recurs_without_a_rule_or_an_extra_date():
    assert parse([], start=START).recurrence is None
    assert parse(["EXDATE:20260105T080000Z", ""], start=START).recurrence is None
    assert parse(["DTSTART:20260105T080000Z"], start=START).recurrence is None


def test_several_rules_are_kept_in_one_order():
    one = text_of("RRULE:FREQ=WEEKLY", "RRULE:FREQ=MONTHLY;BYMONTHDAY=3", "RRULE:FREQ=WEEKLY;BYDAY=MO")
    assert one == "FREQ=MONTHLY;BYMONTHDAY=3|FREQ=WEEKLY;BYDAY=MO"


# --- refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "RRULE:DATE;TZID=Europe/Warsaw:20230818T020000,20230915T020000",
        "RRULE;TZID=Europe/Warsaw:FREQ=DAILY",
        "RRULE:FREQ=HOURLY",
        "RRULE:FREQ=SECONDLY;COUNT=3",
        "RRULE:FREQ=DAILY;BYHOUR=9,15",
        "RRULE:FREQ=DAILY;BYMINUTE=30",
        "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260601",
        "RRULE:FREQ=DAILY;COUNT=0",
        "RRULE:FREQ=DAILY;COUNT=many",
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=DAILY;INTERVAL=-1",
        "RRULE:FREQ=DAILY;FREQ=WEEKLY",
        "RRULE:INTERVAL=2",
        "RRULE:FREQ=FORTNIGHTLY",
        "RRULE:FREQ=WEEKLY;BYDAY=XX",
        "RRULE:FREQ=MONTHLY;BYDAY=0MO",
        "RRULE:FREQ=MONTHLY;BYDAY=6MO",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=32",
        "RRULE:FREQ=MONTHLY;BYMONTHDAY=0",
        "RRULE:FREQ=YEARLY;BYMONTH=13",
        "RRULE:FREQ=WEEKLY;BYMONTHDAY=5",
        "RRULE:FREQ=MONTHLY;BYWEEKNO=5",
        "RRULE:FREQ=DAILY;BYYEARDAY=5",
        "RRULE:FREQ=YEARLY;BYWEEKNO=5;BYDAY=1MO",
        "RRULE:FREQ=DAILY;BYSETPOS=2",
        "RRULE:FREQ=WEEKLY;WKST=8",
        "RRULE:FREQ=DAILY;UNTIL=soon",
        "RRULE:FREQ=DAILY;UNTIL=20261331",
        "RRULE:FREQ=DAILY;UNTIL=20260101T250000Z",
        "RRULE:FREQ=DAILY;UNTIL=",
        "RRULE:FREQ=MONTHLY;SKIP=BACKWARD",
        "RRULE:FREQ=DAILY;;INTERVAL=2",
        "RRULE:",
        "RRULE",
        ":",
        "EXRULE:FREQ=DAILY",
        "EXRULE:FREQ=DAILY;COUNT=9999",
        "RDATE;VALUE=PERIOD:20260101T090000Z/PT1H",
        "EXDATE:yesterday",
        "EXDATE:20260230",
        "VALARM:20260101",
    ],
)
def test_malformed_or_unsupported_lines_are_refused(line):
    for start in (START, DAY):
        with pytest.raises(BadRecurrence):
            parse(["RRULE:FREQ=WEEKLY", line], start=start)


def test_an_unknown_zone_is_refused():
    with pytest.raises(BadRecurrence):
        parse(["RDATE;TZID=Europe/Atlantis:20260101T090000"], start=START)
    with pytest.raises(BadRecurrence):
        parse(["RRULE:FREQ=DAILY;UNTIL=20260601T000000Z"], start=timed("2026-01-05T09:00", "Europe/Atlantis"))


fragments = st.sampled_from(
    [
        *(
            "RRULE:",
            "EXDATE",
            "RDATE",
            "EXRULE:",
            ":",
            ";",
            "=",
            ",",
            "FREQ=",
            "DAILY",
            "MONTHLY",
            "BYDAY=",
            "1MO",
            "-1",
            "0",
        ),
        *(
            "UNTIL=",
            "20260101",
            "T000000Z",
            "99991231T235959Z",
            "00010101",
            "TZID=",
            "Europe/Berlin",
            "BYSETPOS=",
            "COUNT=",
        ),
        *("9" * 30, "\r\n ", "²", "٣", "BYMONTHDAY=", "31", "INTERVAL=", "7", "T", "/", "\x00"),
    ]
)
junk = st.lists(fragments, max_size=9).map("".join)


@given(st.lists(junk, max_size=3), st.sampled_from([START, DAY]))
@settings(max_examples=150, deadline=None)
def test_no_text_whatsoever_makes_the_reader_fail_in_another_way(lines, start):
    try:
        parsed = parse(lines, start=start)
    except BadRecurrence:
        return
    assert parsed.recurrence is None or to_lines(parsed.recurrence, start=start, cancelled=parsed.cancelled)


def test_recurrences_of_the_corpus_are_read_or_refused(repository):
    folder = repository.parent / "shared/protocols/corpus/google"
    if not folder.is_dir():
        pytest.skip("the corpus of provider payloads is not beside the repository")
    outcomes = {}
    for path in sorted(folder.glob("rrule_*.json")):
        found = json.loads(path.read_text())
        begins = found["start"]
        start = all_day(begins["date"]) if "date" in begins else timed(begins["date_time"][:19])
        try:
            outcomes[path.stem] = to_text(parse(found["recurrence"], start=start).recurrence)
        except BadRecurrence:
            outcomes[path.stem] = "refused"
    assert [name for name, outcome in outcomes.items() if outcome == "refused"] == ["rrule_malformed_date_list"]
    assert outcomes["rrule_allday_with_utc_until"] == "FREQ=WEEKLY;BYDAY=TU;UNTIL=20130225"
    assert "RDATE=2022-11-15|" in outcomes["rrule_allday_interval_plus_rdate_value_date"]
