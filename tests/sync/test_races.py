"""What happens between two stages: guests invited late, edits in flight, late copies. Nobody is ever mailed."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from calendars.models import Calendar, Event, Finding, Link, Operation
from calendars.sync import push as pushing
from calendars.sync.run import serve
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.simulator.core import Fault

INVITED = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
    "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
}


def turn(person, platform, *, ring=True):
    """One worker's turn on one of a person's calendars."""
    calendar = Calendar.objects.get(account__person=person.user, account__platform=platform)
    if ring:
        Calendar.objects.filter(pk=calendar.pk).ring(now=timezone.now())
    return take_turn(calendar_id=calendar.pk, clock=timezone.now, tally=Tally())


def lose_the_answer_of_a_create(world, provider):
    """The next create is made and its answer lost; the retry after it is refused once."""
    create = {"provider": provider, "method": "POST", "path": "/events"}
    world.simulator.core.faults.append(Fault(kind="lose_answer", **create))
    world.simulator.core.faults.append(Fault(kind="status", status=503, headers={"Retry-After": "1"}, **create))


@pytest.mark.parametrize("made_in", ["outlook", "google"])
def test_guests_invited_while_the_delete_was_planned_get_no_cancellation(world, made_in):
    ada = world.person("ada")
    ada.in_outlook(subject="Plan") if made_in == "outlook" else ada.in_google(summary="Plan")
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], attendees=INVITED)
    ada.delete_google(ada.google[0]["id"])
    turn(ada, "google")
    turn(ada, "outlook")
    world.settle()
    assert world.mails == []
    assert [event["subject"] for event in ada.outlook] == ["Plan"]


def test_guests_of_one_occurrence_make_the_series_a_meeting(world):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Weekly", recurrence=WEEKLY)
    world.activate()
    ada.edit_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 8)), attendees=INVITED)
    world.settle()
    [copy] = ada.google
    ada.edit_google(copy["id"], summary="Weekly 2")
    world.settle()
    ada.delete_google(f"{copy['id']}_20261208T080000Z")
    world.settle()
    assert world.mails == []
    assert ada.google[0]["summary"] == "Weekly"


def test_guests_invited_to_a_copy_before_we_knew_of_it_get_no_update(world):
    ada = world.person("ada")
    world.activate()
    original = ada.in_google(summary="Plan")
    lose_the_answer_of_a_create(world, "graph")
    turn(ada, "google")
    turn(ada, "outlook")
    ada.edit_outlook(ada.outlook[0]["id"], attendees=INVITED)
    ada.edit_google(original["id"], summary="Plan 2")
    turn(ada, "google")
    Operation.objects.filter(state="planned").update(due_at=timezone.now())
    Calendar.objects.update(not_before=None)
    turn(ada, "outlook", ring=False)
    world.settle()
    assert world.mails == []
    assert len(ada.outlook) == len(ada.google) == 1


@pytest.mark.parametrize("crash", [False, True], ids=["answer lost", "killed before recording"])
def test_a_create_that_came_through_late_does_not_bring_a_deleted_event_back(world, monkeypatch, crash):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Plan")
    turn(ada, "outlook")
    if crash:
        with monkeypatch.context() as patched:
            patched.setattr(pushing, "settle_batch", killed)
            with pytest.raises(KeyboardInterrupt):
                turn(ada, "google")
    else:
        lose_the_answer_of_a_create(world, "google")
        turn(ada, "google")
    ada.delete_outlook(ada.outlook[0]["id"])
    turn(ada, "outlook")
    world.settle()
    assert ada.google == []
    assert ada.outlook == []


def killed(**_):
    raise KeyboardInterrupt


def test_a_lost_create_whose_original_was_edited_is_neither_doubled_nor_stuck(world):
    ada = world.person("ada")
    world.activate()
    original = ada.in_google(summary="Plan")
    lose_the_answer_of_a_create(world, "graph")
    turn(ada, "google")
    turn(ada, "outlook")
    ada.edit_google(original["id"], summary="Plan 2")
    world.settle()
    assert [event["subject"] for event in ada.outlook] == ["Plan 2"]
    assert Event.objects.count() == 1


def test_news_from_the_other_side_does_not_lift_a_hold(world):
    ada = world.person("ada")
    for day in range(1, 15):
        ada.in_outlook(subject=f"Day {day}", start=f"2026-12-{day:02}T09:00:00", end=f"2026-12-{day:02}T10:00:00")
    world.activate()
    for event in ada.outlook[:12]:
        ada.delete_outlook(event["id"])
    world.settle()
    world.simulator.google.expire_sync_tokens()
    ada.edit_google(ada.google[0]["id"], location="Room 9")
    world.settle()
    assert Link.objects.filter(state="held").count() == 12
    assert len(ada.google) == 14


def test_an_edit_that_arrives_while_its_write_is_being_refused_is_written(world, monkeypatch):
    ada = world.person("ada")
    ada.in_outlook(subject="One")
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], subject="Bad")
    turn(ada, "outlook")
    world.simulator.core.faults.append(Fault("google", "status", method="PATCH", path="/events", status=400))
    apply = pushing._apply

    def apply_while_somebody_edits(*arguments):
        outcomes = apply(*arguments)
        if ada.outlook[0]["subject"] == "Bad":
            ada.edit_outlook(ada.outlook[0]["id"], subject="Good")
            turn(ada, "outlook")
        return outcomes

    monkeypatch.setattr(pushing, "_apply", apply_while_somebody_edits)
    turn(ada, "google")
    world.settle()
    assert ada.google[0]["summary"] == "Good"
    assert not Finding.objects.exists()


def test_series_that_ended_before_a_new_window_are_not_taken_for_deleted(world):
    ada = world.person("ada")
    short = {**WEEKLY, "range": {**WEEKLY["range"], "startDate": "2026-11-03", "numberOfOccurrences": 2}}
    for number in range(14):
        span = {"start": "2026-11-03T09:00:00", "end": "2026-11-03T10:00:00"}
        ada.in_outlook(subject=f"Short {number}", recurrence=short, **span)
    world.activate()
    assert len(ada.google) == 14
    later = timezone.now() + timedelta(days=60)
    Calendar.objects.update(cursor="", window_start=None, window_end=None)
    serve(calendars=Calendar.objects.all(), clock=lambda: later, until_idle=True)
    assert not Finding.objects.exists()
    assert len(ada.google) == 14
