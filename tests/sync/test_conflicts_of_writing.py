"""Both sides edited, one edited and one deleted, edits that land in the middle of a write: the policies, end to end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from calendars.models import Finding, Operation
from calsync.engine.policy import ConflictPolicy
from calsync.simulator.core import Fault
from calsync_site import checks
from tests.sync.endings import Patience, assert_well, titles
from tests.sync.test_races import turn

pytestmark = pytest.mark.one_database

SIDES = ("outlook", "google")
EARLY, LATE = "the early words", "the late words"


def rename(person, side, title):
    if side == "outlook":
        person.edit_outlook(person.outlook[0]["id"], subject=title)
    else:
        person.edit_google(person.google[0]["id"], summary=title)


def relocate(person, side, place):
    if side == "outlook":
        person.edit_outlook(person.outlook[0]["id"], location={"displayName": place})
    else:
        person.edit_google(person.google[0]["id"], location=place)


def delete(person, side):
    if side == "outlook":
        person.delete_outlook(person.outlook[0]["id"])
    else:
        person.delete_google(person.google[0]["id"])


def other(side):
    return SIDES[side == "outlook"]


def places(person):
    return person.outlook[0]["location"]["displayName"], person.google[0].get("location", "")


def made_in(world, origin):
    """Ada with one event in step, made on the given side."""
    ada = world.person("ada")
    ada.in_outlook(subject="Plan") if origin == "outlook" else ada.in_google(summary="Plan")
    world.activate()
    return ada


def sealed_columns():
    """The raw columns in which findings keep what lost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM calendars_finding")
        return str(cursor.fetchall())


def assert_kept_sealed(kind, path, value):
    """The losing value is in the finding, and nobody who reads the table sees it."""
    [found] = Finding.objects.filter(kind=kind)
    assert found.values[path] == {"text": value}
    assert value not in sealed_columns()
    assert value not in found.text


WINNERS = {
    "newest": lambda origin, late: late,
    "origin": lambda origin, late: origin,
    "outlook": lambda origin, late: "outlook",
    "google": lambda origin, late: "google",
    "ask": lambda origin, late: "outlook",  # the hub has read Outlook first: that is the value that stays
}


@pytest.mark.parametrize("late", SIDES)
@pytest.mark.parametrize("origin", SIDES)
@pytest.mark.parametrize("policy", WINNERS)
def test_the_same_field_edited_on_both_sides_goes_by_the_policy(world, settings, policy, origin, late):
    settings.CALSYNC_CONFLICT_POLICY = policy
    ada, clock = made_in(world, origin), Patience()
    rename(ada, other(late), EARLY)
    world.simulator.core.clock.advance(timedelta(minutes=5))
    rename(ada, late, LATE)
    turn(ada, "outlook")
    clock.wait_it_out()
    winner = WINNERS[policy](origin, late)
    won, lost = (LATE, EARLY) if winner == late else (EARLY, LATE)
    assert_well(world, clock, ada, [won])
    assert_kept_sealed("both_edited", "title", lost)
    assert ("a person has to choose" in Finding.objects.get().text) is (policy == "ask")


@pytest.mark.parametrize("policy", list(ConflictPolicy))
def test_different_fields_merge_whatever_the_policy(world, settings, policy):
    settings.CALSYNC_CONFLICT_POLICY = policy
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, "outlook", "Plan 2")
    relocate(ada, "google", "Room 9")
    clock.wait_it_out()
    assert places(ada) == ("Room 9", "Room 9")
    assert_well(world, clock, ada, ["Plan 2"])
    assert not Finding.objects.exists()


@pytest.mark.parametrize("first", SIDES)
@pytest.mark.parametrize("deleted", SIDES)
def test_an_edit_wins_against_a_deletion_whoever_is_read_first(world, deleted, first):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(deleted), "Needed")
    delete(ada, deleted)
    turn(ada, first)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Needed"])
    assert Finding.objects.filter(kind="delete_against_edit").count() == 1


@pytest.mark.parametrize("first", SIDES)
@pytest.mark.parametrize("deleted", SIDES)
def test_a_deletion_wins_by_policy_and_the_edit_is_kept(world, settings, deleted, first):
    settings.CALSYNC_DELETE_POLICY = "delete_wins"
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(deleted), "the words that go")
    delete(ada, deleted)
    turn(ada, first)
    clock.wait_it_out()
    assert_well(world, clock, ada, [])
    assert_kept_sealed("delete_against_edit", "title", "the words that go")


@pytest.mark.parametrize("side", SIDES)
def test_an_edit_between_our_read_and_our_write_survives_with_ours(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(side), "Ours")
    after_the_read_of(world, side, lambda: relocate(ada, side, "Room 9"))
    clock.wait_it_out()
    assert 412 in [call.status for call in world.simulator.core.ledger.calls]
    assert places(ada) == ("Room 9", "Room 9")
    assert_well(world, clock, ada, ["Ours"])
    assert not Finding.objects.exists()


@pytest.mark.parametrize("side", SIDES)
def test_the_same_field_edited_between_our_read_and_our_write_loses_nothing(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(side), "Ours")
    after_the_read_of(world, side, lambda: rename(ada, side, "Theirs"))
    clock.wait_it_out()
    [[won], [also]] = titles(ada)
    assert won == also
    assert_kept_sealed("both_edited", "title", {"Ours": "Theirs", "Theirs": "Ours"}[won])
    assert_well(world, clock, ada, [won])


@pytest.mark.parametrize("side", SIDES)
def test_a_deletion_between_our_read_and_our_write_loses_to_the_edit(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(side), "Ours")
    after_the_read_of(world, side, lambda: delete(ada, side))
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Ours"])
    assert Finding.objects.get().kind == "delete_against_edit"


def after_the_read_of(world, side, act, *, times=1):
    """Somebody acts on this side right after we have read it, ``times`` times."""
    provider, path = ("graph", "calendarView/delta") if side == "outlook" else ("google", "/events?")
    left = [act] * times

    def strike(call):
        if left and call.provider == provider and call.method == "GET" and path in call.path:
            left.pop()()

    world.simulator.core.on_call.append(strike)


@pytest.mark.parametrize("side", SIDES)
def test_an_edit_of_the_original_while_its_copy_is_being_written_is_written_next(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(side), "First")
    edits = iter([lambda: rename(ada, other(side), "Second")])

    def strike(call):
        if call.method == "PATCH" and call.is_write:
            next(edits, lambda: None)()

    world.simulator.core.on_call.append(strike)
    clock.settle()
    clock.wait_it_out()  # as its notification would have it
    assert_well(world, clock, ada, ["Second"])
    assert not Finding.objects.exists()


@pytest.mark.parametrize("side", SIDES)
def test_an_edit_of_the_copy_right_after_our_write_of_it_is_an_edit(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(side), "First")
    edits = iter([lambda: relocate(ada, side, "Room 9")])

    def strike(call):
        if call.method == "PATCH" and call.is_write:
            next(edits, lambda: None)()

    world.simulator.core.on_call.append(strike)
    clock.settle()
    clock.wait_it_out()  # as its notification would have it
    assert places(ada) == ("Room 9", "Room 9")
    assert_well(world, clock, ada, ["First"])


@pytest.mark.parametrize("side", SIDES)
def test_a_guard_that_fails_again_and_again_ends_in_a_parked_write_with_a_remedy(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    rename(ada, other(side), "Ours")
    always = Fault("", "status", method="PATCH", path="/events/", status=412, times=10_000)
    world.simulator.core.faults.append(always)
    clock.wait_it_out()
    parked = Operation.objects.get(state="parked")
    assert parked.attempts == 12
    assert "another program keeps changing this event" in parked.remedy
    assert sum(call.is_write for call in world.simulator.core.ledger.calls) < 30
    assert parked.remedy in Finding.objects.get(settled_at=None).text
    world.simulator.core.faults.clear()
    rename(ada, other(side), "Ours 2")
    clock.wait_it_out()
    assert titles(ada) == (["Ours 2"], ["Ours 2"])
    assert not Finding.objects.filter(settled_at=None).exists()
    assert_well(world, clock, ada, ["Ours 2"])  # nothing is reported as parked any more


@pytest.mark.parametrize("side", SIDES)
def test_somebody_who_edits_after_every_read_of_ours_is_not_overwritten(world, side):
    ada, clock = made_in(world, "outlook"), Patience()
    numbers = iter(range(1, 100))
    rename(ada, other(side), "Ours")
    after_the_read_of(world, side, lambda: relocate(ada, side, f"Room {next(numbers)}"), times=7)
    clock.wait_it_out()
    assert places(ada) == ("Room 7", "Room 7")
    assert_well(world, clock, ada, ["Ours"])


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"CALSYNC_CONFLICT_POLICY": "ask", "CALSYNC_DELETE_POLICY": "delete_wins"}, []),
        ({"CALSYNC_CONFLICT_POLICY": "loudest"}, ["calsync.E006"]),
        ({"CALSYNC_DELETE_POLICY": ""}, ["calsync.E006"]),
    ],
)
def test_a_policy_that_does_not_exist_is_told_before_anything_runs(settings, changed, problem):
    for name, value in changed.items():
        setattr(settings, name, value)
    assert [check.id for check in checks.policies_are_known(None)] == problem
    assert not problem or "Set one of " in checks.policies_are_known(None)[0].hint
