"""Which meetings collide: tables, and brute force over random days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.engine.overlaps import Overlap, Slot, overlaps

MIDNIGHT = datetime(2026, 3, 28, 20, tzinfo=UTC)  # the night in which European clocks change
GAP = timedelta(minutes=15)


def at(minutes: int) -> datetime:
    return MIDNIGHT + timedelta(minutes=minutes)


def slot(meeting: int, start: int, end: int, uid: str = "") -> Slot:
    return Slot(at(start), at(end), meeting, uid)


@pytest.mark.parametrize(
    ("slots", "gap", "expected"),
    [
        ([slot(1, 0, 60), slot(2, 30, 90)], 0, [Overlap(1, 2, at(30), at(60))]),
        ([slot(2, 0, 60), slot(1, 30, 90)], 0, [Overlap(1, 2, at(30), at(60))]),
        ([slot(1, 0, 60), slot(2, 60, 90)], 0, []),
        ([slot(1, 0, 60), slot(2, 60, 90)], 15, [Overlap(1, 2, at(60), at(60), apart=True)]),
        ([slot(1, 0, 60), slot(2, 70, 90)], 15, [Overlap(1, 2, at(60), at(70), apart=True)]),
        ([slot(1, 0, 60), slot(2, 75, 90)], 15, []),
        ([slot(1, 0, 60), slot(1, 30, 90)], 0, []),
        ([slot(1, 0, 60, "a"), slot(2, 0, 60, "a")], 0, []),
        ([slot(1, 0, 60, "a"), slot(2, 0, 60, "b")], 0, [Overlap(1, 2, at(0), at(60))]),
        ([slot(1, 30, 30), slot(2, 0, 60)], 0, []),
    ],
    ids=["share", "the smaller number first", "touch", "touch, a gap is wanted", "too close", "far enough",
         "occurrences of one series", "copies of one meeting", "two meetings", "a moment"],
)  # fmt: skip
def test_two_slots(slots, gap, expected):
    assert list(overlaps(slots, gap=timedelta(minutes=gap))) == expected


SLOTS = st.lists(
    st.builds(
        lambda meeting, start, length, uid: slot(meeting, start, start + length, uid),
        st.integers(1, 6), st.integers(0, 600), st.integers(0, 200), st.sampled_from(["", "", "a", "b"]),
    ),
    max_size=12,
)  # fmt: skip


@given(slots=SLOTS, gap=st.sampled_from([timedelta(), GAP]))
def test_the_sweep_finds_what_comparing_all_with_all_finds(slots, gap):
    found = {(one.first, one.second, one.start, one.end) for one in overlaps(slots, gap=gap)}
    assert found == {
        (min(a.meeting, b.meeting), max(a.meeting, b.meeting), *sorted((max(a.start, b.start), min(a.end, b.end))))
        for a, b in combinations([one for one in slots if one.start < one.end], 2)
        if a.meeting != b.meeting and not (a.uid and a.uid == b.uid)
        and a.start < b.end + gap and b.start < a.end + gap
    }  # fmt: skip
