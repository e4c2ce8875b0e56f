"""Double bookings across both platforms: seen once, told once, changed and closed with the calendars."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import combinations

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import LinkedAccount, OrgUnit, TrailEntry
from calendars import busy, decisions, tasks
from calendars.models import BusySlot, Calendar, Event, Finding
from conflicts.detection import catch_up
from conflicts.models import Case, DoubleBooking, OverlapPolicy
from conflicts.services import close_settled, drop_overlap_policy, open_cases, save_overlap_policy
from conflicts.tasks import look_at_unit
from notifications.models import Message
from tests.sync.agenda import in_google, in_outlook
from tests.sync.company import BOTH_WAYS, WEEKLY, attendee
from tests.sync.conftest import google_body

LATER = {"start": "2026-12-01T09:15:00", "end": "2026-12-01T10:00:00"}
TUESDAYS = {"subject": "Walk", "recurrence": WEEKLY["outlook"]}


def looked(world) -> None:
    """Sync, then look."""
    world.settle()
    catch_up(now=timezone.now())
    open_cases(now=timezone.now())
    close_settled(now=timezone.now())


def booked_twice(world, name="ada", **more):
    person = world.person(name)
    person.in_outlook()
    person.in_google(**{"summary": "Dentist", **LATER, **more})
    world.activate()
    looked(world)
    return person


def whole_day(world, person) -> None:
    body = {"summary": "Fair", "start": {"date": "2026-12-01"}, "end": {"date": "2026-12-02"}}
    world.simulator.google.create_event(person.address, body)


def spans() -> list[tuple[str, str]]:
    return [(start[11:16], end[11:16]) for start, end, _ in DoubleBooking.objects.standing().get().spans]


def move(person, start: str, end: str) -> None:
    [dentist] = [event for event in person.google if event["summary"] == "Dentist"]
    person.edit_google(dentist["id"], **{k: v for k, v in google_body(start=start, end=end).items() if k != "summary"})


def test_an_appointment_on_one_side_against_a_meeting_on_the_other_is_one_case_that_its_person_is_told(world):
    ada = booked_twice(world)
    [case] = Case.objects.all()
    assert (case.kind, case.person, case.state) == ("double_booking", ada.user, "open")
    assert case.summary == "Two events overlap: on 2026-12-01 from 09:15 to 09:30 (Europe/Berlin)."
    assert Message.objects.filter(person=ada.user).count() == 1
    assert spans() == [("08:15", "08:30")]


def test_an_event_does_not_collide_with_its_own_copies(world):
    ada = world.person("ada")
    ada.in_outlook()
    world.activate()
    looked(world)
    assert BusySlot.objects.count() == 1
    assert not DoubleBooking.objects.exists()


def test_looking_again_changes_nothing(world, django_assert_num_queries):
    booked_twice(world)
    before = list(DoubleBooking.objects.values()), list(Finding.objects.values())
    Event.objects.update(busy_due_at=timezone.now())
    assert catch_up(now=timezone.now()) == 0
    assert (list(DoubleBooking.objects.values()), list(Finding.objects.values())) == before
    with django_assert_num_queries(1):
        catch_up(now=timezone.now())


def test_the_case_closes_when_one_of_them_moves_away(world):
    ada = booked_twice(world)
    move(ada, "2026-12-01T11:00:00", "2026-12-01T12:00:00")
    looked(world)
    assert not DoubleBooking.objects.standing().exists()
    assert Case.objects.get().state == "closed"


def test_the_case_closes_when_one_of_them_is_deleted(world):
    ada = booked_twice(world)
    [standup] = [event for event in ada.outlook if event["subject"] == "Standup"]
    ada.delete_outlook(standup["id"])
    looked(world)
    assert Case.objects.get().state == "closed"


def test_a_collision_that_changes_keeps_its_case(world):
    ada = booked_twice(world)
    move(ada, "2026-12-01T09:20:00", "2026-12-01T09:50:00")
    looked(world)
    assert spans() == [("08:20", "08:30")]
    assert Case.objects.count() == 1
    assert "09:20" in Finding.objects.get().text


@pytest.mark.parametrize("free", [{"transparency": "transparent"}, {"start": "2026-12-01T09:30:00"}])
def test_free_time_and_time_that_merely_touches_are_no_collision(world, free):
    booked_twice(world, **free)
    assert not Finding.objects.exists()


def test_who_keeps_both_is_asked_again_only_when_they_collide_at_another_time(world):
    ada = booked_twice(world)
    decisions.accept(Finding.objects.get(), now=timezone.now())
    looked(world)
    assert Case.objects.get().state == "closed"
    assert DoubleBooking.objects.standing().exists()
    move(ada, "2026-12-01T09:00:00", "2026-12-01T10:00:00")
    looked(world)
    assert [case.state for case in Case.objects.order_by("pk")] == ["closed", "open"]


def test_series_against_series_is_one_case_that_lists_its_dates(world):
    ada = world.person("ada")
    ada.in_outlook(**TUESDAYS)
    ada.in_google(summary="Run", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
    world.activate()
    looked(world)
    booking = DoubleBooking.objects.get()
    assert [start[:10] for start, _, _ in booking.spans] == ["2026-12-01", "2026-12-08", "2026-12-15"]
    assert "and 2 more times" in Finding.objects.get().text


def test_time_that_comes_into_sight_is_no_news_to_who_kept_both(world, november):
    ada = world.person("ada")
    ada.in_outlook(**{**TUESDAYS, "recurrence": {**TUESDAYS["recurrence"], "range": ENDLESS}})
    ada.in_google(summary="Run", recurrence=["RRULE:FREQ=WEEKLY"])
    world.activate()
    looked(world)
    decisions.accept(Finding.objects.get(), now=timezone.now())
    first = DoubleBooking.objects.get().looked_until
    november.shift(timedelta(days=20))
    assert busy.roll_forward(now=timezone.now()) == 2
    catch_up(now=timezone.now())
    assert DoubleBooking.objects.get().looked_until > first
    assert Finding.objects.count() == 1
    assert BusySlot.objects.latest("starts_at").starts_at > first


ENDLESS = {"type": "noEnd", "startDate": "2026-12-01"}


@BOTH_WAYS
def test_a_colleagues_meeting_collides_in_the_guests_calendar(world, here, company):
    company.bo.in_google(**LATER) if here == "outlook" else company.bo.in_outlook(**LATER)
    company.invite()
    looked(world)
    assert [booking.person for booking in DoubleBooking.objects.all()] == [company.bo.user]
    assert {slot.person_id for slot in BusySlot.objects.all()} == {company.ada.user.pk, company.bo.user.pk}


def test_a_declined_meeting_takes_no_time(world):
    ada = world.person("ada", google=False)
    bo = world.person("bo", google=False)
    meeting = ada.in_outlook(attendees=[attendee("outlook", bo)])
    bo.in_outlook(subject="Dentist", **LATER)
    world.activate()
    looked(world)
    assert DoubleBooking.objects.get().person == bo.user
    [invited] = [event for event in bo.outlook if event["subject"] == meeting["subject"]]
    graph = world.simulator.graph
    graph.respond(graph.mailbox(bo.address), invited["id"], "declined", send=False, by_person=True)
    looked(world)
    assert not DoubleBooking.objects.standing().exists()


def test_units_say_how_much_time_lies_between_meetings_and_what_counts(world):
    child = OrgUnit.objects.create(name="Field", path="/Sales/Field")
    OverlapPolicy.objects.create(unit=world.unit, gap_minutes=15, all_day=False)
    ada = world.person("ada")
    type(ada.user).objects.filter(pk=ada.user.pk).update(org_unit=child)
    ada.in_outlook()
    ada.in_google(summary="Dentist", start="2026-12-01T09:40:00", end="2026-12-01T10:00:00")
    whole_day(world, ada)
    world.activate()
    looked(world)
    assert Finding.objects.get().text == "Two events lie too close together: on 2026-12-01 at 09:30 (Europe/Berlin)."


def test_whole_days_are_those_of_the_persons_own_zone(world):
    kim = world.person("kim", zone="America/New_York")
    whole_day(world, kim)
    kim.in_outlook(start="2026-12-02T02:00:00", end="2026-12-02T03:00:00", zone="UTC")
    kim.in_outlook(subject="Late", start="2026-12-02T06:00:00", end="2026-12-02T07:00:00", zone="UTC")
    world.activate()
    looked(world)
    assert spans() == [("02:00", "03:00")]


def test_a_worker_has_the_queue_look_when_somebodys_time_has_changed(world, monkeypatch):
    heard = []
    monkeypatch.setattr("conflicts.receivers.async_task", lambda name, **_: heard.append(name))
    ada = booked_twice(world)
    outlook = Calendar.objects.get(account__person=ada.user, account__platform="outlook")
    tasks.work(outlook.pk)
    assert "conflicts.tasks.look_for_overlaps" not in heard
    ada.in_outlook(subject="New")
    Calendar.objects.filter(pk=outlook.pk).ring(now=timezone.now())
    tasks.work(outlook.pk)
    assert heard.count("conflicts.tasks.look_for_overlaps") == 1


# --- the commands ---------------------------------------------------------------------------------------------------


def told(command: str, *arguments: str) -> dict:
    out = StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_overlaps_tells_what_the_two_mailboxes_show(world):
    """Compared with a computation from the stores of both providers, occurrence by occurrence."""
    ada = world.person("ada")
    ada.in_outlook(**TUESDAYS)
    for number, (start, end) in enumerate([("09:10", "09:50"), ("09:20", "11:00"), ("10:30", "10:40")]):
        ada.in_google(summary=f"G{number}", start=f"2026-12-08T{start}:00", end=f"2026-12-08T{end}:00")
        ada.in_outlook(subject=f"O{number}", start=f"2026-12-15T{start}:00", end=f"2026-12-15T{end}:00")
    world.activate()
    window = "--from", "2026-12-01", "--to", "2026-12-31"
    found = told("overlaps", "--person", ada.address, *window)["overlaps"]
    shown = set(in_outlook(world.simulator, ada.address)) | set(in_google(world.simulator, ada.address))
    pairs = [(max(a[0], b[0]), min(a[1], b[1])) for a, b in combinations(sorted(shown), 2) if a[0] < b[1] > b[0] < a[1]]
    assert sorted((one["start"][:16], one["end"][:16]) for one in found) == sorted(pairs)
    assert len(pairs) == 8
    assert {len(event["copies"]) for one in found for event in one["events"]} == {2}


def test_overlaps_tells_a_reader_where_and_when(world, capsys):
    ada = booked_twice(world)
    call_command("overlaps", "--all", "--from", "2026-12-01", "--to", "2026-12-01")
    text = capsys.readouterr().out
    assert "ada@meridian.example (Europe/Berlin)" in text
    assert "2026-12-01 09:15 to 09:30" in text
    assert text.strip().endswith("1 overlap of 1 person.")
    assert "Dentist" not in text
    call_command("overlaps", "--person", ada.address, "--from", "2026-12-02", "--to", "2026-12-03")
    assert "Nothing collides" in capsys.readouterr().out


def test_a_wrong_person_or_span_of_overlaps_is_told(world):
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("overlaps", "--person", "nobody@meridian.example")
    with pytest.raises(CommandError, match="before --from"):
        call_command("overlaps", "--all", "--from", "2026-12-02", "--to", "2026-12-01")


def test_free_slots_are_free_on_both_platforms_and_inside_everybodys_hours(world):
    ada = world.person("ada", google=False)
    kim = world.person("kim", outlook=False, zone="America/New_York")
    ada.in_outlook(start="2026-11-23T15:00:00", end="2026-11-23T16:00:00")  # 14 to 15 UTC, a Monday
    kim.in_google(start="2026-11-23T10:15:00", end="2026-11-23T10:45:00", zone="America/New_York")  # 15:15 UTC
    world.activate()
    with_both = "--with", f"{ada.address},{kim.address}"
    found = told("free_slots", *with_both, "--minutes", "15", "--within", "2", "--most", "5")["slots"]
    # Both work from 14 to 16 UTC, and this is what is left of it.
    assert [one["start"] for one in found][:2] == ["2026-11-23T15:00:00Z", "2026-11-23T15:45:00Z"]
    assert all(one["outside_working_hours"] == [] for one in found[:2])


def test_free_slots_says_when_somebodys_time_is_not_known(world):
    ada, bo = world.person("ada"), world.person("bo")
    world.activate()
    LinkedAccount.objects.filter(person=bo.user).delete()
    with pytest.raises(CommandError, match=r"No calendar of bo@meridian\.example"):
        call_command("free_slots", "--with", f"{ada.address},{bo.address}", "--minutes", "30", "--within", "5")
    with pytest.raises(CommandError, match=r"Nobody here has the address cy@meridian\.example"):
        call_command("free_slots", "--with", "cy@meridian.example", "--minutes", "30", "--within", "5")


def test_free_slots_says_when_there_is_none(world, capsys):
    ada = world.person("ada", google=False)
    ada.in_outlook(start="2026-11-21T00:00:00", end="2026-11-30T00:00:00")
    world.activate()
    with pytest.raises(SystemExit) as ended:
        call_command("free_slots", "--with", ada.address, "--minutes", "30", "--within", "2")
    assert ended.value.code == 1
    assert "There is no time" in capsys.readouterr().out


def test_what_is_long_over_is_forgotten(world, november):
    booked_twice(world)
    november.move_to(datetime(2027, 2, 1, tzinfo=UTC))
    busy.roll_forward(now=timezone.now())
    assert not BusySlot.objects.exists()


def test_another_policy_is_looked_at_at_once_and_leaves_a_line_in_the_trail(world):
    ada = booked_twice(world)
    move(ada, "2026-12-01T09:35:00", "2026-12-01T10:00:00")
    looked(world)
    assert not DoubleBooking.objects.standing().exists()
    save_overlap_policy(policy=OverlapPolicy(unit=world.unit, gap_minutes=15), now=timezone.now())
    assert look_at_unit(world.unit.pk) == 1
    assert DoubleBooking.objects.standing().exists()
    drop_overlap_policy(policy=OverlapPolicy.objects.get(), now=timezone.now())
    look_at_unit(world.unit.pk)
    assert not DoubleBooking.objects.standing().exists()
    saved, dropped = TrailEntry.objects.filter(action__startswith="overlaps.").order_by("pk")
    assert (saved.action, dropped.action) == ("overlaps.policy_saved", "overlaps.policy_dropped")
