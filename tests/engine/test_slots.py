"""The search for time at which people are free."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.engine.rules.facts import Hours
from calsync.engine.slots import STEP, Attendee, free_slots

MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
LONDON, NEW_YORK, AUCKLAND = (Hours(zone=zone) for zone in ("Europe/London", "America/New_York", "Pacific/Auckland"))
HALF, HOUR = timedelta(minutes=30), timedelta(hours=1)


def at(hour: float, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def starts(*attendees: Attendee, days: int = 1, length: timedelta = HOUR, **wishes) -> list[datetime]:
    found = free_slots(attendees, start=MONDAY, end=at(0, days), length=length, **wishes)
    return [one.start for one in found]


def test_the_first_proposals_lie_at_the_beginning_of_the_working_day():
    assert starts(Attendee([], LONDON)) == [at(9), at(10), at(11)]


def test_busy_time_is_left_out_and_proposals_begin_at_full_quarters():
    busy = [(at(9.1), at(12)), (at(8), at(9.5)), (at(13), at(16.3))]
    assert starts(Attendee(busy, LONDON), length=HALF) == [at(12), at(12.5), at(16.5)]


def test_what_lies_nearest_comes_first():
    assert starts(Attendee([(at(14), at(15))], LONDON), near=at(14), most=2) == [at(13), at(15)]


def test_times_at_which_everybody_works_come_before_nearer_ones():
    assert starts(Attendee([], LONDON), Attendee([], NEW_YORK), near=at(9), most=3) == [at(13), at(14), at(15)]


def test_when_working_hours_do_not_meet_the_least_burden_comes_first():
    """Nine o'clock in Auckland is eight in the evening in London, and four in the afternoon there is five here."""
    both = [Attendee([], LONDON), Attendee([], AUCKLAND)]
    [first, *_] = free_slots(both, start=at(7), end=at(22), length=HOUR, near=at(12))
    assert (first.start, first.outside) == (at(16), (timedelta(), 4 * HOUR))
    [first, *_] = free_slots(both, start=at(7), end=at(22), length=HOUR, near=at(22))
    assert (first.start, first.outside) == (at(20), (4 * HOUR, timedelta()))


def test_nobody_meets_on_a_day_off_if_there_is_another():
    assert starts(Attendee([], Hours(days=frozenset({2}))), days=3)[0] == at(9, 1)


def test_without_any_free_time_there_is_no_proposal():
    assert starts(Attendee([(at(0), at(24))], LONDON)) == []


def test_a_meeting_without_length_is_refused():
    with pytest.raises(ValueError, match="length"):
        starts(Attendee([], LONDON), length=timedelta())


SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 40)), max_size=8).map(
    lambda found: [(MONDAY + start * STEP / 3, MONDAY + (start + length) * STEP / 3) for start, length in found]
)
HOURS = st.builds(
    Hours,
    zone=st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]),
    starts=st.sampled_from([time(9), time(22)]),
    ends=st.sampled_from([time(17), time(6, 30)]),
)
PEOPLE = st.lists(st.builds(Attendee, SPANS, HOURS), min_size=1, max_size=3)


@given(people=PEOPLE, length=st.sampled_from([HALF, HOUR]), most=st.integers(1, 4))
def test_proposals_are_free_for_everybody_and_the_first_is_the_best_there_is(people, length, most):
    end = at(18)
    found = free_slots(people, start=MONDAY, end=end, length=length, most=most)
    grid = [MONDAY + number * STEP for number in range(int((end - length - MONDAY) / STEP) + 1)]
    free = [one for one in grid if _is_free(one, one + length, people)]
    assert len(found) <= most
    assert {one.start for one in found} <= set(free)
    assert bool(found) is bool(free)
    assert all(a.end <= b.start or b.end <= a.start for a in found for b in found if a is not b)
    if found:
        assert found[0].burden == min(_burden(one, one + length, people) for one in free)


def _is_free(start: datetime, end: datetime, people: list[Attendee]) -> bool:
    return all(end <= a or start >= b for one in people for a, b in one.busy if a < b)


def _burden(start: datetime, end: datetime, people: list[Attendee]) -> tuple[int, timedelta, timedelta]:
    """Shift by shift, for every day around."""
    far = [min(_reaches(start, end, one.hours)) for one in people]
    late = [one for one in far if one]
    return len(late), max(late, default=timedelta()), sum(late, timedelta())


def _reaches(start: datetime, end: datetime, hours: Hours) -> Iterator[timedelta]:
    zone = ZoneInfo(hours.zone)
    for number in range(-9, 10):
        day = start.astimezone(zone).date() + timedelta(days=number)
        if day.isoweekday() in hours.days:
            closing = day if hours.ends > hours.starts else day + timedelta(days=1)
            opens = datetime.combine(day, hours.starts, zone).astimezone(UTC)
            closes = datetime.combine(closing, hours.ends, zone).astimezone(UTC)
            yield max(opens - start, end - closes, timedelta())
