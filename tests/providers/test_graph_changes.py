"""Rounds of delta against scripted answers: stubs, removals that lie, dead positions, refusals."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from calsync.engine.events import Field
from calsync.providers import base
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from tests.providers.graph_script import Scripted, ScriptedGraph
from tests.providers.graph_shapes import ADA, at, event, weekly

CLIENTS = itertools.count()
WINDOW = base.Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
DELTA = r"GET .*/calendarView/delta\?"


@pytest.fixture
def graph():
    with ScriptedGraph() as script:
        yield script


@pytest.fixture
def provider(graph):
    credentials = GraphCredentials("contoso", f"changes-{next(CLIENTS)}", client_secret="hush")
    return GraphProvider(credentials, GraphEndpoints(graph.url, graph.url))


def stub(number, series="S1"):
    day = f"2026-10-{19 + 7 * number}" if number < 2 else "2026-11-02"
    return {
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": 'W/"o"',
        "id": f"{series}.{number}",
        "seriesMasterId": series,
        "type": "occurrence",
        "start": at(f"{day}T07:00:00.0000000"),
        "end": at(f"{day}T08:00:00.0000000"),
    }


def removed(item_id):
    return {"@odata.type": "#microsoft.graph.event", "id": item_id, "@removed": {"reason": "deleted"}}


def last(graph, *entries, token="t1"):
    link = f"{graph.url}/v1.0/users/ada@contoso.com/calendarView/delta?$deltatoken={token}"
    return {"value": list(entries), "@odata.deltaLink": link}


def more(graph, *entries, token="p2", url=""):
    link = f"{url or graph.url}/v1.0/users/ada@contoso.com/calendarView/delta?$skiptoken={token}"
    return {"value": list(entries), "@odata.nextLink": link}


def whole(version="v1", exceptions=(), cancelled=()):
    raw = weekly(exceptionOccurrences=list(exceptions), cancelledOccurrences=list(cancelled))
    return {**raw, "@odata.etag": f'W/"{version}"'}


def pull(provider, cursor="", known=None, mailbox=ADA):
    held = {name: base.Known(version) for name, version in (known or {}).items()}
    ask = lambda ids: {name: held[name] for name in ids if name in held}  # noqa: E731
    return list(provider.changes(mailbox, cursor=cursor, window=WINDOW, known=ask))


def items(pages):
    return {item.remote_id: item for page in pages for item in page.items}


def test_a_first_round_reads_the_window_and_says_that_it_is_complete(graph, provider):
    graph.on(DELTA, last(graph, event()))
    pages = pull(provider)

    assert [(page.complete, page.cursor.endswith("t1")) for page in pages] == [(True, True)]
    assert pages[0].items[0].event.content.title == "Lunch"
    assert "startDateTime=2026-10-01T00:00:00Z&endDateTime=2026-12-01T00:00:00Z" in graph.seen[0].path
    assert "odata.maxpagesize=200" in graph.seen[0].headers["Prefer"]


def test_an_idle_round_is_one_request(graph, provider):
    graph.on(DELTA, last(graph, token="t1"), last(graph, token="t2"))
    cursor = pull(provider)[-1].cursor
    pages = pull(provider, cursor)

    assert [(page.items, page.complete) for page in pages] == [((), False)]
    assert pages[0].cursor.endswith("t2")
    assert len(graph.seen) == 2
    assert "$deltatoken=t1" in graph.seen[1].path
    assert "ImmutableId" in graph.seen[1].headers["Prefer"]


def test_another_calendar_than_the_default_one_is_read_by_its_id(graph, provider):
    graph.on(DELTA, last(graph))
    pull(provider, mailbox=base.Mailbox("ada@contoso.com", "CAL=", "UTC"))

    assert graph.seen[0].path.startswith("/users/ada@contoso.com/calendars/CAL=/calendarView/delta?")


def test_a_series_is_read_whole_and_once_though_it_comes_on_two_pages(graph, provider):
    moved = {**stub(1), "type": "exception", "subject": "Moved", "originalStart": "2026-10-26T08:00:00Z"}
    graph.on(DELTA, more(graph, weekly(), stub(0)), last(graph, stub(1), stub(2)))
    graph.on("GET .*/events/S1", whole(exceptions=[moved], cancelled=["OID.S1.2026-11-02"]))
    pages = pull(provider)
    found = items(pages)["S1"].event

    assert len(graph.calls("GET .*/events/S1")) == 1
    assert found.cancelled == {"2026-11-02T09:00"}
    assert found.exceptions["2026-10-26T09:00"][Field.TITLE] == "Moved"
    assert [len(page.items) for page in pages] == [1, 0]


def test_a_series_that_changed_while_it_was_read_is_read_again(graph, provider):
    graph.on(DELTA, more(graph, stub(0)), last(graph, {**weekly(), "@odata.etag": 'W/"v2"'}))
    graph.on("GET .*/events/S1", whole("v1"), whole("v2"))
    pages = pull(provider)

    assert [page.items[0].version for page in pages] == ['W/"v1"', 'W/"v2"']


def test_many_series_are_read_in_batches(graph, provider):
    masters = [{**weekly(), "id": f"S{n}"} for n in range(45)]
    graph.on(DELTA, last(graph, *masters))
    for n in range(45):
        graph.on(f"GET .*/events/S{n}[?]", {**whole(), "id": f"S{n}"})

    assert len(items(pull(provider))) == 45
    assert graph.round_trips == 1 + 3


def test_what_is_held_in_the_same_version_is_not_read_again(graph, provider):
    graph.on(DELTA, last(graph, event(), weekly(), stub(0)))
    graph.on("GET .*/events/S1", whole())
    known = {"E1": 'W/"v1"', "S1": 'W/"v1"'}

    assert items(pull(provider, f"{graph.url}/v1.0/x/calendarView/delta?t=1", known)) == {}
    assert items(pull(provider, "", known)) == {}
    assert items(pull(provider, "", {})).keys() == {"E1", "S1"}


def test_a_removal_counts_only_when_the_event_is_known_and_gone(graph, provider):
    graph.on(DELTA, last(graph, removed("GONE"), removed("OUTSIDE"), removed("STRANGER"), removed("S1")))
    graph.on("GET .*/events/OUTSIDE", event(id="OUTSIDE"))
    graph.on("GET .*/events/S1", whole())
    found = items(pull(provider, "", {"GONE": "1", "OUTSIDE": "1", "S1": "1"}))

    assert found["GONE"].event is None
    assert found["GONE"].problem == ""
    assert found["OUTSIDE"].event is not None
    assert found["S1"].event.is_series
    assert found.keys() == {"GONE", "OUTSIDE", "S1"}
    assert graph.calls("STRANGER") == []


def test_the_last_word_on_an_event_counts(graph, provider):
    graph.on(DELTA, last(graph, event(subject="Old"), removed("E1"), event(subject="New")))

    assert items(pull(provider, "", {"E1": "1"}))["E1"].event.content.title == "New"


def test_a_series_that_is_gone_when_it_is_read_is_a_deletion(graph, provider):
    graph.on(DELTA, last(graph, weekly(), stub(0)))
    found = items(pull(provider))["S1"]

    assert (found.event, found.problem) == (None, "")


def test_a_single_event_that_came_as_a_stub_is_read_in_full(graph, provider):
    graph.on(
        DELTA,
        last(
            graph, {"id": "E1", "@odata.etag": 'W/"v1"', "type": "singleInstance", "start": at("2026-10-22T07:00:00")}
        ),
    )
    graph.on("GET .*/events/E1", event())

    assert items(pull(provider))["E1"].event.content.title == "Lunch"


def test_one_malformed_event_does_not_stop_the_others(graph, provider):
    graph.on(DELTA, last(graph, event(id="BAD", start={"dateTime": 7}), event(), "nonsense"))
    found = items(pull(provider))

    assert found["BAD"].problem
    assert found["E1"].event is not None


@pytest.mark.parametrize(
    ("status", "code"),
    [(410, ""), (410, "syncStateNotFound"), (400, "SyncStateInvalid"), (404, "SYNCSTATENOTFOUND"), (400, "BadRequest")],
)
def test_a_dead_position_is_told_as_such(graph, provider, status, code):
    graph.on(DELTA, Scripted(status, {"error": {"code": code}}, {"Location": f"{graph.url}/v1.0/x"}))

    with pytest.raises(base.CursorExpired):
        pull(provider, f"{graph.url}/v1.0/users/ada@contoso.com/calendarView/delta?$deltatoken=old")


def test_a_wrong_first_request_is_no_dead_position(graph, provider):
    graph.on(DELTA, Scripted(400, {"error": {"code": "ErrorInvalidParameter"}}))

    with pytest.raises(base.Rejected):
        pull(provider)


@pytest.mark.parametrize("cursor", ["https://evil.example/v1.0/x/delta?t=1", "http://127.0.0.1:1/v1.0/x", "not a link"])
def test_a_position_on_another_server_is_never_followed(graph, provider, cursor):
    with pytest.raises(base.CursorExpired):
        pull(provider, cursor)
    assert graph.seen == []


def test_links_that_name_this_server_differently_are_led_back_to_it(graph, provider):
    port = graph.url.rpartition(":")[2]
    graph.on(
        DELTA,
        more(graph, url="https://graph.microsoft.com"),
        more(graph, url=f"http://localhost:{port}", token="p3"),
        last(graph),
    )
    pages = pull(provider)

    assert len(pages) == 3
    assert pages[-1].cursor.startswith(graph.url)


def test_a_list_that_breaks_off_is_passing_trouble(graph, provider):
    graph.on(DELTA, {"value": []})

    with pytest.raises(base.Transient):
        pull(provider)


def test_a_throttled_read_within_a_round_stops_it(graph, provider):
    graph.on(DELTA, last(graph, weekly()))
    graph.on("GET .*/events/S1", Scripted(429, {}, {"Retry-After": "12"}))

    with pytest.raises(base.RateLimited) as caught:
        pull(provider)
    assert caught.value.retry_after == 12


def test_a_read_waits_for_the_throttled_part_of_a_batch_instead_of_beginning_the_round_anew(graph, provider):
    busy = Scripted(429, {"error": {"code": "ApplicationThrottled"}}, {"Retry-After": "1.2"})
    graph.on(DELTA, last(graph, weekly(), {**weekly(), "id": "S2"}))
    graph.on("GET .*/events/S1", weekly(exceptionOccurrences=[], cancelledOccurrences=[]))
    graph.on("GET .*/events/S2", busy, {**weekly(exceptionOccurrences=[], cancelledOccurrences=[]), "id": "S2"})

    items = pull(provider)[0].items

    assert {item.remote_id for item in items} == {"S1", "S2"}
    assert len(graph.calls("GET .*/events/S1")) == 1


# --- where Graph refuses the short way ----------------------------------------------------------------------


def no_expanding(graph, master):
    graph.on("GET .*/events/S1[?]", master)
    graph.on("GET .*/events/S1.*expand", Scripted(400, {"error": {"code": "ErrorInvalidRequest"}}))


def test_exceptions_are_found_by_listing_when_expanding_is_refused(graph, provider):
    exception = {**stub(1), "type": "exception", "originalStart": "2026-10-26T08:00:00Z"}
    graph.on(DELTA, last(graph, weekly()))
    no_expanding(graph, whole(cancelled=["OID.S1.2026-11-02"]))
    graph.on("GET .*/events/S1/instances", {"value": [stub(0), exception]})
    graph.on("GET .*/events/S1.1[?]", {**exception, "subject": "Moved", "body": {"contentType": "text", "content": ""}})
    found = items(pull(provider))["S1"].event

    assert found.exceptions["2026-10-26T09:00"][Field.TITLE] == "Moved"
    assert found.cancelled == {"2026-11-02T09:00"}


def test_cancelled_occurrences_are_found_by_comparing_when_nothing_tells_them(graph, provider):
    raw = weekly()
    raw["recurrence"]["range"] |= {"type": "numbered", "numberOfOccurrences": 3}
    no_expanding(graph, raw)
    graph.on("GET .*/events/S1/instances", {"value": [stub(0), stub(2)]})
    found = provider.read(ADA, "S1").event

    assert found.cancelled == {"2026-10-26T09:00"}


def test_a_calendar_that_refuses_to_expand_is_not_asked_again(graph, provider):
    no_expanding(graph, whole())
    graph.on("GET .*/events/S1/instances", {"value": []})
    provider.read(ADA, "S1")
    provider.read(ADA, "S1")

    assert len(graph.calls("expand")) == 1


# --- single reads -------------------------------------------------------------------------------------------


def test_reading_one_event(graph, provider):
    graph.on("GET .*/events/E1", event())
    graph.on("GET .*/events/E2", event(id="E2", isCancelled=True))
    graph.on("GET .*/events/S1", whole())
    graph.on("GET .*/events/O1", {**stub(0), "id": "O1"})

    assert provider.read(ADA, "E1").event.content.title == "Lunch"
    assert provider.read(ADA, "E2") == base.Item("E2", "", None)
    assert provider.read(ADA, "E3") == base.Item("E3", "", None)
    assert provider.read(ADA, "S1").event.is_series
    assert provider.read(ADA, "O1").remote_id == "S1"


# --- calendars ----------------------------------------------------------------------------------------------


def test_the_calendars_of_a_mailbox(graph, provider):
    graph.on(
        "GET .*/calendars",
        {
            "value": [
                {"id": "C1", "name": "Calendar", "isDefaultCalendar": True, "canEdit": True},
                {"id": "C2", "name": "Holidays", "canEdit": False},
            ]
        },
    )
    graph.on("GET .*/mailboxSettings", {"timeZone": "W. Europe Standard Time"})

    assert provider.calendars("ada@contoso.com") == [
        base.CalendarInfo("C1", "Calendar", "Europe/Berlin", True, True),
        base.CalendarInfo("C2", "Holidays", "Europe/Berlin", False, False),
    ]


def test_the_zone_is_utc_when_the_settings_may_not_be_read_and_the_default_is_asked_for(graph, provider):
    graph.on("GET .*/calendar[?]", {"id": "C1"})
    graph.on("GET .*/calendars", {"value": [{"id": "C1", "name": "Calendar"}]})
    graph.on("GET .*/mailboxSettings", Scripted(403, {"error": {"code": "ErrorAccessDenied"}}))

    assert [(c.zone, c.is_primary) for c in provider.calendars("ada@contoso.com")] == [("UTC", True)]


def test_an_unknown_mailbox_is_unavailable(graph, provider):
    with pytest.raises(base.MailboxUnavailable):
        provider.calendars("nobody@contoso.com")
