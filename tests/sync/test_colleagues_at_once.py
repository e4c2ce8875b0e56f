"""Two colleagues' calendars worked on at the same moment, on PostgreSQL: nobody waits for ever, nothing is doubled."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from calendars.models import Calendar, Event, Finding, Link
from calendars.sync import store
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn

ROUNDS = 4
MEETINGS = 5

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.django_db(transaction=True)]


def at_once(calendar_ids):
    """One turn on each calendar, all begun at the same moment; returns what was raised."""
    gate, raised = threading.Barrier(len(calendar_ids)), []

    def work(calendar_id):
        try:
            gate.wait()
            take_turn(calendar_id=calendar_id, clock=timezone.now, tally=Tally())
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[calendar_id]) for calendar_id in calendar_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


def invite_each_other(world, ada, bo, round_):
    """Meetings of each with the other, some of which the mail brings natively and some not."""
    world.simulator.core.switches.mail_arrives = round_ % 2 == 0
    for number in range(MEETINGS):
        title, start, end = (
            f"{round_}/{number}",
            f"2026-12-{10 + round_}T{9 + number:02}:00:00",
            f"2026-12-{10 + round_}T{9 + number:02}:30:00",
        )
        bo_asked = [{"emailAddress": {"address": bo.address}, "type": "required"}]
        ada.in_outlook(subject=f"A {title}", start=start, end=end, attendees=bo_asked)
        body = {"summary": f"B {title}", "attendees": [{"email": ada.address}]}
        span = {name: {"dateTime": at, "timeZone": "Europe/Berlin"} for name, at in (("start", start), ("end", end))}
        world.simulator.google.create_event(bo.address, {**body, **span}, send_updates="all")


def test_two_calendars_decided_at_once_double_nothing(transactional_db, world, monkeypatch):
    monkeypatch.setattr(store, "NATIVE_GRACE", timedelta(seconds=1))
    ada, bo = world.person("ada", google=False), world.person("bo", outlook=False)
    world.activate()
    calendar_ids = list(Calendar.objects.order_by("pk").values_list("pk", flat=True))
    for round_ in range(ROUNDS):
        invite_each_other(world, ada, bo, round_)
        for _ in range(3):
            Calendar.objects.all().ring(now=timezone.now())
            assert at_once(calendar_ids) == []
    world.simulator.core.release_mails()
    for event in [*ada.outlook]:
        if event["attendees"] and event["isOrganizer"]:  # not the copies of Bo's meetings: those edits would be kept
            ada.edit_outlook(event["id"], location={"displayName": "Room 4"})
    Calendar.objects.all().ring(now=timezone.now())
    assert at_once(calendar_ids) == []
    world.settle()

    wanted = sorted(
        f"{who} {round_}/{number}" for who in "AB" for round_ in range(ROUNDS) for number in range(MEETINGS)
    )
    assert sorted(event["subject"] for event in ada.outlook) == wanted
    assert sorted(event["summary"] for event in bo.google) == wanted
    assert Event.objects.filter(deleted_at=None).count() == len(wanted)
    assert set(Link.objects.filter(event__deleted_at=None).values_list("role", flat=True)) == {"origin", "native"}
    assert not Finding.objects.exists()
    assert world.mails == []
