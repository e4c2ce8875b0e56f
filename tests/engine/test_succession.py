"""Which series goes on where another was cut."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.events import Weekday
from calsync.engine.succession import Series, base_of, follows, predecessor_of
from tests.engine.builders import NINE, NOW, edit, series, timed, weekly

CUT = series(recurrence=weekly(until=date(2026, 11, 15)))  # Mondays, the last one on the 9th
THIRD = NINE + timedelta(weeks=2)  # where it would have gone on
TAIL = edit(series(recurrence=weekly(count=8)), when=timed(THIRD))
OLD = NOW - timedelta(days=30)


def cut(event=CUT, *, remote_id="base", minutes=0, known_at=OLD):
    return Series(remote_id, event, NOW + timedelta(minutes=minutes), known_at)


def tail(event=TAIL, *, remote_id="fresh", minutes=1):
    return Series(remote_id, event, NOW + timedelta(minutes=minutes))


# --- by id --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote_id", "base"),
    [
        ("abc_R20261116T080000", "abc"),
        ("abc_R20261116", "abc"),
        ("_60q30c1g_R20261116T080000", "_60q30c1g"),
        ("abc", ""),
        ("abc_20261116T080000Z", ""),
        ("abc_R2026", ""),
        ("abc_R20261116T080000_20261123T080000Z", ""),
    ],
)
def test_the_id_of_a_tail_names_what_it_was_split_from(remote_id, base):
    assert base_of(remote_id) == base


def test_the_id_is_proof_whatever_was_changed():
    other = edit(series("Something else", recurrence=weekly(Weekday.FR, interval=3)), when=timed(THIRD))
    newcomer = Series("base_R20261116T080000", other)
    assert follows(newcomer, Series("base", CUT))


def test_of_several_with_one_base_the_latest_earlier_one_is_followed():
    chain = [
        Series("base", CUT),
        Series("base_R20261130T080000", edit(TAIL, when=timed(NINE + timedelta(weeks=4)))),
        Series("base_R20261207T080000", edit(TAIL, when=timed(NINE + timedelta(weeks=5)))),
    ]
    middle = Series("base_R20261116T080000", TAIL)
    assert predecessor_of(middle, chain) == 0
    assert predecessor_of(chain[2], [*chain, middle]) == 1


def test_nothing_follows_itself_or_what_begins_later():
    later = Series("base_R20261116T080000", TAIL)
    assert predecessor_of(later, [later, Series("base", edit(CUT, when=timed(THIRD + timedelta(weeks=9))))]) is None


# --- by shape -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "newcomer",
    [
        TAIL,
        edit(TAIL, title="Another title"),
        edit(TAIL, when=timed(THIRD.replace(hour=15))),
        edit(TAIL, when=timed(THIRD + timedelta(days=1))),
        replace(TAIL, recurrence=weekly(count=4, interval=2)),
    ],
)
def test_a_series_that_begins_where_the_other_would_have_gone_on_follows_it(newcomer):
    assert follows(tail(newcomer), cut())


@pytest.mark.parametrize(
    "newcomer",
    [
        edit(replace(TAIL, recurrence=weekly(count=4, interval=2)), title="Another title"),
        edit(TAIL, title="Another title", when=timed(THIRD + timedelta(days=1))),
        edit(TAIL, when=timed(THIRD + timedelta(weeks=1))),
        edit(TAIL, when=timed(NINE + timedelta(weeks=1))),
        replace(TAIL, organizer="boss@example.org"),
    ],
)
def test_another_day_rhythm_title_or_organiser_is_another_series(newcomer):
    assert not follows(tail(newcomer), cut())


def test_what_was_not_changed_at_about_the_same_time_was_not_split():
    assert not follows(tail(minutes=30), cut())
    assert not follows(Series("fresh", TAIL), cut())


def test_what_was_never_seen_longer_was_not_cut():
    assert not follows(tail(), cut(known_at=NOW + timedelta(seconds=5)))
    assert not follows(tail(), cut(known_at=None))


def test_an_endless_series_was_not_cut():
    assert not follows(tail(), cut(series(recurrence=weekly())))


def test_with_two_candidates_there_is_no_telling():
    assert predecessor_of(tail(), [cut(), cut(remote_id="other")]) is None
    assert predecessor_of(tail(), [cut(series(recurrence=weekly())), cut()]) == 1


def test_without_others_there_is_no_predecessor():
    assert predecessor_of(tail(), []) is None
