"""Answers that are lost, cut off, empty or not understood: no write is doubled, no event is taken for deleted."""

from datetime import date

import pytest

from calendars.models import Calendar, Finding, Link
from calsync.providers.google import calls
from calsync.providers.graph import changes
from calsync.providers.graph.client import PREFER
from calsync.simulator.core import Fault
from tests.sync.endings import Patience, assert_well, state_of, titles
from tests.sync.test_races import WEEKLY

pytestmark = pytest.mark.one_database

PROVIDERS = ("graph", "google")
READ = {"graph": "calendarView/delta", "google": r"/events\?"}
KINDS = ("drop", "lose_answer", "half_answer")


def other_side(person, provider, title, day):
    """An event made by hand where ``provider`` is not, so that the copy is written there; returns its id."""
    span = {"start": f"2026-12-{day:02}T09:00:00", "end": f"2026-12-{day:02}T10:00:00"}
    made = person.in_google(summary=title, **span) if provider == "graph" else person.in_outlook(subject=title, **span)
    return made["id"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_lost_answer_to_any_kind_of_write_is_made_good(world, provider, kind):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    lose = [Fault(provider, kind, method=method, path="/events", times=1) for method in ("POST", "PATCH", "DELETE")]
    world.simulator.core.faults += lose
    kept, gone = other_side(ada, provider, "Kept", 1), other_side(ada, provider, "Gone", 2)
    clock.wait_it_out()
    assert titles(ada) == (["Gone", "Kept"], ["Gone", "Kept"])
    if provider == "graph":
        ada.edit_google(kept, summary="Kept 2")
        ada.delete_google(gone)
    else:
        ada.edit_outlook(kept, subject="Kept 2")
        ada.delete_outlook(gone)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Kept 2"])
    assert all(world.simulator.core.fault_uses[id(fault)].seen for fault in lose)


@pytest.mark.parametrize("skip", range(6))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_series_whose_write_broke_off_anywhere_becomes_whole(world, provider, skip):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    broken = Fault(provider, "lose_answer", path="/events|/batch", skip=skip + 1)  # the first is the read before it
    if provider == "google":
        made = ada.in_outlook(subject="Weekly", recurrence=WEEKLY)
        ada.edit_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 8)), subject="Special")
        world.simulator.graph.delete_event(ada.address, ada.occurrence_in_outlook(made["id"], date(2026, 12, 15)))
    else:
        made = ada.in_google(summary="Weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
        ada.edit_google(f"{made['id']}_20261208T080000Z", summary="Special")
        ada.delete_google(f"{made['id']}_20261215T080000Z")
    world.simulator.core.faults.append(broken)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Weekly"])
    [outlook] = ada.outlook
    assert [exception["subject"] for exception in outlook["exceptions"].values()] == ["Special"]
    # The audit has compared both sides with the hub; each shows one changed and one cancelled occurrence.
    assert [len(link.occurrences) for link in Link.objects.all()] == [2, 2]


@pytest.mark.parametrize("kind", ["drop", "half_answer"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_read_that_ends_in_mid_page_deletes_nothing_and_is_repeated(world, provider, kind):
    ada, clock = world.person("ada"), Patience()
    names = [f"Day {day}" for day in range(1, 9)]
    for day, name in enumerate(names, start=1):
        other_side(ada, "graph" if day % 2 else "google", name, day)
    world.activate()
    world.simulator.graph.expire_delta_tokens(ada.address)
    world.simulator.google.expire_sync_tokens()
    skip = 1  # the expired cursor is told first
    world.simulator.core.faults.append(Fault(provider, kind, method="GET", path=READ[provider], skip=skip))
    clock.settle()
    assert titles(ada) == (names, names)
    clock.wait_it_out()
    assert_well(world, clock, ada, names)
    assert not Finding.objects.exists()


def test_a_page_of_several_that_breaks_off_is_read_again_from_the_first(world, monkeypatch):
    monkeypatch.setattr(calls, "PAGE", 3)
    monkeypatch.setattr(changes, "HEADERS", {"Prefer": f"{PREFER}, odata.maxpagesize=3"})
    ada, clock = world.person("ada"), Patience()
    names = [f"Day {day}" for day in range(1, 9)]
    for day, name in enumerate(names, start=1):
        other_side(ada, "graph" if day % 2 else "google", name, day)
    for provider in PROVIDERS:
        world.simulator.core.faults.append(Fault(provider, "half_answer", method="GET", path="pageToken=|skiptoken="))
    world.activate()
    clock.wait_it_out()
    assert [use.seen > 1 for use in world.simulator.core.fault_uses.values()] == [True, True]
    assert_well(world, clock, ada, names)


def test_an_empty_page_before_the_last_one_means_nothing(world):
    world.simulator.core.switches.graph_delta_empty_pages = True
    ada, clock = world.person("ada"), Patience()
    other_side(ada, "google", "One", 1)
    world.activate()
    other_side(ada, "google", "Two", 2)
    world.simulator.graph.expire_delta_tokens(ada.address)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["One", "Two"])


def test_an_empty_page_that_leads_nowhere_is_not_the_end_of_the_calendar(world):
    ada, clock = world.person("ada"), Patience()
    other_side(ada, "graph", "One", 1)
    world.activate()
    page = {"kind": "calendar#events", "items": [], "timeZone": "UTC", "accessRole": "owner", "nextPageToken": "gone"}
    world.simulator.google.expire_sync_tokens()
    world.simulator.core.faults.append(
        Fault("google", "status", method="GET", path=r"/events\?", status=200, body=page, skip=1)
    )
    other_side(ada, "graph", "Two", 2)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["One", "Two"])
    assert not Finding.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_is_a_front_ends_error_page_changes_nothing(world, provider):
    ada, clock = world.person("ada"), Patience()
    other_side(ada, "graph", "One", 1)
    world.activate()
    page = Fault(provider, "status", method="GET", path=READ[provider], status=200, body=None, times=2)
    world.simulator.core.faults.append(page)
    clock.settle()
    platform = "outlook" if provider == "graph" else "google"
    assert state_of(ada, platform).state in {"delayed", "healthy"}
    clock.wait_it_out()
    assert_well(world, clock, ada, ["One"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_malformed_event_among_good_ones_is_put_aside_and_taken_up_when_it_is_mended(world, provider):
    ada, clock = world.person("ada"), Patience()
    other_side(ada, "google" if provider == "graph" else "graph", "Good", 1)
    bad = spoil(world, ada, provider)
    world.activate()
    assert clock.settle().idle
    assert titles(ada)[0 if provider == "google" else 1] == ["Good"]
    [found] = Finding.objects.all()
    assert found.kind == "malformed"
    assert "could not be understood" in found.text
    mend(world, ada, provider, bad)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Bad", "Good"])
    found.refresh_from_db()
    assert found.settled_at is not None


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("anew", [False, True], ids=["by its change", "by a complete read"])
def test_an_event_that_becomes_malformed_is_left_as_it_is_on_the_other_side(world, provider, anew):
    ada, clock = world.person("ada"), Patience()
    bad = whole(ada, provider)
    other_side(ada, "google" if provider == "graph" else "graph", "Good", 1)
    world.activate()
    touch(ada, provider, bad, "Room 1")
    break_rule(world, ada, provider, bad)
    if anew:
        world.simulator.graph.expire_delta_tokens(ada.address)
        world.simulator.google.expire_sync_tokens()
    clock.settle()
    assert titles(ada) == (["Bad", "Good"], ["Bad", "Good"])
    [found] = Finding.objects.all()
    assert (found.kind, found.settled_at) == ("malformed", None)
    mend(world, ada, provider, bad)
    touch(ada, provider, bad, "Room 2")
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Bad", "Good"])
    found.refresh_from_db()
    assert found.settled_at is not None
    places = [{event.get("location", "") for event in ada.google}, {e["location"]["displayName"] for e in ada.outlook}]
    assert places == [{"", "Room 2"}, {"", "Room 2"}]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_malformed_event_that_is_deleted_leaves_no_finding_after_the_next_complete_read(world, provider):
    ada, clock = world.person("ada"), Patience()
    bad = spoil(world, ada, provider)
    other_side(ada, "google" if provider == "graph" else "graph", "Good", 1)
    world.activate()
    Calendar.objects.reread(now=clock.now())
    clock.settle()
    assert [found.settled_at for found in Finding.objects.all()] == [None]
    (ada.delete_google if provider == "google" else ada.delete_outlook)(bad)
    Calendar.objects.reread(now=clock.now())
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Good"])
    assert not Finding.objects.filter(settled_at=None).exists()


def touch(person, provider, event_id, place):
    if provider == "google":
        person.edit_google(event_id, location=place)
    else:
        person.edit_outlook(event_id, location={"displayName": place})


def whole(person, provider):
    """A good series; returns its id."""
    span = {"start": "2026-12-03T09:00:00", "end": "2026-12-03T10:00:00"}
    if provider == "google":
        return person.in_google(summary="Bad", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"], **span)["id"]
    return person.in_outlook(subject="Bad", recurrence=WEEKLY)["id"]


def spoil(world, person, provider):
    """An event with a rule that nobody knows; returns its id."""
    made = whole(person, provider)
    break_rule(world, person, provider, made)
    return made


def break_rule(world, person, provider, event_id):
    if provider == "google":
        record = google_record(world, person, event_id)
        record.fields["recurrence"] = ["RRULE:FREQ=SOMETIMES"]
        record.rendered.clear()
        return
    event, _ = world.simulator.graph.find(world.simulator.graph.mailbox(person.address), event_id)
    event.recurrence = {**WEEKLY, "pattern": {"type": "lunar", "interval": 1}}


def google_record(world, person, event_id):
    store = world.simulator.google
    return next(
        record for calendar in store.of_user(person.address) for record in calendar.records.values()
        if record.id == event_id
    )  # fmt: skip


def mend(world, person, provider, event_id):
    if provider == "google":
        google_record(world, person, event_id).fields["recurrence"] = ["RRULE:FREQ=WEEKLY;COUNT=3"]
        person.edit_google(event_id, summary="Bad")
    else:
        person.edit_outlook(event_id, recurrence=WEEKLY)
