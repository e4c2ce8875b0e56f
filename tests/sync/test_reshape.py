"""A series gets another time or rule while it has exceptions: Exchange forgets them all, nobody loses one unheard."""

from datetime import date, datetime

import pytest
from django.utils import timezone

from calendars.models import Calendar, Finding, Operation
from calendars.sync.run import serve
from calsync.simulator.core import Fault
from tests.sync.series_hands import NAMES, expect_in_step, hands_of

pytestmark = pytest.mark.one_database

FIRST = datetime.fromisoformat("2026-12-01T09:00")  # a Tuesday
SECOND, THIRD, FOURTH, LAST = (FIRST.replace(day=day) for day in (8, 15, 22, 29))
EITHER_WAY = pytest.mark.parametrize("made", ["outlook", "google"])
GUEST = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]


@pytest.fixture
def ada(world):
    return world.person("ada")


def with_exceptions(world, person, made, **more):
    """A series of five on both sides: the second renamed, the third moved by half an hour, the fourth cancelled."""
    hands = hands_of(person)
    hands[made].make("Weekly", FIRST, **more)
    world.activate()
    hands[made].rename(SECOND, "Special")
    hands[made].move(THIRD, THIRD.replace(minute=30))
    hands[made].cancel(FOURTH)
    world.settle()
    assert [seen[2] for seen in hands["google"].sees()] == ["Weekly", "Special", "Weekly", "Weekly"]
    return hands


def told(seen):
    return [(start, title) for start, _, title in seen]


MOVED = [
    ("2026-12-01T13:00:00", "Weekly"),
    ("2026-12-08T13:00:00", "Special"),
    ("2026-12-15T08:30:00", "Weekly"),  # it has a time of its own
    ("2026-12-29T13:00:00", "Weekly"),
]


@EITHER_WAY
def test_a_person_moves_the_series_in_outlook_and_its_exceptions_come_back(world, ada, made):
    hands = with_exceptions(world, ada, made)
    hands["outlook"].move_all(FIRST.replace(hour=14))
    assert len(hands["outlook"].sees()) == 5
    assert told(expect_in_step(world, ada)) == MOVED
    assert not Finding.objects.exists()


@EITHER_WAY
def test_a_person_makes_the_occurrences_longer_in_outlook_and_the_exceptions_come_back(world, ada, made):
    hands = with_exceptions(world, ada, made)
    hands["outlook"].move_all(FIRST, minutes=45)
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Weekly", "Special", "Weekly", "Weekly"]
    assert seen[0][1] == "2026-12-01T08:45:00"
    assert seen[2][:2] == ("2026-12-15T08:30:00", "2026-12-15T09:00:00")


@EITHER_WAY
def test_a_person_ends_the_series_early_in_outlook_and_the_rest_keeps_its_exceptions(world, ada, made):
    hands = with_exceptions(world, ada, made)
    hands["outlook"].rename(LAST, "Farewell")
    expect_in_step(world, ada)
    hands["outlook"].end_after(date(2026, 12, 22))
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Weekly", "Special", "Weekly"]
    assert not Finding.objects.exists()


@EITHER_WAY
def test_exceptions_on_days_that_the_series_has_no_more_are_lost_with_a_finding(world, ada, made):
    hands = with_exceptions(world, ada, made)
    hands["outlook"].move_all(FIRST.replace(day=2))  # Wednesdays
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Weekly"] * 5
    finding = Finding.objects.get()
    assert finding.kind == "both_edited"
    assert {value["text"] for value in finding.values.values() if "text" in value} == {"Special"}


@EITHER_WAY
def test_what_the_person_changes_after_moving_the_series_counts(world, ada, made):
    hands = with_exceptions(world, ada, made)
    hands["outlook"].move_all(FIRST.replace(hour=14))
    hands["outlook"].rename(SECOND.replace(hour=14), "Newer")
    hands["outlook"].rename(FOURTH.replace(hour=14), "Back")
    seen = expect_in_step(world, ada)
    titles = [title for _, _, title in seen]
    assert titles == ["Weekly", "Newer", "Weekly", "Back", "Weekly"]


def test_a_meeting_that_we_never_write_in_outlook_loses_its_exceptions_on_both_sides(world, ada):
    hands = with_exceptions(world, ada, "outlook", attendees=GUEST)
    hands["outlook"].move_all(FIRST.replace(hour=14))
    seen = expect_in_step(world, ada)
    assert told(seen) == [(day.replace(hour=13).isoformat(), "Weekly") for day in (FIRST, SECOND, THIRD, FOURTH, LAST)]


@EITHER_WAY
def test_a_person_moves_the_series_in_google_and_outlook_gets_its_exceptions_back(world, ada, made):
    hands = with_exceptions(world, ada, made)
    hands["google"].end_after(date(2026, 12, 30))  # the same days by another rule
    hands["google"].rename_all("Series")
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Series", "Special", "Series", "Series"]
    hands["google"].end_after(date(2027, 1, 6))
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Series", "Special", "Series", "Series", "Series"]


@EITHER_WAY
@pytest.mark.parametrize("kind", ["drop", "lose_answer"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_line_that_breaks_while_we_put_exceptions_back_costs_none_of_them(world, ada, made, kind, skip):
    """The write is given up half-way for good: what is read then shows a reshaped series without its exceptions."""
    hands = with_exceptions(world, ada, made)
    hands["google"].end_after(date(2027, 1, 6))
    broken = Fault(provider="graph", method="PATCH", kind=kind, skip=skip, times=40)
    world.simulator.core.faults.append(broken)
    for _ in range(2):  # Google is read, then Outlook written; nobody waits for the next attempt
        serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=False)
    assert Operation.objects.filter(half_done=True).exists()
    world.simulator.core.faults.clear()
    Operation.objects.update(half_done=False)
    Calendar.objects.update(not_before=None, next_poll_at=None)
    Operation.objects.filter(state="planned").update(due_at=datetime.fromisoformat("2026-11-22T09:00+00:00"))
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Weekly", "Special", "Weekly", "Weekly", "Weekly"]


def test_a_series_that_is_cut_to_one_occurrence_is_cut_on_the_other_side(world, ada):
    hands = hands_of(ada)
    hands["google"].make("Twice", FIRST, count=2)
    world.activate()
    hands["google"].end_after(date(2026, 12, 3))
    assert told(expect_in_step(world, ada)) == [("2026-12-01T08:00:00", "Twice")]


def test_the_names_of_days_are_those_of_graph():
    assert NAMES[FIRST.weekday()] == "tuesday"
