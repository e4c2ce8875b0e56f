"""Exceptions that arrive before their master, through the whole pipeline: never a stray event of their own."""

from datetime import datetime

import pytest

from calendars.models import Calendar, Event
from calsync.simulator.core import Fault
from tests.sync.series_hands import expect_in_step, hands_of

pytestmark = pytest.mark.one_database

FIRST = datetime.fromisoformat("2026-12-01T09:00")
THIRD = FIRST.replace(day=15)


@pytest.fixture
def ada(world):
    return world.person("ada")


def show_only(world, raw):
    """The next round of Google's changes tells one resource only; its token leads on from where we were."""
    cursor = Calendar.objects.get(account__platform="google").cursor
    body = {"kind": "calendar#events", "accessRole": "owner", "items": [raw], "nextSyncToken": cursor}
    world.simulator.core.faults.append(Fault("google", "status", "GET", path="syncToken=", status=200, body=body))


def made_with_exception(ada):
    hand = hands_of(ada)["google"]
    hand.make("Weekly", FIRST)
    hand.rename(THIRD, "Special")
    return hand.store.get_event(ada.address, hand.occurrence_id(THIRD))


def test_an_exception_ahead_of_its_master_brings_the_whole_series(world, ada):
    world.activate()
    show_only(world, made_with_exception(ada))
    world.settle()
    assert [event.is_series for event in Event.objects.all()] == [True]
    assert [title for _, _, title in expect_in_step(world, ada)] == ["Weekly", "Weekly", "Special", "Weekly", "Weekly"]


def test_an_exception_whose_master_cannot_be_found_yet_waits_for_it(world, ada):
    world.activate()
    show_only(world, made_with_exception(ada))
    nowhere = {"error": {"code": 404, "message": "Not Found", "errors": [{"reason": "notFound"}]}}
    nothing = {"kind": "calendar#events", "accessRole": "owner", "items": []}
    world.simulator.core.faults += [
        Fault("google", "status", "GET", path="iCalUID=", status=200, body=nothing),
        Fault("google", "status", "GET", path="/events/[0-9a-v]+[?]", status=404, body=nowhere),
    ]
    world.settle()
    assert not Event.objects.exists()
    assert [title for _, _, title in expect_in_step(world, ada)] == ["Weekly", "Weekly", "Special", "Weekly", "Weekly"]
    assert Event.objects.count() == 1


def test_a_changed_occurrence_that_comes_without_its_series_leaves_the_other_exceptions(world, ada):
    world.simulator.core.switches.google_series_share_one_version = False
    hands = hands_of(ada)
    hands["google"].make("Weekly", FIRST)
    world.activate()
    hands["google"].cancel(FIRST.replace(day=22))
    hands["google"].rename(THIRD, "Special")
    expect_in_step(world, ada)
    hands["google"].rename(FIRST, "Beginning")
    seen = expect_in_step(world, ada)
    assert [title for _, _, title in seen] == ["Beginning", "Weekly", "Special", "Weekly"]
