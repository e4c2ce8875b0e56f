"""Instances of a series that arrive before their master, or without it."""

from __future__ import annotations

import pytest

from calsync.providers.base import Known
from tests.providers.google_script import cancelled_instance, changed_instance, page, refusal, tombstone, weekly
from tests.providers.test_google_changes import LATER, SECOND, SECOND_KEY, THIRD, THIRD_KEY, ids, told

ROUNDS = pytest.mark.parametrize("cursor", ["", LATER])


@ROUNDS
def test_an_own_occurrence_without_its_master_has_the_series_read(script, provider, cursor):
    early = changed_instance("s1", SECOND, summary="Special")
    script.on("GET /events", page(early))
    script.on(r"GET /events\?iCalUID", page(weekly(), early, cancelled_instance("s1", THIRD)))

    (item,) = told(provider, cursor=cursor)

    assert (item.remote_id, item.event.is_series) == ("s1", True)
    assert set(item.event.exceptions) == {SECOND_KEY}
    assert item.event.cancelled == {THIRD_KEY}


@ROUNDS
def test_an_own_occurrence_whose_master_is_nowhere_yet_waits(script, provider, cursor):
    script.on("GET /events", page(changed_instance("s1", SECOND, summary="Special")))
    script.on(r"GET /events\?iCalUID", page())
    script.on("GET /events/s1", refusal(404, "notFound"))

    assert told(provider, cursor=cursor) == []


def test_the_master_of_a_later_round_brings_what_waited(script, provider):
    late = weekly(updated="2026-11-01T08:00:01.000Z", etag='"3"')
    script.on("GET /events", page(late, changed_instance("s1", SECOND, summary="Special", etag='"3"')))

    (item,) = told(provider, cursor=LATER)

    assert set(item.event.exceptions) == {SECOND_KEY}


@ROUNDS
def test_the_master_may_come_pages_after_its_instances(script, provider, cursor):
    script.on(
        "GET /events",
        page(changed_instance("s1", SECOND, summary="Special"), next_page="p2"),
        page(cancelled_instance("s1", THIRD), next_page="p3"),
        page(weekly()),
    )

    (item,) = told(provider, cursor=cursor)

    assert (set(item.event.exceptions), item.event.cancelled) == ({SECOND_KEY}, {THIRD_KEY})


@ROUNDS
def test_a_cancelled_occurrence_of_a_series_that_is_nowhere_is_nothing(script, provider, cursor):
    script.on("GET /events", page(cancelled_instance("s1", SECOND), tombstone("s2_20261208T080000Z")))
    script.on(r"GET /events\?iCalUID", page())
    script.on("GET /events/s1", refusal(404, "notFound"))

    assert told(provider, cursor=cursor) == []


@ROUNDS
def test_a_guest_of_one_occurrence_only_gets_that_one(script, provider, cursor):
    boss = {"organizer": {"email": "bob@example.com"}, "attendees": [{"email": "ann@example.com", "self": True}]}
    script.on("GET /events", page(changed_instance("s1", SECOND, **boss)))
    script.on(r"GET /events\?iCalUID", page())
    script.on("GET /events/s1", refusal(404, "notFound"))

    assert ids(told(provider, cursor=cursor)) == ["s1_20261208T080000Z"]


def test_a_known_series_that_a_full_round_shows_in_part_is_read_before_it_is_judged(script, provider):
    script.on("GET /events", page(changed_instance("s1", SECOND, summary="Special", etag='"3"')))
    script.on(r"GET /events\?iCalUID", page(weekly(etag='"3"')))

    (item,) = told(provider, known={"s1": Known('"1"')})

    assert item.event.is_series
