"""'This and following' made on either side: two series afterwards on both, nothing doubled, nothing deleted."""

from datetime import date, datetime, timedelta

import pytest

from calendars.models import Calendar, Event, Finding
from tests.sync.series_hands import WINDOWS, expect_in_step, hands_of

pytestmark = pytest.mark.one_database

FIRST = datetime.fromisoformat("2026-12-01T09:00")  # a Tuesday
SECOND, THIRD, FOURTH, LAST = (FIRST.replace(day=day) for day in (8, 15, 22, 29))
EITHER_WAY = pytest.mark.parametrize("made", ["outlook", "google"])
BY_EITHER = pytest.mark.parametrize("by", ["outlook", "google"])


@pytest.fixture
def ada(world):
    return world.person("ada")


def begun(world, person, made, **more):
    hands = hands_of(person)
    hands[made].make("Weekly", FIRST, **more)
    world.activate()
    return hands


def split(hands, by, at, *, title=None, start=None):
    """ "This and following" by hand, with another title or time for what follows."""
    hand = hands[by]
    changes = {} if title is None else {"subject" if by == "outlook" else "summary": title}
    if start is not None:
        zone = WINDOWS["Europe/Berlin"] if by == "outlook" else "Europe/Berlin"
        end = start + timedelta(minutes=30)
        changes |= {
            name: {"dateTime": moment.isoformat(), "timeZone": zone}
            for name, moment in (("start", start), ("end", end))
        }
    day = at.date() if by == "outlook" else at
    return hand.store.split_series(hand.person.address, hand.series.id, day, **changes)["id"]


def told(seen):
    return [(start, title) for start, _, title in seen]


def utc(day, *, hour=8):
    return day.replace(hour=hour).isoformat()


def expect_succession():
    """Two hub events, the later one after the earlier."""
    earlier, later = Event.objects.filter(deleted_at=None).order_by("starts_at")
    assert later.predecessor == earlier
    assert earlier.predecessor is None
    assert earlier.links.count() == later.links.count() == 2


@EITHER_WAY
@BY_EITHER
def test_a_split_with_another_title_becomes_two_series_on_both_sides(world, ada, made, by):
    hands = begun(world, ada, made)
    split(hands, by, THIRD, title="Later")
    seen = expect_in_step(world, ada)
    assert told(seen) == [
        (utc(FIRST), "Weekly"), (utc(SECOND), "Weekly"), (utc(THIRD), "Later"), (utc(FOURTH), "Later"),
        (utc(LAST), "Later"),
    ]  # fmt: skip
    expect_succession()
    assert not Finding.objects.exists()


@EITHER_WAY
@BY_EITHER
def test_a_split_to_another_time_has_a_fresh_id_and_is_recognised_by_its_shape(world, ada, made, by):
    hands = begun(world, ada, made)
    split(hands, by, THIRD, start=THIRD.replace(hour=15))
    seen = expect_in_step(world, ada)
    expected = [utc(FIRST), utc(SECOND), utc(THIRD, hour=14), utc(FOURTH, hour=14), utc(LAST, hour=14)]
    assert [start for start, _ in told(seen)] == expected
    expect_succession()


@EITHER_WAY
@BY_EITHER
def test_a_split_to_another_day_of_the_week_is_recognised(world, ada, made, by):
    hands = begun(world, ada, made)
    if by == "google":
        wednesday = {"dateTime": "2026-12-16T09:00:00", "timeZone": "Europe/Berlin"}
        ends = {"dateTime": "2026-12-16T09:30:00", "timeZone": "Europe/Berlin"}
        rule = ["RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=WE"]
        hand = hands["google"]
        hand.store.split_series(ada.address, hand.series.id, THIRD, start=wednesday, end=ends, recurrence=rule)
    else:
        hand = hands["outlook"]
        zone = WINDOWS["Europe/Berlin"]
        hand.store.split_series(
            ada.address, hand.series.id, THIRD.date(),
            start={"dateTime": "2026-12-16T09:00:00", "timeZone": zone},
            end={"dateTime": "2026-12-16T09:30:00", "timeZone": zone},
            recurrence={
                "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"]},
                "range": {"type": "numbered", "startDate": "2026-12-16", "numberOfOccurrences": 3},
            },
        )  # fmt: skip
    seen = expect_in_step(world, ada)
    assert [start[8:10] for start, _ in told(seen)] == ["01", "08", "16", "23", "30"]
    expect_succession()


@EITHER_WAY
@BY_EITHER
def test_exceptions_before_the_split_stay_and_those_after_it_go_as_the_tool_had_it(world, ada, made, by):
    hands = begun(world, ada, made)
    hands[by].rename(SECOND, "Special")
    hands[by].rename(FOURTH, "Lost")
    hands[by].cancel(LAST)
    expect_in_step(world, ada)
    split(hands, by, THIRD, title="Later")
    seen = expect_in_step(world, ada)
    assert [title for _, title in told(seen)] == ["Weekly", "Special", "Later", "Later", "Later"]
    expect_succession()
    assert not Finding.objects.exists()


@EITHER_WAY
@BY_EITHER
def test_deleting_this_and_following_only_ends_the_series(world, ada, made, by):
    hands = begun(world, ada, made)
    hands[by].rename(SECOND, "Special")
    hands[by].rename(FOURTH, "Lost")
    expect_in_step(world, ada)
    hands[by].end_after(date(2026, 12, 14))
    seen = expect_in_step(world, ada)
    assert [title for _, title in told(seen)] == ["Weekly", "Special"]
    assert Event.objects.get().deleted_at is None
    assert not Finding.objects.exists()


@EITHER_WAY
@BY_EITHER
def test_a_series_is_split_twice(world, ada, made, by):
    hands = begun(world, ada, made)
    store, address = hands[by].store, ada.address
    tail = split(hands, by, SECOND, title="Middle")
    expect_in_step(world, ada)
    at = FOURTH if by == "google" else FOURTH.date()
    store.split_series(address, tail, at, **{"subject" if by == "outlook" else "summary": "End"})
    seen = expect_in_step(world, ada)
    assert [title for _, title in told(seen)] == ["Weekly", "Middle", "Middle", "End", "End"]
    first, middle, end = Event.objects.order_by("starts_at")
    assert (middle.predecessor, end.predecessor) == (first, middle)


@EITHER_WAY
@BY_EITHER
def test_both_halves_go_on_by_themselves(world, ada, made, by):
    hands = begun(world, ada, made)
    tail = split(hands, by, THIRD, title="Later")
    expect_in_step(world, ada)
    store = hands[by].store
    change = store.update_event if by == "outlook" else store.patch_event
    change(ada.address, tail, {"subject" if by == "outlook" else "summary": "Latest"})
    seen = expect_in_step(world, ada)
    assert [title for _, title in told(seen)] == ["Weekly", "Weekly", "Latest", "Latest", "Latest"]
    store.delete_event(ada.address, tail)
    assert [title for _, title in told(expect_in_step(world, ada))] == ["Weekly", "Weekly"]


@EITHER_WAY
def test_a_split_on_both_sides_at_once_leaves_one_tail(world, ada, made):
    hands = begun(world, ada, made)
    split(hands, "outlook", THIRD, title="Later")
    split(hands, "google", THIRD, title="Later")
    seen = expect_in_step(world, ada)
    assert [title for _, title in told(seen)] == ["Weekly", "Weekly", "Later", "Later", "Later"]
    expect_succession()


@EITHER_WAY
def test_a_split_on_both_sides_with_two_titles_leaves_one_tail_and_keeps_the_other_title(world, ada, made):
    hands = begun(world, ada, made)
    split(hands, "outlook", THIRD, title="Later")
    split(hands, "google", THIRD, title="After")
    seen = expect_in_step(world, ada)
    assert len(seen) == 5
    expect_succession()
    kept = {value["text"] for value in Finding.objects.get().values.values()}
    assert kept | {seen[-1][2]} == {"Later", "After"}


def test_a_split_series_is_read_whole_from_the_start(world, ada):
    """Tombstones of exceptions that the split swept away name the base: they are none of the tail's."""
    hands = begun(world, ada, "google")
    hands["google"].rename(FOURTH, "Lost")
    hands["google"].cancel(LAST)
    expect_in_step(world, ada)
    split(hands, "google", THIRD, title="Later")
    Calendar.objects.filter(account__platform="google").update(cursor="")
    seen = expect_in_step(world, ada)
    assert [title for _, title in told(seen)] == ["Weekly", "Weekly", "Later", "Later", "Later"]
    Calendar.objects.update(cursor="")
    assert expect_in_step(world, ada) == seen


def test_a_series_that_was_split_before_we_came_is_recognised_by_its_id(world, ada):
    hands = hands_of(ada)
    hands["google"].make("Weekly", FIRST)
    split(hands, "google", THIRD, title="Later")
    world.activate()
    expect_in_step(world, ada)
    expect_succession()


def test_many_swept_exceptions_are_no_mass_deletion(world, ada):
    hands = begun(world, ada, "google", count=40)
    for week in range(20, 36):
        hands["google"].rename(FIRST + timedelta(weeks=week), f"Special {week}")
    expect_in_step(world, ada)
    split(hands, "google", THIRD, title="Later")
    seen = expect_in_step(world, ada)
    assert len(seen) == 40
    assert not Finding.objects.exists()


def test_two_courses_in_a_row_are_no_split(world, ada):
    hands = begun(world, ada, "google", count=2)
    hands["google"].make("Weekly", THIRD, count=3)
    world.simulator.core.clock.advance(timedelta(hours=1))
    expect_in_step(world, ada)
    assert [event.predecessor for event in Event.objects.all()] == [None, None]
