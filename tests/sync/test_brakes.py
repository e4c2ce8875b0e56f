"""The brakes: what each of them holds, what its case shows, and that it lets go."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from calendars import decisions
from calendars.management.commands.audit import as_text as audit_text
from calendars.models import Calendar, Finding, Link, Operation
from calendars.sync.run import serve
from calsync.engine import serial
from calsync.providers.google import calls
from calsync.providers.graph import changes
from calsync.providers.graph.client import PREFER
from calsync.simulator.core import Fault
from calsync_site.management.commands.sync import as_json
from tests.sync.conftest import NOW

EMPTY = {"kind": "calendar#events", "items": [], "nextSyncToken": "CPDAlvWDx70CEPDAlvWDx70CGAU=", "timeZone": "UTC"}


def fill(person, days: int) -> None:
    for day in range(1, days + 1):
        person.in_google(summary=f"Day {day}", start=f"2026-12-{day:02}T09:00:00", end=f"2026-12-{day:02}T10:00:00")


def held_world(world):
    """Ada, fifteen of whose twenty events vanished from Google at once."""
    ada = world.person("ada")
    fill(ada, 20)
    world.activate()
    for event in sorted(ada.google, key=lambda event: event["start"]["dateTime"])[:15]:
        ada.delete_google(event["id"])
    world.settle()
    return ada


def emptied_world(world):
    """Ada, whose Google calendar was once shown empty although it is not."""
    ada = world.person("ada")
    fill(ada, 8)
    world.activate()
    world.simulator.google.expire_sync_tokens()
    once_empty = Fault(provider="google", kind="status", method="GET", path="/events", status=200, body=EMPTY, skip=1)
    world.simulator.core.faults.append(once_empty)
    world.settle()
    return ada


def quiet(world):
    before = world.provider_writes()
    assert world.settle().idle
    assert world.provider_writes() == before


def titles(person) -> tuple[list[str], list[str]]:
    return sorted(event["subject"] for event in person.outlook), sorted(event["summary"] for event in person.google)


# --- mass delete and empty side -------------------------------------------------------------------------------


def test_the_finding_of_a_mass_delete_says_what_would_have_been_done(world):
    held_world(world)
    found = Finding.objects.get()
    assert found.text.startswith("15 of 20 events vanished from this calendar at once (2026-12-01 to 2026-12-15)")
    listed = serial.load_value(found.values["events"]).split("\n")
    assert (len(listed), listed[0]) == (15, "2026-12-01 08:00  Day 1")
    assert "Day 1" not in found.text


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_deletions_are_counted_over_all_pages_of_a_read(world, monkeypatch, side):
    monkeypatch.setattr(calls, "PAGE", 3)
    monkeypatch.setattr(changes, "HEADERS", {"Prefer": f"{PREFER}, odata.maxpagesize=3"})
    ada = world.person("ada")
    fill(ada, 20)
    world.activate()
    gone, delete = (ada.google, ada.delete_google) if side == "google" else (ada.outlook, ada.delete_outlook)
    for event in gone[:15]:
        delete(event["id"])
    world.settle()
    assert sorted(len(titles_of) for titles_of in titles(ada)) == [5, 20]
    assert Finding.objects.get().kind == "mass_delete"


def test_the_finding_of_an_empty_side_says_what_would_have_been_done(world):
    emptied_world(world)
    found = Finding.objects.get()
    assert found.text.startswith("8 of 8 events vanished from this calendar at once (2026-12-01 to 2026-12-08)")
    assert serial.load_value(found.values["events"]).split("\n")[0] == "2026-12-01 08:00  Day 1"


def test_released_deletions_are_carried_out_on_the_other_side(world):
    ada = held_world(world)
    decisions.release(Finding.objects.get(), now=timezone.now())
    assert Link.objects.filter(state="released").count() == 15
    report = world.settle()
    assert report.idle
    assert titles(ada) == ([f"Day {day}" for day in range(16, 21)],) * 2
    assert decisions.is_done(Finding.objects.get())
    quiet(world)


def test_a_released_deletion_of_something_alive_deletes_nothing(world):
    ada = emptied_world(world)
    found = Finding.objects.get()
    assert found.kind == "empty_side"
    assert Link.objects.filter(state="held").count() == 8
    decisions.release(found, now=timezone.now())
    assert world.settle().idle
    assert [len(side) for side in titles(ada)] == [8, 8]
    assert set(Link.objects.values_list("state", flat=True)) == {"active"}
    quiet(world)


def test_a_released_deletion_of_an_event_that_was_edited_elsewhere_is_a_conflict(world):
    ada = held_world(world)
    edited = next(event for event in ada.outlook if event["subject"] == "Day 3")
    ada.edit_outlook(edited["id"], subject="Day 3, edited")
    world.settle()
    assert len(ada.google) == 5
    decisions.release(Finding.objects.get(kind="mass_delete"), now=timezone.now())
    world.settle()
    assert "Day 3, edited" in titles(ada)[0]
    assert titles(ada)[0] == titles(ada)[1]
    assert Finding.objects.filter(kind="delete_against_edit").count() == 1


def test_what_was_held_is_put_back(world):
    ada = held_world(world)
    told = decisions.put_back(Finding.objects.get(), now=timezone.now())
    assert told.startswith("15 events are made again")
    assert world.settle().idle
    assert [len(side) for side in titles(ada)] == [20, 20]
    assert titles(ada)[0] == titles(ada)[1]
    assert set(Link.objects.values_list("state", flat=True)) == {"active"}
    assert world.audit().match_rate == 100.0
    quiet(world)


def test_what_was_held_may_be_left_as_it_is(world):
    ada = held_world(world)
    decisions.accept(Finding.objects.get(), now=timezone.now())
    world.settle()
    assert [len(side) for side in titles(ada)] == [20, 5]
    assert decisions.is_done(Finding.objects.get())
    quiet(world)


def test_a_held_event_that_shows_again_is_no_longer_held_and_its_finding_settles(world):
    ada = emptied_world(world)
    for event in ada.google:
        ada.edit_google(event["id"], location="Room 9")
    world.settle()
    assert set(Link.objects.values_list("state", flat=True)) == {"active"}
    assert {event["location"]["displayName"] for event in ada.outlook} == {"Room 9"}
    assert decisions.settle_resolved(now=timezone.now()) == 1
    assert Finding.objects.get().decision == ""


def test_a_finding_that_still_holds_something_does_not_settle(world):
    held_world(world)
    assert decisions.settle_resolved(now=timezone.now()) == 0


# --- storm ----------------------------------------------------------------------------------------------------


def stormy(world, ada, start, *, times=6):
    """Another tool changes the same event once a minute."""
    for minute in range(times):
        moment = start + timedelta(minutes=minute)
        with time_machine.travel(moment, tick=True):
            ada.edit_outlook(ada.outlook[0]["id"], subject=f"Version {moment:%H:%M}")
            report = serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True)
    return report


def test_an_audit_tells_a_brake_on_a_whole_calendar_from_an_unknown_event(world):
    held_world(world)
    told = audit_text(world.audit())
    assert "conflicts: several events at once in Google calendar of ada@meridian.example." in told


def storm_world(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Version 0")
    with time_machine.travel(NOW - timedelta(hours=2), tick=True):
        world.activate()
    return ada


def at(world, moment):
    with time_machine.travel(moment, tick=True):
        return world.settle()


def test_the_sixth_write_in_ten_minutes_waits_and_says_what_it_would_do(world):
    ada = storm_world(world)
    report = stormy(world, ada, NOW)
    found = Finding.objects.get()
    assert (found.kind, found.paths, found.settled_at) == ("storm", ["title"], None)
    assert found.text.endswith("the next update of title waits until it is quiet.")
    assert ada.google[0]["summary"] == "Version 09:04"
    assert (report.idle, as_json(report)["brakes"], as_json(report)["due"]) == (True, 1, 0)


def test_a_storm_ends_by_itself_when_it_is_quiet(world):
    ada = storm_world(world)
    stormy(world, ada, NOW)
    at(world, NOW + timedelta(minutes=16))
    assert ada.google[0]["summary"] == "Version 09:05"
    found = Finding.objects.get()
    assert found.settled_at is not None
    assert (found.decision, decisions.is_done(found)) == ("", True)


def test_more_edits_during_a_storm_open_no_second_finding(world):
    ada = storm_world(world)
    stormy(world, ada, NOW, times=9)
    assert Finding.objects.count() == 1
    at(world, NOW + timedelta(minutes=20))
    assert ada.google[0]["summary"] == "Version 09:08"


def test_a_released_storm_writes_at_once_and_does_not_bite_again(world):
    ada = storm_world(world)
    stormy(world, ada, NOW)
    moment = NOW + timedelta(minutes=6)
    with time_machine.travel(moment, tick=True):
        decisions.release(Finding.objects.get(), now=timezone.now())
        assert world.settle().idle
    assert ada.google[0]["summary"] == "Version 09:05"
    stormy(world, ada, moment, times=4)
    assert ada.google[0]["summary"] == "Version 09:09"
    assert Finding.objects.count() == 1


def test_a_second_storm_within_an_hour_waits_for_a_person(world):
    ada = storm_world(world)
    stormy(world, ada, NOW)
    at(world, NOW + timedelta(minutes=16))
    report = stormy(world, ada, NOW + timedelta(minutes=17), times=7)
    found = Finding.objects.get(settled_at=None)
    assert found.text.endswith("waits for a person, as it is the second time in an hour.")
    [parked] = report.parked
    assert (parked.error_code, report.idle) == ("storm", True)
    assert parked.remedy
    at(world, NOW + timedelta(hours=5))
    assert ada.google[0]["summary"] == "Version 09:20"
    with time_machine.travel(NOW + timedelta(hours=5), tick=True):
        decisions.release(found, now=timezone.now())
        report = world.settle()
    assert ada.google[0]["summary"] == ada.outlook[0]["subject"] == "Version 09:23"
    assert (report.parked, report.idle) == ([], True)


def test_a_parked_storm_that_is_not_written_is_written_with_the_next_change(world):
    ada = storm_world(world)
    stormy(world, ada, NOW)
    at(world, NOW + timedelta(minutes=16))
    stormy(world, ada, NOW + timedelta(minutes=17), times=7)
    decisions.accept(Finding.objects.get(settled_at=None), now=NOW + timedelta(hours=2))
    at(world, NOW + timedelta(hours=2))
    assert ada.google[0]["summary"] == "Version 09:20"
    with time_machine.travel(NOW + timedelta(hours=3), tick=True):
        ada.edit_outlook(ada.outlook[0]["id"], subject="Final")
        assert world.settle().idle
    assert ada.google[0]["summary"] == "Final"


# --- resurrection ---------------------------------------------------------------------------------------------


def deleted_again_and_again(world, *, times):
    """A copy of a meeting with guests is put back as often as it is deleted: somebody else's tool against us."""
    ada = world.person("ada")
    guest = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
    ada.in_outlook(subject="Review", attendees=guest)
    world.activate()
    for _ in range(times):
        ada.delete_google(ada.google[0]["id"])
        report = world.settle()
    return ada, report


def test_a_copy_is_made_again_twice_in_an_hour(world):
    ada, _ = deleted_again_and_again(world, times=2)
    assert titles(ada) == (["Review"], ["Review"])
    assert not Finding.objects.filter(kind="resurrection").exists()


def test_a_copy_that_is_deleted_a_third_time_waits_for_a_person(world):
    ada, report = deleted_again_and_again(world, times=3)
    assert titles(ada) == (["Review"], [])
    found = Finding.objects.get(kind="resurrection")
    assert found.text.endswith("It waits for a person.")
    assert serial.load_value(found.values["title"]) == "Review"
    assert [operation.error_code for operation in report.parked] == ["resurrection"]
    assert (report.idle, report.tally.brakes) == (True, 1)
    assert world.audit().count("conflicts") == len(world.audit().differences) == 1
    ada.edit_outlook(ada.outlook[0]["id"], location={"displayName": "Room 9"})
    at(world, NOW + timedelta(hours=3))
    assert titles(ada) == (["Review"], [])
    decisions.release(found, now=timezone.now())
    assert world.settle().idle
    assert titles(ada) == (["Review"], ["Review"])
    assert ada.google[0]["location"] == "Room 9"
    assert world.mails == []


def test_a_copy_that_a_person_leaves_away_stays_away(world):
    ada, _ = deleted_again_and_again(world, times=3)
    decisions.accept(Finding.objects.get(kind="resurrection"), now=timezone.now())
    ada.edit_outlook(ada.outlook[0]["id"], subject="Review, edited")
    assert world.settle().idle
    assert titles(ada) == (["Review, edited"], [])
    assert not Finding.objects.filter(kind="resurrection", settled_at=None).exists()
    assert world.audit().differences == []
    quiet(world)


def test_a_copy_whose_event_is_deleted_needs_no_decision_any_more(world):
    ada, _ = deleted_again_and_again(world, times=3)
    ada.delete_outlook(ada.outlook[0]["id"])
    world.settle()
    assert decisions.settle_resolved(now=timezone.now()) == 1
    assert Finding.objects.get(kind="resurrection").settled_at is not None


def comes_back(world, *, times):
    """Another tool makes an event anew in Outlook whenever its owner deletes it in Google."""
    ada = world.person("ada")
    world.activate()
    for _ in range(times):
        ada.in_outlook(subject="Zombie")
        report = world.settle()
        for event in ada.google:
            ada.delete_google(event["id"])
        world.settle()
    return ada, report


def test_an_event_that_comes_back_twice_is_an_event_like_any_other(world):
    ada, _ = comes_back(world, times=3)
    assert titles(ada) == ([], [])
    assert not Finding.objects.exists()


def test_an_event_that_comes_back_for_the_third_time_is_not_copied(world):
    ada, report = comes_back(world, times=4)
    assert titles(ada) == (["Zombie"], [])
    found = Finding.objects.get()
    assert (found.kind, report.idle, report.tally.brakes) == ("resurrection", True, 1)
    assert "Zombie" not in found.text
    ada.edit_outlook(ada.outlook[0]["id"], subject="Zombie, edited")
    assert world.settle().idle
    assert titles(ada) == (["Zombie, edited"], [])
    decisions.release(found, now=timezone.now())
    assert world.settle().idle
    assert titles(ada) == (["Zombie, edited"], ["Zombie, edited"])
    quiet(world)


def test_an_event_that_was_deleted_long_ago_may_come_back(world):
    ada, _ = comes_back(world, times=3)
    with time_machine.travel(NOW + timedelta(hours=2), tick=True):
        ada.in_outlook(subject="Zombie")
        world.settle()
    assert titles(ada) == (["Zombie"], ["Zombie"])


def test_another_event_at_the_same_hour_is_none_that_came_back(world):
    ada, _ = comes_back(world, times=3)
    ada.in_outlook(subject="Quite another")
    world.settle()
    assert titles(ada) == (["Quite another"], ["Quite another"])


@pytest.mark.parametrize("decide", [decisions.release, decisions.put_back, decisions.accept])
def test_a_decision_is_carried_out_once(world, decide):
    held_world(world)
    found = Finding.objects.get()
    decide(found, now=timezone.now())
    assert decide(found, now=timezone.now() + timedelta(minutes=1)) == "That has been decided already."
    world.settle()
    assert Operation.objects.filter(kind="create").count() == 20 + 15 * (decide is decisions.put_back)
