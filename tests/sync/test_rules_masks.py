"""Rules that mask: what the other side shows, what it never shows, and what comes back from there."""

from datetime import date

import pytest
from django.utils import timezone

from calendars import decisions
from calendars.choices import Decision
from calendars.models import Event, Finding, Link
from calsync.engine import serial
from tests.sync.company import BOTH_WAYS, WEEKLY
from tests.sync.laws import BUSY, HOLD


def quiet(world):
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    assert world.mails == []


def test_a_busy_rule_shows_times_and_nothing_else(world, laws):
    rule = laws.everybody(BUSY)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist", body={"contentType": "text", "content": "tooth"}, location={"displayName": "X"})
    ada.in_google(summary="Interview", description="with Acme", location="Y", visibility="private",
                  start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")  # fmt: skip
    world.activate()
    shown = [item for item in ada.google if item["summary"] != "Interview"]
    assert [(item["summary"], item.get("description", ""), item.get("location", "")) for item in shown] == [
        ("Busy", "", "")
    ]
    [masked] = [item for item in ada.outlook if item["subject"] != "Dentist"]
    assert (masked["subject"], masked["location"]["displayName"], masked["sensitivity"]) == ("Busy", "", "private")
    assert "Acme" not in masked["body"]["content"]
    twins = Link.objects.filter(role="twin")
    assert {link.treatment["rule"] for link in twins} == {rule.label}
    assert {tuple(link.sent["fields"]) for link in twins} == {("recurrence", "sensitivity", "when")}
    quiet(world)
    assert world.audit().match_rate == 100.0


def test_an_edit_under_the_mask_is_put_back_and_a_new_time_travels(world, laws):
    laws.everybody(BUSY)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist")
    world.activate()
    [copy] = ada.google
    ada.edit_google(copy["id"], summary="Not so busy")
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Busy"]
    assert [item["subject"] for item in ada.outlook] == ["Dentist"]
    assert Finding.objects.get().kind == "copy_edited"
    when = {"dateTime": "2026-12-01T11:00:00", "timeZone": "Europe/Berlin"}
    end = {"dateTime": "2026-12-01T12:00:00", "timeZone": "Europe/Berlin"}
    ada.edit_google(copy["id"], start=when, end=end)
    world.settle()
    [original] = ada.outlook
    assert original["subject"] == "Dentist"
    assert [item["start"]["dateTime"][11:16] for item in ada.google] == ["11:00"]
    assert Event.objects.get().starts_at.hour == 10
    quiet(world)


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_no_exception_of_a_masked_series_tells_its_name(world, laws, side):
    laws.everybody(BUSY)
    ada = world.person("ada")
    if side == "outlook":
        made = ada.in_outlook(subject="Weekly", recurrence=WEEKLY[side])
        ada.edit_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 8)), subject="Lay-offs")
    else:
        made = ada.in_google(summary="Weekly", recurrence=WEEKLY[side])
        ada.edit_google(f"{made['id']}_20261208T080000Z", summary="Lay-offs", location="Cellar")
    world.activate()
    google, outlook = world.simulator.google.events(ada.address), world.simulator.graph.events(ada.address)
    shown = str(google if side == "outlook" else outlook)
    assert "Busy" in shown
    for word in ("Lay-offs", "Weekly", "Cellar"):
        assert word not in shown
    assert serial.load(Event.objects.get().content).exceptions
    quiet(world)


@BOTH_WAYS
def test_a_colleagues_copy_is_masked_without_guests_and_link(company, laws):
    laws.everybody({"details": "title", "title": "{title} ({organizer})"})
    company.invite(title="Review")
    company.world.settle()
    assert company.titles() == ["Review ()"]
    [copy] = company.items_of(company.bo)
    assert company.ada.address not in str(copy.get("description", "")) + str(copy.get("body", ""))
    company.assert_quiet()


@BOTH_WAYS
def test_the_rules_of_both_sides_have_to_agree(company, laws):
    laws.person(company.ada, {"details": ["location"]})
    laws.person(company.bo, {"details": "title"})
    company.invite(title="Review")
    company.world.settle()
    assert company.titles() == ["Busy"]
    company.assert_quiet()


def test_a_pair_that_stood_already_is_masked_by_the_rule(world, laws):
    laws.everybody(BUSY)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist")
    ada.in_google(summary="Dentist")
    world.activate()
    assert sorted([ada.outlook[0]["subject"], ada.google[0]["summary"]]) == ["Busy", "Dentist"]
    assert len(ada.outlook) == len(ada.google) == 1
    quiet(world)


def test_a_rule_made_between_plan_and_write_counts_at_the_door(world, laws):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Dentist")
    world.turn(ada.user.linked_accounts.get(platform="outlook").calendars.get())
    assert Link.objects.filter(remote_id="", state="active").exists()
    laws.everybody(BUSY)
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Busy"]
    quiet(world)


def test_the_last_rule_taken_away_lifts_the_mask_of_what_changes(world, laws):
    laws.everybody(BUSY)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist")
    world.activate()
    laws.none()
    ada.edit_outlook(ada.outlook[0]["id"], subject="Doctor")
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Doctor"]
    assert Link.objects.get(role="twin").treatment == {}
    quiet(world)


ODD = ["RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=4"]


def test_a_series_in_parts_is_masked_in_each_of_them(world, laws):
    laws.everybody(BUSY, titled="Secret")
    ada = world.person("ada")
    made = ada.in_google(summary="Secret round", recurrence=ODD)
    world.activate()
    assert {item["subject"] for item in ada.outlook} == {"Busy"}
    ada.edit_google(made["id"], summary="Open round")
    world.settle()
    assert {item["subject"] for item in ada.outlook} == {"Open round"}
    ada.edit_google(made["id"], summary="Secret again")
    world.settle()
    assert {item["subject"] for item in ada.outlook} == {"Busy"}
    assert world.audit().match_rate == 100.0
    quiet(world)


def test_guests_invited_to_a_masked_copy_see_nothing_of_what_it_hides(world, laws):
    laws.everybody(BUSY)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist")
    world.activate()
    ada.edit_google(ada.google[0]["id"], attendees=[{"email": "guest@elsewhere.example"}])
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Busy"]
    ada.edit_outlook(ada.outlook[0]["id"], subject="Doctor")
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Busy"]
    quiet(world)


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_an_event_of_ones_own_that_is_held_waits_on_either_side(world, laws, side):
    laws.everybody(HOLD)
    ada = world.person("ada")
    (ada.in_outlook if side == "outlook" else ada.in_google)()
    world.activate()
    assert len(ada.outlook) + len(ada.google) == 1
    decisions.decide(Finding.objects.get(kind="approval"), Decision.RELEASE, now=timezone.now())
    world.settle()
    assert (len(ada.outlook), len(ada.google)) == (1, 1)
    quiet(world)
