"""The Graph adapter against the pretend tenant, in the variants of behaviour that the sources leave open."""
# ruff: noqa: DTZ001 - wall clock times are naive

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from calsync.engine.events import AllDay, Content, Event, Field, Frequency, Recurrence, Rule, ShowAs, Timed, Weekday
from calsync.providers import base
from calsync.providers.base import Mailbox, Write, WriteKind, Written
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from calsync.simulator.core import Fault
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET

ADA, BO = "ada@contoso.com", "bo@contoso.com"
MAILBOX = Mailbox(ADA, "primary", "Europe/Berlin")
WINDOW = base.Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
MORNING = Timed(datetime(2026, 10, 19, 9), datetime(2026, 10, 19, 10), "Europe/Berlin")
MONDAYS = Event(
    content=Content(when=MORNING, title="Standup", body="Daily\n\nnotes", show_as=ShowAs.ELSEWHERE),
    recurrence=Recurrence((Rule(Frequency.WEEKLY, by_day=((None, Weekday.MO),)),)),
)
FIRST, SECOND, THIRD = "2026-10-26T09:00", "2026-11-02T09:00", "2026-11-09T09:00"
WHOLE = replace(
    MONDAYS,
    exceptions={
        FIRST: {
            Field.TITLE: "Moved",
            Field.WHEN: Timed(datetime(2026, 10, 27, 11), datetime(2026, 10, 27, 12), "Europe/Berlin"),
        }
    },
    cancelled=frozenset({SECOND, THIRD}),
)


@pytest.fixture
def graph(simulator):
    for address, zone in ((ADA, "Europe/Berlin"), (BO, "America/New_York")):
        simulator.graph.add_mailbox(address, address, zone)
    return simulator


@pytest.fixture
def provider(graph):
    credentials = GraphCredentials(graph.graph.tenant_id, CLIENT_ID, client_secret=CLIENT_SECRET)
    return GraphProvider(credentials, GraphEndpoints(graph.url, graph.url))


def pull(provider, cursor="", mailbox=MAILBOX, known=None):
    held = known or {}
    return list(
        provider.changes(
            mailbox, cursor=cursor, window=WINDOW, known=lambda ids: {i: held[i] for i in ids if i in held}
        )
    )


def write(provider, wanted, *, mailbox=MAILBOX, **fields):
    (outcome,) = provider.apply(mailbox, [Write(event=wanted, **fields)])
    assert isinstance(outcome, Written), repr(outcome)
    return outcome


def create(provider, wanted, key="key-1"):
    return write(provider, wanted, kind=WriteKind.CREATE, key=key)


def update(provider, held, wanted):
    return write(
        provider, wanted, kind=WriteKind.UPDATE, remote_id=held.remote_id, version=held.version, before=held.event
    )


def same(found, wanted):
    """Equal in every synced field."""
    return (found.content, found.recurrence, dict(found.exceptions), found.cancelled) == (
        wanted.content,
        wanted.recurrence,
        dict(wanted.exceptions),
        wanted.cancelled,
    )


SWITCHES = [
    {},
    {"graph_reshape_wipes_exceptions": False},
    {"graph_delta_exceptions_are_stubs": False},
    {"graph_duplicate_transaction_answers_400": False},
    {"graph_projects_windows_names": False},
    {"graph_expand_exceptions_refused": True},
    {"graph_all_day_keeps_zone": True},
    {"graph_delta_empty_pages": True, "graph_delta_repeats_items": True},
]


@pytest.fixture(params=SWITCHES, ids=lambda switches: "+".join(switches) or "as documented")
def variant(request, graph):
    for name, value in request.param.items():
        assert hasattr(graph.core.switches, name)
        setattr(graph.core.switches, name, value)
    return graph


def test_a_series_lives_its_whole_life(variant, provider):
    held = create(provider, WHOLE)
    assert same(held.event, WHOLE)
    assert same(pull(provider)[-1].items[-1].event, WHOLE)

    restored = replace(WHOLE, cancelled=frozenset({THIRD}))
    held = update(provider, held, restored)
    assert same(held.event, restored)

    later = replace(MORNING, start=MORNING.start + timedelta(hours=2), end=MORNING.end + timedelta(hours=2))
    moved = replace(MONDAYS, content=replace(MONDAYS.content, when=later), cancelled=frozenset({"2026-11-02T11:00"}))
    held = update(provider, held, moved)
    assert same(held.event, moved)

    plain = replace(moved, content=replace(moved.content, title="Renamed"), cancelled=frozenset())
    held = update(provider, held, plain)
    assert same(held.event, plain)
    assert same(provider.read(MAILBOX, held.remote_id).event, plain)
    assert variant.core.outbox == []


def test_a_create_that_is_repeated_half_done_is_finished(variant, provider):
    create(provider, MONDAYS)
    held = create(provider, WHOLE)

    assert same(held.event, WHOLE)
    assert len(variant.graph.events(ADA)) == 1


def test_all_day_events_keep_their_days(variant, provider):
    days = Event(content=Content(when=AllDay(date(2026, 12, 24), date(2026, 12, 27)), title="Holidays"))
    held = create(provider, days)
    variant.graph.create_event(
        ADA,
        {
            "subject": "By hand",
            "isAllDay": True,
            "start": {"dateTime": "2026-10-05T00:00:00", "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": "2026-10-06T00:00:00", "timeZone": "W. Europe Standard Time"},
        },
    )
    found = {item.event.content.title: item.event.content.when for page in pull(provider) for item in page.items}

    assert held.event.content.when == days.content.when
    assert found == {"Holidays": days.content.when, "By hand": AllDay(date(2026, 10, 5), date(2026, 10, 6))}


def test_an_idle_round_is_one_request_without_items(variant, provider):
    create(provider, WHOLE)
    pages = pull(provider)
    held = {item.remote_id: base.Known(item.version) for page in pages for item in page.items}
    calm = pull(provider, pages[-1].cursor, known=held)  # whatever is repeated is held already
    variant.core.ledger.clear()
    calm = pull(provider, calm[-1].cursor, known=held)

    assert [item for page in calm for item in page.items] == []
    assert len(variant.core.ledger.calls) == len(calm)


def test_a_meeting_has_one_uid_in_both_mailboxes_and_its_guest_does_not_organise_it(graph, provider):
    start, end = ({"dateTime": f"2026-10-22T{hour:02}:00:00", "timeZone": "Europe/Berlin"} for hour in (9, 10))
    guest = {"emailAddress": {"address": BO, "name": "Bo"}, "type": "required"}
    graph.graph.create_event(ADA, {"subject": "Review", "start": start, "end": end, "attendees": [guest]})
    ((hers,), (his,)) = (pull(provider, mailbox=Mailbox(who, "primary", "UTC"))[-1].items for who in (ADA, BO))

    assert hers.event.uid == his.event.uid != ""
    assert (hers.event.organizes, his.event.organizes) == (True, False)
    assert hers.event.organizer == his.event.organizer == ADA
    assert [guest.address for guest in his.event.guests] == [BO]


def test_a_meeting_that_its_organiser_cancels_is_a_deletion_for_the_guest(graph, provider):
    start, end = ({"dateTime": f"2026-10-22T{hour:02}:00:00", "timeZone": "Europe/Berlin"} for hour in (9, 10))
    guest = {"emailAddress": {"address": BO, "name": "Bo"}, "type": "required"}
    meeting = graph.graph.create_event(ADA, {"subject": "Review", "start": start, "end": end, "attendees": [guest]})
    his = Mailbox(BO, "primary", "UTC")
    pages = pull(provider, mailbox=his)
    held = {item.remote_id: base.Known(item.version) for item in pages[-1].items}
    graph.graph.delete_event(ADA, meeting["id"])
    (item,) = pull(provider, pages[-1].cursor, mailbox=his, known=held)[-1].items

    assert (item.remote_id in held, item.event, item.problem) == (True, None, "")


def test_a_secondary_calendar_is_read_and_written_apart(graph, provider):
    other = Mailbox(ADA, graph.graph.add_calendar(ADA, "Side"), "Europe/Berlin")
    write(provider, MONDAYS, mailbox=other, kind=WriteKind.CREATE, key="k")
    create(provider, replace(MONDAYS, recurrence=None), key="k2")

    assert [item.event.is_series for item in pull(provider, mailbox=other)[-1].items] == [True]
    assert [item.event.is_series for item in pull(provider)[-1].items] == [False]
    assert {(c.calendar_id == other.calendar_id, c.is_primary) for c in provider.calendars(ADA)} == {
        (True, False),
        (False, True),
    }


def test_many_series_are_read_though_the_mailbox_takes_four_requests_at_a_time(graph, provider):
    writes = [Write(WriteKind.CREATE, key=f"k{n}", event=replace(MONDAYS, uid="")) for n in range(45)]
    outcomes = provider.apply(MAILBOX, writes)
    items = [item for page in pull(provider) for item in page.items]

    assert [outcome for outcome in outcomes if not isinstance(outcome, Written)] == []
    assert len(items) == 45
    assert provider.requests.by_label.get("instances", 0) == 0


@pytest.fixture
def validating_endpoint() -> Iterator[str]:
    """An address that answers the validation calls of Graph."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            token = parse_qs(urlsplit(self.path).query)["validationToken"][0].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(token)))
            self.end_headers()
            self.wfile.write(token)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_subscription_is_made_prolonged_and_dropped(graph, provider, validating_endpoint):
    urls = {"url": f"{validating_endpoint}/n", "lifecycle_url": f"{validating_endpoint}/l"}
    held = provider.subscribe(MAILBOX, **urls, secret="s3cret", channel_id="1")
    again = provider.subscribe(MAILBOX, **urls, secret="other", channel_id="1")  # the first one was lost by a crash
    renewed = provider.renew(MAILBOX, again)
    provider.unsubscribe(MAILBOX, again)
    provider.unsubscribe(MAILBOX, again)

    assert held.expires_at - datetime.now(UTC) > timedelta(days=6)
    assert renewed.expires_at >= again.expires_at
    assert provider.renew(MAILBOX, again) is None


def stubborn(provider, attempt):
    """Carry out one write, again whenever passing trouble stopped it, as the outbox does."""
    for _ in range(4):
        (outcome,) = provider.apply(MAILBOX, [attempt])
        if not isinstance(outcome, base.Transient):
            return outcome
    return outcome


BREAKS = [(kind, skip) for kind in ("lose_answer", "drop") for skip in range(7)]


@pytest.mark.parametrize(("kind", "skip"), BREAKS)
def test_a_line_that_breaks_anywhere_leaves_nothing_half_done(graph, provider, kind, skip):
    later = replace(MORNING, start=MORNING.start + timedelta(hours=1), end=MORNING.end + timedelta(hours=1))
    moved = replace(
        MONDAYS,
        content=replace(MONDAYS.content, when=later),
        exceptions={"2026-10-26T10:00": {Field.TITLE: "Moved"}},
        cancelled=frozenset({"2026-11-02T10:00"}),
    )
    restored = replace(WHOLE, cancelled=frozenset({THIRD}))
    provider.calendars(ADA)  # holds a token from here on
    for wanted in (moved, restored):
        held = create(provider, WHOLE, key=f"{kind}-{skip}-{wanted is moved}")
        fault = Fault("graph", kind, skip=skip)
        graph.core.faults.append(fault)
        change = Write(WriteKind.UPDATE, "", held.remote_id, held.version, wanted, held.event)
        outcome = stubborn(provider, change)
        graph.core.faults.clear()

        assert isinstance(outcome, Written), repr(outcome)
        assert same(outcome.event, wanted)
        assert same(provider.read(MAILBOX, held.remote_id).event, wanted)


@pytest.mark.parametrize(("kind", "skip"), BREAKS)
def test_a_create_whose_line_breaks_anywhere_makes_one_whole_series(graph, provider, kind, skip):
    provider.calendars(ADA)
    graph.core.faults.append(Fault("graph", kind, skip=skip))
    outcome = stubborn(provider, Write(WriteKind.CREATE, key="key-1", event=WHOLE))
    graph.core.faults.clear()

    assert isinstance(outcome, Written), repr(outcome)
    assert same(provider.read(MAILBOX, outcome.remote_id).event, WHOLE)
    assert len(graph.graph.events(ADA)) == 1
