"""What an approval is bound to, and how far ahead events travel."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.events import Field
from calsync.engine.passage import approval_mark, begins_at, is_beyond
from calsync.engine.treatment import FULL, Treatment
from tests.engine.builders import ALICE, BOB, KEY, NINE, NOW, days, edit, occurrence, series, single, timed

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
