"""Series with exceptions through the whole pipeline, made and edited on either side."""

from datetime import date, datetime

import pytest

from calendars.models import Finding
from tests.sync.series_hands import expect_in_step, hands_of
from tests.sync.test_races import turn

pytestmark = pytest.mark.one_database


def at(text):
    return datetime.fromisoformat(text)


FIRST = at("2026-12-01T09:00")  # a Tuesday
SECOND, THIRD, FOURTH, LAST = (FIRST.replace(day=day) for day in (8, 15, 22, 29))
EITHER_WAY = pytest.mark.parametrize("made", ["outlook", "google"])
BY_EITHER = pytest.mark.parametrize("by", ["outlook", "google"])


@pytest.fixture
def ada(world):
    return world.person("ada")


def begun(world, person, made, *args, **more):
    """A series made on one side and copied to the other; the hands on both."""
    hands = hands_of(person)
    hands[made].make(*(args or ("Weekly", FIRST)), **more)
    world.activate()
    expect_in_step(world, person)
    return hands


def starts(seen):
    return [start for start, _, _ in seen]


def titles(seen):
    return [title for _, _, title in seen]


@EITHER_WAY
@BY_EITHER
@pytest.mark.parametrize("on", [FIRST, THIRD, LAST])
def test_a_moved_occurrence_moves_on_the_other_side(world, ada, made, by, on):
    hands = begun(world, ada, made)
    hands[by].move(on, on.replace(hour=15))
    seen = expect_in_step(world, ada)
    assert on.replace(hour=14).isoformat() in starts(seen)
    assert len(seen) == 5


@EITHER_WAY
@BY_EITHER
@pytest.mark.parametrize("on", [FIRST, LAST])
def test_a_renamed_occurrence_is_renamed_on_the_other_side(world, ada, made, by, on):
    hands = begun(world, ada, made)
    hands[by].rename(on, "Special")
    seen = expect_in_step(world, ada)
    assert [start for start, _, title in seen if title == "Special"] == [on.replace(hour=8).isoformat()]


@EITHER_WAY
@BY_EITHER
@pytest.mark.parametrize("on", [FIRST, LAST])
def test_a_cancelled_occurrence_goes_on_the_other_side(world, ada, made, by, on):
    hands = begun(world, ada, made)
    hands[by].cancel(on)
    seen = expect_in_step(world, ada)
    assert len(seen) == 4
    assert on.replace(hour=8).isoformat() not in starts(seen)


@EITHER_WAY
@BY_EITHER
def test_an_occurrence_is_edited_again_and_then_cancelled(world, ada, made, by):
    hands = begun(world, ada, made)
    hands[by].move(THIRD, THIRD.replace(hour=11))
    expect_in_step(world, ada)
    other = hands["google" if by == "outlook" else "outlook"]
    other.rename(THIRD, "Special")
    seen = expect_in_step(world, ada)
    assert (THIRD.replace(hour=10).isoformat(), "Special") in [(start, title) for start, _, title in seen]
    hands[by].cancel(THIRD)
    assert len(expect_in_step(world, ada)) == 4


@EITHER_WAY
@BY_EITHER
def test_a_moved_occurrence_is_put_back_to_what_the_rule_says(world, ada, made, by):
    hands = begun(world, ada, made)
    before = hands["google"].sees()
    hands[by].move(THIRD, THIRD.replace(hour=15))
    expect_in_step(world, ada)
    hands[by].move(THIRD, THIRD)
    assert expect_in_step(world, ada) == before


@EITHER_WAY
@BY_EITHER
def test_a_cancelled_occurrence_that_google_confirms_again_comes_back(world, ada, made, by):
    hands = begun(world, ada, made)
    before = hands["google"].sees()
    hands[by].cancel(THIRD)
    hands[by].rename(SECOND, "Special")
    expect_in_step(world, ada)
    hands["google"].restore(THIRD)
    seen = expect_in_step(world, ada)
    assert starts(seen) == starts(before)
    assert titles(seen) == ["Weekly", "Special", "Weekly", "Weekly", "Weekly"]


@EITHER_WAY
@BY_EITHER
def test_the_last_remaining_occurrence_is_cancelled(world, ada, made, by):
    hands = begun(world, ada, made, "Twice", FIRST, count=2)
    hands[by].cancel(SECOND)
    expect_in_step(world, ada)
    hands[by].cancel(FIRST)
    assert expect_in_step(world, ada) == []


@EITHER_WAY
@BY_EITHER
def test_a_whole_series_is_renamed_and_its_exceptions_stay(world, ada, made, by):
    hands = begun(world, ada, made)
    hands[by].rename(SECOND, "Special")
    hands[by].cancel(FOURTH)
    expect_in_step(world, ada)
    hands[by].rename_all("Daily")
    assert titles(expect_in_step(world, ada)) == ["Daily", "Special", "Daily", "Daily"]


@EITHER_WAY
@BY_EITHER
def test_an_occurrence_named_as_its_series_again_follows_the_next_name_of_the_series(world, ada, made, by):
    """Outlook keeps such an occurrence with a name of its own, which shows only when the series gets another."""
    hands = begun(world, ada, made)
    hands[by].rename(SECOND, "Special")
    expect_in_step(world, ada)
    hands[by].rename(SECOND, "Weekly")
    expect_in_step(world, ada)
    hands["google"].rename_all("Daily")
    assert titles(expect_in_step(world, ada)) == ["Daily"] * 5
    assert not Finding.objects.exists()


# --- whole days -------------------------------------------------------------------------------------------


@EITHER_WAY
@BY_EITHER
def test_days_of_an_all_day_series_move_change_and_go(world, ada, made, by):
    hands = begun(world, ada, made, "Fair", date(2026, 12, 1))
    hands[by].move(date(2026, 12, 8), date(2026, 12, 9))
    hands[by].rename(date(2026, 12, 15), "Market")
    hands[by].cancel(date(2026, 12, 29))
    seen = expect_in_step(world, ada)
    assert seen == [
        ("2026-12-01", "2026-12-02", "Fair"),
        ("2026-12-09", "2026-12-10", "Fair"),
        ("2026-12-15", "2026-12-16", "Market"),
        ("2026-12-22", "2026-12-23", "Fair"),
    ]


@BY_EITHER
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_whole_days_stay_the_same_days_far_from_utc(world, by, zone):
    bo = world.person("bo", zone=zone)
    hands = begun(world, bo, "google", "Fair", date(2026, 12, 1))
    hands[by].rename(date(2026, 12, 8), "Market")
    hands[by].cancel(date(2026, 12, 15))
    seen = expect_in_step(world, bo)
    assert starts(seen) == ["2026-12-01", "2026-12-08", "2026-12-22", "2026-12-29"]


# --- change of clocks -------------------------------------------------------------------------------------

MARCH = at("2027-03-14T09:00")  # Sundays; the clocks of Berlin go forward on the 28th


@BY_EITHER
@pytest.mark.parametrize("day", ["2027-03-21", "2027-03-28", "2027-04-04"])
def test_exceptions_before_on_and_after_the_change_of_clocks(world, ada, by, day):
    hands = begun(world, ada, "outlook", "Sundays", MARCH)
    on = at(f"{day}T09:00")
    hands[by].move(on, on.replace(hour=10, minute=30))
    seen = expect_in_step(world, ada)
    hour = 9 if day == "2027-03-21" else 8
    assert on.replace(hour=hour, minute=30).isoformat() in starts(seen)
    hands[by].cancel(on)
    assert len(expect_in_step(world, ada)) == 4


@BY_EITHER
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_series_in_a_zone_of_its_own_keeps_its_wall_clock(world, ada, by, zone):
    """New York changes its clocks on the 14th of March, Berlin on the 28th, Tokyo never."""
    hands = begun(world, ada, "google", "Far away", at("2027-03-07T20:30"), zone=zone)
    hands[by].move(at("2027-03-21T20:30"), at("2027-03-21T21:00"), zone=zone)
    hands[by].rename(at("2027-03-28T20:30"), "Special")
    hands[by].cancel(at("2027-04-04T20:30"))
    seen = expect_in_step(world, ada)
    expected = {
        "America/New_York": [
            "2027-03-08T01:30:00",
            "2027-03-15T00:30:00",
            "2027-03-22T01:00:00",
            "2027-03-29T00:30:00",
        ],
        "Asia/Tokyo": ["2027-03-07T11:30:00", "2027-03-14T11:30:00", "2027-03-21T12:00:00", "2027-03-28T11:30:00"],
    }
    assert starts(seen) == expected[zone]
    assert titles(seen)[3] == "Special"


@EITHER_WAY
@BY_EITHER
def test_an_exception_told_in_another_zone_is_the_same_moment(world, ada, made, by):
    hands = begun(world, ada, made)
    hands[by].move(THIRD, at("2026-12-15T07:00"), zone="America/New_York")  # 13:00 in Berlin
    seen = expect_in_step(world, ada)
    assert "2026-12-15T12:00:00" in starts(seen)


@BY_EITHER
@pytest.mark.parametrize(
    ("first", "gap"),
    [
        ("2027-03-14T02:30", "2027-03-28"),  # 02:30 does not exist on that day
        ("2027-10-17T02:30", "2027-10-31"),  # 02:30 comes twice
    ],
)
def test_the_hour_that_is_missing_or_doubled(world, ada, by, first, gap):
    hands = begun(world, ada, "outlook", "Night", at(first))
    day = date.fromisoformat(gap)
    on = at(first).replace(month=day.month, day=day.day)
    hands[by].rename(on, "Special")
    seen = expect_in_step(world, ada)
    assert titles(seen).count("Special") == 1
    assert [start[:10] for start, _, title in seen if title == "Special"] == [gap]
    hands[by].cancel(on)
    assert len(expect_in_step(world, ada)) == 4


# --- both sides at once -----------------------------------------------------------------------------------


@EITHER_WAY
@BY_EITHER
def test_an_occurrence_renamed_here_while_the_series_moves_there(world, ada, made, by):
    hands = begun(world, ada, made)
    other = hands["google" if by == "outlook" else "outlook"]
    hands[by].rename(THIRD, "Special")
    other.move_all(FIRST.replace(hour=14))
    seen = expect_in_step(world, ada)
    assert starts(seen) == [day.replace(hour=13).isoformat() for day in (FIRST, SECOND, THIRD, FOURTH, LAST)]
    assert titles(seen)[2] == "Special" or Finding.objects.exists()


@EITHER_WAY
@BY_EITHER
def test_an_occurrence_cancelled_here_while_the_series_moves_there(world, ada, made, by):
    hands = begun(world, ada, made)
    other = hands["google" if by == "outlook" else "outlook"]
    hands[by].cancel(THIRD)
    other.move_all(FIRST.replace(hour=14))
    seen = expect_in_step(world, ada)
    assert len(seen) == 4 or Finding.objects.exists()


CLASHES = {
    "renamed and cancelled": (lambda hand: hand.rename(THIRD, "Special"), lambda hand: hand.cancel(THIRD)),
    "moved and cancelled": (lambda hand: hand.move(THIRD, THIRD.replace(hour=15)), lambda hand: hand.cancel(THIRD)),
    "renamed twice": (lambda hand: hand.rename(THIRD, "Special"), lambda hand: hand.rename(THIRD, "Other")),
    "renamed and cut off": (lambda hand: hand.rename(THIRD, "Special"), lambda hand: hand.end_after(date(2026, 12, 9))),
    "renamed and all deleted": (lambda hand: hand.rename(THIRD, "Special"), lambda hand: hand.delete_all()),
}


@BY_EITHER
@pytest.mark.parametrize("first", ["outlook", "google"])
@pytest.mark.parametrize("clash", CLASHES)
def test_an_occurrence_that_clashes_with_the_other_side_is_shown_or_kept(world, ada, by, first, clash):
    hands = begun(world, ada, "google")
    ours, theirs = CLASHES[clash]
    ours(hands[by])
    theirs(hands["google" if by == "outlook" else "outlook"])
    turn(ada, first)
    seen = expect_in_step(world, ada)
    told = Finding.objects.get()
    kept = {value["text"] for value in told.values.values() if value and "text" in value}
    is_shown = THIRD.replace(hour=14).isoformat() in starts(seen) if clash.startswith("moved") else False
    assert is_shown or "Special" in {*titles(seen), *kept}
    assert told.kind == ("delete_against_edit" if clash.endswith("deleted") else "both_edited")


@EITHER_WAY
def test_two_occurrences_edited_on_two_sides_both_count(world, ada, made):
    hands = begun(world, ada, made)
    hands["outlook"].rename(SECOND, "Here")
    hands["google"].cancel(FOURTH)
    seen = expect_in_step(world, ada)
    assert titles(seen) == ["Weekly", "Here", "Weekly", "Weekly"]
    assert not Finding.objects.exists()
