"""Switching sync on in the console: seen first, for the scope that was meant, and by those who may."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django_q.models import OrmQ

from accounts.models import TrailEntry, User
from calendars import tasks
from calendars.models import Calendar
from tests.sync.endings import titles

PAGE = "/admin/calendars/activate"


@pytest.fixture
def root(client, db):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


def active():
    return sorted(Calendar.objects.filter(is_active=True).values_list("account__person__email", flat=True))


def test_the_first_button_reads_and_switches_nothing_on(world, root):
    world.person("ada").in_outlook(subject="Lunch")
    page = root.post(PAGE, {"scope": "everybody"}).content.decode()
    assert "2 calendars of 1 person, 1 of them with a mailbox on both platforms" in page
    assert "1 events, 0 pairs stand on both sides already, 1 would be copied" in page
    assert active() == []
    assert world.mails == []


def test_the_second_button_switches_on_who_was_meant_and_workers_do_the_rest(world, root):
    ada, bo = world.person("ada"), world.person("bo")
    ada.in_outlook(subject="Lunch")
    answer = root.post(PAGE, {"scope": "person", "person": ada.address, "begin": "1"})
    assert answer["Location"] == reverse("admin:calendars_calendar_changelist")
    assert active() == [ada.address] * 2
    assert bo.address not in active()
    world.settle()
    assert titles(ada) == (["Lunch"], ["Lunch"])
    assert TrailEntry.objects.get(action="calendars.activated").actor_name == "root@example.org"


def test_names_and_zones_of_what_was_switched_on_are_asked_for_by_a_worker(world, root):
    world.person("ada")
    root.post(PAGE, {"scope": "everybody", "begin": "1"})
    asked = [task.task["args"] for task in OrmQ.objects.all() if task.task["func"] == "calendars.tasks.look_up"]
    assert sorted(asked) == [(pk,) for pk in sorted(Calendar.objects.values_list("pk", flat=True))]
    for (pk,) in asked:
        tasks.look_up(pk)
    assert set(Calendar.objects.values_list("time_zone", flat=True)) == {"Europe/Berlin"}


def test_mailboxes_out_of_reach_are_named_and_nothing_can_be_begun(world, root, settings):
    world.person("ada")
    settings.GOOGLE_SERVICE_ACCOUNT_FILE = ""
    page = root.post(PAGE, {"scope": "everybody", "begin": "1"}).content.decode()
    assert "No connection reaches these mailboxes" in page
    assert active() == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"scope": "person", "person": "nobody@example.org"}, "There is no such person."),
        ({"scope": "org_unit", "org_unit": "/Nowhere"}, "There is no such org unit."),
        ({"scope": "org_unit"}, "Say which one."),
        ({"scope": "everybody"}, "Nobody there has a mailbox."),
    ],
)
def test_what_cannot_be_meant_is_said(root, form, words):
    assert words in root.post(PAGE, {**form, "begin": "1"}).content.decode()
    assert active() == []
