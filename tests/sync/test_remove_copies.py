"""Taking out every copy that CalSync wrote, and nothing else."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from calendars import removal, services
from calendars.models import Calendar, Event, EventEntry, Link, Watch
from calendars.sync import lease as leases
from calendars.sync.run import serve
from calsync.simulator.core import Fault

INVITED = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
    "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
}


def run(*arguments):
    """(exit code, output) of a command."""
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as exit_:
        return exit_.code, out.getvalue() + err.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue() + err.getvalue()


def take_out(*scope):
    code, out = run("remove_copies", *(scope or ("--all",)), "--yes", "--json")
    return code, json.loads(out)


def calendar_of(person, platform):
    return Calendar.objects.get(account__person=person.user, account__platform=platform)


def titles(person):
    return (
        sorted(event["subject"] for event in person.outlook),
        sorted(event["summary"] for event in person.google),
    )


@pytest.fixture
def ada(world):
    """One event made on each side, and a pair that stood on both."""
    ada = world.person("ada")
    ada.in_outlook(subject="From Outlook")
    ada.in_google(summary="From Google", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    ada.in_outlook(subject="Pair", start="2026-12-03T09:00:00", end="2026-12-03T10:00:00")
    ada.in_google(summary="Pair", start="2026-12-03T09:00:00", end="2026-12-03T10:00:00")
    world.activate()
    return ada


def test_only_our_own_copies_go(world, ada):
    assert titles(ada) == (["From Google", "From Outlook", "Pair"],) * 2
    code, report = take_out()
    assert code == 0
    assert titles(ada) == (["From Outlook", "Pair"], ["From Google", "Pair"])
    assert (report["removed"], report["gone"], report["kept"], report["left"]) == (2, 0, 1, 0)
    assert world.mails == []


def test_the_calendars_are_off_and_the_links_gone_but_the_events_stay(world, ada):
    take_out()
    assert not Calendar.objects.filter(is_active=True).exists()
    assert set(Calendar.objects.values_list("state", flat=True)) == {"disabled"}
    assert Link.objects.filter(state="gone").count() == 2
    assert Event.objects.filter(deleted_at=None).count() == 3
    assert EventEntry.objects.filter(kind="taken_out").count() == 2


def test_a_second_run_does_nothing(world, ada):
    take_out()
    world.simulator.core.ledger.clear()
    code, report = take_out()
    assert code == 0
    assert report["removed"] == report["gone"] == 0
    assert world.provider_writes() == 0


def test_activating_again_makes_each_copy_once(world, ada):
    take_out()
    report = world.activate()
    assert report.idle
    assert titles(ada) == (["From Google", "From Outlook", "Pair"],) * 2
    assert world.audit().match_rate == 100.0
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    assert take_out()[1]["removed"] == 2
    assert titles(ada) == (["From Outlook", "Pair"], ["From Google", "Pair"])


def test_activating_from_now_leaves_them_out(world, ada):
    take_out()
    world.activate(from_now=True)
    assert titles(ada) == (["From Outlook", "Pair"], ["From Google", "Pair"])


def test_a_dry_run_changes_nothing(world, ada):
    world.simulator.core.ledger.clear()
    code, out = run("remove_copies", "--all", "--dry-run")
    assert code == 0
    assert "Copies to delete: 2." in out
    assert "it stood there already" in out
    assert "From" not in out.replace("Nothing", "")
    assert world.provider_writes() == 0
    assert Calendar.objects.filter(is_active=True).count() == 2


def test_an_edited_copy_goes_too(world, ada):
    copy = next(event for event in ada.google if event["summary"] == "From Outlook")
    ada.edit_google(copy["id"], summary="Renamed", location="Room 9")
    take_out()
    assert titles(ada)[1] == ["From Google", "Pair"]


def test_a_series_goes_with_its_exceptions(world):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Weekly", recurrence=WEEKLY)
    world.activate()
    [copy] = ada.google
    ada.edit_google(f"{copy['id']}_20261208T080000Z", summary="Moved")
    world.settle()
    take_out()
    assert ada.google == []
    assert [event["id"] for event in ada.outlook] == [made["id"]]


def test_a_copy_whose_update_was_refused_is_made_again(world):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Budget")
    world.activate()
    ada.edit_outlook(made["id"], subject="Budget 2")
    refusal = {"method": "PATCH", "path": "/events", "status": 400, "times": 1}
    world.simulator.core.faults.append(Fault(provider="google", kind="status", **refusal))
    world.settle()
    assert ada.google[0]["summary"] == "Budget"
    take_out()
    world.activate()
    assert [event["summary"] for event in ada.google] == ["Budget 2"]


def test_the_parts_of_a_series_go_and_come_again(world):
    ada = world.person("ada")
    ada.in_google(summary="Odd", recurrence=["RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=6"])
    world.activate()
    parts = len(ada.outlook)
    assert parts > 1
    code, report = take_out()
    assert (code, report["removed"], ada.outlook) == (0, parts, [])
    assert len(ada.google) == 1
    world.activate()
    assert len(ada.outlook) == parts
    assert world.audit().match_rate == 100.0
    assert take_out()[1]["removed"] == parts


@pytest.mark.parametrize("seen", [True, False])
def test_a_copy_to_which_people_were_invited_stays(world, ada, seen):
    copy = next(event for event in ada.outlook if event["subject"] == "From Google")
    ada.edit_outlook(copy["id"], attendees=INVITED)
    if seen:
        world.settle()
    code, report = take_out()
    assert code == 0
    assert "From Google" in titles(ada)[0]
    assert report["kept"] == 2
    assert world.mails == []


def test_guests_invited_in_the_last_moment_are_seen(world, ada):
    copy = next(event for event in ada.outlook if event["subject"] == "From Google")

    def inviting(_):
        ada.edit_outlook(copy["id"], attendees=INVITED)

    fault = Fault(provider="graph", kind="status", method="DELETE", path="/events", status=503, times=1)
    world.simulator.core.faults.append(fault)
    report = removal.remove_copies(
        calendars=Calendar.objects.all(), clock=timezone.now, progress=lambda *_: None, sleep=inviting
    )
    assert "From Google" in titles(ada)[0]
    assert report.kept == 2
    assert world.mails == []


def test_a_version_that_moved_is_read_again(world, ada):
    refusal = {"status": 412, "times": 1}
    world.simulator.core.faults.append(
        Fault(provider="graph", kind="status", method="DELETE", path="/events", **refusal)
    )
    code, report = take_out()
    assert code == 0
    assert report["removed"] == 2


def test_an_interrupted_run_is_finished_by_the_next(world, ada):
    world.simulator.core.faults.append(
        Fault(provider="google", kind="status", method="GET", path="/events", status=403, times=50)
    )
    code, report = take_out()
    assert code == 1
    assert report["left"] >= 1
    assert titles(ada) == (["From Outlook", "Pair"], ["From Google", "From Outlook", "Pair"])
    world.simulator.core.faults.clear()
    code, report = take_out()
    assert code == 0
    assert titles(ada) == (["From Outlook", "Pair"], ["From Google", "Pair"])


def test_a_copy_whose_create_was_never_answered_goes_too(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Budget")
    create = {"provider": "google", "method": "POST", "path": "/events"}
    world.simulator.core.faults.append(Fault(kind="lose_answer", **create))
    world.simulator.core.faults.append(Fault(kind="status", status=503, headers={"Retry-After": "50"}, **create))
    serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=False)
    world.simulator.core.faults.clear()
    assert Link.objects.filter(remote_id="").count() == len(ada.google) == 1
    code, report = take_out()
    assert (code, report["removed"]) == (0, 1)
    assert ada.google == []


def test_other_peoples_copies_are_untouched(world, ada):
    bo = world.person("bo")
    bo.in_outlook(subject="His")
    world.activate()
    code, _ = take_out("--person", "ada@meridian.example")
    assert code == 0
    assert titles(bo) == (["His"], ["His"])
    assert calendar_of(bo, "google").is_active
    assert titles(ada)[1] == ["From Google", "Pair"]


def test_one_calendar_loses_its_copies_and_the_other_keeps_its_own(world, ada):
    code, _ = take_out("--calendar", str(calendar_of(ada, "google").pk))
    assert code == 0
    assert titles(ada) == (["From Google", "From Outlook", "Pair"], ["From Google", "Pair"])
    assert calendar_of(ada, "outlook").is_active
    world.settle()
    assert titles(ada)[1] == ["From Google", "Pair"]


def test_a_mailbox_out_of_reach_loses_nothing(world, ada):
    world.simulator.core.faults.append(
        Fault(provider="google", kind="status", method="GET", path="/calendarList", status=404, times=9)
    )
    code, report = take_out()
    assert code == 1
    assert Link.objects.filter(calendar=calendar_of(ada, "google"), state="gone").count() == 0
    assert report["calendars"][1]["left"][0]["event"] is None


def test_another_worker_is_waited_for(world, ada):
    leases.take(calendar_id=calendar_of(ada, "google").pk, now=timezone.now())
    slept = []

    def sleeping(seconds):
        slept.append(seconds)
        Calendar.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    report = removal.remove_copies(
        calendars=Calendar.objects.all(), clock=timezone.now, progress=lambda *_: None, sleep=sleeping
    )
    assert slept
    assert (report.removed, report.left) == (2, 0)


def test_push_channels_are_dropped(world, settings, ada):
    settings.CALSYNC_PUBLIC_URL = "http://127.0.0.1:1"
    for calendar in Calendar.objects.all():
        Watch.objects.create(calendar=calendar, state="live", state_since=timezone.now(), subscription_id="x")
    take_out()
    assert set(Watch.objects.values_list("state", flat=True)) == {"stopped"}


@pytest.mark.parametrize(
    "arguments", [["--all"], ["--person", ""], ["--calendar", "999"], [], ["--all", "--person", "ada@meridian.example"]]
)
def test_a_wrong_call_changes_nothing(world, ada, arguments):
    code, out = run("remove_copies", *arguments)
    assert code == 2 or "required" in out or "not allowed" in out
    assert Calendar.objects.filter(is_active=True).count() == 2
    assert services.totals(Calendar.objects.all()).copied == 2
