"""What goes over the wire to Google when events are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync.engine.events import (
    Field,
    Sensitivity,
    ShowAs,
    Timed,
)
from calsync.providers.base import (
    CannotRepresent,
    Written,
)
from calsync.providers.google.mapping import event_id
from tests.providers.google_samples import NINE, PLAIN, SECOND, WEEKLY, changed, create, outcome, update
from tests.providers.google_script import (
    changed_instance,
    event,
    page,
    weekly,
)
from tests.providers.sides import ZONE


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
