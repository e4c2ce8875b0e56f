"""Talking to Graph: tokens, errors, batches. Against scripted answers over real HTTP."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from calsync.providers import base
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from calsync.providers.graph.errors import error_from
from calsync.providers.http import retry_after
from tests.providers.graph_script import Scripted, ScriptedGraph
from tests.providers.graph_shapes import ADA, event

CLIENTS = itertools.count()


@pytest.fixture
def graph():
    with ScriptedGraph() as script:
        yield script


def provider_for(graph, **secrets):
    credentials = GraphCredentials("contoso", f"client-{next(CLIENTS)}", **(secrets or {"client_secret": "hush"}))
    return GraphProvider(credentials, GraphEndpoints(graph.url, graph.url))


def refused(code="InvalidAuthenticationToken", status=401):
    return Scripted(status, {"error": {"code": code, "message": "no"}})


# --- endpoints and credentials ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://graph.example.com", "http://10.0.0.1", "graph.microsoft.com", "ftp://localhost"]
)
def test_plain_http_is_accepted_on_loopback_only(url):
    with pytest.raises(ValueError, match=r"http"):
        GraphEndpoints(graph_url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://localhost:8000", "http://[::1]:8000", "https://graph.example.com"]
)
def test_https_and_loopback_are_accepted(url):
    assert GraphEndpoints(graph_url=url).graph_url == url.rstrip("/")


def test_credentials_need_exactly_one_kind_of_secret_and_do_not_show_it():
    with pytest.raises(ValueError, match="either"):
        GraphCredentials("t", "c")
    with pytest.raises(ValueError, match="either"):
        GraphCredentials("t", "c", client_secret="s", client_certificate="p")
    assert "hush" not in repr(GraphCredentials("t", "c", client_secret="hush"))


def test_one_token_serves_all_providers_of_the_same_credentials(graph):
    credentials = GraphCredentials("contoso", f"client-{next(CLIENTS)}", client_secret="hush")
    for _ in range(2):
        GraphProvider(credentials, GraphEndpoints(graph.url, graph.url)).read(ADA, "E1")

    assert graph.tokens == 1


def test_an_expired_token_is_replaced_once(graph):
    graph.on("GET /users/.*/events/E1", refused(), event())

    assert provider_for(graph).read(ADA, "E1").event is not None
    assert [seen.headers["Authorization"] for seen in graph.seen] == ["Bearer token-1", "Bearer token-2"]


def test_a_token_that_stays_refused_needs_a_person(graph):
    graph.on("GET /users/", refused())

    with pytest.raises(base.AuthenticationFailed):
        provider_for(graph).read(ADA, "E1")
    assert len(graph.seen) == 2


def test_a_wrong_secret_needs_a_person_and_is_not_shown(graph):
    provider = provider_for(graph)
    provider.requests.other = 0
    graph.login_answer = Scripted(
        401, {"error": "invalid_client", "error_description": "hush", "error_codes": [7000215]}
    )

    with pytest.raises(base.AuthenticationFailed) as caught:
        provider.read(ADA, "E1")
    assert "hush" not in str(caught.value)


def test_a_login_service_in_trouble_is_passing_trouble(graph):
    graph.login_answer = Scripted(503, {})

    with pytest.raises(base.Transient):
        provider_for(graph).read(ADA, "E1")


def test_a_certificate_signs_instead_of_a_secret(graph):
    provider_for(graph, client_certificate=self_signed()).read(ADA, "E1")

    token_call = next(call for call in graph.logins if call.startswith("POST"))
    assert "client_assertion=" in token_call
    assert "client_secret" not in token_call


def self_signed():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "calsync")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)).decode()


# --- every request ----------------------------------------------------------------------------------------


def test_every_request_asks_for_stable_ids_and_html(graph):
    graph.on("GET /users/.*/events/E1", event())
    provider = provider_for(graph)
    provider.read(ADA, "E1")
    provider.apply(ADA, [base.Write(base.WriteKind.DELETE, remote_id=name) for name in ("E1", "E2")])

    prefers = [seen.headers["Prefer"] for seen in graph.seen if seen.path != "/$batch"]
    assert len(prefers) == 3
    assert all('IdType="ImmutableId"' in prefer and 'body-content-type="html"' in prefer for prefer in prefers)


def test_addresses_and_ids_are_single_path_segments(graph):
    provider = provider_for(graph)
    provider.read(base.Mailbox("a/b#EXT#@contoso.com", "primary"), "AA/==?x")

    assert graph.seen[0].path.startswith("/users/a/b#EXT#@contoso.com/events/AA/==?x?$select=")


def test_a_lost_connection_is_passing_trouble(graph):
    graph.on("GET /users/", Scripted(drop=True))

    with pytest.raises(base.Transient) as caught:
        provider_for(graph).read(ADA, "E1")
    assert not isinstance(caught.value, base.RateLimited)


def test_requests_are_counted_a_batch_as_one(graph):
    provider = provider_for(graph)
    provider.apply(ADA, [base.Write(base.WriteKind.DELETE, remote_id=f"E{n}") for n in range(25)])

    assert (provider.requests.writes, graph.round_trips) == (2, 2)
    assert provider.requests.other == 2  # discovery and token


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ErrorPropertyValidationFailure", base.Rejected),
        (400, "ErrorOccurrenceCrossingBoundary", base.Rejected),
        (400, "ErrorDuplicateTransactionId", base.AlreadyExists),
        (409, "ErrorDuplicateTransactionId", base.AlreadyExists),
        (400, "syncstatenotfound", base.CursorExpired),
        (410, "fullSyncRequired", base.CursorExpired),
        (401, "InvalidAuthenticationToken", base.AuthenticationFailed),
        (403, "ErrorAccessDenied", base.AccessDenied),
        (404, "ErrorItemNotFound", base.NotFound),
        (404, "MailboxNotEnabledForRESTAPI", base.MailboxUnavailable),
        (410, "", base.NotFound),
        (412, "ErrorIrresolvableConflict", base.VersionMismatch),
        (409, "ErrorIrresolvableConflict", base.VersionMismatch),
        (429, "ApplicationThrottled", base.RateLimited),
        (503, "ErrorServerBusy", base.RateLimited),
        (503, "", base.Transient),
        (500, "ErrorInternalServerTransientError", base.Transient),
        (507, "ErrorQuotaExceeded", base.QuotaPaused),
        (413, "", base.Rejected),
        (302, "", base.Rejected),
    ],
)
def test_each_answer_has_its_error(status, code, kind):
    error = error_from(status, {"Request-ID": "abc-1"}, {"error": {"code": code, "message": "Lunch with Bo"}})

    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    assert "abc-1" in str(error)
    assert "Lunch" not in str(error)


def test_a_nested_code_is_seen_in_any_casing():
    body = {"error": {"code": "BadRequest", "message": "", "InnerError": {"code": "ResyncRequired"}}}

    assert type(error_from(400, {}, body)) is base.CursorExpired


def test_bodies_of_any_kind_are_survived():
    assert [type(error_from(502, {}, body)) for body in (None, [], "<html>", {"error": "x"})] == [base.Transient] * 4


def test_the_event_that_used_a_key_before_is_named():
    error = error_from(400, {}, {"error": {"code": "ErrorDuplicateTransactionId", "@event.existingEventId": "E7"}})

    assert isinstance(error, base.AlreadyExists)
    assert error.existing_id == "E7"


def test_waiting_times_come_as_numbers_fractions_or_dates():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    date = format_datetime(now + timedelta(seconds=90), usegmt=True)

    assert [retry_after(value, now=lambda: now) for value in ("3", "2.128", date, "soon", "", None)] == [
        3.0,
        2.128,
        90.0,
        None,
        None,
        None,
    ]
    assert error_from(429, {"retry-after": "2.5"}, {}).retry_after == 2.5


# --- batches ----------------------------------------------------------------------------------------------


def delete(*names):
    return [base.Write(base.WriteKind.DELETE, remote_id=name) for name in names]


def test_answers_of_a_batch_are_put_in_order(graph):
    graph.on("DELETE", 204)
    graph.on("DELETE .*/events/E1$", refused("ErrorAccessDenied", 403))
    graph.on("GET .*/events/E1", event())
    outcomes = provider_for(graph).apply(ADA, delete("E0", "E1", "E2"))

    assert [type(outcome) for outcome in outcomes] == [base.Written, base.AccessDenied, base.Written]
    assert [outcomes[0].remote_id, outcomes[2].remote_id] == ["E0", "E2"]


def test_throttled_parts_of_a_batch_are_sent_again_while_others_get_through(graph):
    busy = Scripted(429, {"error": {"code": "ApplicationThrottled"}}, {"Retry-After": "0.01"})
    graph.on("DELETE", 204)
    graph.on("DELETE .*/events/E1$", busy, busy, Scripted(204))
    graph.on("DELETE .*/events/E2$", busy, Scripted(204))
    outcomes = provider_for(graph).apply(ADA, delete("E0", "E1", "E2"))

    assert [type(outcome) for outcome in outcomes] == [base.Written] * 3
    assert len(graph.calls("DELETE .*E0")) == 1


def test_batches_are_small_after_one_was_throttled(graph):
    busy = Scripted(429, {"error": {"code": "ApplicationThrottled"}}, {"Retry-After": "30"})
    graph.on("DELETE", 204)
    graph.on("DELETE .*/events/E1$", busy, Scripted(204))
    names = [f"E{number}" for number in range(8)]
    provider = provider_for(graph)
    provider.apply(ADA, delete(*names))
    before = graph.round_trips
    provider.apply(ADA, delete(*names))

    assert graph.round_trips - before == 2


def test_a_throttled_part_tells_how_long_to_wait(graph):
    graph.on("DELETE", 204)
    graph.on("DELETE .*/events/E1$", Scripted(429, {}, {"Retry-After": "30"}))
    outcomes = provider_for(graph).apply(ADA, delete("E0", "E1"))

    assert isinstance(outcomes[0], base.Written)
    assert isinstance(outcomes[1], base.RateLimited)
    assert outcomes[1].retry_after == 30


def test_a_batch_that_fails_as_a_whole_is_the_outcome_of_each_part(graph):
    graph.on(r"POST /\$batch", Scripted(503, {}, {"Retry-After": "7"}))
    outcomes = provider_for(graph).apply(ADA, delete("E0", "E1"))

    assert [(type(outcome), outcome.retry_after) for outcome in outcomes] == [(base.Transient, 7.0)] * 2


def test_a_part_that_a_batch_leaves_out_is_passing_trouble(graph):
    graph.on(r"POST /\$batch", {"responses": [{"id": "1", "status": 204, "body": None}]})
    outcomes = provider_for(graph).apply(ADA, delete("E0", "E1"))

    assert [type(outcome) for outcome in outcomes] == [base.Written, base.Transient]
