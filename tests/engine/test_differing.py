"""A stand-in for what a mailbox holds differs in exactly the named paths, and in nothing else."""

import dataclasses
from datetime import date, datetime

import pytest

from calsync.engine.differing import differing
from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    Frequency,
    OccurrenceKey,
    Recurrence,
    Rule,
    Timed,
    Weekday,
)
from calsync.engine.fingerprint import changed, fingerprints
from calsync.engine.recurrence import aligned, equivalent
from calsync.engine.wanted import NOTE

KEY = b"k" * 32
FIRST, SECOND = OccurrenceKey("2026-12-01T09:00"), OccurrenceKey("2026-12-02T09:00")
SPAN = Timed(datetime.fromisoformat("2026-12-01T09:00"), datetime.fromisoformat("2026-12-01T10:00"), "Europe/Berlin")
SINGLE = Event(content=Content(when=SPAN, title="Budget"))
SERIES = Event(
    content=Content(when=SPAN, title="Daily"),
    recurrence=Recurrence(rules=(Rule(Frequency.DAILY, count=5),)),
    exceptions={FIRST: {Field.TITLE: "Special", Field.LOCATION: "Room 4"}},
    cancelled=frozenset({SECOND}),
)


def difference(event: Event, paths: set[str]) -> frozenset[str]:
    return changed(fingerprints(differing(event, paths), key=KEY), fingerprints(event, key=KEY))


@pytest.mark.parametrize("path", ["title", "body", "location", "when", "show_as", "sensitivity"])
def test_one_field_of_a_single_event(path):
    assert difference(SINGLE, {path}) == {path}


def test_no_path_is_no_difference():
    assert differing(SERIES, set()) == SERIES


def test_an_all_day_event_stays_one():
    event = Event(content=Content(when=AllDay(date(2026, 12, 1), date(2026, 12, 2))))
    assert isinstance(differing(event, {"when"}).content.when, AllDay)
    assert difference(event, {"when"}) == {"when"}


def test_the_rule_of_a_series():
    assert difference(SERIES, {"recurrence"}) == {"recurrence"}


WEEKLY = Recurrence(rules=(Rule(Frequency.WEEKLY, by_day=((None, Weekday.TU),), count=5),))


@pytest.mark.parametrize("when", [SPAN, AllDay(date(2026, 12, 1), date(2026, 12, 2))])
def test_another_time_of_a_series_is_still_another_when_it_is_moved_to_a_day_of_the_rule(when):
    stand_in = differing(Event(content=Content(when=when), recurrence=WEEKLY), {"when"})
    assert aligned(stand_in.content.when, WEEKLY) != when


@pytest.mark.parametrize("count", [1, 2, None])
def test_another_rule_makes_other_occurrences_however_few_there_are(count):
    event = Event(content=Content(when=SPAN), recurrence=Recurrence((Rule(Frequency.YEARLY, count=count),)))
    other = differing(event, {"recurrence"}).recurrence
    assert not equivalent(other, event.recurrence, start_a=SPAN, start_b=SPAN)


def test_a_series_that_is_to_become_a_single_event_stood_there_as_a_series():
    assert differing(SINGLE, {"recurrence"}).is_series


def test_an_occurrence_to_cancel_stands_there_still():
    assert differing(SERIES, {f"@{SECOND}"}).cancelled == frozenset()


def test_an_occurrence_to_restore_was_cancelled_there():
    third = OccurrenceKey("2026-12-03T09:00")
    assert differing(SERIES, {f"@{third}"}).cancelled == {SECOND, third}


def test_an_override_to_write_is_missing_there():
    assert differing(SERIES, {f"@{FIRST}/title"}).exceptions == {FIRST: {Field.LOCATION: "Room 4"}}


def test_an_override_to_take_back_stands_there():
    stand_in = differing(SERIES, {"@2026-12-03T09:00/title"}).exceptions[OccurrenceKey("2026-12-03T09:00")]
    assert stand_in.keys() == {Field.TITLE}
    assert stand_in[Field.TITLE] != SERIES.content.title


def test_a_new_guest_note_is_a_new_body():
    assert difference(SINGLE, {NOTE}) == {"body"}


def test_what_is_no_synced_field_stays():
    event = dataclasses.replace(SINGLE, uid="abc", organizer="ada@example.org")
    stand_in = differing(event, {"title"})
    assert (stand_in.uid, stand_in.organizer) == ("abc", "ada@example.org")
