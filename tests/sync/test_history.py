"""The history of events: a line for what is decided or done, none for an echo, and no content in any of them."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendars import services
from calendars.models import Event, EventEntry
from calsync.simulator.core import Fault

FIELDS = ("kind", "calendar__account__platform")


def kinds():
    return list(EventEntry.objects.order_by("pk").values_list(*FIELDS))


def test_an_echo_leaves_no_line(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    world.settle()
    world.settle()
    assert kinds() == [("made", "outlook"), ("copied", "google")]


def test_a_pair_is_adopted_and_an_edit_names_its_fields_only(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Secret")
    ada.in_google(summary="Secret")
    world.activate()
    assert [kind for kind, _ in kinds()] == ["made", "adopted"]
    ada.edit_google(ada.google[0]["id"], summary="Secret 2", location="Hidden room")
    world.settle()
    changed = EventEntry.objects.get(kind="changed")
    assert changed.paths == ["location", "title"]
    assert changed.calendar.account.platform == "google"
    told = " ".join(f"{entry.text} {entry.paths}" for entry in EventEntry.objects.all())
    assert "Secret" not in told
    assert "Hidden" not in told


def test_a_refusal_that_repeats_is_told_once(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Budget")
    world.simulator.core.faults.append(
        Fault(provider="google", kind="status", method="POST", path="/events", status=503, times=3)
    )
    world.settle()
    assert [kind for kind, _ in kinds()].count("waiting") <= 2
    assert kinds()[-1] == ("copied", "google")
    assert "at attempt 4" in EventEntry.objects.get(kind="copied").text


def test_a_create_that_came_through_unanswered_is_told(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Budget")
    world.simulator.core.faults.append(
        Fault(provider="google", kind="lose_answer", method="POST", path="/events", times=1)
    )
    world.settle()
    assert len(ada.google) == 1
    assert kinds()[0] == ("made", "outlook")
    assert {kind for kind, _ in kinds()} & {"copied", "found_again"}


def test_the_lines_of_a_page_and_of_a_batch_cost_one_statement_each(world):
    ada = world.person("ada")
    world.activate()
    inserts = []
    for count in (5, 40):
        for number in range(count):
            ada.in_outlook(subject=f"{count}-{number}")
        with CaptureQueriesContext(connection) as queries:
            world.settle()
        inserts.append(sum('INSERT INTO "calendars_evententry"' in query["sql"] for query in queries.captured_queries))
    assert EventEntry.objects.count() == 2 * 45
    assert inserts == [2, 2]


def test_old_lines_go_and_beginnings_stay(world, settings):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Budget 2")
    world.settle()
    services.clean_up(now=timezone.now() + timedelta(days=settings.CALSYNC_KEEP_DONE_DAYS + 1))
    assert kinds() == [("made", "outlook")]


def test_the_console_shows_the_history_of_an_event(world, admin_client):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    page = admin_client.get(f"/admin/calendars/event/{Event.objects.get().pk}/change/").content.decode()
    assert "after it was planned" in page
    assert "seen for the first time" in page
    assert "overflow-wrap: anywhere" in page
    assert " UTC" in page
    assert "Budget" not in page
