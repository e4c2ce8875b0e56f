"""A person's second mailbox is invited too, after CalSync has copied the meeting there: one of the two has to go."""

import pytest

from accounts.models import LinkedAccount
from calendars import services
from calendars.models import Event, Finding, Link
from tests.sync.conftest import Person

GOOGLE = "ada.personal@meridian.example"


@pytest.fixture
def ada(world):
    """A person with one address on each platform."""
    ada = world.person("ada", google=False)
    world.simulator.google.add_mailbox(GOOGLE, "Ada", "Europe/Berlin")
    account = LinkedAccount.objects.create(person=ada.user, platform="google", address=GOOGLE)
    services.ensure_primary_calendars([account])
    return ada


def attendees(*addresses):
    return [{"emailAddress": {"address": address}, "type": "required"} for address in addresses]


@pytest.mark.parametrize("organizer", ["ada", "cem"])
def test_the_twin_gives_way_to_the_native_copy(world, ada, organizer):
    cem = world.person("cem", google=False)
    world.activate()
    host = ada if organizer == "ada" else cem
    made = host.in_outlook(subject="Review", attendees=attendees(ada.address if host is cem else cem.address))
    world.settle()
    in_google = Person(ada.user, GOOGLE, world)
    assert [event["summary"] for event in in_google.google] == ["Review"]
    assert Link.objects.get(calendar__account__address=GOOGLE).role == "twin"

    host.edit_outlook(made["id"], attendees=attendees(cem.address if host is ada else ada.address, GOOGLE))
    world.settle()
    [native] = in_google.google
    assert native["attendees"]
    assert len(ada.outlook) == 1
    standing = Link.objects.filter(event__owner=ada.user, event__deleted_at=None)
    assert sorted(standing.values_list("role", flat=True)) == ["native", "origin"]
    assert Event.objects.filter(owner=ada.user, deleted_at=None).count() == 1
    assert not Finding.objects.exists()
    assert world.mails == []

    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    assert world.audit().match_rate == 100.0


def test_a_person_invites_the_own_second_mailbox_and_answers_there(world, ada):
    world.activate()
    made = ada.in_outlook(subject="Review")
    world.settle()
    ada.edit_outlook(made["id"], attendees=attendees(GOOGLE))
    world.settle()
    in_google = Person(ada.user, GOOGLE, world)
    assert len(in_google.google) == len(ada.outlook) == 1
    assert world.mails == []
