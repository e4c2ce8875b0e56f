"""Writes against scripted answers: keys used before, guards, odd refusals, half-done series."""
# ruff: noqa: DTZ001 - wall clock times are naive

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime

import pytest

from calsync.engine.events import Content, Event, Field, Frequency, Recurrence, Rule, Timed, Weekday
from calsync.providers import base
from calsync.providers.base import Write, WriteKind
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from tests.providers.graph_script import Scripted, ScriptedGraph
from tests.providers.graph_shapes import ADA, at, event, weekly

CLIENTS = itertools.count()
LUNCH = Event(
    content=Content(
        when=Timed(datetime(2026, 10, 22, 9), datetime(2026, 10, 22, 10), "Europe/Berlin"),
        title="Lunch",
        body="Bring cake",
    )
)
WEEKLY = Event(
    content=replace(LUNCH.content, when=Timed(datetime(2026, 10, 19, 9), datetime(2026, 10, 19, 10), "Europe/Berlin")),
    recurrence=Recurrence((Rule(Frequency.WEEKLY, by_day=((None, Weekday.MO),)),)),
)
FIRST, SECOND = "2026-10-26T09:00", "2026-11-02T09:00"
POST = "POST .*/events$"


@pytest.fixture
def graph():
    with ScriptedGraph() as script:
        yield script


@pytest.fixture
def provider(graph):
    credentials = GraphCredentials("contoso", f"writing-{next(CLIENTS)}", client_secret="hush")
    return GraphProvider(credentials, GraphEndpoints(graph.url, graph.url))


def create(wanted=LUNCH):
    return Write(WriteKind.CREATE, key="key-1", event=wanted)


def update(wanted, before=None, *, remote_id="E1", version='W/"v1"'):
    return Write(WriteKind.UPDATE, remote_id=remote_id, version=version, event=wanted, before=before)


def apply(provider, *writes):
    return provider.apply(ADA, list(writes))


def instance(number, original, **fields):
    start = original.replace(":00", ":00:00")
    return {
        "id": f"S1.{number}",
        "seriesMasterId": "S1",
        "type": "occurrence",
        "originalStart": f"{start.replace('T09', 'T08')}Z",
        "start": at(start.replace("T09", "T08")),
        "end": at(start.replace("T09", "T09")),
        **fields,
    }


def whole(version="v1", exceptions=(), cancelled=()):
    raw = weekly(exceptionOccurrences=list(exceptions), cancelledOccurrences=[f"OID.S1.{day}" for day in cancelled])
    return {**raw, "@odata.etag": f'W/"{version}"'}


# --- create -----------------------------------------------------------------------------------------------


def test_a_create_is_one_request_whose_answer_is_the_echo(graph, provider):
    graph.on(POST, Scripted(201, event()))
    (outcome,) = apply(provider, create())

    assert (outcome.remote_id, outcome.version, outcome.event.content) == ("E1", 'W/"v1"', LUNCH.content)
    assert len(graph.seen) == 1
    assert graph.seen[0].body["transactionId"] == "key-1"


def test_another_calendar_is_written_by_its_id(graph, provider):
    graph.on(POST, Scripted(201, event()))
    provider.apply(base.Mailbox("ada@contoso.com", "CAL=", "UTC"), [create()])

    assert graph.seen[0].path == "/users/ada@contoso.com/calendars/CAL=/events"


@pytest.mark.parametrize("status", [400, 409])
def test_a_key_used_before_yields_the_event_that_it_made(graph, provider, status):
    error = {"code": "ErrorDuplicateTransactionId", "@event.existingEventId": "E1"}
    graph.on(POST, Scripted(status, {"error": error}))
    graph.on("GET .*/events/E1", event())
    (outcome,) = apply(provider, create())

    assert outcome.remote_id == "E1"
    assert outcome.event.content.title == "Lunch"
    assert graph.calls("PATCH") == []


def test_without_a_hint_the_event_is_found_by_our_marker(graph, provider):
    graph.on(POST, Scripted(409, {"error": {"code": "Conflict"}}))
    graph.on("GET .*/events[?].*filter", {"value": [{"id": "E1"}]})
    graph.on("GET .*/events/E1", event())
    (outcome,) = apply(provider, create())

    assert outcome.remote_id == "E1"
    assert "ep/value eq 'key-1'" in graph.calls("filter")[0].path


def test_a_persons_copy_that_bears_our_marker_is_not_adopted(graph, provider):
    graph.on(POST, Scripted(409, {"error": {"code": "Conflict"}}))
    copy = {"id": "E2", "transactionId": None}
    graph.on("GET .*/events[?].*filter", {"value": [copy]}, {"value": [copy, {"id": "E1", "transactionId": "key-1"}]})
    graph.on("GET .*/events/E1", event())

    assert isinstance(apply(provider, create())[0], base.AlreadyExists)
    assert apply(provider, create())[0].remote_id == "E1"


def test_an_adopted_event_that_was_edited_meanwhile_is_brought_to_the_wanted_state(graph, provider):
    graph.on(POST, Scripted(200, event(subject="Edited")))
    graph.on("GET .*/events/E1", event(subject="Edited"))
    graph.on("PATCH .*/events/E1", event())
    (outcome,) = apply(provider, create())

    assert outcome.event.content.title == "Lunch"
    assert graph.calls("PATCH")[0].body == {"subject": "Lunch"}
    assert graph.calls("PATCH")[0].headers["If-Match"] == 'W/"v1"'


@pytest.mark.parametrize("existing", [{}, {"@event.existingEventId": "E1"}])
def test_a_key_whose_event_is_gone_is_burnt(graph, provider, existing):
    graph.on(POST, Scripted(400, {"error": {"code": "ErrorDuplicateTransactionId", **existing}}))
    graph.on("GET .*/events[?].*filter", {"value": []})
    (outcome,) = apply(provider, create())

    assert isinstance(outcome, base.AlreadyExists)
    assert outcome.existing_id == existing.get("@event.existingEventId", "")


def test_a_rule_that_outlook_lacks_is_refused_without_a_request(graph, provider):
    odd = replace(WEEKLY, recurrence=Recurrence((Rule(Frequency.MONTHLY, by_month_day=(1, 15)),)))
    outcomes = apply(provider, create(odd))

    assert [type(outcome) for outcome in outcomes] == [base.CannotRepresent]
    assert graph.seen == []


def test_a_new_series_gets_its_exceptions_and_cancelled_occurrences(graph, provider):
    wanted = replace(WEEKLY, exceptions={FIRST: {Field.TITLE: "Moved"}}, cancelled=frozenset({SECOND}))
    graph.on(POST, Scripted(201, weekly()))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST), instance(2, SECOND)]})
    graph.on("PATCH .*/events/S1.1", event(type="exception"))
    graph.on("DELETE .*/events/S1.2", 204)
    exception = instance(1, FIRST, type="exception", subject="Moved")
    graph.on("GET .*/events/S1[?]", whole("v9", [exception], ["2026-11-02"]))
    (outcome,) = apply(provider, create(wanted))

    assert (outcome.event.exceptions, outcome.event.cancelled) == (wanted.exceptions, wanted.cancelled)
    assert outcome.version == 'W/"v9"'
    assert graph.calls("PATCH .*S1.1")[0].body == {"subject": "Moved"}
    assert graph.round_trips == 4


def test_an_exception_over_its_neighbour_is_rejected(graph, provider):
    wanted = replace(WEEKLY, exceptions={FIRST: {Field.TITLE: "Moved"}})
    graph.on(POST, Scripted(201, weekly()))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("PATCH .*/events/S1.1", Scripted(400, {"error": {"code": "ErrorOccurrenceCrossingBoundary"}}))
    (outcome,) = apply(provider, create(wanted))

    assert isinstance(outcome, base.Rejected)
    assert outcome.code == "ErrorOccurrenceCrossingBoundary"


def test_a_new_series_whose_exception_is_rejected_is_not_left_behind_without_it(graph, provider):
    """It would be read as a wish, and undo the exception where the event comes from."""
    wanted = replace(WEEKLY, exceptions={FIRST: {Field.TITLE: "Moved"}})
    graph.on(POST, Scripted(201, weekly()))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("PATCH .*/events/S1.1", Scripted(400, {"error": {"code": "ErrorOccurrenceCrossingBoundary"}}))
    graph.on("DELETE .*/events/S1$", 204)
    (outcome,) = apply(provider, create(wanted))

    assert isinstance(outcome, base.Rejected)
    assert len(graph.calls("DELETE .*/events/S1$")) == 1


def test_a_text_that_the_server_rewrites_is_not_sent_over_and_over(graph, provider):
    wanted = replace(WEEKLY, exceptions={FIRST: {Field.TITLE: "  Moved  "}})
    graph.on(POST, Scripted(201, weekly()))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("PATCH .*/events/S1.1", event(type="exception"))
    graph.on("GET .*/events/S1[?]", whole("v2", [instance(1, FIRST, type="exception", subject="Moved")]))
    (outcome,) = apply(provider, create(wanted))

    assert outcome.event.exceptions == {FIRST: {Field.TITLE: "Moved"}}
    assert len(graph.calls("PATCH")) == 1


# --- update -----------------------------------------------------------------------------------------------


def test_an_update_sends_the_difference_under_its_guard(graph, provider):
    graph.on("PATCH .*/events/E1", event(subject="Dinner"))
    wanted = replace(LUNCH, content=replace(LUNCH.content, title="Dinner"))
    (outcome,) = apply(provider, update(wanted, LUNCH))

    assert outcome.event.content.title == "Dinner"
    assert [(seen.body, seen.headers["If-Match"]) for seen in graph.seen] == [({"subject": "Dinner"}, 'W/"v1"')]


def test_a_stale_guard_is_a_version_mismatch(graph, provider):
    graph.on("PATCH .*/events/E1", Scripted(412, {"error": {"code": "ErrorIrresolvableConflict"}}))
    (outcome,) = apply(provider, update(replace(LUNCH, content=replace(LUNCH.content, title="x")), LUNCH))

    assert isinstance(outcome, base.VersionMismatch)


def test_an_update_without_a_belief_looks_first(graph, provider):
    graph.on("GET .*/events/E1", event(subject="Old"))
    graph.on("PATCH .*/events/E1", event())
    first, second = apply(provider, update(LUNCH), update(LUNCH, version='W/"other"'))

    assert first.event.content == LUNCH.content
    assert [seen.body for seen in graph.calls("PATCH")] == [{"subject": "Lunch"}]
    assert isinstance(second, base.VersionMismatch)


def test_an_update_of_something_gone_is_not_found(graph, provider):
    outcomes = apply(provider, update(LUNCH), update(replace(LUNCH, content=replace(LUNCH.content, title="x")), LUNCH))

    assert [type(outcome) for outcome in outcomes] == [base.NotFound, base.NotFound]


def test_a_change_of_one_occurrence_is_guarded_by_the_series_version(graph, provider):
    wanted = replace(WEEKLY, cancelled=frozenset({FIRST}))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("GET .*/events/S1[?]", whole("v2"))
    (outcome,) = apply(provider, update(wanted, WEEKLY, remote_id="S1"))

    assert isinstance(outcome, base.VersionMismatch)
    assert graph.calls("DELETE") == []


def test_a_reshaped_series_gets_its_occurrences_again(graph, provider):
    before = replace(WEEKLY, cancelled=frozenset({FIRST}))
    wanted = replace(before, recurrence=Recurrence((replace(WEEKLY.recurrence.rules[0], interval=1, count=20),)))
    reshaped = whole("v2")
    graph.on("PATCH .*/events/S1", reshaped)
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("DELETE .*/events/S1.1", 204)
    graph.on("GET .*/events/S1[?]", reshaped, whole("v3", cancelled=["2026-10-26"]))
    (outcome,) = apply(provider, update(wanted, before, remote_id="S1"))

    assert outcome.event.cancelled == {FIRST}
    assert graph.calls("PATCH .*S1")[0].body.keys() == {"isAllDay", "start", "end", "recurrence"}
    assert len(graph.calls("DELETE .*S1.1")) == 1


def test_a_cancelled_occurrence_is_restored_by_reshaping_and_the_others_are_cancelled_again(graph, provider):
    before = replace(WEEKLY, cancelled=frozenset({FIRST, SECOND}))
    wanted = replace(WEEKLY, cancelled=frozenset({SECOND}))
    graph.on("PATCH .*/events/S1", whole("v2"))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST), instance(2, SECOND)]})
    graph.on("DELETE .*/events/S1.2", 204)
    graph.on("GET .*/events/S1[?]", whole("v2"), whole("v3", cancelled=["2026-11-02"]))
    (outcome,) = apply(provider, update(wanted, before, remote_id="S1"))
    away, back = graph.calls("PATCH .*S1")

    assert outcome.event.cancelled == {SECOND}
    assert [seen.body["end"]["dateTime"][11:16] for seen in (away, back)] == ["09:59", "10:00"]
    assert (away.headers.get("If-Match"), back.headers.get("If-Match")) == ('W/"v1"', None)
    assert graph.calls("DELETE .*S1.1") == []


def test_a_server_that_restores_nothing_ends_in_a_rejection(graph, provider):
    graph.on("PATCH .*/events/S1", whole("v2", cancelled=["2026-10-26"]))
    graph.on("GET .*/events/S1[?]", whole("v1", cancelled=["2026-10-26"]))
    (outcome,) = apply(provider, update(WEEKLY, replace(WEEKLY, cancelled=frozenset({FIRST})), remote_id="S1"))

    assert isinstance(outcome, base.Rejected)
    assert graph.calls("PATCH")[-2].body["recurrence"] is None
    assert graph.calls("PATCH")[-1].body["recurrence"] is not None


def test_a_renamed_series_with_exceptions_is_read_back_whole(graph, provider):
    before = replace(WEEKLY, exceptions={FIRST: {Field.LOCATION: "Roof"}})
    wanted = replace(before, content=replace(before.content, title="Dinner"))
    place = {"location": {"displayName": "Roof"}}
    named = {**whole("v2", [instance(1, FIRST, type="exception", subject="Dinner", **place)]), "subject": "Dinner"}
    graph.on("PATCH .*/events/S1", {**weekly(), "subject": "Dinner"})
    graph.on("GET .*/events/S1[?]", named)
    (outcome,) = apply(provider, update(wanted, before, remote_id="S1"))

    assert outcome.event.exceptions == {FIRST: {Field.LOCATION: "Roof"}}
    assert graph.round_trips == 2


def test_what_an_occurrence_inherits_is_never_sent_for_it(graph, provider):
    before = replace(WEEKLY, exceptions={FIRST: {Field.LOCATION: "Roof"}})
    wanted = replace(WEEKLY, exceptions={FIRST: {Field.LOCATION: "Cellar"}})
    rewritten = {"body": {"contentType": "text", "content": "Rewritten by the server"}}
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("PATCH .*/events/S1.1", event(type="exception"))
    place = {"location": {"displayName": "Cellar"}, "type": "exception", **rewritten}
    graph.on("GET .*/events/S1[?]", whole(), {**whole("v2", [instance(1, FIRST, **place)]), **rewritten})
    (outcome,) = apply(provider, update(wanted, before, remote_id="S1"))

    assert outcome.event.exceptions == wanted.exceptions
    assert [seen.body for seen in graph.calls("PATCH")] == [{"location": {"displayName": "Cellar"}}]


def test_an_update_that_broke_off_half_way_is_taken_up_again(graph, provider):
    before = replace(WEEKLY, cancelled=frozenset({FIRST}))
    later = replace(WEEKLY.content, when=replace(WEEKLY.content.when, end=datetime(2026, 10, 19, 11)))
    wanted = replace(before, content=later)
    reshaped = whole("v2") | {"end": at("2026-10-19T09:00:00")}  # its cancelled occurrence is not yet cancelled again
    graph.on("PATCH .*/events/S1", Scripted(412, {"error": {"code": "ErrorIrresolvableConflict"}}))
    graph.on("GET .*/events/S1/instances", {"value": [instance(1, FIRST)]})
    graph.on("DELETE .*/events/S1.1", 204)
    gone = reshaped | {"cancelledOccurrences": ["OID.S1.2026-10-26"]}
    graph.on("GET .*/events/S1[?]", reshaped, reshaped, reshaped, gone)
    (outcome,) = apply(provider, update(wanted, before, remote_id="S1"))

    assert outcome.event.cancelled == {FIRST}
    assert outcome.event.content.when == later.when


def test_somebody_elses_edit_is_not_taken_for_a_half_done_update(graph, provider):
    before = replace(WEEKLY, cancelled=frozenset({FIRST}))
    wanted = replace(before, content=replace(before.content, title="Dinner"))
    graph.on("PATCH .*/events/S1", Scripted(412, {"error": {"code": "ErrorIrresolvableConflict"}}))
    edited = whole("v2", [instance(2, SECOND, type="exception", subject="By hand")]) | {"subject": "Dinner"}
    graph.on("GET .*/events/S1[?]", edited)
    (outcome,) = apply(provider, update(wanted, before, remote_id="S1"))

    assert isinstance(outcome, base.VersionMismatch)


def test_a_write_whose_answer_is_empty_is_read_back(graph, provider):
    graph.on(POST, 201)
    graph.on("GET .*/events[?].*filter", {"value": [{"id": "E1"}]})
    graph.on("PATCH .*/events/E1", 204)
    graph.on("GET .*/events/E1", event())
    renamed = replace(LUNCH, content=replace(LUNCH.content, title="x"))
    made, changed = (apply(provider, write)[0] for write in (create(), update(LUNCH, renamed)))

    assert made.event.content == changed.event.content == LUNCH.content


# --- delete -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 404, 410])
def test_a_delete_of_something_gone_succeeds(graph, provider, status):
    graph.on("DELETE", status)
    (outcome,) = apply(provider, Write(WriteKind.DELETE, remote_id="E1", version='W/"v1"'))

    assert outcome == base.Written("E1", "", None)
    assert graph.seen[0].headers["If-Match"] == 'W/"v1"'


def test_a_refused_delete_succeeds_only_when_the_event_is_cancelled(graph, provider):
    graph.on("DELETE", Scripted(403, {"error": {"code": "ErrorAccessDenied"}}))
    graph.on("GET .*/events/E1", event(isCancelled=True))
    graph.on("GET .*/events/E2", event(id="E2"))
    outcomes = apply(provider, *(Write(WriteKind.DELETE, remote_id=name) for name in ("E1", "E2")))

    assert [type(outcome) for outcome in outcomes] == [base.Written, base.AccessDenied]


def test_one_failing_write_leaves_the_others_alone(graph, provider):
    graph.on(POST, Scripted(201, event()))
    graph.on("PATCH .*/events/E2", Scripted(400, {"error": {"code": "ErrorInvalidRequest"}}))
    graph.on("DELETE", 204)
    renamed = replace(LUNCH, content=replace(LUNCH.content, title="x"))
    outcomes = apply(
        provider, create(), update(renamed, LUNCH, remote_id="E2"), Write(WriteKind.DELETE, remote_id="E3")
    )

    assert [type(outcome) for outcome in outcomes] == [base.Written, base.Rejected, base.Written]
    assert graph.round_trips == 1
