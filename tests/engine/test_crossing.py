"""Exceptions that a neighbour-bound platform refuses, and the series that is written without them."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from calsync.engine.events import Field, Frequency, OccurrenceKey, Recurrence, Rule
from calsync.engine.parts import crossing, without_crossing
from tests.engine.builders import days, occurrence, series, single, timed, weekly

SECOND = occurrence(1)  # Monday 9 November 2026; its neighbours are on the 2nd and on the 16th


def at(text, **span):
    return timed(datetime.fromisoformat(text), **span)


def moved(**spans):
    """The weekly series with exceptions moved: week -> new span."""
    return series(
        exceptions={occurrence(int(week.removeprefix("week"))): {Field.WHEN: span} for week, span in spans.items()}
    )


SPANS = {
    "to the day after the previous one": (at("2026-11-03T00:00"), False),
    "to the day before the next one": (at("2026-11-15T22:00"), False),
    "to the previous day": (at("2026-11-02T18:00"), True),
    "before the previous day": (at("2026-11-01T09:00"), True),
    "to the day of the next one": (at("2026-11-16T00:30", minutes=30), True),
    "after the next one": (at("2026-11-17T09:00"), True),
    "into the next one": (at("2026-11-15T20:00", minutes=14 * 60), True),
    "up to the start of the next one": (at("2026-11-15T20:00", minutes=13 * 60), False),
    "to the next one's day where it is told only": (at("2026-11-16T06:00", zone="Asia/Tokyo"), False),
    "to the next one's day in the series' zone only": (at("2026-11-15T20:00", zone="America/New_York"), True),
    "to all day": (days(date(2026, 11, 9)), True),
}


@pytest.mark.parametrize(("span", "is_over"), SPANS.values(), ids=SPANS)
def test_an_exception_crosses_when_it_reaches_the_day_of_a_neighbour(span, is_over):
    event = moved(week1=span)
    assert crossing(event) == ({SECOND} if is_over else frozenset())


def test_an_exception_that_keeps_its_time_or_is_cancelled_does_not_cross():
    far = {Field.WHEN: at("2026-12-24T09:00")}
    assert not crossing(series(exceptions={SECOND: {Field.TITLE: "x"}}))
    assert not crossing(series(exceptions={SECOND: far}, cancelled=frozenset({SECOND})))
    assert not crossing(series(exceptions={OccurrenceKey("2026-11-10T09:00"): far, OccurrenceKey("2026-11-09"): far}))
    assert not crossing(replace(single(), exceptions={SECOND: far}))


def test_the_first_and_the_last_have_one_neighbour():
    assert not crossing(moved(week0=at("2020-01-01T09:00"), week9=at("2030-01-01T09:00")))
    assert len(crossing(moved(week0=at("2026-11-09T09:00"), week9=at("2026-12-28T09:00")))) == 2


def test_a_cancelled_neighbour_stands_in_nobodys_way():
    event = moved(week1=at("2026-11-17T09:00"))
    assert not crossing(replace(event, cancelled=frozenset({occurrence(2)})))
    assert crossing(replace(event, cancelled=frozenset({occurrence(0)})))


def test_a_moved_neighbour_counts_where_it_was_born_and_where_it_stands():
    assert crossing(moved(week1=at("2026-11-16T09:00"), week2=at("2026-11-18T09:00"))) == {SECOND}
    assert crossing(moved(week1=at("2026-11-13T09:00"), week2=at("2026-11-13T15:00"))) == {SECOND, occurrence(2)}
    assert not crossing(moved(week1=at("2026-11-12T09:00"), week2=at("2026-11-13T15:00")))
    assert crossing(moved(week1=at("2026-11-12T09:00"), week2=days(date(2026, 11, 13)))) == {occurrence(2)}


def test_an_exception_may_not_begin_before_the_previous_one_has_ended():
    nightly = series(
        when=at("2026-11-02T22:00", minutes=240),
        recurrence=Recurrence((Rule(Frequency.DAILY, interval=2),)),
        exceptions={OccurrenceKey("2026-11-04T22:00"): {Field.WHEN: at("2026-11-03T01:00")}},
    )
    assert crossing(nightly) == {"2026-11-04T22:00"}


def test_the_neighbours_of_an_old_or_rare_series_are_found():
    key = OccurrenceKey("2026-11-02T09:00")
    yearly = Recurrence((Rule(Frequency.YEARLY, interval=20, by_month=(11,), by_month_day=(2,)),))
    for start, span, wanted in (
        ("1986-11-02T09:00", "2006-11-02T09:00", {key}),
        ("1986-11-02T09:00", "2006-11-03T09:00", frozenset()),
        ("2026-11-02T09:00", "2046-11-02T09:00", {key}),
    ):
        assert crossing(series(when=at(start), recurrence=yearly, exceptions={key: {Field.WHEN: at(span)}})) == wanted


def test_all_day_series_count_by_date():
    key = OccurrenceKey("2026-11-09")
    event = series(when=days(date(2026, 11, 2)), recurrence=weekly())
    for span, is_over in (
        (days(date(2026, 11, 15)), False),
        (days(date(2026, 11, 15), count=2), True),
        (days(date(2026, 11, 16)), True),
        (days(date(2026, 11, 2)), True),
        (at("2026-11-09T09:00"), True),
    ):
        assert bool(crossing(replace(event, exceptions={key: {Field.WHEN: span}}))) is is_over


def test_the_series_is_written_without_the_occurrences_that_cross():
    event = moved(week1=at("2026-11-17T09:00"), week3=at("2026-11-24T09:00"))
    event = replace(event, cancelled=frozenset({occurrence(5)}))
    written = without_crossing(event)
    assert written.cancelled == {SECOND, occurrence(5)}
    assert list(written.exceptions) == [occurrence(3)]
    assert not crossing(written)
    assert without_crossing(written) is written
