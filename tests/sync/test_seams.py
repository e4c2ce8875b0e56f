"""Where two things meet that are each proven elsewhere: parts and edits, parts and guests, holds and deletions."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from calendars import decisions, services
from calendars.models import Calendar, Finding
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from tests.sync.test_brakes import emptied_world, quiet, titles
from tests.sync.test_parts import FIRST_AND_THIRD, agendas, in_step, series, titled

WEEKLY = "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=8"
FIFTH_FRIDAY = "RRULE:FREQ=MONTHLY;BYDAY=5FR"


def turn(person, platform):
    """One worker's turn on one calendar: the other side has not been read yet."""
    calendar = Calendar.objects.get(account__person=person.user, account__platform=platform)
    Calendar.objects.filter(pk=calendar.pk).ring(now=timezone.now())
    take_turn(calendar_id=calendar.pk, clock=timezone.now, tally=Tally())


def fifth_fridays(person):
    return series(person, FIFTH_FRIDAY, start="2027-01-29T09:00:00", end="2027-01-29T09:30:00")


@pytest.fixture
def guest_in_parts(world, soon):
    """Ada's series in Google, to which Bo is invited; in his Outlook it stands in two parts."""
    ada, bo = world.person("ada", outlook=False), world.person("bo", google=False)
    world.activate()
    world.simulator.core.switches.mail_arrives = False
    made = series(ada, FIRST_AND_THIRD, attendees=[{"email": bo.address}])
    world.settle()
    assert len(bo.outlook) == 2
    return ada, bo, made["id"]


def test_an_event_that_multiplies_is_not_copied_any_further(world):
    ada = world.person("ada")
    world.activate()
    for _ in range(4):
        ada.in_google(summary="Budget")
        world.settle()
    assert len(ada.outlook) == 3
    assert "another tool seems to copy" in Finding.objects.get().text


# --- edits of what is on its way out ------------------------------------------------------------------------------


def test_an_edit_of_a_series_that_is_being_taken_apart_reaches_the_series(world):
    ada = world.person("ada")
    made = series(ada, WEEKLY)
    world.activate()
    ada.edit_google(made["id"], recurrence=[FIRST_AND_THIRD])
    ada.edit_outlook(ada.outlook[0]["id"], subject="Edited")
    turn(ada, "google")
    world.settle()
    assert {title for _, _, title in in_step(world, ada)} == {"Edited"}
    assert (len(ada.google), len(ada.outlook)) == (1, 2)


def test_an_edit_of_a_part_that_is_no_part_any_more_is_kept_and_doubles_nothing(world):
    ada = world.person("ada")
    made = series(ada, FIRST_AND_THIRD)
    world.activate()
    ada.edit_google(made["id"], recurrence=[WEEKLY])
    third = titled(ada, "Review", on="2026-12-21")
    ada.edit_outlook(ada.occurrence_in_outlook(third["id"], date(2027, 1, 18)), subject="Guest speaker")
    turn(ada, "google")
    world.settle()
    in_step(world, ada)
    assert (len(ada.google), len(ada.outlook)) == (1, 1)
    assert [found.kind for found in Finding.objects.all()] == ["part_edited"]


# --- parts and guests ---------------------------------------------------------------------------------------------


def test_a_part_that_became_somebodys_meeting_is_not_cancelled_with_the_copy(world, guest_in_parts):
    ada, bo, meeting = guest_in_parts
    cy = {"emailAddress": {"address": "cy@meridian.example"}, "type": "required"}
    bo.edit_outlook(bo.outlook[0]["id"], attendees=[cy])
    world.settle()
    ada.edit_google(meeting, attendees=[])
    world.settle()
    assert [len(event["attendees"]) for event in bo.outlook] == [1]
    assert world.mails == []


def test_a_series_whose_parts_a_guest_deleted_stays_hidden_when_its_rule_changes(world, guest_in_parts):
    ada, bo, meeting = guest_in_parts
    for part in bo.outlook:
        bo.delete_outlook(part["id"])
    world.settle()
    ada.edit_google(meeting, recurrence=[WEEKLY])
    world.settle()
    assert bo.outlook == []
    assert len(ada.google) == 1
    assert world.audit().match_rate == 100.0


def test_a_guests_copies_that_were_taken_out_come_back_with_the_next_activation(world, guest_in_parts):
    ada, bo, meeting = guest_in_parts
    call_command("remove_copies", "--person", bo.address, "--yes")
    assert bo.outlook == []
    ada.edit_google(meeting, summary="Meanwhile")
    world.settle()
    assert bo.outlook == []
    services.activate(calendars=Calendar.objects.filter(account__person=bo.user), from_now=False, now=timezone.now())
    world.settle()
    assert [event["subject"] for event in bo.outlook] == ["Meanwhile"] * 2
    assert world.audit().match_rate == 100.0


# --- deletions of parts -------------------------------------------------------------------------------------------


def test_deleting_the_one_occurrence_in_sight_does_not_delete_an_endless_series(world):
    ada = world.person("ada")
    series(ada, "RRULE:FREQ=YEARLY;BYYEARDAY=100", start="2027-04-10T09:00:00", end="2027-04-10T09:30:00")
    world.activate()
    [only] = ada.outlook
    ada.delete_outlook(only["id"])
    world.settle()
    assert in_step(world, ada) == []
    assert len(ada.google) == 1


@pytest.mark.parametrize("rule", [FIRST_AND_THIRD, FIFTH_FRIDAY])
def test_an_edited_series_outlives_the_deletion_of_all_its_parts(world, rule):
    ada = world.person("ada")
    made = fifth_fridays(ada) if rule == FIFTH_FRIDAY else series(ada, rule)
    world.activate()
    ada.edit_google(made["id"], summary="Edited")
    for part in ada.outlook:
        ada.delete_outlook(part["id"])
    turn(ada, "google")
    world.settle()
    outlook, google = agendas(ada)
    assert outlook == google
    assert {title for _, _, title in google} == {"Edited"}
    assert Finding.objects.exists()
    assert world.audit().match_rate == 100.0
    quiet(world)


def test_turning_round_the_deletion_of_one_occurrence_does_not_delete_its_series(world):
    ada = world.person("ada")
    made = fifth_fridays(ada)
    world.activate()
    ada.edit_google(f"{made['id']}_20270430T070000Z", summary="Edited")
    ada.delete_outlook(titled(ada, "Review", on="2027-04-30")["id"])
    turn(ada, "google")
    world.settle()
    with pytest.raises(ValidationError, match="one occurrence of a longer series"):
        decisions.swap(Finding.objects.get(kind="delete_against_edit"), now=timezone.now())
    outlook, google = agendas(ada)
    assert outlook == google
    assert len(google) == 4


@pytest.mark.parametrize("decide", [decisions.release, decisions.put_back])
def test_what_was_held_as_vanished_but_stands_is_deleted_with_its_event(world, decide):
    ada = emptied_world(world)
    ada.delete_outlook(next(event for event in ada.outlook if event["subject"] == "Day 3")["id"])
    world.settle()
    decide(Finding.objects.get(), now=timezone.now())
    world.settle()
    assert titles(ada) == ([f"Day {day}" for day in (1, 2, 4, 5, 6, 7, 8)],) * 2
    quiet(world)


def test_a_part_that_a_brake_keeps_away_is_not_missing(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD)
    world.activate()
    for _ in range(4):
        for part in [event for event in ada.outlook if event["start"]["dateTime"].startswith("2026-12-21")]:
            ada.delete_outlook(part["id"])
        world.settle()
    assert Finding.objects.filter(kind="resurrection", settled_at=None).count() == 1
    assert world.audit().match_rate == 100.0
