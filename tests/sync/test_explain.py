"""What ``manage.py explain_event`` tells: every reason why an event is not on the other side, and no content."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Clearance, Origin, TrailEntry, User
from accounts.trail import Acting, acting
from calendars import services
from calendars.models import Calendar, Event, Finding, Link
from calendars.sync.run import serve
from calsync.simulator.core import Fault
from syncrules.services import Target, switch_off

INVITED = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
ODD = ["RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=6"]


def run(*arguments):
    """(exit code, output) of a command."""
    out, err = StringIO(), StringIO()
    try:
        call_command("explain_event", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue() + err.getvalue()


def explained(event=None):
    event = event or Event.objects.get()
    code, out = run(str(event.pk), "--json")
    assert code == 0
    return json.loads(out)


def place(report, platform):
    return next(one for one in report["places"] if one["name"].lower().startswith(platform))


def codes(report, platform):
    return [reason["code"] for reason in place(report, platform)["reasons"]]


def calendar_of(person, platform):
    return Calendar.objects.get(account__person=person.user, account__platform=platform)


def operator(email="olga@meridian.example", **fields):
    return User.objects.create_user(
        email=email,
        **{"is_staff": True, "is_superuser": fields.get("is_staff", True), "clearance": Clearance.RESTRICTED, **fields},
    )


def test_an_event_in_step_is_told_from_its_beginning(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Budget 2")
    world.settle()
    report = explained()
    assert [one["state"] for one in report["places"]] == ["in step", "in step"]
    assert [line["kind"] for line in report["history"]] == ["made", "copied", "changed", "updated"]
    assert report["history"][2]["text"].startswith("Changed - Google calendar of ada@meridian.example: title.")
    assert " s after " in report["history"][3]["text"]
    assert report["next"] == []
    assert report["zone"] == "Europe/Berlin"


def test_the_words_for_a_reader(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    code, out = run(str(Event.objects.get().pk))
    assert code == 0
    assert "A single event, 2026-12-01 09:00 to 09:30 (Europe/Berlin), shown as busy." in out
    assert "Google calendar of ada@meridian.example" in out
    assert "Nothing: nothing is left to be written." in out
    assert "Budget" not in out


def test_content_is_shown_to_the_cleared_only(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget", location={"displayName": "Room 4"}, attendees=INVITED)
    world.activate()
    number = str(Event.objects.get().pk)
    operator()
    operator("nosy@meridian.example", clearance=Clearance.CONFIDENTIAL)
    operator("left@meridian.example", is_active=False)
    operator("clerk@meridian.example", is_staff=False)
    _, shown = run(number, "--as", "Olga@meridian.example")
    assert "Title: Budget" in shown
    assert "Room 4" in shown
    assert "guest@elsewhere.example" in shown
    for other in ("nosy", "left", "clerk"):
        code, masked = run(number, "--as", f"{other}@meridian.example")
        assert code == 0
        assert "is not cleared" in masked
        assert not any(word in masked for word in ("Budget", "Room 4", "guest@"))
    assert json.loads(run(number, "--json")[1])["content"] is None


def test_what_is_shown_at_a_shell_stands_in_the_audit_trail_with_the_shells_user(world):
    """Nobody there has proven to be whom they name: neither the operator nor the owner."""
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    number = str(Event.objects.get().pk)
    operator()
    operator("nosy@meridian.example", clearance=Clearance.CONFIDENTIAL)
    with acting(Acting(Origin.COMMAND, name="root, manage.py explain_event")):
        run(number)
        run(number, "--as", "nosy@meridian.example")
        assert not TrailEntry.objects.filter(action="content.seen").exists()
        for named in ("olga@meridian.example", ada.address):
            assert "Title: Budget" in run(number, "--as", named)[1]
    seen = TrailEntry.objects.filter(action="content.seen").order_by("pk")
    assert [(line.actor_name, line.facts) for line in seen] == [
        ("root, manage.py explain_event", {"shown_as": "olga@meridian.example"}),
        ("root, manage.py explain_event", {"shown_as": ada.address}),
    ]
    assert "Budget" not in str(list(seen.values()))


def test_an_unknown_operator_and_an_unknown_event_are_refused(world):
    assert run("1", "--as", "nobody@meridian.example")[0] == 2
    for reference in ("1", "99999999999999999999", "no-such-id", ""):
        code, out = run(reference)
        assert code == 2
        assert "\n" not in out


def test_an_event_is_found_by_what_the_providers_call_it(world):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Budget")
    world.activate()
    in_outlook = Link.objects.get(role="origin").remote_id
    for reference in (in_outlook, made["iCalUId"], ada.google[0]["id"], f"{ada.google[0]['id']}_20261201T080000Z"):
        code, out = run(reference, "--json")
        assert code == 0
        assert json.loads(out)["event"] == Event.objects.get().pk
    assert "occurrence" in json.loads(out)["matched"]


def test_several_events_of_one_uid_are_listed(world):
    ada, bo = world.person("ada"), world.person("bo", google=False)
    ada.in_google(summary="Budget")
    world.activate()
    event = Event.objects.get()
    Event.objects.create(
        owner=bo.user, uid=event.uid, starts_at=event.starts_at, ends_at=event.ends_at, content=event.content
    )
    code, out = run(event.uid)
    assert code == 2
    assert "ada@meridian.example" in out
    assert "bo@meridian.example" in out


def test_switched_off(world):
    ada = world.person("ada")
    world.activate()
    switch_off(target=Target.one_person(ada.user), reason="on leave", by=None, now=timezone.now())
    ada.in_outlook(subject="Budget")
    world.settle()
    report = explained()
    assert codes(report, "google")[0] == "switched_off"
    assert "on leave" in place(report, "google")["reasons"][0]["text"]
    assert "Create in the Google calendar" in report["next"][0]


def test_left_alone_from_now(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate(from_now=True)
    report = explained()
    assert codes(report, "google") == ["left_alone"]
    assert report["history"][0]["kind"] == "left_alone"


def test_a_series_that_stands_in_parts(world):
    ada = world.person("ada")
    ada.in_google(summary="Odd", recurrence=ODD)
    world.activate()
    whole = Event.objects.filter(whole=None).get()
    report = explained(whole)
    assert place(report, "outlook")["state"] == "in step"
    assert codes(report, "outlook") == ["in_parts"]
    assert "Odd" not in json.dumps(report)
    part = whole.parts.first()
    assert str(part.pk) in " ".join(report["what"])
    report = explained(part)
    assert [line["kind"] for line in report["history"]] == ["copied"]
    assert [one["state"] for one in report["places"]] == ["in step", "not wanted"]


def test_parts_that_wait_are_counted(world):
    ada = world.person("ada")
    ada.in_google(summary="Odd", recurrence=ODD)
    world.simulator.core.faults.append(
        Fault(provider="graph", kind="status", method="POST", path="/events", status=400, times=1)
    )
    world.activate()
    report = explained(Event.objects.filter(whole=None).get())
    assert place(report, "outlook")["state"] == "behind"
    assert "1 of them" in place(report, "outlook")["reasons"][0]["text"]
    assert codes(report, "outlook")[1] == "parked"


def test_held_by_a_brake(world):
    ada = world.person("ada")
    for day in range(1, 21):
        ada.in_google(summary=f"Day {day}", start=f"2026-12-{day:02}T09:00:00", end=f"2026-12-{day:02}T10:00:00")
    world.activate()
    for event in ada.google[:15]:
        ada.delete_google(event["id"])
    world.settle()
    report = explained(Link.objects.filter(state="held").first().event)
    assert place(report, "google")["state"] == "held"
    assert "15 of 20 events vanished" in place(report, "google")["reasons"][0]["text"]
    assert report["history"][-1]["kind"] == "held"
    assert [line["kind"] for line in report["findings"]] == ["mass_delete"]
    assert "waits for a person" in report["next"][0]


def test_parked_with_its_remedy(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Budget")
    world.simulator.core.faults.append(
        Fault(provider="google", kind="status", method="POST", path="/events", status=400, times=9)
    )
    world.settle()
    report = explained()
    assert "parked" in codes(report, "google")
    assert all(reason["remedy"] for reason in place(report, "google")["reasons"])
    [parked] = [line for line in report["history"] if line["kind"] == "parked"]
    assert "Rejected" in parked["text"]
    assert "not_held" not in {line["kind"] for line in report["history"]}
    assert report["findings"][0]["remedy"]


def test_waiting_for_its_time(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Budget")
    world.simulator.core.faults.append(
        Fault(provider="google", kind="status", method="POST", path="/events", status=503, times=9)
    )
    serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=False)
    report = explained()
    assert codes(report, "google")[0] == "waiting"
    assert [line["kind"] for line in report["history"]] == ["made", "waiting"]
    assert "Transient" in report["history"][1]["text"]


def test_a_calendar_that_is_off_or_in_trouble(world):
    ada = world.person("ada")
    world.activate()
    google = Calendar.objects.filter(pk=calendar_of(ada, "google").pk)
    services.deactivate(calendars=google, now=timezone.now(), reason="being moved")
    ada.in_outlook(subject="Budget")
    world.settle()
    report = explained()
    assert codes(report, "google") == ["not_active"]
    assert "being moved" in place(report, "google")["reasons"][0]["text"]
    google.update(is_active=True, state="action_required", state_reason="No licence.")
    assert codes(explained(), "google") == ["trouble"]


def test_outside_the_window(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    Link.objects.filter(role="twin").delete()
    Calendar.objects.filter(account__platform="google").update(window_end=timezone.now())
    assert codes(explained(), "google") == ["outside_window"]
    Calendar.objects.filter(account__platform="google").update(
        window_start=timezone.now() + timedelta(days=60), window_end=timezone.now() + timedelta(days=90)
    )
    assert codes(explained(), "google") == ["outside_window"]
    Calendar.objects.filter(account__platform="google").update(window_start=None, window_end=None)
    assert codes(explained(), "google") == ["not_planned"]


def test_deleted(world):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Budget")
    world.activate()
    ada.delete_outlook(made["id"])
    world.settle()
    report = explained()
    assert codes(report, "google") == ["deleted"]
    assert [line["kind"] for line in report["history"]][-2:] == ["deleted", "copy_deleted"]
    assert "Outlook calendar" in report["history"][-2]["text"]
    assert report["next"] == []


def test_taken_out_by_an_operator(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    call_command("remove_copies", "--all", "--yes", stdout=StringIO())
    report = explained()
    assert codes(report, "google")[0] == "taken_out"
    assert report["history"][-1]["kind"] == "taken_out"


def test_nobody_on_the_other_side(world):
    bo = world.person("bo", google=False)
    bo.in_outlook(subject="Budget")
    world.activate()
    assert codes(explained(), "the other side") == ["no_mailbox"]


def test_a_copy_that_is_put_back(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Review", attendees=INVITED)
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Mine")
    world.settle()
    report = explained()
    assert [line["kind"] for line in report["history"]][-2:] == ["put_back", "updated"]
    assert report["findings"][0]["remedy"].startswith("Ask the organiser")


def test_an_edit_on_both_sides_says_who_won_and_by_which_rule(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="From Google")
    ada.edit_outlook(ada.outlook[0]["id"], subject="From Outlook")
    world.settle()
    [line] = [line for line in explained()["history"] if line["kind"] == "both_edited"]
    assert "was taken; the rule is: the newer edit wins." in line["text"]
    assert "From" not in line["text"]


def test_what_could_not_be_understood_has_an_answer(world):
    ada = world.person("ada")
    world.activate()
    Finding.objects.create(
        kind="malformed",
        person=ada.user,
        calendar=calendar_of(ada, "google"),
        remote_id="odd1",
        text="An event could not be understood and is left alone: no start.",
        created_at=timezone.now(),
    )
    code, out = run("odd1")
    assert code == 2
    assert "could not be understood" in out


@pytest.mark.parametrize("relation", ["part", "successor"])
def test_relatives_are_named(world, relation):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    event = Event.objects.get()
    fields = {"whole": event, "part": "2026-12-01T09:00"} if relation == "part" else {"predecessor": event}
    other = Event.objects.create(
        owner=ada.user, starts_at=event.starts_at, ends_at=event.ends_at, content=event.content, **fields
    )
    assert any(str(other.pk) in line for line in explained(event)["what"])
    assert any(str(event.pk) in line for line in explained(other)["what"])
