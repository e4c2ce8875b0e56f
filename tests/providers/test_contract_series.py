"""What every adapter promises, on both providers: writing series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from calsync.engine.events import AllDay, Content, Event, Field, Frequency, OccurrenceKey, Recurrence, Rule, Timed
from calsync.providers.base import VersionMismatch
from tests.providers.samples import (
    FOURTH,
    NINE,
    SECOND,
    THIRD,
    WEEKLY,
    difference,
    full_series,
    series,
    single,
    stored,
    update,
)
from tests.providers.sides import ZONE, created, expect_written, wall, week_later


def test_a_series_with_exceptions_and_a_cancelled_occurrence_is_one_write(side):
    written = created(side, full_series())

    assert difference(side, full_series(), written.event) == frozenset()
    assert difference(side, full_series(), stored(side, written.remote_id)) == frozenset()
    assert side.stored_titles() == ["Standup"]


def test_an_all_day_series_with_a_cancelled_day_survives(side):
    rule = Rule(Frequency.MONTHLY, by_month_day=(15,), count=6)
    when = AllDay(date(2026, 12, 15), date(2026, 12, 16))
    wanted = Event(
        Content(when, title="Payday"),
        recurrence=Recurrence((rule,)),
        cancelled=frozenset({OccurrenceKey("2027-01-15")}),
    )

    assert difference(side, wanted, created(side, wanted).event) == frozenset()


def test_a_series_across_the_change_of_clocks_keeps_its_occurrences(side):
    start = wall("2027-03-16T09:00")
    after = OccurrenceKey("2027-03-30T09:00")  # summer time
    wanted = Event(
        Content(Timed(start, start + timedelta(hours=1), ZONE), title="Spring"),
        recurrence=WEEKLY,
        exceptions={after: {Field.TITLE: "Summer"}},
        cancelled=frozenset({OccurrenceKey("2027-04-06T09:00")}),
    )

    assert difference(side, wanted, created(side, wanted).event) == frozenset()


def test_an_update_brings_a_series_to_exactly_the_wanted_occurrences(side):
    before = full_series()
    written = created(side, before)
    wanted = series(
        exceptions={FOURTH: {Field.TITLE: "Retrospective", Field.LOCATION: "Room 2"}, THIRD: {Field.TITLE: "Back"}},
        cancelled=frozenset({SECOND}),
    )

    again = expect_written(side, update(written, before, wanted))

    assert difference(side, wanted, again.event) == frozenset()
    assert difference(side, wanted, stored(side, written.remote_id)) == frozenset()


def test_a_changed_master_keeps_its_exceptions(side):
    before = full_series()
    written = created(side, before)
    wanted = replace(before, content=replace(before.content, title="Daily", location="Room 3"))

    again = expect_written(side, update(written, before, wanted))

    assert difference(side, wanted, again.event) == frozenset()


def test_an_occurrence_that_was_put_back_follows_its_series_again(side):
    plain = series()
    written = created(side, plain)
    special = series(exceptions={SECOND: {Field.TITLE: "Special", Field.LOCATION: "Room 2"}})
    written = expect_written(side, update(written, plain, special))
    written = expect_written(side, update(written, special, plain))
    renamed = replace(plain, content=replace(plain.content, title="Daily", location="Room 3"))

    again = expect_written(side, update(written, plain, renamed))

    assert difference(side, renamed, again.event) == frozenset()
    assert difference(side, renamed, stored(side, written.remote_id)) == frozenset()


def test_an_occurrence_edited_while_its_series_is_written_is_not_overwritten(side):
    before = series()
    written = created(side, before)
    wanted = replace(before, content=replace(before.content, title="Daily"))
    by_hand = [lambda: side.person_renames_one(written.remote_id, week_later(NINE), "By hand")]

    def strike(call):
        if by_hand and call.method == "PATCH":
            by_hand.pop()()

    side.simulator.core.on_call.append(strike)
    side.provider.apply(side.mailbox, [update(written, before, wanted)])

    assert by_hand == []
    assert stored(side, written.remote_id).exceptions[SECOND] == {Field.TITLE: "By hand"}


def test_a_series_moved_to_another_time_of_day_holds_no_old_exceptions(side):
    before = full_series()
    written = created(side, before)
    start = NINE + timedelta(hours=2)
    key = OccurrenceKey(week_later(start, 1).isoformat(timespec="minutes"))
    content = replace(before.content, when=Timed(start, start + timedelta(hours=1), ZONE))
    wanted = Event(content, recurrence=WEEKLY, exceptions={key: {Field.TITLE: "New"}})

    again = expect_written(side, update(written, before, wanted))

    assert difference(side, wanted, again.event) == frozenset()


def test_a_single_event_becomes_a_series_and_a_series_a_single_event(side):
    alone, recurring = single("Standup", body="Agenda"), series()
    first = created(side, alone)

    second = expect_written(side, update(first, alone, recurring))
    third = expect_written(side, update(second, recurring, alone))

    assert difference(side, recurring, second.event) == frozenset()
    assert difference(side, alone, third.event) == frozenset()


def test_a_stale_version_of_a_series_is_refused_before_any_occurrence_is_written(side):
    before = series()
    written = created(side, before)
    side.person_renames(written.remote_id, "By hand")
    wanted = series(exceptions={SECOND: {Field.TITLE: "x"}, THIRD: {Field.TITLE: "y"}}, cancelled=frozenset({FOURTH}))

    (outcome,) = side.provider.apply(side.mailbox, [update(written, before, wanted)])

    assert isinstance(outcome, VersionMismatch)
    found = stored(side, written.remote_id)
    assert (found.content.title, dict(found.exceptions), found.cancelled) == ("By hand", {}, frozenset())


def test_a_stale_version_of_a_series_is_refused_before_its_master_is_written(side):
    before = full_series()
    written = created(side, before)
    side.person_renames(written.remote_id, "By hand")
    wanted = replace(before, content=replace(before.content, location="Room 9"))

    (outcome,) = side.provider.apply(side.mailbox, [update(written, before, wanted)])

    assert isinstance(outcome, VersionMismatch)
    found = stored(side, written.remote_id)
    assert (found.content.title, found.content.location) == ("By hand", "")
