"""What an event takes from somebody's day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from calsync.engine.busy import busy_spans
from calsync.engine.events import AllDay, Content, Event, Field, Frequency, Recurrence, Rule, ShowAs, Timed

BERLIN, CHATHAM = "Europe/Berlin", "Pacific/Chatham"
FROM, TO = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def timed(start: str, end: str, zone: str = BERLIN, **fields) -> Content:
    return Content(when=Timed(datetime.fromisoformat(start), datetime.fromisoformat(end), zone), **fields)


def weekly(content: Content, **fields) -> Event:
    rule = Rule(Frequency.WEEKLY, count=fields.pop("count", None))
    return Event(content, recurrence=Recurrence((rule,)), **fields)


def taken(event: Event, zone: str = BERLIN) -> list[tuple[datetime, datetime]]:
    return sorted((span.start, span.end) for span in busy_spans(event, zone=zone, start=FROM, end=TO))


@pytest.mark.parametrize(
    ("content", "zone", "expected"),
    [
        (timed("2026-03-10T09:00", "2026-03-10T10:00"), BERLIN, [("2026-03-10T08:00", "2026-03-10T09:00")]),
        (timed("2026-03-10T09:00", "2026-03-10T10:00"), CHATHAM, [("2026-03-10T08:00", "2026-03-10T09:00")]),
        (timed("2026-02-28T23:00", "2026-03-01T02:00"), BERLIN, [("2026-02-28T22:00", "2026-03-01T01:00")]),
        (timed("2026-02-28T22:00", "2026-03-01T01:00"), BERLIN, []),
        (timed("2026-03-10T09:00", "2026-03-10T09:00"), BERLIN, []),
        (timed("2026-03-10T09:00", "2026-03-10T10:00", show_as=ShowAs.FREE), BERLIN, []),
        (Content(AllDay(date(2026, 3, 29), date(2026, 3, 30))), BERLIN, [("2026-03-28T23:00", "2026-03-29T22:00")]),
        (Content(AllDay(date(2026, 3, 29), date(2026, 3, 30))), CHATHAM, [("2026-03-28T10:15", "2026-03-29T10:15")]),
    ],
    ids=["timed", "in whatever zone it is seen", "into the window", "up to the window", "no length", "free",
         "a day of 23 hours", "a day in the attendee's zone"],
)  # fmt: skip
def test_a_single_event_takes_its_instants(content, zone, expected):
    assert taken(Event(content), zone) == [(at(start), at(end)) for start, end in expected]


def test_a_series_keeps_its_wall_clock_when_clocks_change():
    spans = taken(weekly(timed("2026-03-23T09:00", "2026-03-23T10:00"), count=2))
    assert [start for start, _ in spans] == [at("2026-03-23T08:00"), at("2026-03-30T07:00")]


def test_an_old_endless_series_counts_inside_the_window_only():
    spans = taken(weekly(timed("2011-03-07T09:00", "2011-03-07T10:00")))
    assert len(spans) == 9
    assert (spans[0][0], spans[-1][0]) == (at("2026-03-02T08:00"), at("2026-04-27T07:00"))


def test_cancelled_free_and_moved_occurrences_count_as_they_are_now():
    moved = timed("2026-03-12T15:00", "2026-03-12T16:00").when
    series = weekly(
        timed("2026-03-02T09:00", "2026-03-02T10:00"),
        count=4,
        cancelled=frozenset({"2026-03-16T09:00"}),
        exceptions={"2026-03-09T09:00": {Field.WHEN: moved}, "2026-03-23T09:00": {Field.SHOW_AS: ShowAs.FREE}},
    )
    assert taken(series) == [
        (at("2026-03-02T08:00"), at("2026-03-02T09:00")),
        (at("2026-03-12T14:00"), at("2026-03-12T15:00")),
    ]


@pytest.mark.parametrize(("days", "counts"), [("2026-03-20", True), ("2026-06-20", False)])
def test_an_occurrence_moved_from_afar_counts_where_it_stands(days, counts):
    """Its original day lies beyond the window."""
    moved = Timed(datetime.fromisoformat(f"{days}T15:00"), datetime.fromisoformat(f"{days}T16:00"), BERLIN)
    first = timed("2026-06-01T09:00", "2026-06-01T10:00")
    series = weekly(first, count=3, exceptions={"2026-06-08T09:00": {Field.WHEN: moved}})
    assert taken(series) == ([(at(f"{days}T14:00"), at(f"{days}T15:00"))] if counts else [])


def test_an_exception_on_a_day_that_the_rule_does_not_yield_is_no_occurrence():
    moved = timed("2026-03-12T15:00", "2026-03-12T16:00").when
    series = weekly(timed("2026-03-02T09:00", "2026-03-02T10:00"), count=1)
    assert len(taken(Event(series.content, series.recurrence, {"2026-03-10T09:00": {Field.WHEN: moved}}))) == 1


def test_a_span_tells_how_it_weighs_and_which_occurrence_it_is():
    series = weekly(timed("2026-03-02T09:00", "2026-03-02T10:00", show_as=ShowAs.TENTATIVE), count=1)
    [span] = busy_spans(series, zone=BERLIN, start=FROM, end=TO)
    assert (span.key, span.show_as, span.all_day) == ("2026-03-02T09:00", ShowAs.TENTATIVE, False)
