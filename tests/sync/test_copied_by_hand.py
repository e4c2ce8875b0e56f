"""Events that people duplicate themselves, our marker included: each is an event of its own."""

import pytest

from calendars.models import Event, Finding
from tests.sync.endings import Patience, assert_well

pytestmark = pytest.mark.one_database

GOOGLE = ("summary", "start", "end", "description", "extendedProperties")
OUTLOOK = ("subject", "start", "end", "body")


def duplicated_in_google(person, title):
    """What "Duplicate" does there: everything is cloned, the private properties too."""
    [found] = person.google
    clone = {name: value for name, value in found.items() if name in GOOGLE}
    person.world.simulator.google.create_event(person.address, {**clone, "summary": title})
    return "extendedProperties" in clone


def duplicated_in_outlook(person, title):
    """Copy and paste there: the named properties travel with the item."""
    [found] = person.outlook
    clone = {name: value for name, value in found.items() if name in OUTLOOK}
    marks = [{"id": name, "value": value} for name, value in found["singleValueExtendedProperties"].items()]
    if marks:
        clone["singleValueExtendedProperties"] = marks
    person.world.simulator.graph.create_event(person.address, {**clone, "subject": title})
    return bool(marks)


@pytest.mark.parametrize("made", ["outlook", "google"])
def test_a_duplicate_of_a_copy_with_its_marker_is_a_new_event(world, made):
    ada = world.person("ada")
    ada.in_outlook(subject="Plan") if made == "outlook" else ada.in_google(summary="Plan")
    world.activate()
    marked = [duplicated_in_google(ada, "Plan, once more"), duplicated_in_outlook(ada, "Plan, a third time")]
    assert marked == [made == "outlook", made == "google"]
    world.settle()
    assert Event.objects.count() == 3
    assert not Finding.objects.exists()
    assert_well(world, Patience(), ada, ["Plan", "Plan, once more", "Plan, a third time"])


@pytest.mark.parametrize("made", ["outlook", "google"])
def test_a_duplicate_outlives_what_it_was_made_of(world, made):
    ada = world.person("ada")
    original = ada.in_outlook(subject="Plan") if made == "outlook" else ada.in_google(summary="Plan")
    world.activate()
    duplicate = duplicated_in_google if made == "outlook" else duplicated_in_outlook
    assert duplicate(ada, "Plan, once more")
    (ada.delete_outlook if made == "outlook" else ada.delete_google)(original["id"])
    world.settle()
    assert_well(world, Patience(), ada, ["Plan, once more"])
