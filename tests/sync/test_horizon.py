"""Windows that roll and cursors that expire: compared with what is known, never wiped and made anew."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from calendars import services
from calendars.models import Calendar, Event, Finding, Link, Operation
from calendars.sync import sweep
from calendars.sync.audit import REMEDIES
from calendars.sync.run import serve
from calsync.simulator.core import Fault
from tests.sync.conftest import NOW

OLD = {"start": "2026-11-24T09:00:00", "end": "2026-11-24T10:00:00"}
FAR = {"start": "2028-01-10T09:00:00", "end": "2028-01-10T10:00:00"}  # 414 days ahead of NOW


def google_410(reason: str, **more) -> Fault:
    error = {"code": 410, "message": "Gone", "errors": [{"domain": "calendar", "reason": reason, "message": "Gone"}]}
    return Fault(
        provider="google", kind="status", method="GET", path="syncToken", status=410, body={"error": error}, **more
    )


def graph_refusal(status: int, code: str, **more) -> Fault:
    body = {"error": {"code": code, "message": "x"}}
    return Fault(provider="graph", kind="status", method="GET", path="deltatoken", status=status, body=body, **more)


EXPIRIES = [
    google_410("fullSyncRequired"),
    google_410("updatedMinTooLongAgo"),
    google_410("deleted"),
    graph_refusal(410, "SyncStateNotFound"),
    graph_refusal(410, "resyncRequired", headers={"Location": "https://graph.example/elsewhere?$deltatoken="}),
    graph_refusal(400, "fullSyncRequired"),
    graph_refusal(410, ""),
]


def titles(person) -> tuple[list[str], list[str]]:
    return sorted(event["subject"] for event in person.outlook), sorted(event["summary"] for event in person.google)


def settle_at(world, moment: datetime):
    """What the schedule and the workers do at a later moment."""
    with time_machine.travel(moment, tick=True):
        sweep.poll_due(now=timezone.now())
        return world.settle()


@pytest.mark.parametrize(
    "expiry", EXPIRIES, ids=lambda fault: f"{fault.provider}-{fault.status}-{fault.body['error']}"[:60]
)
def test_an_expired_cursor_is_replaced_by_comparison(world, expiry):
    ada = world.person("ada")
    ada.in_outlook(subject="One")
    ada.in_google(summary="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    generations = set(Calendar.objects.values_list("generation", flat=True))
    ada.edit_outlook(next(event for event in ada.outlook if event["subject"] == "Two")["id"], subject="Two, edited")
    ada.edit_google(next(event for event in ada.google if event["summary"] == "One")["id"], location="Room 9")
    before = world.provider_writes()
    world.simulator.core.faults.append(expiry)
    assert world.settle().idle
    assert titles(ada) == (["One", "Two, edited"], ["One", "Two, edited"])
    assert {event["location"]["displayName"] for event in ada.outlook} == {"", "Room 9"}
    assert world.provider_writes() - before == 2
    assert (generations, set(Calendar.objects.values_list("generation", flat=True))) == ({1}, {1, 2})
    assert not Operation.objects.filter(kind="delete").exists()
    second_pass_writes_nothing(world)


def second_pass_writes_nothing(world):
    before = world.provider_writes()
    assert world.settle().idle
    assert world.provider_writes() == before


def test_the_old_cursor_stays_in_use_until_the_new_read_has_ended(world):
    ada = world.person("ada", google=False)
    ada.in_outlook(subject="One")
    world.activate()
    old = Calendar.objects.get()
    Calendar.objects.reread(now=timezone.now())
    refusal = Fault(
        provider="graph", kind="status", path="startDateTime", status=503, times=1, headers={"Retry-After": "1"}
    )
    world.simulator.core.faults.append(refusal)
    serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=False)
    held = Calendar.objects.get()
    assert (held.cursor != "", held.generation, held.window_end) == (True, old.generation, old.window_end)
    assert held.reread_at > timezone.now() + timedelta(minutes=4)
    ada.in_outlook(subject="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    assert world.settle().idle
    assert Event.objects.count() == 2  # found with the old cursor
    settle_at(world, NOW + timedelta(minutes=10))
    now = Calendar.objects.get()
    assert (now.generation, now.reread_at) == (old.generation + 1, None)
    assert (Event.objects.count(), Event.objects.exclude(deleted_at=None).count()) == (2, 0)


def test_a_wish_for_a_complete_read_that_comes_during_one_is_not_lost(world):
    ada = world.person("ada", google=False)
    ada.in_outlook(subject="One")
    world.activate()
    Calendar.objects.reread(now=timezone.now())
    world.simulator.core.ledger.clear()
    asked = []

    def clock():
        """Somebody wishes for another one as soon as the provider has been asked for the first."""
        if not asked and any("startDateTime" in call.path for call in world.simulator.core.ledger.calls):
            asked.append(Calendar.objects.reread(now=timezone.now()))
        return timezone.now()

    serve(calendars=Calendar.objects.all(), clock=clock, until_idle=False)
    world.settle()
    assert asked == [1]
    assert set(Calendar.objects.values_list("generation", "reread_at")) == {(3, None)}


def test_a_window_rolls_and_what_leaves_it_stays(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Old", **OLD)
    ada.in_google(summary="Far", **FAR)
    world.activate()
    assert titles(ada) == (["Old"], ["Far", "Old"])
    settle_at(world, NOW + timedelta(days=70))
    assert titles(ada) == (["Far", "Old"], ["Far", "Old"])
    with time_machine.travel(NOW + timedelta(days=70), tick=True):
        report = world.audit()
        assert {kind: report.count(kind) for kind in REMEDIES if report.count(kind)} == {}
        second_pass_writes_nothing(world)
    assert Link.objects.filter(state="active").count() == 4
    assert not Finding.objects.exists()


def test_an_edit_of_what_has_left_the_window_still_travels(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Old", **OLD)
    ada.in_google(summary="Old too", start="2026-11-25T09:00:00", end="2026-11-25T10:00:00")
    world.activate()
    moment = NOW + timedelta(days=70)
    settle_at(world, moment)
    with time_machine.travel(moment + timedelta(hours=1), tick=True):
        ada.edit_outlook(next(e for e in ada.outlook if e["subject"] == "Old")["id"], subject="Old, minuted")
        ada.edit_google(next(e for e in ada.google if e["summary"] == "Old too")["id"], summary="Old too, minuted")
        world.settle()
        second_pass_writes_nothing(world)
    assert titles(ada) == (["Old too, minuted", "Old, minuted"], ["Old too, minuted", "Old, minuted"])


def test_a_deletion_of_what_has_left_the_window_travels_too(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Old", **OLD)
    ada.in_google(summary="Old too", start="2026-11-25T09:00:00", end="2026-11-25T10:00:00")
    world.activate()
    moment = NOW + timedelta(days=70)
    settle_at(world, moment)
    with time_machine.travel(moment + timedelta(hours=1), tick=True):
        ada.delete_outlook(next(e for e in ada.outlook if e["subject"] == "Old")["id"])
        world.settle()
    assert titles(ada) == (["Old too"], ["Old too"])


def test_months_go_by_and_nothing_is_lost_doubled_or_deleted(world):
    ada = world.person("ada")
    rule = "RRULE:FREQ=WEEKLY;COUNT=60"
    ada.in_google(summary="Weekly", recurrence=[rule])
    for month in range(1, 13):
        ada.in_outlook(
            subject=f"Month {month}", start=f"2027-{month:02}-15T09:00:00", end=f"2027-{month:02}-15T10:00:00"
        )
    world.activate()
    for days in (29, 31, 62, 95, 200, 330, 420):
        with time_machine.travel(NOW + timedelta(days=days), tick=True):
            ada.in_google(
                summary=f"Day {days}",
                start=f"{NOW + timedelta(days=days + 1):%Y-%m-%d}T12:00:00",
                end=f"{NOW + timedelta(days=days + 1):%Y-%m-%d}T13:00:00",
            )
        settle_at(world, NOW + timedelta(days=days))
        with time_machine.travel(NOW + timedelta(days=days), tick=True):
            assert world.audit().match_rate == 100.0
            second_pass_writes_nothing(world)
    left, right = titles(ada)
    assert left == right
    assert len(left) == 1 + 12 + 7
    assert (Event.objects.filter(deleted_at=None).count(), Finding.objects.count()) == (20, 0)
    assert world.mails == []


def test_calendars_that_began_together_do_not_roll_all_at_once(world, monkeypatch):
    monkeypatch.setattr(sweep, "ROLLED_AT_ONCE", 1)
    world.person("ada")
    world.activate()
    later = NOW + timedelta(days=40)
    assert [sweep.roll_windows(now=later) for _ in range(3)] == [1, 1, 0]
    assert Calendar.objects.exclude(cursor="").count() == 2


def test_a_window_with_much_left_does_not_roll(world):
    world.person("ada")
    world.activate()
    assert sweep.roll_windows(now=NOW + timedelta(days=29)) == 0


def test_removed_from_the_window_is_not_deleted(world):
    """Graph tells a move out of the window, and a change beyond it, in the same words as a deletion."""
    ada = world.person("ada")
    known = ada.in_outlook(subject="Known")
    unknown = ada.in_outlook(subject="Unknown", **FAR)
    world.activate()
    ada.edit_outlook(unknown["id"], subject="Unknown, edited")
    ada.edit_outlook(
        known["id"],
        start={"dateTime": FAR["start"], "timeZone": "W. Europe Standard Time"},
        end={"dateTime": FAR["end"], "timeZone": "W. Europe Standard Time"},
    )
    world.settle()
    assert titles(ada) == (["Known", "Unknown, edited"], ["Known"])
    assert ada.google[0]["start"]["dateTime"].startswith("2028-01-10T09:00")
    assert not Operation.objects.filter(kind="delete").exists()
    second_pass_writes_nothing(world)


def test_what_stood_before_an_activation_from_now_is_left_alone_when_it_enters_the_window(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Far", **FAR)
    world.activate(from_now=True)
    settle_at(world, NOW + timedelta(days=70))
    assert titles(ada) == (["Far"], [])
    assert Event.objects.get().left_alone


def test_a_first_read_that_breaks_off_goes_on_where_it_was(world):
    ada = world.person("ada", google=False)
    rule = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 4},
    }
    for number in range(60):
        ada.in_outlook(subject=f"Series {number}", recurrence=rule)
    world.simulator.core.faults.append(Fault(provider="graph", kind="status", path="skiptoken", status=503))
    services.activate(calendars=Calendar.objects.all(), from_now=False, now=timezone.now())
    serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=False)
    read_first = Event.objects.count()
    world.simulator.core.ledger.clear()
    settle_at(world, NOW + timedelta(hours=1))
    read_again = [call for call in world.simulator.core.ledger.calls if "exceptionOccurrences" in call.path]
    assert 0 < read_first < 60
    assert len(read_again) == 60 - read_first
    assert Event.objects.filter(deleted_at=None).count() == 60


def test_a_read_that_is_taken_over_after_its_lease_ran_out_loses_nothing(world, settings):
    settings.CALSYNC_LEASE_SECONDS = 90
    ada = world.person("ada")
    ada.in_outlook(subject="One")
    world.activate()
    Calendar.objects.reread(now=timezone.now())
    Calendar.objects.update(lease_owner="00000000-0000-0000-0000-000000000001", lease_until=NOW + timedelta(seconds=90))
    settle_at(world, datetime(2026, 11, 22, 9, 5, tzinfo=UTC))
    assert titles(ada) == (["One"], ["One"])
    assert set(Calendar.objects.values_list("generation", "reread_at")) == {(2, None)}


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_what_lies_on_the_edge_of_the_window_is_not_missing(world, zone):
    """The two platforms draw the line differently for whole days and for events that end just there."""
    ada = world.person("ada", zone=zone)
    for days in (-31, -30, -29, 399, 400, 401):
        day, after = NOW + timedelta(days=days), NOW + timedelta(days=days + 1)
        whole = {"start": {"date": f"{day:%Y-%m-%d}"}, "end": {"date": f"{after:%Y-%m-%d}"}}
        world.simulator.google.create_event(ada.address, {"summary": f"All day {days}", **whole})
        until = {"start": f"{day:%Y-%m-%d}T08:00:00", "end": f"{day:%Y-%m-%d}T09:00:00"}
        ada.in_outlook(subject=f"Nine {days}", zone="UTC", **until)
    world.activate()
    for hours in (0, 7, 12, 15, 23, 47):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=True):
            report = world.audit()
        assert {kind: report.count(kind) for kind in REMEDIES if report.count(kind)} == {}, hours
