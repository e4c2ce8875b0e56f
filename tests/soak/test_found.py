"""What the soak has found, as plain steps. Each failed before it was mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from calendars.models import Finding, Operation
from tests.soak.deeds import FIRST_DAY
from tests.soak.world import OTHER


def test_a_calendar_that_is_rung_while_a_broken_off_write_waits_for_its_time_does_not_go_round_in_circles(pipeline):
    state = pipeline
    state.begin(habit="usual")
    state.stage.serve()
    state.create(day=1, hour=9, repeat="once", side="google", zone="Europe/Berlin")
    state.trouble(name="graph loses the answer", method="POST", times=1, skip=0)
    state.turn(side="google", ring=True)
    state.turn(side="outlook", ring=False)
    assert Operation.objects.filter(half_done=True).exists()
    state.turn(side="outlook", ring=True)
    assert Operation.objects.filter(half_done=True).exists()
    state.wait(minutes=1)
    state.turn(side="outlook", ring=False)
    assert not Operation.objects.open().exists()
    state.quiet()


def test_other_writes_of_that_calendar_wait_with_it(pipeline):
    state = pipeline
    state.begin(habit="usual")
    state.stage.serve()
    state.create(day=1, hour=9, repeat="once", side="google", zone="Europe/Berlin")
    state.trouble(name="graph loses the answer", method="POST", times=1, skip=0)
    state.turn(side="google", ring=True)
    state.turn(side="outlook", ring=False)
    state.rename(side="google", which=1)
    state.turn(side="google", ring=True)
    assert Operation.objects.open().count() == 2
    state.stage.move(-timedelta(seconds=3))  # still within the pause
    state.work_off(backwards=False)
    state.quiet()


def test_an_occurrence_renamed_while_another_is_written_keeps_its_new_name(pipeline):
    state = pipeline
    state.begin(habit="usual")
    state.create_beyond(name="extra dates")
    state.quiet()
    state.hands.put(side="outlook", which=3, place=True, note=True)  # the extra date, a part of its own
    state.edited_in_between(at=2, deed="rename second", hand="google", side="outlook", where="after", which=2)
    state.quiet()
    assert Finding.objects.count() == 0  # nothing was lost, and nothing had to be put back


def test_an_occurrence_renamed_on_both_sides_after_a_worker_was_killed_loses_nothing(pipeline):
    state = pipeline
    state.begin(habit="occurrences have versions of their own")
    state.create_beyond(name="extra dates")
    for _ in range(4):
        state.poll()
    state.killed(at=4, deed="rename", far=0, side="google", where="before", which=0)
    state.edit_both(first="outlook", here="rename second", pause=False, there="rename second", which=2)
    state.turn(ring=True, side="outlook")
    state.work_off(backwards=False)
    state.quiet()
    assert [found.kind for found in Finding.objects.all()] == ["both_edited"]  # what lost is kept


def test_a_copy_edited_before_its_create_was_recorded_keeps_the_edit_in_a_finding(pipeline):
    state = pipeline
    state.begin(habit="a duplicate create answers with the event", colleagues=True)
    state.create_all_day(day=0, days=3, repeat="once", side="google")
    state.trouble(method="", name="google broken", skip=2, times=1)
    state.create_beyond(name="extra dates")
    for _ in range(10):
        state.poll()
    state.move(days=0, minutes=30, side="outlook", which=0)
    state.create_beyond(name="extra dates")
    state.poll()
    state.poll()
    state.cancel_occurrence(nth=0, side="google", which=3)
    state.poll()
    state.killed(at=6, deed="rename", far=0, side="google", where="before", which=0)
    state.move(days=0, minutes=30, side="outlook", which=5)
    state.quiet()
    assert "copy_edited" in [found.kind for found in Finding.objects.all()]


def test_an_occurrence_edited_in_a_half_made_series_is_kept_in_a_finding(pipeline):
    state = pipeline
    state.begin(habit="a duplicate create answers with the event")
    state.create_all_day(day=0, days=1, repeat="weekly", side="google")
    state.move_occurrence(days=2, minutes=30, nth=0, side="google", which=2)
    state.trouble(method="PATCH", name="graph throttled", skip=0, times=2)
    state.turn(ring=True, side="google")
    state.turn(ring=False, side="outlook")  # makes the series, but may not move its occurrence yet
    state.rename(side="google", which=2)
    state.rename_occurrence(side="outlook", which=2, nth=1)
    state.quiet()
    assert [(found.kind, found.paths) for found in Finding.objects.all()] == [("copy_edited", ["@2026-12-07/title"])]


def test_an_occurrence_cancelled_in_a_half_made_series_is_told(pipeline):
    state = pipeline
    state.begin(habit="a duplicate create answers with the event")
    state.create_all_day(day=0, days=1, repeat="weekly", side="google")
    state.move_occurrence(days=2, minutes=30, nth=0, side="google", which=2)
    state.trouble(method="PATCH", name="graph throttled", skip=0, times=2)
    state.turn(ring=True, side="google")
    state.turn(ring=False, side="outlook")
    state.cancel_occurrence(side="outlook", which=2, nth=1)
    state.quiet()
    assert [(found.kind, found.paths) for found in Finding.objects.all()] == [("copy_edited", ["@2026-12-07"])]


@pytest.mark.parametrize(("side", "at"), [("outlook", 5), ("google", 4)])
def test_a_series_renamed_between_the_requests_that_make_its_copy_keeps_its_new_name(pipeline, side, at):
    other = OTHER[side]
    state = pipeline
    state.begin(habit="usual")
    state.create_all_day(day=0, days=1, repeat="weekly", side=side)
    state.rename_occurrence(nth=0, side=side, which=2)
    before = state.stage.sides[side].entries(now=FIRST_DAY)[2].title
    state.edited_in_between(at=at, deed="rename", hand=other, side=side, where="before", which=2)
    state.quiet()
    after = {desk.entries(now=FIRST_DAY)[2].title for desk in state.stage.sides.values()}
    assert len(after) == 1
    assert before not in after
    assert Finding.objects.count() == 0
