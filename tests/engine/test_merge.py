"""The three-way merge, as tables of what each side did."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.events import Field, Platform, ShowAs, Weekday
from calsync.engine.fingerprint import changed, flatten, texts
from calsync.engine.merge import merge
from calsync.engine.policy import ConflictPolicy, DeletePolicy, Policy
from tests.engine.builders import NINE, NOW, days, edit, occurrence, series, single, timed, weekly

BASE = single("Budget", body="agenda", location="Room 1")
SERIES = series()


def changes(now, then):
    return changed(texts(now), texts(then))


def merged(
    base, hub, theirs, *, conflict=ConflictPolicy.NEWEST, on_delete=DeletePolicy.EDIT_WINS, newer="theirs", **other
):
    here, at = other.get("here", Platform.GOOGLE), {"theirs": 1, "hub": -1, "same": 0}[newer]
    return merge(
        hub=hub,
        theirs=theirs,
        changed_here=changes(theirs, base),
        changed_hub=changes(hub, base),
        policy=Policy(conflict, on_delete),
        here=here,
        here_is_origin=other.get("here_is_origin", False),
        hub_changed_at=NOW,
        theirs_changed_at=NOW + timedelta(minutes=at),
    )


def cancelling(event, week=0):
    return replace(event, cancelled=event.cancelled | {occurrence(week)})


def excepting(event, week=0, **fields):
    return replace(
        event, exceptions={**event.exceptions, occurrence(week): {Field(name): v for name, v in fields.items()}}
    )


def test_different_fields_merge_silently():
    outcome = merged(BASE, edit(BASE, title="Hub"), edit(BASE, location="Room 2"))
    assert outcome.event == edit(BASE, title="Hub", location="Room 2")
    assert (outcome.won, outcome.lost, outcome.asked) == ({"location"}, {}, frozenset())


def test_the_same_change_on_both_sides_is_no_conflict():
    outcome = merged(BASE, edit(BASE, title="New"), edit(BASE, title="New"), newer="hub")
    assert (outcome.event, outcome.won, outcome.lost) == (edit(BASE, title="New"), frozenset(), {})


def test_nothing_changed_here_leaves_the_hub_as_it_is():
    hub = edit(BASE, title="Hub")
    assert merged(BASE, hub, BASE).event is hub


@pytest.mark.parametrize(
    ("conflict", "newer", "other", "theirs_win"),
    [
        (ConflictPolicy.NEWEST, "theirs", {}, True),
        (ConflictPolicy.NEWEST, "hub", {}, False),
        (ConflictPolicy.NEWEST, "same", {}, False),
        (ConflictPolicy.NEWEST, "same", {"here_is_origin": True}, True),
        (ConflictPolicy.ORIGIN, "theirs", {}, False),
        (ConflictPolicy.ORIGIN, "hub", {"here_is_origin": True}, True),
        (ConflictPolicy.GOOGLE, "hub", {}, True),
        (ConflictPolicy.GOOGLE, "theirs", {"here": Platform.OUTLOOK}, False),
        (ConflictPolicy.OUTLOOK, "hub", {"here": Platform.OUTLOOK}, True),
        (ConflictPolicy.OUTLOOK, "theirs", {}, False),
        (ConflictPolicy.ASK, "theirs", {"here_is_origin": True}, False),
    ],
)
def test_the_policy_decides_and_the_loser_is_kept(conflict, newer, other, theirs_win):
    outcome = merged(BASE, edit(BASE, title="Hub"), edit(BASE, title="Theirs"), conflict=conflict, newer=newer, **other)
    assert outcome.event.content.title == ("Theirs" if theirs_win else "Hub")
    assert outcome.lost == {"title": "Hub" if theirs_win else "Theirs"}
    assert outcome.won == (frozenset({"title"}) if theirs_win else frozenset())
    assert outcome.asked == (frozenset({"title"}) if conflict is ConflictPolicy.ASK else frozenset())


@pytest.mark.parametrize(
    ("hub_at", "theirs_at", "theirs_win"),
    [(None, None, False), (None, NOW, True), (NOW, None, False), (NOW, NOW + timedelta(seconds=1), True)],
)
def test_an_unknown_time_counts_as_older(hub_at, theirs_at, theirs_win):
    outcome = merge(
        hub=edit(BASE, title="Hub"), theirs=edit(BASE, title="Theirs"),
        changed_here=frozenset({"title"}), changed_hub=frozenset({"title"}), policy=Policy(),
        here=Platform.GOOGLE, here_is_origin=False, hub_changed_at=hub_at, theirs_changed_at=theirs_at,
    )  # fmt: skip
    assert (outcome.event.content.title == "Theirs") is theirs_win


def test_only_the_changed_paths_are_taken_from_a_poorer_copy():
    hub = single(show_as=ShowAs.OUT_OF_OFFICE, body="rich  text")
    theirs = single("New", show_as=ShowAs.BUSY, body="rich text")
    outcome = merge(
        hub=hub, theirs=theirs, changed_here=frozenset({"title"}), changed_hub=frozenset(), policy=Policy(),
        here=Platform.GOOGLE, here_is_origin=False, hub_changed_at=None, theirs_changed_at=None,
    )  # fmt: skip
    assert outcome.event == edit(hub, title="New")


@pytest.mark.parametrize("spelling", ["Europe/Berlin", "W. Europe Standard Time"])
def test_a_moved_event_keeps_the_hubs_name_of_the_zone(spelling):
    base = single(when=timed(zone="Europe/Rome"))
    theirs = single(when=timed(NINE.replace(hour=11), zone=spelling, end_zone="Europe/Vienna"))
    assert merged(base, base, theirs).event.content.when == timed(NINE.replace(hour=11), zone="Europe/Rome")


def test_another_zone_and_a_change_to_all_day_are_taken_as_they_are():
    london = single(when=timed(zone="Europe/London", end_zone="Europe/Berlin"))
    assert merged(BASE, BASE, edit(BASE, when=london.content.when)).event.content.when == london.content.when
    assert merged(BASE, BASE, edit(BASE, when=days())).event.content.when == days()
    assert merged(edit(BASE, when=days()), edit(BASE, when=days()), BASE).event == BASE


OTHER_DAY = replace(edit(SERIES, when=timed(NINE + timedelta(days=1))), recurrence=weekly(Weekday.TU, count=10))


@pytest.mark.parametrize("newer", ["theirs", "hub"])
def test_exceptions_of_different_occurrences_and_fields_merge_silently(newer):
    hub = excepting(excepting(SERIES, 1, title="Hub"), 2, title="Hub")
    theirs = cancelling(excepting(SERIES, 1, location="Room 2"), 3)
    outcome = merged(SERIES, hub, theirs, newer=newer)
    assert outcome.lost == {}
    assert outcome.event.exceptions == {
        occurrence(1): {Field.TITLE: "Hub", Field.LOCATION: "Room 2"},
        occurrence(2): {Field.TITLE: "Hub"},
    }
    assert outcome.event.cancelled == {occurrence(3)}


@pytest.mark.parametrize(
    ("on_delete", "cancelled"), [(DeletePolicy.EDIT_WINS, False), (DeletePolicy.DELETE_WINS, True)]
)
@pytest.mark.parametrize("hub_cancels", [True, False])
def test_a_cancelled_occurrence_against_an_edited_one_goes_by_the_delete_policy(on_delete, cancelled, hub_cancels):
    one, other = cancelling(SERIES, 1), excepting(SERIES, 1, title="Edited")
    hub, theirs = (one, other) if hub_cancels else (other, one)
    outcome = merged(SERIES, hub, theirs, on_delete=on_delete, newer="hub")
    assert outcome.event == (one if cancelled else other)
    loser = {f"@{occurrence(1)}/title": "Edited"} if cancelled else {f"@{occurrence(1)}": "cancelled"}
    assert loser.items() <= outcome.lost.items()


@pytest.mark.parametrize(("newer", "cancelled"), [("theirs", False), ("hub", True)])
def test_a_cancelled_occurrence_against_one_made_regular_goes_by_time(newer, cancelled):
    base = excepting(SERIES, 1, title="Edited")
    outcome = merged(base, replace(cancelling(base, 1), exceptions={}), SERIES, newer=newer)
    assert bool(outcome.event.cancelled) is cancelled
    assert outcome.event.exceptions == {}


def test_both_cancelling_the_same_occurrence_agree():
    outcome = merged(excepting(SERIES, 1, title="x"), cancelling(SERIES, 1), cancelling(SERIES, 1))
    assert (outcome.event, outcome.lost) == (cancelling(SERIES, 1), {})


def test_an_exception_that_the_merged_master_already_says_is_dropped():
    outcome = merged(SERIES, edit(SERIES, title="Same"), excepting(SERIES, 1, title="Same"))
    assert outcome.event == edit(SERIES, title="Same")


@pytest.mark.parametrize("conflict", [ConflictPolicy.NEWEST, ConflictPolicy.ORIGIN])
def test_a_new_time_of_day_takes_the_other_sides_exceptions_along(conflict):
    hub = cancelling(excepting(SERIES, 1, title="Hub"), 2)
    moved = edit(SERIES, when=timed(NINE.replace(hour=10)))
    outcome = merged(SERIES, hub, moved, conflict=conflict)
    assert outcome.event.exceptions == {occurrence(1, hour=10): {Field.TITLE: "Hub"}}
    assert outcome.event.cancelled == {occurrence(2, hour=10)}
    assert outcome.lost == {}
    assert merged(SERIES, moved, hub, conflict=conflict).event == outcome.event


def test_a_series_made_all_day_takes_the_other_sides_exceptions_along():
    outcome = merged(SERIES, excepting(SERIES, 1, title="Hub"), edit(SERIES, when=days()))
    assert outcome.event.exceptions == {"2026-11-09": {Field.TITLE: "Hub"}}


def test_an_exception_without_an_occurrence_is_dropped_and_told():
    hub = excepting(SERIES, 1, title="Hub")
    outcome = merged(SERIES, hub, OTHER_DAY)
    assert outcome.event == OTHER_DAY
    assert outcome.lost == {f"@{occurrence(1)}/title": "Hub"}


def test_an_exception_of_theirs_beyond_the_hubs_new_end_is_dropped_and_told():
    hub = replace(SERIES, recurrence=weekly(count=2))
    outcome = merged(SERIES, hub, excepting(excepting(SERIES, 1, title="kept"), 5, title="late"))
    assert outcome.event == excepting(hub, 1, title="kept")
    assert (outcome.won, outcome.lost) == ({f"@{occurrence(1)}/title"}, {f"@{occurrence(5)}/title": "late"})


def test_two_exceptions_never_land_on_one_occurrence():
    moved = edit(SERIES, when=timed(NINE.replace(hour=10)))
    theirs = replace(moved, exceptions={occurrence(1, hour=10): {Field.TITLE: "Theirs"}})
    outcome = merged(SERIES, excepting(SERIES, 1, title="Hub"), theirs)
    assert outcome.event == theirs
    assert outcome.lost == {f"@{occurrence(1)}/title": "Hub"}


def test_a_series_made_single_drops_exceptions_and_tells_those_just_edited():
    base = excepting(SERIES, 2, title="old")
    outcome = merged(base, excepting(base, 1, title="Hub"), replace(base, recurrence=None, exceptions={}))
    assert outcome.event == replace(SERIES, recurrence=None)
    assert outcome.lost == {f"@{occurrence(1)}/title": "Hub"}


def test_time_from_one_side_and_length_of_the_series_from_the_other_merge_silently():
    moved = edit(SERIES, when=timed(NINE.replace(hour=10)))
    shorter = replace(SERIES, recurrence=weekly(until=date(2026, 12, 1)))
    outcome = merged(SERIES, shorter, moved)
    assert outcome.event == replace(moved, recurrence=shorter.recurrence)
    assert outcome.lost == {}


@pytest.mark.parametrize(("newer", "theirs_win"), [("theirs", True), ("hub", False)])
def test_time_and_rule_that_do_not_fit_are_decided_together(newer, theirs_win):
    every_tuesday = OTHER_DAY
    shorter = replace(SERIES, recurrence=weekly(Weekday.MO, count=3))
    outcome = merged(SERIES, shorter, every_tuesday, newer=newer)
    assert outcome.event == (every_tuesday if theirs_win else shorter)
    loser, paths = (shorter, ["recurrence"]) if theirs_win else (every_tuesday, ["recurrence", "when"])
    assert outcome.lost == {path: flatten(loser)[path] for path in paths}
