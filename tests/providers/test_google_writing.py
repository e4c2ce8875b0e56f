"""What goes over the wire to Google, and what becomes of its less common answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from calsync.engine.events import (
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
from calsync.providers.base import (
    AlreadyExists,
    CannotRepresent,
    NotFound,
    ProviderError,
    QuotaPaused,
    RateLimited,
    Rejected,
    Transient,
    VersionMismatch,
    Write,
    WriteKind,
    Written,
)
from calsync.providers.google.bodies import event_id
from calsync.providers.google.provider import GoogleProvider
from calsync.simulator.core import Fault
from tests.providers.google_script import (
    MAILBOX,
    ScriptedGoogle,
    cancelled_instance,
    changed_instance,
    event,
    page,
    refusal,
    timed,
    weekly,
)
from tests.providers.sides import ADDRESS, ZONE, created, expect_written, wall

NINE = wall("2026-12-01T09:00")
PLAIN = Event(Content(Timed(NINE, NINE + timedelta(hours=1), ZONE), title="e1"))
WEEKLY = replace(
    PLAIN,
    content=replace(PLAIN.content, title="s1"),
    recurrence=Recurrence((Rule(Frequency.WEEKLY, by_day=((None, Weekday.TU),)),)),
)
SECOND, THIRD = OccurrenceKey("2026-12-08T09:00"), OccurrenceKey("2026-12-15T09:00")


@pytest.fixture
def script() -> Iterator[ScriptedGoogle]:
    google = ScriptedGoogle()
    google.server.start()
    yield google
    google.server.stop()


@pytest.fixture
def provider(script: ScriptedGoogle) -> GoogleProvider:
    return script.provider()


def outcome(provider: GoogleProvider, write: Write) -> Written | ProviderError:
    (only,) = provider.apply(MAILBOX, [write])
    return only


def create(wanted: Event) -> Write:
    return Write(WriteKind.CREATE, key="key-1", event=wanted)


def update(before: Event | None, wanted: Event, *, remote_id: str = "e1", version: str = '"1"') -> Write:
    return Write(WriteKind.UPDATE, remote_id=remote_id, version=version, event=wanted, before=before)


def changed(base: Event, **content: Any) -> Event:
    return replace(base, content=replace(base.content, **content))


# --- what is sent -----------------------------------------------------------------------------------------


def test_a_create_has_our_id_our_marker_and_no_mail(script, provider):
    script.on("POST /events", event(event_id("key-1")))

    outcome(provider, create(WEEKLY))

    (sent,) = script.asked("POST /events")
    assert "sendUpdates=none" in sent.path
    assert sent.body["id"] == event_id("key-1")
    assert set(sent.body["id"]) <= set("0123456789abcdefghijklmnopqrstuv")
    assert sent.body["extendedProperties"] == {"private": {"calsyncKey": "key-1"}}
    assert sent.body["start"] == {"dateTime": "2026-12-01T09:00:00", "timeZone": ZONE}
    assert "attendees" not in sent.body


def test_different_keys_have_different_ids():
    assert len({event_id(f"key-{number}") for number in range(100)}) == 100


def test_an_update_sends_only_what_differs_under_the_known_version(script, provider):
    script.on("PATCH /events/e1", event(summary="New"))

    outcome(provider, update(PLAIN, changed(PLAIN, title="New")))

    (sent,) = script.asked("PATCH /events/e1")
    assert sent.body == {"summary": "New"}
    assert sent.headers["if-match"] == '"1"'
    assert "sendUpdates=none" in sent.path
    assert len(script.asked("(GET|PATCH) /events")) == 1


def test_an_unguarded_update_names_no_version(script, provider):
    script.on("PATCH /events/e1", event(summary="New"))

    outcome(provider, update(PLAIN, changed(PLAIN, title="New"), version=""))

    assert "if-match" not in script.asked("PATCH")[0].headers


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"show_as": ShowAs.FREE}, {"transparency": "transparent", "status": "confirmed"}),
        ({"show_as": ShowAs.TENTATIVE}, {"transparency": "opaque", "status": "tentative"}),
        ({"sensitivity": Sensitivity.CONFIDENTIAL}, {"visibility": "private"}),
        ({"location": "Room 1"}, {"location": "Room 1"}),
        ({"body": "a <b>b</b>"}, {"description": "a &lt;b&gt;b&lt;/b&gt;"}),
        ({"body": "a < b"}, {"description": "a < b"}),
        ({"title": ""}, {"summary": ""}),
    ],
)
def test_each_field_has_its_form_on_the_wire(script, provider, content, body):
    script.on("PATCH /events/e1", event())

    outcome(provider, update(PLAIN, changed(PLAIN, **content)))

    assert script.asked("PATCH /events/e1")[0].body == body


def test_levels_that_google_lacks_are_no_difference(script, provider):
    script.on(r"GET /events\?iCalUID", page(event()))

    written = outcome(provider, update(PLAIN, changed(PLAIN, show_as=ShowAs.OUT_OF_OFFICE)))

    assert isinstance(written, Written)
    assert script.asked("PATCH") == []


def test_an_empty_span_is_written_with_one_minute(script, provider):
    script.on("POST /events", event(event_id("key-1")))
    span = Timed(NINE, NINE, ZONE)

    outcome(provider, create(changed(PLAIN, when=span)))

    assert script.asked("POST /events")[0].body["end"]["dateTime"] == "2026-12-01T09:01:00"


def test_windows_zone_names_never_reach_google(script, provider):
    script.on("POST /events", event(event_id("key-1")))

    outcome(provider, create(changed(PLAIN, when=replace(PLAIN.content.when, zone="W. Europe Standard Time"))))

    assert script.asked("POST /events")[0].body["start"]["timeZone"] == "Europe/Berlin"


def test_an_unknown_zone_is_refused_before_any_request(script, provider):
    refused = outcome(provider, create(changed(PLAIN, when=replace(PLAIN.content.when, zone="Mars/Olympus"))))

    assert isinstance(refused, CannotRepresent)
    assert script.asked("POST /events") == []


def test_one_changed_occurrence_costs_one_guarded_patch_and_one_read(script, provider):
    wanted = replace(WEEKLY, exceptions={SECOND: {Field.TITLE: "Special"}})
    special = changed_instance("s1", "2026-12-08", summary="Special", etag='"2"')
    script.on("PATCH /events/s1_20261208T080000Z", special)
    script.on(r"GET /events\?iCalUID=s1@google.com", page(weekly(etag='"2"'), special))

    written = outcome(provider, update(WEEKLY, wanted, remote_id="s1"))

    assert dict(written.event.exceptions) == {SECOND: {Field.TITLE: "Special"}}
    assert written.version == '"2"'
    (sent,) = script.asked("PATCH")
    assert (sent.body, sent.headers["if-match"]) == ({"summary": "Special"}, '"1"')
    assert len(script.asked("(GET|PATCH|POST) /events")) == 2


def test_a_renamed_series_without_occurrences_of_its_own_costs_one_request(script, provider):
    script.on("PATCH /events/s1", weekly(summary="New", etag='"2"'))

    written = outcome(provider, update(WEEKLY, changed(WEEKLY, title="New"), remote_id="s1"))

    assert written.event.content.title == "New"
    assert len(script.asked("(GET|PATCH|POST) /events")) == 1


# --- answers beyond the usual -----------------------------------------------------------------------------


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
