"""Access that ends: revoked tokens, disabled and renamed mailboxes, deleted calendars. A person is told what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command

from calendars.models import Calendar, Event, Finding, Operation
from calsync.simulator.core import Fault
from tests.sync.endings import Patience, assert_well, state_of, titles

pytestmark = pytest.mark.one_database

PLATFORMS = ("outlook", "google")
BOTH = ["Kept", "Moved"]


@pytest.fixture
def ada(world):
    """Ada with two events in step, one made on either side."""
    ada = world.person("ada")
    ada.in_outlook(subject="Kept")
    ada.in_google(summary="Moved", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    assert titles(ada) == (BOTH, BOTH)
    return ada


def edit_both(ada):
    """Something for either side to take over."""
    ada.edit_outlook(next(event["id"] for event in ada.outlook if event["subject"] == "Kept"), subject="Kept 2")
    ada.edit_google(next(event["id"] for event in ada.google if event["summary"] == "Moved"), summary="Moved 2")


def assert_person_needed(person, platform, *words):
    """The calendar says that somebody has to act, and how."""
    told = state_of(person, platform)
    assert told.state == "action_required"
    for word in words:
        assert word in f"{told.state_reason} {told.state_remedy}"
    assert len(told.state_reason) < 255  # nothing was cut off


def other_side(person, platform):
    """What stands on the side that is not in trouble, by title."""
    if platform == "outlook":
        return sorted(event["summary"] for event in person.google)
    return sorted(event["subject"] for event in person.outlook)


@pytest.mark.parametrize("call", [1, 2, 4, 7])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_tokens_revoked_in_mid_run_are_replaced(world, ada, platform, call):
    clock = Patience()
    edit_both(ada)
    world.simulator.core.on_call.append(revoker(world, ada, platform, at=call))
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Kept 2", "Moved 2"])


def revoker(world, person, platform, *, at):
    """End every access token right after the n-th request to this provider."""
    seen = []

    def revoke(call):
        if call.provider != ("graph" if platform == "outlook" else "google"):
            return
        seen.append(call)
        if len(seen) == at and platform == "outlook":
            world.simulator.graph.login.revoke_all()
        elif len(seen) == at:
            world.simulator.google.tokens.revoke(person.address)

    return revoke


@pytest.mark.parametrize("platform", PLATFORMS)
def test_access_withdrawn_asks_for_a_person_and_goes_on_when_it_is_granted_again(world, ada, platform):
    clock = Patience()
    edit_both(ada)
    give_back = withdraw(world, ada, platform)
    clock.settle()
    assert_person_needed(ada, platform, "Check the connection's credentials (secret, certificate, key file)")
    other = PLATFORMS[platform == "outlook"]
    assert state_of(ada, other).state == "healthy"
    clock.sleep(3600)
    assert not clock.settle().idle
    give_back()
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Kept 2", "Moved 2"])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_sync_that_somebody_asks_for_tries_at_once_what_waited_for_a_person(world, ada, platform):
    clock = Patience()
    edit_both(ada)
    give_back = withdraw(world, ada, platform)
    clock.settle()
    give_back()
    before = clock.now()
    assert clock.settle().idle
    assert clock.now() - before < timedelta(minutes=1)  # far less than the pause
    assert_well(world, clock, ada, ["Kept 2", "Moved 2"])


def withdraw(world, person, platform):
    """The provider lets us in no more; returns what undoes it."""
    if platform == "outlook":
        world.simulator.graph.login.revoke_all()
        refusal = {"error": "invalid_client", "error_description": "AADSTS7000222: expired", "error_codes": [7000222]}
        world.simulator.core.faults.append(
            Fault("microsoft_login", "status", method="POST", status=401, body=refusal, times=999)
        )
        return world.simulator.core.faults.clear
    tokens = world.simulator.google.tokens
    tokens.revoke(person.address)
    granted, tokens.delegated = tokens.delegated, set()
    return lambda: setattr(tokens, "delegated", granted)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_disabled_mailbox_asks_for_a_person_and_deletes_nothing(world, ada, platform):
    clock = Patience()
    edit_both(ada)
    set_disabled(world, ada, platform, True)
    clock.settle()
    assert_person_needed(ada, platform, "Check the mailbox's address and licence")
    clock.sleep(24 * 3600)
    clock.settle()
    assert len(other_side(ada, platform)) == 2
    assert not Event.objects.exclude(deleted_at=None).exists()
    set_disabled(world, ada, platform, False)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Kept 2", "Moved 2"])


def set_disabled(world, person, platform, off):
    if platform == "outlook":
        world.simulator.graph.mailboxes[person.address].has_calendar = not off
    else:
        world.simulator.google.users[person.address].suspended = off
        world.simulator.google.tokens.revoke(person.address)


def test_a_mailbox_closed_to_applications_asks_for_a_person(world, ada):
    clock = Patience()
    world.simulator.graph.mailboxes[ada.address].denied = True
    edit_both(ada)
    clock.settle()
    assert_person_needed(ada, "outlook", "Grant the application access")
    world.simulator.graph.mailboxes[ada.address].denied = False
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Kept 2", "Moved 2"])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_calendar_deleted_at_the_provider_deletes_nothing_on_the_other_side(world, ada, platform):
    clock = Patience()
    take_away, give_back = lost_calendar(world, ada, platform)
    take_away()
    clock.settle()
    assert_person_needed(ada, platform, "Check that the mailbox and its calendar still exist.")
    clock.sleep(24 * 3600)
    clock.settle()
    assert other_side(ada, platform) == BOTH
    assert not Event.objects.exclude(deleted_at=None).exists()
    assert not Operation.objects.filter(kind="delete").exists()
    give_back()
    clock.wait_it_out()
    assert_well(world, clock, ada, BOTH)


def lost_calendar(world, person, platform):
    """What deletes the calendar at its provider with all that is in it, and what restores it."""
    if platform == "google":
        calendars = world.simulator.google.calendars
        kept = calendars[person.address]
        return (lambda: calendars.pop(person.address)), (lambda: calendars.update({person.address: kept}))
    mailbox = world.simulator.graph.mailboxes[person.address]
    gone = Fault("graph", "status", path="/events|calendarView", status=404, times=999, body=FOLDER_NOT_FOUND)
    hidden = dict(mailbox.items)

    def restore():
        world.simulator.core.faults.clear()
        mailbox.items.update(hidden)

    return (lambda: world.simulator.core.faults.append(gone)), restore


FOLDER_NOT_FOUND = {"error": {"code": "ErrorItemNotFound", "message": "The specified object was not found."}}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("kind", ["nothing", "edits", "a deletion"])
def test_a_renamed_mailbox_asks_for_a_person_and_goes_on_under_its_new_address(world, ada, tmp_path, platform, kind):
    clock = Patience()
    new = "ada.byron@meridian.example"
    provider = world.simulator.graph if platform == "outlook" else world.simulator.google
    provider.rename_mailbox(ada.address, new)
    ada_there = Renamed(ada, platform, new)
    clock.settle()
    assert_person_needed(ada, platform, "if it was renamed, map the person with the new address")
    expected = happen(ada_there, kind, platform)
    clock.settle()
    map_anew(tmp_path, ada, platform, new)
    report = clock.settle()
    clock.wait_it_out()
    assert report.tally.writes.total() <= 2  # only what changed; a new mailbox would get everything
    retired = Calendar.objects.get(account__person=ada.user, account__platform=platform, account__state="disabled")
    assert (retired.state, retired.is_active) == ("disabled", False)
    retired.delete()
    assert_well(world, clock, ada_there, expected)
    assert not Finding.objects.exists()


def happen(person, kind, platform):
    """What is done by hand while the mailbox cannot be reached; returns the titles that must remain."""
    if kind == "edits":
        edit_both(person)
        return ["Kept 2", "Moved 2"]
    if kind == "a deletion" and platform == "outlook":
        person.delete_outlook(next(event["id"] for event in person.outlook if event["subject"] == "Kept"))
        return ["Moved"]
    if kind == "a deletion":
        person.delete_google(next(event["id"] for event in person.google if event["summary"] == "Moved"))
        return ["Kept"]
    return BOTH


class Renamed:
    """The same person; one mailbox answers to another address."""

    def __init__(self, person, platform, address):
        self.user, self.world = person.user, person.world
        at_outlook = type(person)(person.user, address if platform == "outlook" else person.address, person.world)
        at_google = type(person)(person.user, address if platform == "google" else person.address, person.world)
        self.edit_outlook, self.delete_outlook = at_outlook.edit_outlook, at_outlook.delete_outlook
        self.edit_google, self.delete_google = at_google.edit_google, at_google.delete_google
        self._sides = at_outlook, at_google

    @property
    def outlook(self):
        return self._sides[0].outlook

    @property
    def google(self):
        return self._sides[1].google


def map_anew(folder, person, platform, address):
    """The mapping file with the mailbox's new address."""
    outlook, google = (address, person.address) if platform == "outlook" else (person.address, address)
    header = "email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox"
    file = folder / "people.csv"
    file.write_text(f"{header}\n{person.user.email},Ada,/Sales,Europe/Berlin,,,{outlook},{google}\n")
    call_command("map_org_units", str(file), verbosity=0)


def test_another_mailbox_in_the_place_of_the_old_one_is_not_taken_for_it(world, ada, tmp_path):
    clock = Patience()
    new = "ada.two@meridian.example"
    world.simulator.graph.add_mailbox(new, "Ada", "Europe/Berlin")
    ada_there = Renamed(ada, "outlook", new)
    map_anew(tmp_path, ada, "outlook", new)
    clock.wait_it_out()
    assert titles(ada_there) == (BOTH, BOTH)  # an empty new mailbox deletes nothing, it is filled
    assert titles(ada)[0] == BOTH
    edit_both(ada_there)
    clock.wait_it_out()
    assert titles(ada_there) == (["Kept 2", "Moved 2"], ["Kept 2", "Moved 2"])
    assert titles(ada)[0] == BOTH  # nobody writes to what the file does not name any more
    assert world.mails == []
