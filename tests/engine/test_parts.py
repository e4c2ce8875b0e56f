"""Events that a platform cannot hold as one, and the events that stand for them there: tables of values."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from calsync.engine.events import AllDay, Field, Frequency, Guest, OccurrenceKey, Recurrence, Rule
from calsync.engine.parts import is_split, part_key, parts_of
from calsync.engine.recurrence import key_of, parse, to_lines
from calsync.engine.traits import Traits
from calsync.providers.google.provider import TRAITS as GOOGLE
from calsync.providers.graph import TRAITS as GRAPH
from tests.engine.builders import ALICE, days, occurrence, series, single, timed

START = timed(datetime.fromisoformat("2026-01-31T09:00"))
AFTER, BEFORE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)


def repeating(*lines, start=START, **fields):
    """A series by its lines; a line without a name is an RRULE."""
    read = parse([line if ":" in line else f"RRULE:FREQ={line}" for line in lines], start=start)
    return series(when=start, recurrence=read.recurrence, cancelled=read.cancelled, **fields)


def parts(event, *, kept=(), traits=GRAPH, after=AFTER, before=BEFORE):
    return parts_of(event, traits=traits, after=after, before=before, kept=kept)


def rules_of(found):
    """Series parts as first day and RRULE."""
    return [
        f"{part.content.when.start:%Y-%m-%d} {to_lines(part.recurrence, start=START)[0].removeprefix('RRULE:FREQ=')}"
        for part in found.values()
        if part.recurrence
    ]


def alone(found):
    return [name for name, part in found.items() if part.recurrence is None]


def monthly(day, *months):
    return [f"{first} YEARLY;BYMONTH={month};BYMONTHDAY={day}" for month, first in months]


SERIES = {
    "two days of the month": (
        "MONTHLY;BYMONTHDAY=1,15",
        ["2026-02-01 MONTHLY;BYMONTHDAY=1", "2026-02-15 MONTHLY;BYMONTHDAY=15"],
    ),
    "first and third Monday": (
        "MONTHLY;BYDAY=1MO,3MO",
        ["2026-02-02 MONTHLY;BYDAY=1MO", "2026-02-16 MONTHLY;BYDAY=3MO"],
    ),
    "two weekdays of one ordinal": (
        "MONTHLY;BYDAY=2TH,2FR",
        ["2026-02-12 MONTHLY;BYDAY=2TH", "2026-02-13 MONTHLY;BYDAY=2FR"],
    ),
    "two positions of several weekdays": (
        "MONTHLY;BYDAY=SA,SU;BYSETPOS=1,3",
        ["2026-02-01 MONTHLY;BYDAY=SA,SU;BYSETPOS=1", "2026-02-08 MONTHLY;BYDAY=SA,SU;BYSETPOS=3"],
    ),
    "months of the year, told monthly": (
        "MONTHLY;BYMONTH=2,3;BYMONTHDAY=5",
        monthly(5, (2, "2026-02-05"), (3, "2026-03-05")),
    ),
    "months of the year, told yearly": (
        "YEARLY;BYMONTH=2,3;BYDAY=2TU",
        ["2026-02-10 YEARLY;BYMONTH=2;BYDAY=2TU", "2026-03-10 YEARLY;BYMONTH=3;BYDAY=2TU"],
    ),
    "the 31st, which short months lack": (
        "MONTHLY;BYMONTHDAY=31",
        monthly(31, *((month, f"2026-{month:02}-31") for month in (1, 3, 5, 7, 8, 10, 12))),
    ),
    "the 30th, which February lacks": (
        "MONTHLY;BYMONTHDAY=30",
        monthly(30, (1, "2027-01-30"), *((month, f"2026-{month:02}-30") for month in range(3, 13))),
    ),
    "every second month on the 31st": (
        "MONTHLY;INTERVAL=2;BYMONTHDAY=31",
        monthly(31, *((month, f"2026-{month:02}-31") for month in (1, 3, 5, 7))),
    ),
    "every eighth month on the 31st": (
        "MONTHLY;INTERVAL=8;BYMONTHDAY=31",
        [
            "2026-01-31 YEARLY;INTERVAL=2;BYMONTH=1;BYMONTHDAY=31",
            "2027-05-31 YEARLY;INTERVAL=2;BYMONTH=5;BYMONTHDAY=31",
        ],
    ),
    "a day of every month in every second year": (
        "YEARLY;INTERVAL=2;BYMONTHDAY=15",
        [
            "2028-01-15 YEARLY;INTERVAL=2;BYMONTH=1;BYMONTHDAY=15",
            *(f"2026-{month:02}-15 YEARLY;INTERVAL=2;BYMONTH={month};BYMONTHDAY=15" for month in range(2, 13)),
        ],
    ),
    "more than 999 times": ("DAILY;COUNT=1500", ["2026-01-31 DAILY;UNTIL=20300310T225959Z"]),
    "until a day beyond all calendars": ("DAILY;UNTIL=45020101T120000Z", ["2026-01-31 DAILY"]),
    "the last day, and the 31st which is one": ("MONTHLY;BYMONTHDAY=31,-1", ["2026-01-31 MONTHLY;BYMONTHDAY=-1"]),
    "every second day if it is a Monday or a Wednesday": (
        "DAILY;INTERVAL=2;BYDAY=MO,WE",
        ["2026-02-02 WEEKLY;INTERVAL=2;WKST=MO;BYDAY=MO,WE"],
    ),
    "every third day if it is a Monday or a Wednesday": (
        "DAILY;INTERVAL=3;BYDAY=MO,WE",
        ["2026-02-09 WEEKLY;INTERVAL=3;WKST=MO;BYDAY=MO", "2026-02-18 WEEKLY;INTERVAL=3;WKST=MO;BYDAY=WE"],
    ),
    "every fourteenth day if it is a Saturday or a Monday": (
        "DAILY;INTERVAL=14;BYDAY=SA,MO",
        ["2026-01-31 WEEKLY;INTERVAL=2;WKST=MO;BYDAY=SA"],
    ),
    "the first of some weekdays each week": ("WEEKLY;BYDAY=MO,TU;BYSETPOS=1", ["2026-02-02 WEEKLY;BYDAY=MO"]),
    "days before the last in months of known length": (
        "YEARLY;BYMONTH=4,7;BYMONTHDAY=-2",
        ["2026-04-29 YEARLY;BYMONTH=4;BYMONTHDAY=29", "2026-07-30 YEARLY;BYMONTH=7;BYMONTHDAY=30"],
    ),
}


@pytest.mark.parametrize(("rule", "wanted"), SERIES.values(), ids=SERIES)
def test_a_rule_without_a_form_is_told_as_several_that_have_one(rule, wanted):
    found = parts(repeating(rule))
    assert sorted(rules_of(found)) == sorted(wanted)
    assert not alone(found)


ALONE = {
    "29 February": ("YEARLY;BYMONTH=2;BYMONTHDAY=29", []),
    "the fifth Friday": ("MONTHLY;BYDAY=5FR", ["2026-05-29", "2026-07-31", "2026-10-30", "2027-01-29"]),
    "a day of the year": ("YEARLY;BYYEARDAY=100", ["2026-04-10"]),
    "a week of the year": ("YEARLY;BYWEEKNO=20;BYDAY=MO", ["2026-05-11"]),
    "the twentieth Monday of the year": ("YEARLY;BYDAY=20MO", ["2026-05-18"]),
    "Friday the 13th": ("MONTHLY;BYDAY=FR;BYMONTHDAY=13", ["2026-02-13", "2026-03-13", "2026-11-13"]),
    "a position within the whole year": ("YEARLY;BYMONTH=3,4;BYDAY=MO;BYSETPOS=2", ["2026-03-09"]),
    "an interval beyond the limit": ("DAILY;INTERVAL=1001", ["2026-01-31"]),
    "months of a daily rule": ("DAILY;BYMONTH=2;COUNT=2", ["2026-02-01", "2026-02-02"]),
    "months of a weekly rule": ("WEEKLY;BYMONTH=2;COUNT=2", ["2026-02-07", "2026-02-14"]),
    "a position that a week lacks": ("WEEKLY;BYDAY=MO,TU;BYSETPOS=3", []),
    "so long an interval that it comes once": ("MONTHLY;INTERVAL=9999;BYMONTHDAY=5,31", ["2026-01-31"]),
}


@pytest.mark.parametrize(("rule", "wanted"), ALONE.values(), ids=ALONE)
def test_a_rule_that_no_series_tells_stands_as_single_events_inside_the_horizon(rule, wanted):
    found = parts(repeating(rule))
    assert [name.removesuffix("T09:00") for name in found] == wanted
    assert not rules_of(found)
    assert all(part.content.when.start == datetime.fromisoformat(name) for name, part in found.items())


def test_days_before_the_last_of_every_month_stand_alone():
    found = parts(repeating("MONTHLY;BYMONTHDAY=-2"))
    assert not rules_of(found)
    assert alone(found)[:3] == ["2026-02-27T09:00", "2026-03-30T09:00", "2026-04-29T09:00"]


def test_the_29th_is_a_yearly_series_a_month_and_29_february_stands_alone():
    found = parts(
        repeating("MONTHLY;BYMONTHDAY=29"),
        after=datetime(2028, 1, 1, tzinfo=UTC),
        before=datetime(2029, 1, 1, tzinfo=UTC),
    )
    assert len(rules_of(found)) == 11
    assert alone(found) == ["2028-02-29T09:00"]


def test_no_more_than_twelve_series_stand_for_one_rule():
    found = parts(repeating("MONTHLY;BYMONTHDAY=15,30,31"))
    assert len(rules_of(found)) == 8  # the 15th, and the 31st of seven months
    assert {name[8:10] for name in alone(found)} == {"30"}


def test_an_ordinal_with_a_form_is_a_series_beside_single_events_for_the_others():
    found = parts(repeating("MONTHLY;BYDAY=1MO,5FR"))
    assert rules_of(found) == ["2026-02-02 MONTHLY;BYDAY=1MO"]
    assert alone(found) == ["2026-05-29T09:00", "2026-07-31T09:00", "2026-10-30T09:00", "2027-01-29T09:00"]


def test_the_first_week_of_a_position_stands_alone_when_it_is_not_regular():
    tuesday = timed(datetime.fromisoformat("2026-02-03T09:00"))
    found = parts(repeating("WEEKLY;BYDAY=MO,TU;BYSETPOS=1", start=tuesday))
    assert rules_of(found) == ["2026-02-09 WEEKLY;BYDAY=MO"]
    assert alone(found) == ["2026-02-03T09:00"]


def test_extra_dates_stand_alone_beside_the_rule():
    found = parts(repeating("WEEKLY;BYDAY=MO;COUNT=3", "RDATE;TZID=Europe/Berlin:20260205T150000,20400101T090000"))
    assert rules_of(found) == ["2026-02-02 WEEKLY;BYDAY=MO;UNTIL=20260216T225959Z"]
    assert alone(found) == ["2026-02-05T15:00"]


def test_several_rules_are_one_series_each():
    found = parts(repeating("WEEKLY;BYDAY=MO", "WEEKLY;BYDAY=TH"))
    assert rules_of(found) == ["2026-02-02 WEEKLY;BYDAY=MO", "2026-02-05 WEEKLY;BYDAY=TH"]


def test_what_two_rules_share_is_cancelled_in_the_later_one():
    found = parts(repeating("WEEKLY;BYDAY=MO;COUNT=5", "MONTHLY;BYMONTHDAY=2"))
    monthly_part, weekly_part = found.values()
    assert not monthly_part.cancelled
    assert weekly_part.cancelled == {"2026-02-02T09:00", "2026-03-02T09:00"}
    assert not alone(found)


def test_an_all_day_series_names_what_is_shared_by_its_date():
    start = days(date(2026, 1, 31))
    found = parts(repeating("WEEKLY;BYDAY=MO;COUNT=5", "MONTHLY;BYMONTHDAY=2", start=start))
    assert [part.cancelled for part in found.values()] == [frozenset(), {"2026-02-02", "2026-03-02"}]
    assert [part.content.when for part in found.values()] == [days(date(2026, 2, 2))] * 2


def test_what_two_rules_share_without_end_stands_alone():
    found = parts(repeating("WEEKLY;BYDAY=MO", "MONTHLY;BYMONTHDAY=2"), before=datetime(2026, 4, 30, tzinfo=UTC))
    assert rules_of(found) == ["2026-02-02 MONTHLY;BYMONTHDAY=2"]
    assert "2026-02-02T09:00" not in found
    assert alone(found)[:2] == ["2026-02-09T09:00", "2026-02-16T09:00"]


def test_a_rule_inside_another_gives_no_part():
    found = parts(repeating("WEEKLY;BYDAY=MO", "WEEKLY;BYDAY=MO,TH;UNTIL=20260301T120000Z", "WEEKLY;BYDAY=MO,TU"))
    assert [line[11:] for line in rules_of(found)] == [
        "WEEKLY;BYDAY=MO,TH;UNTIL=20260301T225959Z",
        "WEEKLY;BYDAY=MO,TU",
    ]
    assert len(found["rule FREQ=WEEKLY;BYDAY=MO,TU"].cancelled) == 4  # the Mondays of February


def test_of_two_rules_that_differ_in_their_end_the_longer_is_taken():
    for lines in (("DAILY;COUNT=3", "DAILY;COUNT=9"), ("DAILY;COUNT=9", "DAILY;UNTIL=20260202T120000Z")):
        assert rules_of(parts(repeating(*lines))) == ["2026-01-31 DAILY;UNTIL=20260208T225959Z"]
    assert rules_of(parts(repeating("DAILY;COUNT=3", "DAILY"))) == ["2026-01-31 DAILY"]


def test_rules_of_one_name_that_begin_apart_are_not_mixed_up():
    found = parts(repeating("MONTHLY;INTERVAL=8;BYMONTHDAY=31", "YEARLY;INTERVAL=2;BYMONTH=5;BYMONTHDAY=31"))
    assert "2027-05-31 YEARLY;INTERVAL=2;BYMONTH=5;BYMONTHDAY=31" in rules_of(found)
    assert alone(found) == ["2026-05-31T09:00"]


def test_the_names_stay_when_only_the_end_changes():
    endless = parts(repeating("MONTHLY;BYMONTHDAY=1,15"))
    assert list(endless) == ["rule FREQ=MONTHLY;BYMONTHDAY=1", "rule FREQ=MONTHLY;BYMONTHDAY=15"]
    for end in ("COUNT=9", "UNTIL=20270101T120000Z"):
        assert list(parts(repeating(f"MONTHLY;BYMONTHDAY=1,15;{end}"))) == list(endless)


def test_a_count_becomes_the_last_day_of_each_part():
    found = parts(repeating("MONTHLY;BYMONTHDAY=1,15;COUNT=3"))
    assert rules_of(found) == [
        "2026-02-01 MONTHLY;BYMONTHDAY=1;UNTIL=20260301T225959Z",
        "2026-02-15 MONTHLY;BYMONTHDAY=15;UNTIL=20260215T225959Z",
    ]


def test_a_part_without_any_occurrence_is_dropped():
    assert rules_of(parts(repeating("MONTHLY;BYMONTHDAY=1,15;COUNT=1"))) == [
        "2026-02-01 MONTHLY;BYMONTHDAY=1;UNTIL=20260201T225959Z"
    ]
    all_cancelled = repeating("MONTHLY;BYMONTHDAY=1,15;COUNT=2", "EXDATE;TZID=Europe/Berlin:20260215T090000")
    assert rules_of(parts(all_cancelled)) == ["2026-02-01 MONTHLY;BYMONTHDAY=1;UNTIL=20260201T225959Z"]


def test_exceptions_and_cancelled_occurrences_go_where_their_occurrence_is():
    fifteenth, first = OccurrenceKey("2026-02-15T09:00"), OccurrenceKey("2026-03-01T09:00")
    event = repeating("MONTHLY;BYMONTHDAY=1,15", exceptions={fifteenth: {Field.TITLE: "Ides"}})
    on_the_first, on_the_fifteenth = parts(replace(event, cancelled=frozenset({first}))).values()
    assert (on_the_first.exceptions, on_the_first.cancelled) == ({}, {first})
    assert (on_the_fifteenth.exceptions, on_the_fifteenth.cancelled) == (
        {fifteenth: {Field.TITLE: "Ides"}},
        frozenset(),
    )


def test_an_exception_that_crosses_inside_its_part_stands_alone():
    key = OccurrenceKey("2026-03-01T09:00")
    moved = timed(datetime.fromisoformat("2026-04-03T10:00"))
    event = repeating("MONTHLY;BYMONTHDAY=1,15", exceptions={key: {Field.WHEN: moved, Field.TITLE: "Late"}})
    found = parts(event)
    assert found["rule FREQ=MONTHLY;BYMONTHDAY=1"].cancelled == {key}
    assert found[key].content == replace(event.content, when=moved, title="Late")
    unbound = parts(event, traits=replace(GRAPH, neighbour_bound=False))
    assert list(unbound) == list(found)[:2]
    assert unbound["rule FREQ=MONTHLY;BYMONTHDAY=1"].exceptions == event.exceptions


def test_a_single_occurrence_shows_its_exception_and_a_cancelled_one_is_not_there():
    may, july = OccurrenceKey("2026-05-29T09:00"), OccurrenceKey("2026-07-31T09:00")
    event = repeating("MONTHLY;BYDAY=5FR", exceptions={may: {Field.TITLE: "May"}})
    found = parts(replace(event, cancelled=frozenset({july})))
    assert found[may].content.title == "May"
    assert july not in found


def test_what_left_the_horizon_stays_as_long_as_the_event_has_it():
    event = repeating("MONTHLY;BYDAY=5FR")
    later = {"after": datetime(2026, 6, 1, tzinfo=UTC), "before": datetime(2026, 9, 1, tzinfo=UTC)}
    kept = ["2026-05-29T09:00", "2026-05-28T09:00", "nonsense", "rule FREQ=DAILY"]
    assert list(parts(event, kept=kept, **later)) == ["2026-05-29T09:00", "2026-07-31T09:00"]
    gone = replace(event, cancelled=frozenset({OccurrenceKey("2026-05-29T09:00")}))
    assert list(parts(gone, kept=kept, **later)) == ["2026-07-31T09:00"]


def test_an_occurrence_that_was_moved_into_the_horizon_stands_in_it():
    may, july = OccurrenceKey("2026-05-29T09:00"), OccurrenceKey("2026-07-31T09:00")
    event = repeating(
        "MONTHLY;BYDAY=5FR",
        exceptions={
            may: {Field.WHEN: days(date(2026, 6, 3))},
            july: {Field.WHEN: timed(datetime.fromisoformat("2026-06-04T09:00"))},
        },
    )
    assert list(parts(event, after=datetime(2026, 6, 1, tzinfo=UTC), before=datetime(2026, 6, 4, tzinfo=UTC))) == [may]
    assert list(parts(event, after=datetime(2026, 6, 4, tzinfo=UTC), before=datetime(2026, 6, 5, tzinfo=UTC))) == [july]


def test_a_part_speaks_of_the_same_people_and_has_no_uid():
    event = repeating(
        "MONTHLY;BYDAY=1MO,5FR",
        uid="u",
        organizer="chair@example.org",
        organizes=False,
        guests=(ALICE, Guest("room@example.org", resource=True)),
        pinned=frozenset({Field.BODY}),
    )
    for part in parts(event).values():
        assert replace(part, content=event.content, recurrence=event.recurrence, uid="u") == event


def test_a_series_at_a_time_that_clocks_skip_keeps_its_time():
    start = timed(datetime.fromisoformat("2026-03-01T02:30"))
    found = parts(repeating("MONTHLY;BYMONTHDAY=29,-2", start=start))
    march = next(part for part in found.values() if part.recurrence and part.content.when.start.month == 3)
    assert march.content.when.start == datetime.fromisoformat("2026-03-29T02:30")  # 02:30 does not exist on that day


def test_what_two_series_share_at_a_time_that_clocks_skip_is_named_by_what_clocks_show():
    start = timed(datetime.fromisoformat("2026-03-01T02:30"))
    found = parts(repeating("WEEKLY;BYDAY=SU;COUNT=5", "YEARLY;BYMONTH=3;BYMONTHDAY=29", start=start))
    weekly_part, yearly_part = found.values()
    assert weekly_part.cancelled | yearly_part.cancelled == {"2026-03-29T03:30"}


def test_a_rule_with_too_long_a_name_stands_alone():
    odd = Traits(
        **{name: getattr(GRAPH, name) for name in ("platform", "show_as", "sensitivities")}, expressible=_is_one
    )
    year_days = tuple(range(1, 366))
    event = series(
        when=START, recurrence=Recurrence((Rule(Frequency.YEARLY, by_year_day=year_days), Rule(Frequency.YEARLY)))
    )
    assert list(parts(event, traits=odd, before=datetime(2026, 2, 2, tzinfo=UTC))) == [
        "rule FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=31",
        "2026-02-01T09:00",
    ]


def _is_one(recurrence):
    return len(recurrence.rules) == 1 and not recurrence.extra_starts


# --- events that are not split ----------------------------------------------------------------------------


def test_what_a_platform_holds_as_one_needs_no_parts():
    assert parts(single()) == parts(repeating("WEEKLY")) == {}
    assert not is_split(single(), GRAPH)
    assert not is_split(repeating("WEEKLY"), GRAPH)


def test_google_holds_every_rule_and_every_exception_in_one_series():
    far = {occurrence(1): {Field.WHEN: timed(datetime.fromisoformat("2026-12-01T09:00"))}}
    assert parts(repeating("MONTHLY;BYMONTHDAY=1,15", "DAILY"), traits=GOOGLE) == {}
    assert parts(series(exceptions=far), traits=GOOGLE) == {}
    assert list(parts(series(exceptions=far))) == [occurrence(1)]


def test_an_exception_over_its_neighbour_stands_alone_wherever_the_horizon_is():
    moved = timed(datetime.fromisoformat("2026-12-01T09:00"))
    event = series(
        exceptions={occurrence(1): {Field.WHEN: moved, Field.TITLE: "Late"}, occurrence(2): {Field.BODY: "x"}}
    )
    long_gone = {"after": datetime(2000, 1, 1, tzinfo=UTC), "before": datetime(2000, 1, 2, tzinfo=UTC)}
    assert parts(event, **long_gone) == {occurrence(1): single("Late", when=moved)}


def test_a_part_tells_by_its_name_whether_it_stands_for_one_occurrence():
    assert part_key("2026-11-22T09:00") == key_of(datetime.fromisoformat("2026-11-22T09:00"))
    assert part_key("2026-11-22") == key_of(date(2026, 11, 22))
    assert part_key("rule FREQ=DAILY") is None


def test_an_all_day_span_of_several_days_is_kept_by_every_part():
    found = parts(repeating("MONTHLY;BYMONTHDAY=1,15", start=days(date(2026, 1, 1), count=2)))
    assert [part.content.when for part in found.values()] == [
        AllDay(date(2026, 1, 1), date(2026, 1, 3)),
        AllDay(date(2026, 1, 15), date(2026, 1, 17)),
    ]
