"""One change at a time, end to end: a person acts on one side, the pipeline runs, the other side shows it."""

from datetime import date

import pytest

from calendars.models import Event, Finding, Link, Operation

WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"},
    "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
}


def test_an_event_made_in_outlook_appears_in_google(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget", location={"displayName": "Room 4"})
    world.activate()
    [copy] = ada.google
    assert copy["summary"] == "Budget"
    assert copy["location"] == "Room 4"
    assert copy["start"]["timeZone"] == "Europe/Berlin"
    assert copy["start"]["dateTime"].startswith("2026-12-01T09:00:00")
    assert "attendees" not in copy


def test_an_event_made_in_google_appears_in_outlook(world):
    ada = world.person("ada")
    ada.in_google(summary="Budget", description="Bring figures")
    world.activate()
    [copy] = ada.outlook
    assert copy["subject"] == "Budget"
    assert "Bring figures" in copy["body"]["content"]


def test_a_second_run_writes_nothing(world):
    ada = world.person("ada")
    ada.in_outlook(subject="One")
    ada.in_google(summary="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    world.settle()
    world.simulator.core.ledger.clear()
    report = world.settle()
    assert world.provider_writes() == 0
    assert report.idle
    assert len(ada.outlook) == len(ada.google) == 2


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_an_edit_on_either_side_reaches_the_other(world, side):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    if side == "outlook":
        ada.edit_outlook(ada.outlook[0]["id"], subject="Final")
    else:
        ada.edit_google(ada.google[0]["id"], summary="Final")
    world.settle()
    assert [event["subject"] for event in ada.outlook] == ["Final"]
    assert [event["summary"] for event in ada.google] == ["Final"]


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_a_deletion_on_either_side_reaches_the_other(world, side):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    if side == "outlook":
        ada.delete_outlook(ada.outlook[0]["id"])
    else:
        ada.delete_google(ada.google[0]["id"])
    world.settle()
    assert ada.outlook == []
    assert ada.google == []
    assert Event.objects.get().deleted_at is not None


def test_an_all_day_event_keeps_its_days(world):
    ada = world.person("ada", zone="Pacific/Auckland")
    days = {"summary": "Fair", "start": {"date": "2026-12-24"}, "end": {"date": "2026-12-27"}}
    world.simulator.google.create_event(ada.address, days)
    world.activate()
    [copy] = ada.outlook
    assert copy["isAllDay"] is True
    assert copy["start"]["dateTime"].startswith("2026-12-24T00:00:00")
    assert copy["end"]["dateTime"].startswith("2026-12-27T00:00:00")


def test_a_series_travels_whole_with_a_moved_and_a_cancelled_occurrence(world):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Weekly", recurrence=WEEKLY)
    world.activate()
    [master] = ada.google
    assert any("FREQ=WEEKLY" in line for line in master["recurrence"])

    ada.delete_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 8)))
    ada.edit_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 15)), subject="Weekly, special")
    world.settle()
    instances = [e for e in world.simulator.google.events(ada.address) if e.get("recurringEventId") == master["id"]]
    assert {(e["status"], e.get("summary", "")) for e in instances} >= {("confirmed", "Weekly, special")}
    assert any(e["status"] == "cancelled" for e in instances)
    assert world.audit().match_rate == 100.0


def test_a_pair_that_stands_on_both_sides_is_adopted(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Lunch")
    ada.in_google(summary="Lunch")
    report = world.activate()
    assert report.tally.adopted == 1
    assert world.provider_writes() == 0
    assert Event.objects.count() == 1
    assert Link.objects.count() == 2


def test_different_fields_edited_on_both_sides_merge(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], subject="Final")
    ada.edit_google(ada.google[0]["id"], location="Room 9")
    world.settle()
    assert ada.google[0]["summary"] == "Final"
    assert ada.outlook[0]["location"]["displayName"] == "Room 9"
    assert not Finding.objects.exists()


def test_the_same_field_edited_on_both_sides_keeps_the_loser(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], subject="From Outlook")
    ada.edit_google(ada.google[0]["id"], summary="From Google")
    world.settle()
    assert ada.google[0]["summary"] == ada.outlook[0]["subject"]
    finding = Finding.objects.get()
    assert finding.kind == "both_edited"
    assert {"From Outlook", "From Google"} == {
        ada.google[0]["summary"],
        *(value["text"] for value in finding.values.values()),
    }


def test_a_meeting_with_guests_travels_without_them_and_mails_nobody(world):
    ada = world.person("ada")
    ada.in_outlook(
        subject="Review", attendees=[{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
    )
    world.activate()
    [copy] = ada.google
    assert "attendees" not in copy
    assert "guest@elsewhere.example" in copy["description"]
    assert world.mails == []


def test_an_edit_of_a_copy_that_would_mail_guests_is_put_back(world):
    ada = world.person("ada")
    ada.in_outlook(
        subject="Review", attendees=[{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
    )
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Hijacked")
    world.settle()
    assert ada.google[0]["summary"] == "Review"
    assert ada.outlook[0]["subject"] == "Review"
    assert Finding.objects.get().kind == "copy_edited"
    assert world.mails == []


def test_from_now_leaves_older_events_alone(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Old")
    world.activate(from_now=True)
    assert ada.google == []
    ada.in_outlook(subject="New", start="2026-12-03T09:00:00", end="2026-12-03T10:00:00")
    world.settle()
    assert [event["summary"] for event in ada.google] == ["New"]


def test_a_person_with_one_mailbox_is_read_and_nothing_is_written(world):
    bo = world.person("bo", google=False)
    bo.in_outlook(subject="Alone")
    world.activate()
    assert Event.objects.filter(owner=bo.user).count() == 1
    assert not Operation.objects.exists()
