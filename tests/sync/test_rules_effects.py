"""Every effect of a rule, from its row to what stands on the other side. An effect without a row here fails."""

import pytest

from calendars.models import Finding, Link
from calsync.engine.rules.effects import EFFECTS
from tests.sync.company import WEEKLY

WHERE = {"displayName": "Main Street"}
TEXT = {"contentType": "text", "content": "tooth"}
SHOWN = [  # what a rule says -> title, place and text on the other side; None where nothing stands
    ({"do": "sync"}, ("Dentist", "Main Street", True)),
    ({"do": "skip"}, None),
    ({"do": "hold", "approver": "manager"}, None),
    ({"details": "full"}, ("Dentist", "Main Street", True)),
    ({"details": "title"}, ("Dentist", "", False)),
    ({"details": "busy"}, ("Busy", "", False)),
    ({"details": ["location"]}, ("Busy", "Main Street", False)),
    ({"details": ["title", "body"]}, ("Dentist", "", True)),
    ({"details": "busy", "title": "Away ({show_as})"}, ("Away ()", "", False)),
    ({"title": "{title} of {organizer}"}, ("Dentist of", "Main Street", True)),
    ({"horizon": 3650}, ("Dentist", "Main Street", True)),
    ({"horizon": 1}, None),
]
CHANGED = [  # what a rule says -> both titles after both sides were edited, the other side later
    ({"conflict": "newest"}, "Theirs"),
    ({"conflict": "origin"}, "Ours"),
    ({"conflict": "outlook"}, "Ours"),
    ({"conflict": "google"}, "Theirs"),
]
OTHERS = {"on_delete", "leaving", "priority", "pin_zone"}  # each has a test of its own below


def test_every_effect_is_driven():
    told = {name for then, _ in (*SHOWN, *CHANGED) for name in then}
    assert told | OTHERS == EFFECTS.keys()


@pytest.mark.parametrize(("then", "expected"), SHOWN, ids=str)
def test_what_a_rule_says_is_what_the_other_side_shows(world, laws, then, expected):
    laws.everybody(then)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist", location=WHERE, body=TEXT)
    world.activate()
    found = [(item["summary"], item.get("location", ""), "tooth" in item.get("description", "")) for item in ada.google]
    assert found == ([] if expected is None else [expected])
    assert Finding.objects.filter(kind="approval").exists() == (then.get("do") == "hold")
    assert world.mails == []


@pytest.mark.parametrize(("then", "title"), CHANGED, ids=str)
def test_the_rule_says_who_wins_when_both_sides_changed(world, laws, then, title):
    laws.everybody(then)
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="Ours")
    world.let_pass(60)
    ada.edit_google(ada.google[0]["id"], summary="Theirs")
    world.settle()
    assert (ada.outlook[0]["subject"], ada.google[0]["summary"]) == (title, title)


def test_a_rule_can_ask_a_person_who_wins(world, laws):
    laws.everybody({"conflict": "ask"})
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="Ours")
    ada.edit_google(ada.google[0]["id"], summary="Theirs")
    world.settle()
    assert "a person has to choose" in Finding.objects.get(kind="both_edited").text


@pytest.mark.parametrize(("word", "left"), [("edit_wins", ["Needed"]), ("delete_wins", [])])
def test_the_rule_says_whether_an_edit_saves_what_was_deleted(world, laws, word, left):
    laws.everybody({"on_delete": word})
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="Needed")
    ada.delete_google(ada.google[0]["id"])
    world.settle()
    assert [item["subject"] for item in ada.outlook] == left
    assert [item["summary"] for item in ada.google] == left


@pytest.mark.parametrize(("word", "left"), [("keep", ["Plan"]), ("mask", ["Busy"]), ("remove", [])])
def test_the_rule_says_what_becomes_of_a_copy_that_leaves_it(world, laws, word, left):
    laws.everybody({"do": "skip", "leaving": word}, titled="secret")
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="secret plan")
    world.settle()
    assert [item["summary"] for item in ada.google] == left


def test_the_priority_is_kept_with_the_copy_for_double_bookings(world, laws):
    laws.everybody({"priority": 7})
    ada = world.person("ada")
    ada.in_outlook(subject="Plan")
    world.activate()
    assert Link.objects.get(role="twin").treatment["priority"] == 7


@pytest.mark.parametrize(("zone", "told"), [("Europe/Berlin", "Europe/Berlin"), ("Pacific/Kiritimati", "Europe/Paris")])
def test_a_series_is_pinned_to_the_rule_s_zone_where_no_occurrence_moves_by_it(world, laws, zone, told):
    laws.everybody({"pin_zone": zone})
    ada = world.person("ada")
    ada.in_outlook(subject="Weekly", recurrence=WEEKLY["outlook"], zone="Romance Standard Time")
    world.activate()
    [copy] = ada.google
    assert copy["start"]["timeZone"] == told
    assert copy["start"]["dateTime"].startswith("2026-12-01T09:00:00")
