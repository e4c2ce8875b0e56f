"""Exceptions that a platform drops when its series is reshaped are kept, moved along and wanted back."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.events import Field, OccurrenceKey, Platform, Weekday
from calsync.engine.fingerprint import fingerprints
from calsync.engine.plan import FindingKind, Place, Role, WriteWish
from calsync.engine.reshape import forgotten, left_behind
from tests.engine.builders import (
    ALICE,
    GOOGLE,
    KEY,
    NINE,
    OUTLOOK_TRAITS,
    agreed,
    edit,
    hub_of,
    occurrence,
    series,
    single,
    timed,
    weekly,
)
from tests.engine.plan_steps import link_of, seen

EXCHANGE = Place(1, Platform.OUTLOOK, replace(OUTLOOK_TRAITS, wipes_on_reshape=True))
FROM_OUTLOOK = ((EXCHANGE, Role.ORIGIN), (GOOGLE, Role.TWIN))
FROM_GOOGLE = ((EXCHANGE, Role.TWIN), (GOOGLE, Role.ORIGIN))
EITHER_WAY = pytest.mark.parametrize("roles", [FROM_OUTLOOK, FROM_GOOGLE])

CHANGED = {occurrence(1): {Field.TITLE: "Special"}}
KNOWN = series(exceptions=CHANGED, cancelled=frozenset({occurrence(3)}))
BARE = series()
LATER = edit(BARE, when=timed(NINE.replace(hour=14)))
LONGER = edit(BARE, when=timed(minutes=90))
SHORTER = series(recurrence=weekly(count=2))
TUESDAYS = edit(series(recurrence=weekly(Weekday.TU, count=10)), when=timed(NINE + timedelta(days=1)))


def dropped(now, *, place=EXCHANGE, role=Role.ORIGIN, before=KNOWN):
    return forgotten(fingerprints(now, key=KEY), agreed(before, place, role), event=before)


# --- what is the platform's doing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [LATER, LONGER, SHORTER, TUESDAYS])
def test_everything_that_vanishes_with_a_new_time_or_rule_was_dropped_by_the_platform(now):
    assert dropped(now) == {f"@{occurrence(1)}/title", f"@{occurrence(3)}"}


@pytest.mark.parametrize("now", [BARE, edit(BARE, title="New"), KNOWN, single("Stand-up")])
def test_without_a_new_time_or_rule_what_vanishes_is_a_persons_wish(now):
    assert dropped(now) == frozenset()


def test_a_platform_that_keeps_exceptions_drops_none():
    assert dropped(LATER, place=GOOGLE) == frozenset()


def test_a_day_that_shows_something_was_edited_after_the_reshape():
    now = replace(LONGER, exceptions={occurrence(1): {Field.LOCATION: "Room 4"}})
    assert dropped(now) == {f"@{occurrence(3)}"}


def test_exceptions_that_came_along_with_the_new_time_were_not_dropped():
    now = replace(LATER, exceptions={occurrence(1, hour=14): {Field.TITLE: "Special"}})
    assert dropped(now) == {f"@{occurrence(3)}"}


def test_where_nothing_may_be_written_the_loss_counts():
    meeting = replace(KNOWN, guests=(ALICE,))
    assert dropped(LATER, before=meeting) == frozenset()
    assert dropped(LATER, role=Role.NATIVE) == frozenset()


# --- what follows from it -----------------------------------------------------------------------------------------


@EITHER_WAY
def test_exceptions_are_moved_along_with_the_time_of_day_and_wanted_back(roles):
    plan = seen(hub_of(KNOWN, *roles), 1, LATER)
    assert plan.event.exceptions == {occurrence(1, hour=14): {Field.TITLE: "Special"}}
    assert plan.event.cancelled == {occurrence(3, hour=14)}
    back = next(write for write in plan.writes if write.calendar_id == 1)
    assert (back.kind, back.paths) == (
        WriteWish.UPDATE,
        {f"@{occurrence(1, hour=14)}/title", f"@{occurrence(3, hour=14)}"},
    )
    assert plan.findings == ()


@EITHER_WAY
def test_exceptions_on_the_same_keys_are_wanted_back(roles):
    plan = seen(hub_of(KNOWN, *roles), 1, LONGER)
    assert (plan.event.exceptions, plan.event.cancelled) == (KNOWN.exceptions, KNOWN.cancelled)
    assert {(write.calendar_id, write.paths) for write in plan.writes} == {
        (1, frozenset({f"@{occurrence(1)}/title", f"@{occurrence(3)}"})),
        (2, frozenset({"when"})),
    }


@EITHER_WAY
def test_until_they_are_back_they_stay_wanted(roles):
    plan = seen(hub_of(KNOWN, *roles), 1, LONGER)
    again = seen(replace(hub_of(KNOWN, *roles), event=plan.event, links=plan.links), 1, LONGER)
    assert (again.event, again.links, again.writes) == (plan.event, plan.links, plan.writes)


@EITHER_WAY
def test_an_edit_after_the_reshape_and_before_they_are_back_is_no_loss(roles):
    plan = seen(hub_of(KNOWN, *roles), 1, LONGER)
    hub = replace(hub_of(KNOWN, *roles), event=plan.event, links=plan.links)
    edited = replace(LONGER, exceptions={occurrence(1): {Field.TITLE: "Newer"}})
    later = seen(hub, 1, edited, minutes=5)
    values = {later.event.exceptions[occurrence(1)][Field.TITLE], *later.findings[0].values.values()}
    assert values == {"Newer", "Special"}


@EITHER_WAY
def test_an_exception_whose_day_is_gone_is_told(roles):
    plan = seen(hub_of(KNOWN, *roles), 1, TUESDAYS)
    assert (dict(plan.event.exceptions), plan.event.cancelled) == ({}, frozenset())
    [finding] = plan.findings
    assert (finding.kind, finding.values) == (FindingKind.BOTH_EDITED, {f"@{occurrence(1)}/title": "Special"})


def test_a_change_of_the_hub_that_waits_for_this_place_is_kept_too():
    hub = hub_of(KNOWN, *FROM_OUTLOOK)
    renamed = replace(KNOWN, exceptions={**CHANGED, occurrence(2): {Field.TITLE: "Third"}})
    waiting = replace(hub, event=renamed)
    plan = seen(waiting, 1, LATER)
    assert plan.event.exceptions[occurrence(2, hour=14)] == {Field.TITLE: "Third"}
    assert f"@{occurrence(2, hour=14)}/title" in next(w for w in plan.writes if w.calendar_id == 1).paths


def test_our_own_reshape_of_which_only_the_first_half_was_made_is_no_wish_of_anybody():
    wanted = edit(KNOWN, when=timed(minutes=90))
    hub = replace(hub_of(KNOWN, *FROM_OUTLOOK), event=wanted)
    plan = seen(hub, 1, LONGER)
    assert plan.event == wanted
    assert next(w for w in plan.writes if w.calendar_id == 1).paths == {f"@{occurrence(1)}/title", f"@{occurrence(3)}"}
    assert link_of(plan, 1).hub_map["when"]


# --- what has no day any more -------------------------------------------------------------------------------------


def test_left_behind_is_what_has_no_day_within_the_new_series():
    paths = {f"@{occurrence(1)}/title", f"@{occurrence(3)}"}
    assert left_behind(KNOWN, TUESDAYS, paths) == {f"@{occurrence(1)}/title": "Special"}
    assert left_behind(KNOWN, KNOWN, paths) == {}


def test_what_lies_after_an_early_end_was_meant_to_go():
    ended = series(recurrence=weekly(until=date(2026, 11, 2)))
    assert left_behind(KNOWN, ended, {f"@{occurrence(1)}/title"}) == {}


def test_a_key_of_another_event_says_nothing():
    assert left_behind(BARE, BARE, {f"@{OccurrenceKey('2026-11-09T09:00')}/title", "title"}) == {}
