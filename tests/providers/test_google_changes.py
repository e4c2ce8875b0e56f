"""Rounds of changes in the shapes that Google's answers take beyond the simulator's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from calsync.engine.events import Field, ShowAs
from calsync.providers.base import AccessDenied, CursorExpired, Item, Known, Transient, Window
from calsync.providers.google.provider import GoogleProvider
from tests.providers.google_script import (
    MAILBOX,
    cancelled_instance,
    changed_instance,
    event,
    page,
    refusal,
    timed,
    tombstone,
    weekly,
)

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
SECOND, THIRD = "2026-12-08", "2026-12-15"
SECOND_KEY, THIRD_KEY = "2026-12-08T09:00", "2026-12-15T09:00"
LATER = "sync-1"


def told(provider: GoogleProvider, *, cursor: str = "", known: dict[str, Known] | None = None) -> list[Item]:
    held = known or {}

    def known_of(ids: Sequence[str]) -> dict[str, Known]:
        return {one: held[one] for one in ids if one in held}

    pages = list(provider.changes(MAILBOX, cursor=cursor, window=WINDOW, known=known_of))
    assert all(not one.cursor for one in pages[:-1])
    assert pages[-1].cursor == "sync-2"
    assert pages[-1].complete is (cursor == "")
    return [item for one in pages for item in one.items]


def ids(items: list[Item]) -> list[str]:
    return [item.remote_id for item in items]


# --- what is asked ----------------------------------------------------------------------------------------


def test_first_and_later_rounds_ask_with_equal_parameters_and_no_window(script, provider):
    script.on("GET /events", page(next_page="p2"), page())

    told(provider)
    told(provider, cursor=LATER)

    queries = [sorted(one.path.partition("?")[2].split("&")) for one in script.asked("GET /events")]
    common = ["alt=json", "maxResults=250", "singleEvents=false"]
    assert queries == [common, [*common[:2], "pageToken=p2", common[2]], sorted([*common, "syncToken=sync-1"])]


def test_pages_of_a_later_round_repeat_its_sync_token(script, provider):
    script.on("GET /events", page(next_page="p2"), page(event()))

    assert ids(told(provider, cursor=LATER)) == ["e1"]
    assert all("syncToken=sync-1" in one.path for one in script.asked("GET /events"))


def test_empty_pages_do_not_end_a_round(script, provider):
    script.on("GET /events", page(next_page="p2"), page(next_page="p3"), page(event()))

    assert ids(told(provider)) == ["e1"]


def test_a_round_without_a_new_token_is_no_round(script, provider):
    script.on("GET /events", page(event()) | {"nextSyncToken": ""})

    with pytest.raises(Transient):
        told(provider)


# --- what is told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fromGmail", "birthday", "workingLocation", "focusTime"])
def test_special_types_are_left_out(script, provider, kind):
    script.on("GET /events", page(event("x", eventType=kind), weekly("y", eventType=kind), event()))

    assert ids(told(provider)) == ["e1"]


def test_out_of_office_is_told_as_such(script, provider):
    script.on("GET /events", page(event(eventType="outOfOffice")))

    (item,) = told(provider)

    assert (item.event.kind, item.event.content.show_as) == ("out_of_office", ShowAs.OUT_OF_OFFICE)


def test_an_event_that_cannot_be_read_is_a_problem_of_its_own(script, provider):
    bad = event("bad", start={"dateTime": "yesterday"})
    odd = weekly("odd", recurrence=["RRULE:FREQ=SOMETIMES"])
    script.on("GET /events", page(bad, odd, event("empty", start=None, end=None), event()))

    items = told(provider)

    assert sorted(ids(items)) == ["bad", "e1", "empty", "odd"]
    assert all(bool(item.problem) is (item.remote_id != "e1") for item in items)
    assert all(item.event is None for item in items if item.problem)


def test_an_exception_that_cannot_be_read_is_a_problem_of_its_series(script, provider):
    script.on("GET /events", page(weekly(), changed_instance("s1", SECOND, start={"dateTime": "?"}), event()))

    items = told(provider)

    assert {item.remote_id: bool(item.problem) for item in items} == {"e1": False, "s1": True}


def test_a_series_whose_parts_are_spread_over_pages_is_one_item(script, provider):
    script.on(
        "GET /events",
        page(changed_instance("s1", SECOND, summary="Special"), next_page="p2"),
        page(weekly(), event(), next_page="p3"),
        page(cancelled_instance("s1", THIRD)),
    )

    items = told(provider)

    assert sorted(ids(items)) == ["e1", "s1"]
    series = next(item.event for item in items if item.remote_id == "s1")
    assert dict(series.exceptions) == {SECOND_KEY: {Field.TITLE: "Special"}}
    assert series.cancelled == {THIRD_KEY}
    assert len(script.asked("GET /events")) == 3


def test_an_instance_like_the_others_is_no_exception(script, provider):
    script.on("GET /events", page(weekly(), changed_instance("s1", SECOND)))

    (item,) = told(provider)

    assert dict(item.event.exceptions) == {}


def test_somebody_invited_to_one_occurrence_only_gets_that_one(script, provider):
    script.on("GET /events", page(changed_instance("s1", SECOND, organizer={"email": "bob@example.com"})))

    (item,) = told(provider)

    assert item.remote_id == "s1_20261208T080000Z"
    assert not item.event.is_series


def test_an_unchanged_version_is_not_told_again(script, provider):
    script.on("GET /events", page(event(), weekly(), changed_instance("s1", SECOND)))
    known = {"e1": Known('"1"'), "s1": Known('"1"', frozenset({SECOND_KEY}))}

    assert told(provider, cursor=LATER, known=known) == []


def test_a_full_round_tells_known_versions_too(script, provider):
    script.on("GET /events", page(event(), weekly()))

    assert sorted(ids(told(provider, known={"e1": Known('"1"'), "s1": Known('"1"')}))) == ["e1", "s1"]


def test_what_left_the_window_is_told_when_it_is_known(script, provider):
    far = {"start": timed(9, day="2040-01-03"), "end": timed(10, day="2040-01-03")}
    script.on("GET /events", page(event(**far), event("e2", **far), weekly("s1", **far), weekly("s2", **far)))
    known = {"e1": Known('"0"'), "s1": Known('"0"')}

    assert sorted(ids(told(provider, cursor=LATER, known=known))) == ["e1", "s1"]
    assert sorted(ids(told(provider, known=known))) == ["e1", "s1"]


def test_a_series_that_ended_before_the_window_is_left_out(script, provider):
    old = weekly(
        start=timed(9, day="2020-01-07"), end=timed(10, day="2020-01-07"), recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"]
    )
    script.on("GET /events", page(old))

    assert told(provider) == []


def test_an_endless_series_from_long_ago_is_in_the_window(script, provider):
    script.on("GET /events", page(weekly(start=timed(9, day="2001-01-02"), end=timed(10, day="2001-01-02"))))

    assert ids(told(provider)) == ["s1"]


# --- tombstones -------------------------------------------------------------------------------------------


def test_a_tombstone_counts_for_known_ids_only(script, provider):
    script.on("GET /events", page(tombstone("e1"), tombstone("stranger"), tombstone("s1_20261208T080000Z")))

    items = told(provider, cursor=LATER, known={"e1": Known('"1"')})

    assert [(item.remote_id, item.event, item.problem) for item in items] == [("e1", None, "")]


def test_a_deleted_series_hides_the_tombstones_of_its_instances(script, provider):
    script.on("GET /events", page(tombstone("s1"), cancelled_instance("s1", SECOND), tombstone("s1_20261215T080000Z")))

    items = told(provider, cursor=LATER, known={"s1": Known('"1"')})

    assert [(item.remote_id, item.event) for item in items] == [("s1", None)]


def test_an_exception_swept_away_by_a_cut_rule_is_gone_and_not_cancelled(script, provider):
    cut = weekly(recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20261210T225959Z;BYDAY=TU"], etag='"3"')
    script.on("GET /events", page(cut, tombstone("s1_20261215T080000Z")))

    (item,) = told(provider, cursor=LATER, known={"s1": Known('"1"', frozenset({THIRD_KEY}))})

    assert (dict(item.event.exceptions), item.event.cancelled) == ({}, frozenset())
    assert len(script.asked("GET /events")) == 1


def test_a_split_by_the_screen_of_google_is_two_series(script, provider):
    head = weekly(recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20261214T225959Z;BYDAY=TU"], etag='"3"')
    tail = weekly(
        "s1_R20261215T080000",
        iCalUID="s1_R20261215T080000@google.com",
        start=timed(9, day=THIRD),
        end=timed(10, day=THIRD),
        etag='"3"',
    )
    script.on("GET /events", page(head, tail, tombstone("s1_20261215T080000Z")))
    script.on(r"GET /events\?iCalUID=s1_R", page(tail))

    items = told(provider, cursor=LATER, known={"s1": Known('"1"', frozenset({THIRD_KEY}))})

    assert sorted(ids(items)) == ["s1", "s1_R20261215T080000"]
    assert all(item.event.cancelled == frozenset() for item in items)


# --- series that do not come whole ------------------------------------------------------------------------


def test_an_exception_without_its_master_has_the_series_read(script, provider):
    changed = changed_instance("s1", SECOND, summary="Special", etag='"3"')
    script.on("GET /events", page(changed))
    script.on(r"GET /events\?iCalUID=s1@google.com", page(weekly(), changed, cancelled_instance("s1", THIRD)))

    (item,) = told(provider, cursor=LATER, known={"s1": Known('"1"', frozenset({THIRD_KEY}))})

    assert set(item.event.exceptions) == {SECOND_KEY}
    assert item.event.cancelled == {THIRD_KEY}
    assert "showDeleted=true" in script.asked(r"GET /events\?iCalUID")[0].path


def test_a_master_without_its_known_exceptions_has_the_series_read(script, provider):
    script.on("GET /events", page(weekly(summary="New", etag='"3"')))
    script.on(r"GET /events\?iCalUID", page(weekly(summary="New", etag='"3"'), cancelled_instance("s1", THIRD)))

    (item,) = told(provider, cursor=LATER, known={"s1": Known('"1"', frozenset({THIRD_KEY}))})

    assert (item.event.content.title, item.event.cancelled) == ("New", {THIRD_KEY})


def test_a_cancelled_occurrence_of_an_imported_series_has_its_uid_looked_up(script, provider):
    imported = weekly("_60q30c1g", iCalUID="040000008200E00074C5B7101A82E008")
    script.on("GET /events", page(cancelled_instance("_60q30c1g", SECOND, etag='"3"')))
    script.on(r"GET /events\?iCalUID=_60q30c1g@google.com", page())
    script.on("GET /events/_60q30c1g", imported)
    script.on(r"GET /events\?iCalUID=040000", page(imported, cancelled_instance("_60q30c1g", SECOND)))

    (item,) = told(provider, cursor=LATER, known={"_60q30c1g": Known('"1"')})

    assert item.event.cancelled == {SECOND_KEY}


def test_an_old_series_that_was_not_told_before_is_read_whole(script, provider):
    moved_in = weekly(updated="2026-11-20T08:00:00.000Z", etag='"3"')
    script.on("GET /events", page(moved_in))
    script.on(r"GET /events\?iCalUID", page(moved_in, cancelled_instance("s1", THIRD)))

    (item,) = told(provider, cursor=LATER)

    assert item.event.cancelled == {THIRD_KEY}


def test_a_known_series_of_which_nothing_is_left_is_deleted(script, provider):
    script.on("GET /events", page(cancelled_instance("s1", SECOND, etag='"3"')))
    script.on(r"GET /events\?iCalUID", page())
    script.on("GET /events/s1", refusal(404, "notFound"))

    items = told(provider, cursor=LATER, known={"s1": Known('"1"')})

    assert [(item.remote_id, item.event, item.problem) for item in items] == [("s1", None, "")]


# --- doors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["reader", "freeBusyReader", "none", "writerWithoutPrivateAccess"])
def test_a_view_without_details_is_not_taken_for_the_truth(script, provider, role):
    script.on("GET /events", page(event(summary=None), accessRole=role))

    with pytest.raises(AccessDenied):
        told(provider)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(410, "fullSyncRequired"), (410, "updatedMinTooLongAgo"), (410, ""), (400, "invalid"), (400, "badRequest")],
)
def test_a_token_that_is_refused_asks_for_a_full_round(script, provider, status, reason):
    script.on("GET /events", refusal(status, reason))

    with pytest.raises(CursorExpired):
        told(provider, cursor=LATER)
