"""What an approval is bound to, and how far ahead events travel."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.events import Field
from calsync.engine.masking import BUSY_ONLY
from calsync.engine.passage import APPROVED, REFUSED, admitted, approval_mark, begins_at, is_beyond, stricter, waits
from calsync.engine.plan import LinkState, Role, may_write
from calsync.engine.treatment import FULL, Detail, Details, Leaving, Passage, Treatment
from tests.engine.builders import ALICE, BOB, GOOGLE, KEY, NINE, NOW, days, edit, occurrence, series, single, timed

MEETING = single(location="Room 4", guests=(ALICE,))
WEEKLY = series(location="Room 4", guests=(ALICE,))


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        (MEETING, edit(MEETING, title="Other", body="new"), False),
        (MEETING, replace(MEETING, guests=(replace(ALICE, response="accepted", name="A."),)), False),
        (MEETING, edit(MEETING, when=timed(minutes=90)), True),
        (MEETING, edit(MEETING, location="Room 5"), True),
        (MEETING, replace(MEETING, guests=(ALICE, BOB)), True),
        (MEETING, replace(MEETING, guests=()), True),
        (WEEKLY, replace(WEEKLY, exceptions={occurrence(): {Field.TITLE: "Retro"}}), False),
        (WEEKLY, replace(WEEKLY, exceptions={occurrence(): {Field.WHEN: timed(minutes=90)}}), True),
        (WEEKLY, replace(WEEKLY, exceptions={occurrence(): {Field.LOCATION: "Elsewhere"}}), True),
        (WEEKLY, replace(WEEKLY, cancelled=frozenset({occurrence(2)})), True),
        (WEEKLY, replace(WEEKLY, recurrence=None), True),
    ],
)
def test_a_new_time_place_or_guest_asks_again_and_nothing_else_does(before, after, asks):
    assert (approval_mark(before, key=KEY) != approval_mark(after, key=KEY)) == asks


def test_a_mark_gives_nothing_away_without_the_key():
    assert approval_mark(MEETING, key=KEY) != approval_mark(MEETING, key=b"another")


@pytest.mark.parametrize(
    ("when", "horizon", "beyond"),
    [
        (timed(NINE), None, False),
        (timed(NINE), 10, False),
        (timed(NINE + timedelta(days=10)), 10, True),
        (days(date(2026, 11, 11)), 10, False),
        (days(date(2026, 11, 12)), 10, True),
    ],
)
def test_events_beyond_the_horizon_wait(when, horizon, beyond):
    assert is_beyond(single(when=when), Treatment(horizon_days=horizon), now=NOW) == beyond
    assert not is_beyond(single(when=when), FULL, now=NOW)


def test_a_series_begins_with_its_first_occurrence():
    assert begins_at(series()) == begins_at(single())


# --- approvals --------------------------------------------------------------------------------------------

HOLD = Treatment(passage=Passage.HOLD, approver="manager")
LINK = LinkState(GOOGLE, Role.COPY)


def test_a_held_copy_asks_once_and_is_not_written_meanwhile():
    asked = admitted(MEETING, LINK, HOLD, key=KEY)
    assert waits(asked)
    assert not may_write(MEETING, asked)
    assert asked.asked == approval_mark(MEETING, key=KEY)
    assert admitted(edit(MEETING, title="Other"), asked, HOLD, key=KEY) == asked


@pytest.mark.parametrize(("answer", "passes"), [(APPROVED, True), (REFUSED, False), ("", False)])
def test_an_answer_counts_for_what_was_asked_and_for_nothing_else(answer, passes):
    asked = replace(admitted(MEETING, LINK, HOLD, key=KEY), answer=answer)
    after = admitted(MEETING, asked, HOLD, key=KEY)
    assert (not waits(after), after.answer) == (passes, answer)
    moved = admitted(edit(MEETING, when=timed(minutes=5)), after, HOLD, key=KEY)
    assert (waits(moved), moved.answer) == (True, "")


def test_a_copy_whose_rule_holds_no_more_passes():
    assert not waits(admitted(MEETING, admitted(MEETING, LINK, HOLD, key=KEY), FULL, key=KEY))


# --- the rules of two people ------------------------------------------------------------------------------

TITLE = Treatment(details=Details(Detail.TITLE), rule="2v1")
BUSY = Treatment(details=BUSY_ONLY, rule="3v1")
PLACE = Treatment(details=Details(Detail.CHOSEN, frozenset({Field.LOCATION})), rule="4v1")
SKIP = Treatment(passage=Passage.SKIP, leaving=Leaving.REMOVE, rule="5v1")


@pytest.mark.parametrize(
    ("one", "other", "expected", "rules"),
    [
        (FULL, FULL, Details(), ""),
        (TITLE, FULL, TITLE.details, "2v1"),
        (FULL, TITLE, TITLE.details, "2v1"),
        (TITLE, BUSY, BUSY_ONLY, "2v1+3v1"),
        (BUSY, TITLE, BUSY_ONLY, "3v1"),
        (TITLE, PLACE, BUSY_ONLY, "2v1+4v1"),
        (TITLE, TITLE, TITLE.details, "2v1"),
    ],
)
def test_what_both_let_pass_is_what_travels(one, other, expected, rules):
    both = stricter(one, other)
    assert (both.details, both.rule) == (expected, rules)


def test_the_one_who_lets_less_through_decides_about_passing():
    assert stricter(TITLE, SKIP).passage is Passage.SKIP
    assert stricter(TITLE, SKIP).leaving is Leaving.REMOVE
    assert "5v1" in stricter(TITLE, SKIP).rule
    assert stricter(HOLD, FULL).approver == "manager"
    assert stricter(FULL, HOLD).approver == "manager"
    assert stricter(Treatment(horizon_days=9), Treatment(horizon_days=5)).horizon_days == 5
