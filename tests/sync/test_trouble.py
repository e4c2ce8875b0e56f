"""Trouble on the way: lost answers, throttling, stale versions, expired cursors, vanished mailboxes."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from calendars.models import Calendar, Event, Finding, Link, Operation
from calendars.sync import store
from calendars.sync.run import serve
from calsync.simulator.core import Fault
from syncrules.services import Target, switch_off, switch_on

INVITED = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]


def google_fault(**more) -> Fault:
    return Fault(provider="google", **{"kind": "status", "method": "POST", "path": "/events", **more})


def graph_fault(**more) -> Fault:
    return Fault(provider="graph", **{"kind": "status", "method": "POST", "path": "/events", **more})


@pytest.mark.parametrize("make_fault", [google_fault, graph_fault])
def test_an_answer_that_is_lost_after_the_write_doubles_nothing(world, make_fault):
    ada = world.person("ada")
    fault = make_fault(kind="lose_answer")
    world.activate()
    if fault.provider == "google":
        ada.in_outlook(subject="Budget")
    else:
        ada.in_google(summary="Budget")
    world.simulator.core.faults.append(fault)
    report = world.settle()
    assert report.idle
    assert len(ada.google) == len(ada.outlook) == 1
    assert Event.objects.count() == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refused_write_is_tried_again(world, status):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.simulator.core.faults.append(google_fault(status=status, times=2, headers={"Retry-After": "1"}))
    report = world.activate()
    assert report.idle
    assert [event["summary"] for event in ada.google] == ["Budget"]
    assert Operation.objects.get().attempts == 3


def test_a_copy_that_changed_in_between_is_read_before_it_is_written(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], subject="Final")
    serve_only(ada, "outlook")  # planned, not yet written
    ada.edit_google(ada.google[0]["id"], location="Room 9")
    world.settle()
    assert (ada.google[0]["summary"], ada.google[0]["location"]) == ("Final", "Room 9")
    assert ada.outlook[0]["location"]["displayName"] == "Room 9"


def serve_only(person, platform):
    """Read one side only, as when the other's worker is late."""
    chosen = Calendar.objects.filter(account__person=person.user, account__platform=platform)
    return serve(calendars=chosen, clock=timezone.now, until_idle=False)


def test_expired_cursors_are_reconciled_without_doubling_or_deleting(world):
    ada = world.person("ada")
    ada.in_outlook(subject="One")
    ada.in_google(summary="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    gone = next(event for event in ada.google if event["summary"] == "One")
    ada.delete_google(gone["id"])
    ada.in_google(summary="Three", start="2026-12-03T09:00:00", end="2026-12-03T10:00:00")
    world.simulator.graph.expire_delta_tokens(ada.address)
    world.simulator.google.expire_sync_tokens()
    world.settle()
    assert sorted(event["subject"] for event in ada.outlook) == ["Three", "Two"]
    assert sorted(event["summary"] for event in ada.google) == ["Three", "Two"]
    assert world.audit().match_rate == 100.0


def test_many_deletions_at_once_wait_for_a_person(world):
    ada = world.person("ada")
    for day in range(1, 21):
        ada.in_google(summary=f"Day {day}", start=f"2026-12-{day:02}T09:00:00", end=f"2026-12-{day:02}T10:00:00")
    world.activate()
    for event in ada.google[:15]:
        ada.delete_google(event["id"])
    report = world.settle()
    assert len(ada.outlook) == 20
    assert report.tally.brakes == 1
    assert Finding.objects.get().kind == "mass_delete"
    assert Link.objects.filter(state="held").count() == 15
    assert world.settle().idle


def test_an_empty_complete_read_deletes_nothing(world):
    ada = world.person("ada")
    for day in range(1, 9):
        ada.in_google(summary=f"Day {day}", start=f"2026-12-{day:02}T09:00:00", end=f"2026-12-{day:02}T10:00:00")
    world.activate()
    world.simulator.google.expire_sync_tokens()
    body = {"kind": "calendar#events", "items": [], "nextSyncToken": "CPDAlvWDx70CEPDAlvWDx70CGAU=", "timeZone": "UTC"}
    world.simulator.core.faults.append(
        Fault(provider="google", kind="status", method="GET", path="/events", status=200, body=body, times=1, skip=1)
    )
    world.settle()
    assert len(ada.outlook) == 8
    assert Finding.objects.get().kind in {"empty_side", "mass_delete"}


def test_a_malformed_event_is_parked_and_the_others_go_on(world):
    ada = world.person("ada")
    ada.in_google(summary="Good", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    bad = ada.in_google(
        summary="Bad", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"], start="2026-12-03T09:00:00", end="2026-12-03T10:00:00"
    )
    store = world.simulator.google
    record = next(
        record
        for calendar in store.of_user(ada.address)
        for record in calendar.records.values()
        if record.id == bad["id"]
    )
    record.fields["recurrence"] = ["RRULE:FREQ=SOMETIMES"]
    record.rendered.clear()
    report = world.activate()
    assert report.idle
    assert [event["subject"] for event in ada.outlook] == ["Good"]
    assert Finding.objects.get().kind == "malformed"


def test_a_mailbox_that_does_not_exist_asks_for_a_person(world):
    ada = world.person("ada", google=False)
    calendar = Calendar.objects.get()
    calendar.account.address = "nobody@meridian.example"
    calendar.account.save()
    report = world.activate()
    calendar.refresh_from_db()
    assert calendar.state == "action_required"
    assert calendar.state_reason
    assert not report.idle
    assert ada.outlook == []


def test_wrong_credentials_ask_for_a_person_and_leave_no_trace_of_the_secret(world, settings, caplog):
    ada = world.person("ada", google=False)
    ada.in_outlook(subject="Budget")
    settings.MICROSOFT_CLIENT_SECRET = "not-the-secret-at-all"
    world.activate()
    assert Calendar.objects.get().state == "action_required"
    assert "not-the-secret-at-all" not in caplog.text
    assert "not-the-secret-at-all" not in Calendar.objects.get().state_reason


def test_a_deleted_copy_of_a_meeting_with_guests_is_made_again(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Review", attendees=INVITED)
    world.activate()
    ada.delete_google(ada.google[0]["id"])
    world.settle()
    assert [event["summary"] for event in ada.google] == ["Review"]
    assert [event["subject"] for event in ada.outlook] == ["Review"]
    assert Finding.objects.get().kind == "copy_deleted"
    assert world.mails == []


def test_an_edit_beats_a_deletion_on_the_other_side(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Important now")
    serve_only(ada, "google")
    ada.delete_outlook(ada.outlook[0]["id"])
    world.settle()
    assert [event["summary"] for event in ada.google] == ["Important now"]
    assert [event["subject"] for event in ada.outlook] == ["Important now"]


def test_an_edit_made_while_the_delete_was_on_its_way_survives(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.delete_outlook(ada.outlook[0]["id"])
    serve_only(ada, "outlook")
    ada.edit_google(ada.google[0]["id"], summary="Still needed")
    world.settle()
    assert [event["summary"] for event in ada.google] == ["Still needed"]
    assert [event["subject"] for event in ada.outlook] == ["Still needed"]


def test_a_meeting_to_which_both_mailboxes_are_invited_is_not_doubled(world, monkeypatch):
    monkeypatch.setattr(store, "NATIVE_GRACE", timedelta(seconds=2))
    ada = world.person("ada")
    cem = world.person("cem", google=False)
    world.activate()
    both = [{"emailAddress": {"address": ada.address}, "type": "required"}]
    cem.in_outlook(subject="Kick-off", attendees=both)
    world.settle()
    assert [event["subject"] for event in ada.outlook] == ["Kick-off"]
    assert [event["summary"] for event in ada.google] == ["Kick-off"]
    assert world.mails == []


def test_a_switch_keeps_writes_back_until_it_is_opened(world):
    ada = world.person("ada")
    world.activate()
    target = Target.one_person(ada.user)
    switch_off(target=target, reason="audit week", by=None, now=timezone.now())
    ada.in_outlook(subject="Budget")
    report = world.settle()
    assert ada.google == []
    waiting = Operation.objects.get()
    assert report.parked == [waiting]
    assert "audit week" in waiting.reason
    switch_on(target=target, reason="over", by=None, now=timezone.now())
    later = waiting.due_at + timedelta(seconds=1)
    assert serve(calendars=Calendar.objects.all(), clock=lambda: later, until_idle=True).idle
    assert [event["summary"] for event in ada.google] == ["Budget"]


def test_a_lease_left_by_a_dead_worker_is_taken_over(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    later = timezone.now() + timedelta(minutes=10)
    ada.edit_outlook(ada.outlook[0]["id"], subject="Budget 2")
    Calendar.objects.update(
        lease_owner="00000000-0000-0000-0000-000000000001", lease_until=timezone.now() + timedelta(seconds=90)
    )
    Operation.objects.update(state="done")
    report = serve(calendars=Calendar.objects.all(), clock=lambda: later, until_idle=True)
    assert report.idle
    assert ada.google[0]["summary"] == "Budget 2"


def test_a_refused_write_is_not_planned_again_until_the_event_changes(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    refusal = {"error": {"code": 400, "message": "no", "errors": [{"domain": "calendar", "reason": "invalid"}]}}
    world.simulator.core.faults.append(google_fault(status=400, body=refusal))
    world.activate()
    assert Operation.objects.get().state == "parked"
    world.simulator.graph.expire_delta_tokens(ada.address)
    world.settle()
    assert Operation.objects.count() == 1
    ada.edit_outlook(ada.outlook[0]["id"], subject="Budget 2")
    world.settle()
    assert [event["summary"] for event in ada.google] == ["Budget 2"]


def test_a_long_read_that_breaks_off_goes_on_where_it_was(world):
    ada = world.person("ada", google=False)
    rule = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 3},
    }
    for number in range(30):
        ada.in_outlook(subject=f"Series {number}", recurrence=rule)
    world.activate()
    world.simulator.graph.expire_delta_tokens(ada.address)
    world.simulator.core.ledger.clear()
    world.settle()
    read_again = [call for call in world.simulator.core.ledger.calls if "exceptionOccurrences" in call.path]
    assert read_again == []
    assert Event.objects.filter(deleted_at=None).count() == 30


def test_a_create_that_broke_off_half_way_never_reverts_the_original(world):
    ada = world.person("ada")
    made = ada.in_outlook(
        subject="Weekly",
        recurrence={
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"},
            "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
        },
    )
    ada.edit_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 15)), subject="Special")
    refusal = {"error": {"code": 400, "message": "no", "errors": [{"domain": "calendar", "reason": "invalid"}]}}
    world.simulator.core.faults.append(google_fault(method="PATCH", status=400, body=refusal))
    world.activate()
    world.simulator.google.expire_sync_tokens()
    world.settle()
    [original] = ada.outlook
    assert [exception["subject"] for exception in original["exceptions"].values()] == ["Special"]
    assert len(ada.google) <= 1
    assert Event.objects.count() == 1
