"""What every adapter promises to its callers (``calsync.providers.base``), on both providers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from calsync.engine.compare import differences
from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    Frequency,
    OccurrenceKey,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    Weekday,
)
from calsync.engine.policy import Role
from calsync.engine.transform import project
from calsync.providers.base import (
    AlreadyExists,
    AuthenticationFailed,
    CursorExpired,
    MailboxUnavailable,
    NotFound,
    RateLimited,
    Transient,
    VersionMismatch,
    Write,
    WriteKind,
    Written,
)
from calsync.simulator.core import Fault
from tests.providers.sides import ZONE, Reading, Side, created, expect_written, wall, week_later

NINE = wall("2026-12-01T09:00")  # a Tuesday
TEN = NINE + timedelta(hours=1)
SECOND, THIRD, FOURTH = (OccurrenceKey(week_later(NINE, weeks).isoformat(timespec="minutes")) for weeks in (1, 2, 3))
WEEKLY = Recurrence((Rule(Frequency.WEEKLY, by_day=((None, Weekday.TU),)),))


def single(title: str = "Budget", **content: object) -> Event:
    return Event(Content(Timed(NINE, TEN, ZONE), title=title, **content))


def moved(weeks: int, *, hours: int) -> Timed:
    start = week_later(NINE, weeks) + timedelta(hours=hours)
    return Timed(start, start + timedelta(hours=1), ZONE)


def series(**aggregate: object) -> Event:
    return Event(Content(Timed(NINE, TEN, ZONE), title="Standup", body="Agenda"), recurrence=WEEKLY, **aggregate)


def full_series() -> Event:
    return series(
        exceptions={SECOND: {Field.WHEN: moved(1, hours=5)}, FOURTH: {Field.TITLE: "Retrospective"}},
        cancelled=frozenset({THIRD}),
    )


def update(written: Written, before: Event, event: Event, *, version: str | None = None) -> Write:
    guard = written.version if version is None else version
    return Write(WriteKind.UPDATE, remote_id=written.remote_id, version=guard, event=event, before=before)


def difference(side: Side, wanted: Event, found: Event | None) -> frozenset[str]:
    """What the provider holds otherwise than wanted, as far as it can hold it."""
    assert found is not None
    return differences(project(wanted, traits=side.provider.traits, role=Role.TWIN), found)


def stored(side: Side, remote_id: str) -> Event | None:
    """The event as a fresh read shows it."""
    return side.provider.read(side.mailbox, remote_id).event


# --- writing ----------------------------------------------------------------------------------------------


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


# --- series -----------------------------------------------------------------------------------------------


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


# --- repeats, batches, failures ---------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [single("Standup"), full_series()], ids=["single", "series"])
def test_a_repeated_create_with_the_same_key_gives_one_event(side, wanted):
    first, second = created(side, wanted), created(side, wanted)

    assert second.remote_id == first.remote_id
    assert difference(side, wanted, second.event) == frozenset()
    assert side.stored_titles() == ["Standup"]


def test_a_key_whose_event_was_deleted_is_burnt(side):
    written = created(side, single())
    side.person_deletes(written.remote_id)

    (outcome,) = side.provider.apply(side.mailbox, [Write(WriteKind.CREATE, key="key-1", event=single())])

    assert isinstance(outcome, AlreadyExists)
    assert side.stored_titles() == []
    assert created(side, single(), key="key-2").remote_id != written.remote_id


@pytest.mark.parametrize("wanted", [single("Standup"), full_series()], ids=["single", "series"])
def test_a_lost_answer_and_a_retry_double_nothing(side, wanted):
    lost = Fault(side.name, "lose_answer", method="POST", path="event|batch", times=2)
    side.simulator.core.faults.append(lost)

    for _ in range(4):
        (outcome,) = side.provider.apply(side.mailbox, [Write(WriteKind.CREATE, key="key-1", event=wanted)])
        if isinstance(outcome, Written):
            break
        assert isinstance(outcome, Transient)

    assert isinstance(outcome, Written)
    assert difference(side, wanted, outcome.event) == frozenset()
    assert side.stored_titles() == ["Standup"]


def test_a_batch_keeps_the_order_of_its_writes(side):
    titles = [f"Event {number:03}" for number in range(60)]
    writes = [Write(WriteKind.CREATE, key=f"key-{number}", event=single(title)) for number, title in enumerate(titles)]

    outcomes = side.provider.apply(side.mailbox, writes)

    assert [outcome.event.content.title for outcome in outcomes] == titles
    assert side.stored_titles() == titles


def test_writes_of_all_kinds_travel_together(side):
    kept, dropped = created(side, single("Old")), created(side, single("Gone"), key="key-2")
    writes = [
        update(kept, single("Old"), single("New")),
        Write(WriteKind.DELETE, remote_id=dropped.remote_id, version=dropped.version),
        Write(WriteKind.CREATE, key="key-3", event=full_series()),
    ]

    updated, deleted, made = side.provider.apply(side.mailbox, writes)

    assert updated.event.content.title == "New"
    assert deleted.event is None
    assert difference(side, full_series(), made.event) == frozenset()
    assert side.stored_titles() == ["New", "Standup"]


def test_a_rate_limit_inside_a_batch_hits_that_write_alone(side):
    side.limit_rate(skip=1)
    writes = [Write(WriteKind.CREATE, key=f"key-{name}", event=single(name)) for name in ("One", "Two", "Three")]

    first, second, third = side.provider.apply(side.mailbox, writes)

    assert isinstance(first, Written)
    assert isinstance(second, RateLimited)
    assert isinstance(third, Written)
    assert side.stored_titles() == ["One", "Three"]


def test_the_adapter_sends_nobody_any_mail(side):
    before = full_series()
    written = created(side, before)
    again = expect_written(side, update(written, before, series(cancelled=frozenset({SECOND}))))
    expect_written(side, Write(WriteKind.DELETE, remote_id=again.remote_id, version=again.version))

    assert side.simulator.core.outbox == []


# --- reading ----------------------------------------------------------------------------------------------


def test_a_first_round_tells_everything_and_gives_a_cursor(side):
    side.person_creates("One", NINE, TEN)
    weekly = side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    side.person_cancels(weekly, week_later(NINE))
    reading = Reading(side)

    items = reading.round()

    assert sorted(item.event.content.title for item in items) == ["One", "Weekly"]
    assert next(item for item in items if item.remote_id == weekly).event.cancelled == {SECOND}
    assert reading.complete
    assert reading.cursor


def test_many_events_come_in_several_pages(side):
    for number in range(300):
        side.person_creates(f"Event {number:03}", NINE + timedelta(days=number), TEN + timedelta(days=number))

    items = Reading(side).round()

    assert sorted(item.event.content.title for item in items) == [f"Event {number:03}" for number in range(300)]


def test_an_idle_round_is_one_request_and_empty(side):
    side.person_creates("One", NINE, TEN)
    side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    reading = Reading(side)
    reading.round()
    side.simulator.core.ledger.clear()

    assert reading.round() == []
    assert len(side.simulator.core.ledger.calls) == 1


def test_an_edit_by_hand_comes_as_one_item(side):
    side.person_creates("Other", NINE, TEN)
    remote_id = side.person_creates("Before", NINE, TEN)
    reading = Reading(side)
    reading.round()
    side.person_renames(remote_id, "After")

    (item,) = reading.round()

    assert item.remote_id == remote_id
    assert item.event.content.title == "After"
    assert not reading.complete


def test_a_new_event_comes_as_one_item(side):
    reading = Reading(side)
    reading.round()
    remote_id = side.person_creates("New", NINE, TEN)

    assert [(item.remote_id, item.event.content.title) for item in reading.round()] == [(remote_id, "New")]
    assert reading.round() == []


@pytest.mark.parametrize("weekly_on", ["", "TU"], ids=["single", "series"])
def test_a_deleted_event_comes_as_a_tombstone(side, weekly_on):
    remote_id = side.person_creates("Gone", NINE, TEN, weekly_on=weekly_on)
    reading = Reading(side)
    reading.round()
    side.person_deletes(remote_id)

    (item,) = reading.round()

    assert (item.remote_id, item.event, item.problem) == (remote_id, None, "")
    assert side.provider.read(side.mailbox, remote_id).event is None


def test_the_deletion_of_something_never_told_is_silent(side):
    reading = Reading(side)
    reading.round()
    side.person_deletes(side.person_creates("Short-lived", NINE, TEN))
    side.person_deletes(side.person_creates("Short-lived", NINE, TEN, weekly_on="TU"))

    assert [item for item in reading.round() if item.event is not None] == []


def test_a_cancelled_occurrence_comes_as_the_changed_series(side):
    remote_id = side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    reading = Reading(side)
    reading.round()
    side.person_cancels(remote_id, week_later(NINE))

    (item,) = reading.round()

    assert (item.remote_id, item.event.cancelled, dict(item.event.exceptions)) == (remote_id, {SECOND}, {})


def test_a_moved_occurrence_comes_as_the_changed_series(side):
    remote_id = side.person_creates("Weekly", NINE, TEN, weekly_on="TU")
    side.person_cancels(remote_id, week_later(NINE, 2))
    reading = Reading(side)
    reading.round()
    target = moved(1, hours=3)
    side.person_moves(remote_id, week_later(NINE), target.start, target.end)

    (item,) = reading.round()

    assert item.event.exceptions[SECOND][Field.WHEN].start == target.start
    assert item.event.cancelled == {THIRD}


def test_a_series_renamed_by_hand_still_shows_its_exceptions(side):
    remote_id = created(side, full_series()).remote_id
    reading = Reading(side)
    reading.round()
    side.person_renames(remote_id, "By hand")

    (item,) = reading.round()

    assert item.event.content.title == "By hand"
    assert item.event.cancelled == {THIRD}
    assert SECOND in item.event.exceptions


def test_an_own_write_is_not_told_again_to_a_caller_that_kept_its_echo(side):
    reading = Reading(side)
    reading.round()
    for number, event in enumerate((single(), full_series())):
        reading.remember(created(side, event, key=f"key-{number}"))

    assert reading.round() == []


def test_what_lies_outside_the_window_is_left_out(side):
    far = wall("2040-01-03T09:00")
    side.person_creates("Far", far, far + timedelta(hours=1))
    side.person_creates("Far weekly", far, far + timedelta(hours=1), weekly_on="TU")
    near = side.person_creates("Near", NINE, TEN)

    assert [item.remote_id for item in Reading(side).round()] == [near]


def test_an_expired_cursor_asks_for_a_full_round(side):
    remote_id = side.person_creates("One", NINE, TEN)
    reading = Reading(side)
    reading.round()
    side.expire_cursors()

    with pytest.raises(CursorExpired):
        reading.round()

    reading.cursor = ""
    assert [item.remote_id for item in reading.round()] == [remote_id]
    assert reading.complete


# --- doors ------------------------------------------------------------------------------------------------


def test_the_primary_calendar_is_listed_with_its_zone(side):
    (calendar,) = side.provider.calendars(side.mailbox.address)

    assert (calendar.is_primary, calendar.can_write, calendar.zone) == (True, True, ZONE)


def test_the_listed_id_of_the_primary_calendar_works_as_well(side):
    (calendar,) = side.provider.calendars(side.mailbox.address)
    remote_id = side.person_creates("One", NINE, TEN)
    side.mailbox = replace(side.mailbox, calendar_id=calendar.calendar_id)

    assert [item.remote_id for item in Reading(side).round()] == [remote_id]


def test_wrong_credentials_are_told_as_such(side):
    with pytest.raises(AuthenticationFailed):
        side.strangers_provider().calendars(side.mailbox.address)


def test_an_unknown_person_is_told_as_such(side):
    side.mailbox = replace(side.mailbox, address="nobody@example.com")

    with pytest.raises((MailboxUnavailable, NotFound)):
        Reading(side).round()


def test_passing_trouble_is_told_as_such(side):
    side.simulator.core.faults.append(Fault(side.name, "status", status=503, times=20))

    with pytest.raises(Transient):
        Reading(side).round()


def test_errors_hold_no_words_of_the_event(side):
    side.simulator.core.faults.append(Fault(side.name, "status", method="POST", status=400, times=20, body={}))
    secret = single("Takeover of Acme", body="confidential")

    (outcome,) = side.provider.apply(side.mailbox, [Write(WriteKind.CREATE, key="key-1", event=secret)])

    assert not isinstance(outcome, Written)
    assert "Acme" not in str(outcome)
    assert "confidential" not in str(outcome)


def test_a_watched_calendar_can_be_unwatched_twice(side, hook_url):
    subscription = side.provider.subscribe(
        side.mailbox, url=hook_url, lifecycle_url=hook_url, secret="s3cret", channel_id="channel-1"
    )

    side.provider.unsubscribe(side.mailbox, subscription)
    side.provider.unsubscribe(side.mailbox, subscription)

    assert subscription.subscription_id
    assert subscription.expires_at.tzinfo is not None


def test_requests_are_counted(side):
    created(side, single())
    Reading(side).round()

    assert side.provider.requests.writes >= 1
    assert side.provider.requests.reads >= 1
