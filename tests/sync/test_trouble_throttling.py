"""Providers that ask for fewer requests, pause for hours or answer too late: it is waited for, and nothing is lost."""

import time
from datetime import timedelta

import pytest

from calendars.models import Calendar, Operation
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.providers.google import transport
from calsync.providers.graph import batch, client
from calsync.simulator.core import Fault
from tests.sync.endings import Patience, assert_well, state_of, titles

pytestmark = pytest.mark.one_database

PROVIDERS = ("graph", "google")
PLATFORM = {"graph": "outlook", "google": "google"}
READ = {"graph": "calendarView/delta", "google": r"/events\?"}


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    """The adapters' own real waiting, shortened: what is left over is the pipeline's business."""
    monkeypatch.setattr(client, "READ_PATIENCE", 0.2)
    monkeypatch.setattr(batch, "PATIENCE", 0.2)
    monkeypatch.setattr(batch, "READING_PATIENCE", 0.4)


def make(person, provider, title, day=1):
    """An event made by hand on the *other* side, so that ``provider`` is written to."""
    span = {"start": f"2026-12-{day:02}T09:00:00", "end": f"2026-12-{day:02}T10:00:00"}
    return person.in_google(summary=title, **span) if provider == "graph" else person.in_outlook(subject=title, **span)


def rename(person, provider, event_id, title):
    if provider == "graph":
        return person.edit_google(event_id, summary=title)
    return person.edit_outlook(event_id, subject=title)


def delete(person, provider, event_id):
    return person.delete_google(event_id) if provider == "graph" else person.delete_outlook(event_id)


def refuse(world, provider, methods, *, status, headers, times=2):
    """Refuse reads and writes of this provider, each kind so often."""
    paths = {"GET": READ[provider], "POST": "/events(\\?|$)", "PATCH": "/events/", "DELETE": "/events/"}
    world.simulator.core.faults[:] = [
        Fault(provider, "status", method=method, path=paths[method], status=status, headers=headers, times=times)
        for method in methods
    ]


@pytest.mark.parametrize("headers", [{"Retry-After": "30"}, {}], ids=["with Retry-After", "without"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_refused_reads_and_writes_of_every_kind_are_made_good(world, provider, status, headers):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    trouble = {"status": status, "headers": headers}
    kept, gone = make(ada, provider, "Kept", 1), make(ada, provider, "Gone", 2)
    refuse(world, provider, ["GET", "POST"], **trouble)
    clock.wait_it_out()
    assert titles(ada) == (["Gone", "Kept"], ["Gone", "Kept"])
    rename(ada, provider, kept["id"], "Kept 2")
    delete(ada, provider, gone["id"])
    refuse(world, provider, ["GET", "PATCH", "DELETE"], **trouble)
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Kept 2"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_mailbox_is_left_in_peace_for_as_long_as_the_provider_asks(world, provider):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    make(ada, provider, "Budget")
    refuse(world, provider, ["POST"], status=429, headers={"Retry-After": "600"}, times=1)
    asked_at = clock.now()
    assert not clock.settle().idle
    paused = state_of(ada, PLATFORM[provider])
    assert paused.not_before - asked_at >= timedelta(seconds=600)
    world.simulator.core.ledger.clear()
    clock.settle()
    assert [call for call in world.simulator.core.ledger.calls if call.provider == provider] == []
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Budget"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_while_a_read_is_refused_the_calendar_says_so_and_needs_nobody(world, provider):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    refuse(world, provider, ["GET"], status=503, headers={"Retry-After": "600"}, times=1)
    clock.settle()
    delayed = state_of(ada, PLATFORM[provider])
    assert delayed.state == "delayed"
    assert "Nothing to do: it is tried again by itself." in delayed.state_remedy
    clock.wait_it_out()
    assert_well(world, clock, ada, [])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_part_of_a_batch_is_written_later_and_the_others_at_once(world, provider):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    for day in range(1, 6):
        make(ada, provider, f"Day {day}", day)
    status, reason = {"google": (403, "rateLimitExceeded"), "graph": (429, "TooManyRequests")}[provider]
    world.simulator.core.faults.append(inner_refusal(provider, status, reason))
    for platform in (PLATFORM["google" if provider == "graph" else "graph"], PLATFORM[provider]):
        one_turn(ada, platform, clock)
    written = titles(ada)[provider == "google"]
    assert 1 <= len(written) < 5  # in one and the same batch
    clock.wait_it_out()
    assert Operation.objects.filter(attempts__gt=1).count() >= 1
    assert_well(world, clock, ada, [f"Day {day}" for day in range(1, 6)])


def one_turn(person, platform, clock):
    """What a worker does at once, without waiting for anything."""
    calendar = state_of(person, platform)
    Calendar.objects.filter(pk=calendar.pk).ring(now=clock.now())
    take_turn(calendar_id=calendar.pk, clock=clock.now, tally=Tally())


def inner_refusal(provider, status, reason):
    """Two parts of the next batch are refused, in the provider's own words."""
    body = {"error": {"code": reason if provider == "graph" else status, "message": "slow down"}}
    if provider == "google":
        body["error"]["errors"] = [{"domain": "usageLimits", "reason": reason, "message": "slow down"}]
    headers = {"Retry-After": "20"} if provider == "graph" else {}
    times = 2 if provider == "google" else 6
    return Fault(provider, "status", method="POST", path="/events(\\?|$)", status=status, body=body, headers=headers,
                 times=times, skip=1)  # fmt: skip


@pytest.mark.parametrize("when", ["reading", "writing"])
def test_a_quota_that_recovers_in_hours_pauses_the_mailbox_and_says_so(world, when):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    ada.in_outlook(subject="Budget")
    body = {"error": {"code": 403, "message": "x", "errors": [{"domain": "usageLimits", "reason": "quotaExceeded"}]}}
    method, path = ("GET", r"/events\?") if when == "reading" else ("POST", "/events(\\?|$)")
    world.simulator.core.faults.append(
        Fault("google", "status", method=method, path=path, status=403, body=body, times=3)
    )
    assert not clock.settle().idle
    told = state_of(ada, "google")
    assert told.not_before - clock.now() > timedelta(hours=1)
    assert told.state == "delayed"
    assert "Wait: the mailbox is paused" in told.state_remedy
    assert clock.wait_it_out() > timedelta(hours=3)
    assert_well(world, clock, ada, ["Budget"])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("act", ["reading", "making", "changing", "deleting"])
def test_an_answer_that_takes_too_long_is_not_waited_for(world, monkeypatch, provider, act):
    monkeypatch.setattr(client, "TIMEOUT", (0.2, 0.2))
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)
    ada, clock = world.person("ada"), Patience()
    world.activate()
    kept, gone = make(ada, provider, "Kept", 1), make(ada, provider, "Gone", 2)
    if act != "making":
        clock.settle()
    method, path = {
        "reading": ("GET", READ[provider]),
        "making": ("POST", "/events(\\?|$)"),
        "changing": ("PATCH", "/events/"),
        "deleting": ("DELETE", "/events/"),
    }[act]
    slow = Fault(provider, "delay", method=method, path=path, seconds=0.5, times=2)
    world.simulator.core.faults.append(slow)
    rename(ada, provider, kept["id"], "Kept 2")
    delete(ada, provider, gone["id"])
    clock.wait_it_out()
    time.sleep(0.6)  # what was not waited for arrives at the provider after all
    assert_well(world, clock, ada, ["Kept 2"])
    assert Calendar.objects.filter(failures__gt=0).count() == 0
