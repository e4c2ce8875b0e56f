"""What every adapter promises to its callers (``calsync.providers.base``), on both providers: writing single events.

The other parts of the contract stand beside it in ``test_contract_<part>.py``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.events import AllDay, Content, Event, Sensitivity, ShowAs, Timed
from calsync.providers.base import NotFound, VersionMismatch, Write, WriteKind
from tests.providers.samples import difference, single, stored, update
from tests.providers.sides import created, expect_written, wall


def test_a_created_event_is_echoed_as_wanted(side):
    wanted = single(body="First line\n\nSecond line & more", location="Room 1", sensitivity=Sensitivity.PRIVATE)

    written = created(side, wanted)

    assert difference(side, wanted, written.event) == frozenset()
    assert difference(side, wanted, stored(side, written.remote_id)) == frozenset()
    assert written.version
    assert written.changed_at is not None


@pytest.mark.parametrize("show_as", list(ShowAs))
@pytest.mark.parametrize("sensitivity", list(Sensitivity))
def test_every_level_is_kept_as_far_as_the_platform_holds_it(side, show_as, sensitivity):
    wanted = single(show_as=show_as, sensitivity=sensitivity)

    written = created(side, wanted)

    assert difference(side, wanted, written.event) == frozenset()


def test_words_that_look_like_markup_stay_words(side):
    wanted = single(body="if a < b then <b>bold</b> &amp; done\n<ann@example.com>")

    assert difference(side, wanted, created(side, wanted).event) == frozenset()


def test_an_update_changes_what_differs_and_nothing_else(side):
    before = single(body="Keep me", location="Room 1", show_as=ShowAs.TENTATIVE)
    written = created(side, before)
    wanted = replace(before, content=replace(before.content, title="Budget v2", show_as=ShowAs.FREE))

    again = expect_written(side, update(written, before, wanted))

    assert again.remote_id == written.remote_id
    assert again.version != written.version
    assert difference(side, wanted, again.event) == frozenset()


def test_texts_can_be_emptied(side):
    before = single(body="Body", location="Room 1")
    written = created(side, before)
    wanted = Event(Content(before.content.when))

    assert difference(side, wanted, expect_written(side, update(written, before, wanted)).event) == frozenset()


def test_an_all_day_event_keeps_its_days(side):
    wanted = Event(Content(AllDay(date(2026, 12, 24), date(2026, 12, 27)), title="Holidays", show_as=ShowAs.FREE))

    written = created(side, wanted)

    assert written.event.content.when == wanted.content.when
    assert stored(side, written.remote_id).content.when == wanted.content.when


def test_a_timed_event_becomes_all_day_and_timed_again(side):
    timed = single()
    all_day = replace(timed, content=replace(timed.content, when=AllDay(date(2026, 12, 1), date(2026, 12, 2))))
    first = created(side, timed)

    second = expect_written(side, update(first, timed, all_day))
    third = expect_written(side, update(second, all_day, timed))

    assert second.event.content.when == all_day.content.when
    assert difference(side, timed, third.event) == frozenset()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata"])
@pytest.mark.parametrize("day", [date(2026, 7, 1), date(2026, 12, 1), date(2027, 3, 28), date(2027, 10, 31)])
def test_wall_clock_times_survive_the_round_trip_in_any_zone_and_season(side, zone, day):
    start = wall(f"{day}T09:30")
    wanted = Event(Content(Timed(start, start + timedelta(minutes=45), zone), title="Call"))

    found = created(side, wanted).event

    assert difference(side, wanted, found) == frozenset()
    assert (found.content.when.start, found.content.when.end) == (wanted.content.when.start, wanted.content.when.end)


def test_a_delete_may_be_repeated(side):
    written = created(side, single())
    delete = Write(WriteKind.DELETE, remote_id=written.remote_id, version=written.version)

    first, second = expect_written(side, delete), expect_written(side, delete)

    assert first.event is None
    assert second.event is None
    assert side.stored_titles() == []


def test_a_stale_version_is_refused_and_nothing_is_modified(side):
    before = single()
    written = created(side, before)
    side.person_renames(written.remote_id, "By hand")
    wanted = single("By machine")

    (outcome,) = side.provider.apply(side.mailbox, [update(written, before, wanted)])

    assert isinstance(outcome, VersionMismatch)
    assert side.stored_titles() == ["By hand"]


def test_a_stale_delete_is_refused(side):
    written = created(side, single())
    side.person_renames(written.remote_id, "By hand")

    (outcome,) = side.provider.apply(
        side.mailbox, [Write(WriteKind.DELETE, remote_id=written.remote_id, version=written.version)]
    )

    assert isinstance(outcome, VersionMismatch)
    assert side.stored_titles() == ["By hand"]


def test_an_update_of_something_deleted_is_not_found(side):
    before = single()
    written = created(side, before)
    side.person_deletes(written.remote_id)

    (outcome,) = side.provider.apply(side.mailbox, [update(written, before, single("Too late"), version="")])

    assert isinstance(outcome, NotFound)
    assert side.stored_titles() == []


def test_a_body_of_equal_words_is_never_written(side):
    rich = "<b>Bold</b> words"
    before = single(body="Bold words", markup=rich)
    written = created(side, before)
    wanted = replace(before, content=replace(before.content, title="Budget v2", markup=""))

    again = expect_written(side, update(written, before, wanted))

    assert again.event.content.title == "Budget v2"
    assert again.event.content.markup == rich
    assert stored(side, written.remote_id).content.markup == rich
