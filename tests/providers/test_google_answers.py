"""What becomes of Google's less common answers to writes, and of what it holds already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync.engine.events import (
    Field,
)
from calsync.providers.base import (
    AlreadyExists,
    NotFound,
    QuotaPaused,
    RateLimited,
    Rejected,
    Transient,
    VersionMismatch,
    Write,
    WriteKind,
    Written,
)
from calsync.providers.google.mapping import event_id
from calsync.simulator.core import Fault
from tests.providers.google_samples import PLAIN, SECOND, THIRD, WEEKLY, changed, create, outcome, update
from tests.providers.google_script import (
    MAILBOX,
    cancelled_instance,
    changed_instance,
    event,
    page,
    refusal,
    timed,
    weekly,
)
from tests.providers.sides import ADDRESS, created, expect_written, wall


def test_an_occurrence_of_a_split_series_is_found_under_its_other_base(script, provider):
    tail_id = "s1_R20261201T080000"
    wanted = replace(WEEKLY, exceptions={SECOND: {Field.TITLE: "Special"}})
    real = changed_instance("s1", "2026-12-08", recurringEventId=tail_id, summary="Special")
    script.on(f"PATCH /events/{tail_id}_", refusal(404, "notFound"))
    script.on(f"GET /events/{tail_id}/instances", {"items": [real]})
    script.on("PATCH /events/s1_20261208T080000Z", real)
    script.on(r"GET /events\?iCalUID", page(weekly(tail_id, summary="s1"), real))

    written = outcome(provider, update(WEEKLY, wanted, remote_id=tail_id))

    assert set(written.event.exceptions) == {SECOND}
    assert len(script.asked("PATCH /events/s1_20261208T080000Z")) == 1


def test_a_guard_that_fails_because_our_own_write_got_through_is_a_success(script, provider):
    script.on("PATCH /events/e1", refusal(412, "conditionNotMet"))
    script.on(r"GET /events\?iCalUID", page(event(summary="New", etag='"2"')))

    written = outcome(provider, update(PLAIN, changed(PLAIN, title="New")))

    assert isinstance(written, Written)
    assert written.version == '"2"'


def test_a_series_whose_parts_have_versions_of_their_own_can_be_written(google):
    google.simulator.core.switches.google_series_share_one_version = False
    before = replace(WEEKLY, exceptions={SECOND: {Field.TITLE: "Special"}}, cancelled=frozenset({THIRD}))
    written = created(google, before)
    wanted = replace(before, exceptions={SECOND: {Field.TITLE: "More special"}})

    again = expect_written(google, update(before, wanted, remote_id=written.remote_id, version=written.version))

    assert dict(again.event.exceptions) == {SECOND: {Field.TITLE: "More special"}}
    assert again.event.cancelled == {THIRD}


def test_a_master_patched_while_it_is_deleted_is_not_found(script, provider):
    script.on("PATCH /events/e1", event(status="cancelled"))

    assert isinstance(outcome(provider, update(PLAIN, changed(PLAIN, title="New"))), NotFound)


def test_an_id_taken_by_somebody_elses_event_is_told_with_that_id(script, provider):
    script.on("POST /events", refusal(409, "duplicate"))
    theirs = {"private": {"calsyncKey": "another"}}
    script.on(f"GET /events/{event_id('key-1')}", event(event_id("key-1"), extendedProperties=theirs))

    refused = outcome(provider, create(PLAIN))

    assert isinstance(refused, AlreadyExists)
    assert refused.existing_id == event_id("key-1")


def test_a_retried_create_brings_the_event_to_what_is_wanted_now(google):
    first = created(google, PLAIN)

    again = created(google, changed(PLAIN, title="Wanted now"))

    assert again.remote_id == first.remote_id
    assert google.stored_titles() == ["Wanted now"]


def test_an_update_that_changes_nothing_still_minds_the_version(google):
    written = created(google, WEEKLY)
    google.person_renames(written.remote_id, "By hand")

    (refused,) = google.provider.apply(
        google.mailbox, [update(WEEKLY, WEEKLY, remote_id=written.remote_id, version=written.version)]
    )

    assert isinstance(refused, VersionMismatch)
    assert google.stored_titles() == ["By hand"]


@pytest.mark.parametrize(("status", "reason"), [(412, "conditionNotMet"), (403, "forbidden")])
def test_a_delete_refused_because_it_was_done_before_is_a_success(script, provider, status, reason):
    script.on("DELETE /events/e1", refusal(status, reason))
    script.on("GET /events/e1", event(status="cancelled"))

    assert isinstance(outcome(provider, Write(WriteKind.DELETE, remote_id="e1", version='"1"')), Written)


@pytest.mark.parametrize(("status", "reason"), [(404, "notFound"), (410, "deleted")])
def test_a_delete_of_what_is_gone_is_a_success(script, provider, status, reason):
    script.on("DELETE /events/e1", refusal(status, reason))

    assert isinstance(outcome(provider, Write(WriteKind.DELETE, remote_id="e1")), Written)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(403, "quotaExceeded"), QuotaPaused),
        (refusal(403, "userRateLimitExceeded"), RateLimited),
        (refusal(429, "rateLimitExceeded"), RateLimited),
        (refusal(403, "forbiddenForNonOrganizer"), Rejected),
        (refusal(409, "conflict"), Transient),
        (refusal(503, "backendError"), Transient),
        ((502, "<html>Bad gateway</html>"), Transient),
        ((200, "<html>Sign in</html>"), Transient),
    ],
)
def test_refusals_become_errors_of_the_family(script, provider, answer, kind):
    script.on("PATCH /events/e1", answer)

    assert isinstance(outcome(provider, update(PLAIN, changed(PLAIN, title="New"))), kind)


def test_an_answer_that_cannot_be_read_is_told_without_repeating_the_write(script, provider):
    script.on("POST /events", event(event_id("key-1"), start={"dateTime": "?"}))

    assert isinstance(outcome(provider, create(PLAIN)), Rejected)
    assert len(script.asked("POST /events")) == 1


def test_a_batch_that_is_refused_whole_refuses_every_write(script, provider):
    script.on("POST /batch", refusal(429, "rateLimitExceeded"))
    writes = [Write(WriteKind.CREATE, key=f"key-{number}", event=PLAIN) for number in range(3)]

    outcomes = provider.apply(MAILBOX, writes)

    assert [type(one) for one in outcomes] == [RateLimited] * 3


def test_a_batch_answer_that_makes_no_sense_is_passing_trouble(script, provider):
    script.on("POST /batch", {"no": "multipart"})
    writes = [Write(WriteKind.CREATE, key=f"key-{number}", event=PLAIN) for number in range(2)]

    assert [type(one) for one in provider.apply(MAILBOX, writes)] == [Transient, Transient]


def test_two_writes_to_one_event_keep_their_order(google):
    written = created(google, PLAIN)
    writes = [
        update(PLAIN, changed(PLAIN, title="Last words"), remote_id=written.remote_id, version=""),
        Write(WriteKind.DELETE, remote_id=written.remote_id),
    ]

    first, second = google.provider.apply(google.mailbox, writes)

    assert first.event.content.title == "Last words"
    assert second.event is None
    assert google.stored_titles() == []


def test_a_half_done_series_is_completed_by_the_retry(google):
    wanted = replace(
        WEEKLY, exceptions={SECOND: {Field.TITLE: "Special"}, THIRD: {Field.LOCATION: "Room 1"}}, cancelled=frozenset()
    )
    fault = Fault("google", "status", method="PATCH", status=503, times=5)
    google.simulator.core.faults.append(fault)
    (first,) = google.provider.apply(google.mailbox, [create(wanted)])
    google.simulator.core.faults.clear()

    (second,) = google.provider.apply(google.mailbox, [create(wanted)])

    assert isinstance(first, Transient)
    assert set(second.event.exceptions) == {SECOND, THIRD}
    assert google.stored_titles() == ["s1"]


def test_what_a_person_keeps_at_google_survives_our_update(google):
    body = {
        "summary": "Meeting",
        "start": timed(9),
        "end": timed(10),
        "attendees": [{"email": "bob@partner.example"}],
        "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]},
        "colorId": "7",
    }
    remote_id = google.simulator.google.create_event(ADDRESS, body)["id"]
    google.simulator.core.outbox.clear()
    before = google.provider.read(google.mailbox, remote_id)

    wanted = replace(before.event, content=replace(before.event.content, title="Renamed"))
    expect_written(google, update(before.event, wanted, remote_id=remote_id, version=before.version))

    raw = google.simulator.google.get_event(ADDRESS, remote_id)
    assert raw["summary"] == "Renamed"
    assert "bob@partner.example" in {one["email"] for one in raw["attendees"]}
    assert (raw["colorId"], raw["reminders"]) == ("7", body["reminders"])
    assert google.simulator.core.outbox == []


def test_a_cancelled_occurrence_comes_back_whichever_way_it_was_cancelled(google):
    by_line = created(google, replace(WEEKLY, cancelled=frozenset({SECOND, THIRD})))
    by_hand = created(google, WEEKLY, key="key-2")
    google.person_cancels(by_hand.remote_id, wall(SECOND))
    google.person_cancels(by_hand.remote_id, wall(THIRD))
    wanted = replace(WEEKLY, cancelled=frozenset({THIRD}))

    for remote_id in (by_line.remote_id, by_hand.remote_id):
        now = google.provider.read(google.mailbox, remote_id)
        again = expect_written(google, update(now.event, wanted, remote_id=remote_id, version=now.version))
        assert again.event.cancelled == {THIRD}


def test_cancelled_instances_of_the_wire_are_cancelled_occurrences(script, provider):
    script.on("GET /events/s1", weekly())
    script.on(r"GET /events\?iCalUID", page(weekly(), cancelled_instance("s1", "2026-12-08")))

    assert provider.read(MAILBOX, "s1").event.cancelled == {SECOND}
