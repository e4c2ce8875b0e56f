"""What rules cost: without any, one question a page whatever stands on it; a preview is quick and asks nobody."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendars import policy_change
from calendars.models import Event, Link
from calsync.engine import serial
from tests.sync.laws import BUSY


def make(ada, count, first=0):
    for number in range(first, first + count):
        day = f"2026-12-{number + 1:02}"
        ada.in_outlook(subject=f"Event {number}", start=f"{day}T09:00:00", end=f"{day}T10:00:00")


def test_without_rules_no_question_is_asked_for_a_single_event(world):
    """However many events a page or batch has, the rules are asked for as often."""
    ada = world.person("ada")
    world.activate()
    rules, people = [], []
    for first, count in ((0, 1), (1, 20)):
        make(ada, count, first)
        with CaptureQueriesContext(connection) as captured:
            world.settle()
        rules.append(len([query for query in captured if '"syncrules_rule"' in query["sql"]]))
        people.append(len([query for query in captured if "accounts_user" in query["sql"]]))
    assert rules[0] == rules[1] > 0
    assert people[0] == people[1], "nobody is looked up for an event"
    assert len(ada.google) == 21


@pytest.mark.parametrize("concerned", [False, True], ids=["nobody concerned", "everybody masked"])
def test_a_preview_of_many_events_is_quick(world, laws, concerned):
    """Measured with 1,000 events; the floor of 350 a second leaves room for a busy machine."""
    ada = world.person("ada")
    make(ada, 1)
    world.activate()
    [event] = Event.objects.all()
    pattern = serial.load(event.content)
    copies = [
        Event(owner=ada.user, uid=f"{number}", starts_at=event.starts_at, ends_at=event.ends_at, show_as="busy",
              content=serial.dump(pattern)) for number in range(999)
    ]  # fmt: skip
    Event.objects.bulk_create(copies)
    stored = list(Link.objects.filter(event=event))
    Link.objects.bulk_create(
        Link(event=copy, calendar_id=link.calendar_id, role=link.role, remote_id=f"{link.pk} {copy.pk}",
             hub_map=link.hub_map, remote_map=link.remote_map) for copy in copies for link in stored
    )  # fmt: skip
    if concerned:
        laws.everybody(BUSY)
    world.simulator.core.ledger.clear()
    began = time.monotonic()
    found = policy_change.preview(now=timezone.now())
    seconds = time.monotonic() - began
    assert (found.seen, len(found.events)) == (1000, 1000 if concerned else 0)
    assert world.simulator.core.ledger.calls == []
    assert found.seen / seconds > 350
