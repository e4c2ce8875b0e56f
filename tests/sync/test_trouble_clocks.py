"""Clocks that are ten minutes wrong: ours against a provider's, one worker's against another's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calendars.models import Calendar
from calendars.sync import lease as leases
from calendars.sync import push as pushing
from calendars.sync.lease import LeaseLost
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.simulator.core import Fault
from tests.sync.endings import Patience, assert_well, state_of, titles

pytestmark = pytest.mark.one_database

WRONG = timedelta(minutes=10)


@pytest.fixture
def ada(world):
    ada = world.person("ada")
    ada.in_outlook(subject="One")
    ada.in_google(summary="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    return ada


def edit_both(ada):
    ada.edit_outlook(next(event["id"] for event in ada.outlook if event["subject"] == "One"), subject="One 2")
    ada.edit_google(next(event["id"] for event in ada.google if event["summary"] == "Two"), summary="Two 2")


@pytest.mark.parametrize("ahead", [WRONG, -WRONG], ids=["ahead", "behind"])
def test_our_clock_is_wrong_and_edits_still_arrive(world, ada, ahead):
    clock = Patience(ahead)
    edit_both(ada)
    assert clock.settle().idle
    ada.delete_outlook(next(event["id"] for event in ada.outlook if event["subject"] == "One 2"))
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Two 2"])


@pytest.mark.parametrize("ahead", [WRONG, -WRONG], ids=["ahead", "behind"])
def test_the_clock_is_put_right_and_what_was_planned_before_is_done(world, ada, ahead):
    wrong = Patience(ahead)
    world.simulator.core.faults.append(
        Fault("google", "status", method="PATCH", path="/events/", status=503, headers={"Retry-After": "90"})
    )
    edit_both(ada)
    assert not wrong.settle().idle
    right = Patience()
    assert right.wait_it_out() <= timedelta(minutes=30)
    assert_well(world, right, ada, ["One 2", "Two 2"])


@pytest.mark.parametrize("ahead", [WRONG, -WRONG], ids=["ahead", "behind"])
def test_the_providers_clock_is_wrong_and_nobody_s_edit_is_lost(world, ada, ahead):
    world.simulator.core.clock.advance(ahead)
    clock = Patience()
    edit_both(ada)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["One 2", "Two 2"])


def test_a_worker_whose_clock_is_fast_takes_a_calendar_over_and_the_slow_one_stores_nothing(world, ada):
    ada.edit_outlook(ada.outlook[0]["id"], subject="One 2")
    held = leases.take(calendar_id=state_of(ada, "outlook").pk, now=timezone.now())
    fast = Patience(WRONG)
    fast.wait_it_out()
    with pytest.raises(LeaseLost):
        leases.hold(held, now=timezone.now(), cursor="")
    leases.release(held)
    assert_well(world, Patience(), ada, ["One 2", "Two"])


def test_a_calendar_taken_over_in_the_middle_of_a_write_gets_it_once(world, ada, monkeypatch):
    """The first worker's write is at the provider when a second one, whose clock is fast, takes the calendar."""
    apply, google = pushing._apply, state_of(ada, "google")
    turns = []

    def overtaken(*arguments):
        outcomes = apply(*arguments)
        if not turns:
            turns.append("begun")
            turns.append(take_turn(calendar_id=google.pk, clock=Patience(WRONG).now, tally=Tally()))
        return outcomes

    monkeypatch.setattr(pushing, "_apply", overtaken)
    edit_both(ada)
    ada.in_outlook(subject="Three", start="2026-12-03T09:00:00", end="2026-12-03T10:00:00")
    clock = Patience()
    clock.wait_it_out()
    assert turns == ["begun", True]
    assert_well(world, clock, ada, ["One 2", "Three", "Two 2"])


def test_a_lease_from_a_fast_clock_ends_by_the_right_one(world, ada):
    edit_both(ada)
    leases.take(calendar_id=state_of(ada, "google").pk, now=timezone.now() + WRONG)  # and its holder dies
    clock = Patience()
    clock.wait_it_out()
    assert timedelta(minutes=8) <= clock.ahead <= timedelta(minutes=30)  # less what the test itself took
    assert titles(ada) == (["One 2", "Two 2"], ["One 2", "Two 2"])
    assert_well(world, clock, ada, ["One 2", "Two 2"])
    assert not Calendar.objects.exclude(lease_owner=None).exists()
