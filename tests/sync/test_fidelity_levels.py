"""How an event weighs and who may look into it: the finer levels of Outlook survive the coarser ones of Google."""

from __future__ import annotations

import pytest

from accounts.models import LinkedAccount
from calendars import services
from calendars.models import Finding
from calsync.engine.events import ShowAs
from tests.sync.conftest import google_body
from tests.sync.sight import edit, read, settled

pytestmark = pytest.mark.one_database

IN_GOOGLE = {
    "free": {"transparency": "transparent", "status": "confirmed"},
    "tentative": {"transparency": None, "status": "tentative"},
    "busy": {"transparency": None, "status": "confirmed"},
    "oof": {"transparency": None, "status": "confirmed"},
    "workingElsewhere": {"transparency": None, "status": "confirmed"},
}
VISIBLE = {"normal": None, "personal": "private", "private": "private", "confidential": "private"}
AWAY = {"eventType": "outOfOffice", "outOfOfficeProperties": {"autoDeclineMode": "declineNone"}}
HOME = {"type": "homeOffice", "homeOffice": {}}


@pytest.mark.parametrize("level", list(IN_GOOGLE))
def test_a_weight_of_outlook_survives_an_unrelated_edit_in_google(world, level):
    ada = world.person("ada")
    ada.in_outlook(showAs=level)
    world.activate()
    assert {name: ada.google[0].get(name) for name in ("transparency", "status")} == IN_GOOGLE[level]
    edit(ada, "google", title="Final")
    world.settle()
    assert (ada.outlook[0]["subject"], ada.outlook[0]["showAs"]) == ("Final", level)
    settled(world)


@pytest.mark.parametrize("level", ["tentative", "busy", "oof", "workingElsewhere"])
def test_a_weight_that_is_really_changed_in_google_reaches_outlook(world, level):
    ada = world.person("ada")
    ada.in_outlook(showAs=level)
    world.activate()
    edit(ada, "google", transparency="transparent")
    world.settle()
    assert ada.outlook[0]["showAs"] == "free"
    edit(ada, "google", transparency="opaque", status="confirmed")
    world.settle()
    assert ada.outlook[0]["showAs"] == "busy"
    settled(world)


def test_a_weight_changed_in_outlook_reaches_google(world):
    ada = world.person("ada")
    ada.in_google()
    world.activate()
    for level in ("free", "busy"):
        edit(ada, "outlook", showAs=level)
        world.settle()
        assert read(ada, "google").content.show_as == ShowAs(level)
    settled(world)


@pytest.mark.parametrize("level", list(VISIBLE))
def test_a_sensitivity_of_outlook_survives_an_unrelated_edit_in_google(world, level):
    ada = world.person("ada")
    ada.in_outlook(sensitivity=level)
    world.activate()
    assert ada.google[0].get("visibility") == VISIBLE[level]
    edit(ada, "google", title="Final")
    world.settle()
    assert (ada.outlook[0]["subject"], ada.outlook[0]["sensitivity"]) == ("Final", level)
    settled(world)


@pytest.mark.parametrize(
    ("visibility", "level"), [("private", "private"), ("confidential", "private"), ("public", "normal")]
)
def test_a_visibility_of_google_is_seen_in_outlook_and_stays(world, visibility, level):
    ada = world.person("ada")
    ada.in_google(visibility=visibility)
    world.activate()
    assert ada.outlook[0]["sensitivity"] == level
    edit(ada, "outlook", title="Final")
    world.settle()
    assert (ada.google[0]["summary"], ada.google[0]["visibility"]) == ("Final", visibility)
    settled(world)


def test_a_sensitivity_that_is_really_changed_in_google_reaches_outlook(world):
    ada = world.person("ada")
    ada.in_outlook(sensitivity="confidential")
    world.activate()
    edit(ada, "google", visibility="default")
    world.settle()
    assert ada.outlook[0]["sensitivity"] == "normal"
    settled(world)


@pytest.mark.parametrize("first", ["outlook", "google"])
def test_coarser_levels_are_no_difference_on_first_contact(world, first):
    ada = world.person("ada", outlook=first == "outlook")
    if first == "google":  # calendars are read in the order in which they were mapped
        world.simulator.graph.add_mailbox(ada.address, "Ada", "Europe/Berlin")
        account = LinkedAccount.objects.create(person=ada.user, platform="outlook", address=ada.address)
        services.ensure_primary_calendars([account])
    ada.in_outlook(showAs="oof", sensitivity="confidential")
    ada.in_google(visibility="private")
    world.activate()
    assert (ada.outlook[0]["showAs"], ada.outlook[0]["sensitivity"]) == ("oof", "confidential")
    assert not Finding.objects.exists()
    settled(world)


def test_an_out_of_office_event_of_google_is_one_in_outlook(world):
    ada = world.person("ada")
    ada.in_google(**AWAY)
    world.activate()
    assert ada.outlook[0]["showAs"] == "oof"
    edit(ada, "outlook", title="Away")
    world.settle()
    assert (ada.google[0]["summary"], ada.google[0]["eventType"]) == ("Away", "outOfOffice")
    settled(world)


def test_another_weight_for_an_out_of_office_event_of_google_is_put_back(world):
    ada = world.person("ada")
    ada.in_google(**AWAY)
    world.activate()
    edit(ada, "outlook", showAs="free")
    world.settle()
    assert ada.outlook[0]["showAs"] == "oof"
    assert Finding.objects.get().kind == "copy_edited"
    settled(world)


@pytest.mark.parametrize(
    "kind",
    [
        {"eventType": "focusTime", "focusTimeProperties": {"autoDeclineMode": "declineNone"}},
        {"eventType": "fromGmail"},
        {
            "eventType": "workingLocation",
            "workingLocationProperties": HOME,
            "visibility": "public",
            "transparency": "transparent",
        },
        {
            "eventType": "birthday",
            "start": {"date": "2026-12-01"},
            "end": {"date": "2026-12-02"},
            "recurrence": ["RRULE:FREQ=YEARLY"],
        },
    ],
    ids=lambda kind: kind["eventType"],
)
def test_special_kinds_of_google_are_left_in_google(world, kind):
    ada = world.person("ada")
    world.simulator.google.create_event(ada.address, {**google_body(), **kind})
    world.activate()
    assert len(ada.google) == 1
    assert ada.outlook == []
    settled(world)
