"""What every adapter promises, on both providers: rounds of changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calsync.engine.events import Field
from calsync.providers.base import CursorExpired
from tests.providers.samples import NINE, SECOND, TEN, THIRD, full_series, moved, single
from tests.providers.sides import Reading, created, wall, week_later


def test_a_first_round_tells_everything_and_gives_a_cursor(side):
    side.person_creates("One", NINE, TEN)
    weekly = side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    side.person_cancels(weekly, week_later(NINE))
    reading = Reading(side)

    items = reading.round()

    assert sorted(item.event.content.title for item in items) == ["One", "Weekly"]
    assert next(item for item in items if item.remote_id == weekly).event.cancelled == {SECOND}
    assert reading.complete
    assert reading.cursor


def test_many_events_come_in_several_pages(side):
    for number in range(300):
        side.person_creates(f"Event {number:03}", NINE + timedelta(days=number), TEN + timedelta(days=number))

    items = Reading(side).round()

    assert sorted(item.event.content.title for item in items) == [f"Event {number:03}" for number in range(300)]


def test_an_idle_round_is_one_request_and_empty(side):
    side.person_creates("One", NINE, TEN)
    side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    reading = Reading(side)
    reading.round()
    side.simulator.core.ledger.clear()

    assert reading.round() == []
    assert len(side.simulator.core.ledger.calls) == 1


def test_an_edit_by_hand_comes_as_one_item(side):
    side.person_creates("Other", NINE, TEN)
    remote_id = side.person_creates("Before", NINE, TEN)
    reading = Reading(side)
    reading.round()
    side.person_renames(remote_id, "After")

    (item,) = reading.round()

    assert item.remote_id == remote_id
    assert item.event.content.title == "After"
    assert not reading.complete


def test_a_new_event_comes_as_one_item(side):
    reading = Reading(side)
    reading.round()
    remote_id = side.person_creates("New", NINE, TEN)

    assert [(item.remote_id, item.event.content.title) for item in reading.round()] == [(remote_id, "New")]
    assert reading.round() == []


@pytest.mark.parametrize("weekly_on", ["", "TU"], ids=["single", "series"])
def test_a_deleted_event_comes_as_a_tombstone(side, weekly_on):
    remote_id = side.person_creates("Gone", NINE, TEN, weekly_on=weekly_on)
    reading = Reading(side)
    reading.round()
    side.person_deletes(remote_id)

    (item,) = reading.round()

    assert (item.remote_id, item.event, item.problem) == (remote_id, None, "")
    assert side.provider.read(side.mailbox, remote_id).event is None


def test_the_deletion_of_something_never_told_is_silent(side):
    reading = Reading(side)
    reading.round()
    side.person_deletes(side.person_creates("Short-lived", NINE, TEN))
    side.person_deletes(side.person_creates("Short-lived", NINE, TEN, weekly_on="TU"))

    assert [item for item in reading.round() if item.event is not None] == []


def test_a_cancelled_occurrence_comes_as_the_changed_series(side):
    remote_id = side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    reading = Reading(side)
    reading.round()
    side.person_cancels(remote_id, week_later(NINE))

    (item,) = reading.round()

    assert (item.remote_id, item.event.cancelled, dict(item.event.exceptions)) == (remote_id, {SECOND}, {})


def test_a_moved_occurrence_comes_as_the_changed_series(side):
    remote_id = side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    side.person_cancels(remote_id, week_later(NINE, 2))
    reading = Reading(side)
    reading.round()
    target = moved(1, hours=3)
    side.person_moves(remote_id, week_later(NINE), target.start, target.end)

    (item,) = reading.round()

    assert item.event.exceptions[SECOND][Field.WHEN].start == target.start
    assert item.event.cancelled == {THIRD}


def test_a_series_renamed_by_hand_still_shows_its_exceptions(side):
    remote_id = created(side, full_series()).remote_id
    reading = Reading(side)
    reading.round()
    side.person_renames(remote_id, "By hand")

    (item,) = reading.round()

    assert item.event.content.title == "By hand"
    assert item.event.cancelled == {THIRD}
    assert SECOND in item.event.exceptions


def test_an_own_write_is_not_told_again_to_a_caller_that_kept_its_echo(side):
    reading = Reading(side)
    reading.round()
    for number, event in enumerate((single(), full_series())):
        reading.remember(created(side, event, key=f"key-{number}"))

    assert reading.round() == []


def test_what_lies_outside_the_window_is_left_out(side):
    far = wall("2040-01-03T09:00")
    side.person_creates("Far", far, far + timedelta(hours=1))
    side.person_creates("Far weekly", far, far + timedelta(hours=1), weekly_on="TU")
    near = side.person_creates("Near", NINE, TEN)

    assert [item.remote_id for item in Reading(side).round()] == [near]


def test_an_expired_cursor_asks_for_a_full_round(side):
    remote_id = side.person_creates("One", NINE, TEN)
    reading = Reading(side)
    reading.round()
    side.expire_cursors()

    with pytest.raises(CursorExpired):
        reading.round()

    reading.cursor = ""
    reading.asked.clear()
    given = {item.remote_id for item in reading.round()}
    assert given | reading.asked == {remote_id}  # what is held in the same version may be asked about instead of given
    assert reading.complete
