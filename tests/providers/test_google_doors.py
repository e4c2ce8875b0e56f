"""Credentials, addresses, calendars and push channels at Google."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from calsync.providers.base import (
    AccessDenied,
    AuthenticationFailed,
    MailboxUnavailable,
    Rejected,
    Subscription,
    Transient,
)
from calsync.providers.google.oauth import SCOPES, GoogleCredentials, GoogleEndpoints
from calsync.providers.google.provider import GoogleProvider
from calsync.simulator.google.oauth import service_account_info
from tests.providers.google_script import MAILBOX, refusal

KEY = {"client_email": "sync@project.example", "private_key": "-----BEGIN"}


# --- addresses and keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://calendar.example", "ftp://127.0.0.1", "calendar.example"])
def test_plain_http_is_for_loopback_only(url):
    with pytest.raises(ValueError, match="Google API URL"):
        GoogleEndpoints(url)
    with pytest.raises(ValueError, match="token address"):
        GoogleCredentials({**KEY, "token_uri": url})


@pytest.mark.parametrize("url", ["https://www.googleapis.com/", "http://127.0.0.1:8081/", "http://localhost:1"])
def test_good_addresses_lose_their_last_slash(url):
    assert GoogleEndpoints(url).api_url == url.rstrip("/")


def test_a_key_file_without_a_key_is_refused():
    with pytest.raises(ValueError, match="private_key"):
        GoogleCredentials({"client_email": "sync@project.example"})


def test_a_key_that_cannot_be_read_is_a_matter_of_credentials(script):
    with pytest.raises(AuthenticationFailed):
        script.provider(private_key="-----BEGIN nonsense").calendars("ann@example.com")


def test_the_key_never_shows_in_the_credentials_text():
    assert "BEGIN" not in repr(GoogleCredentials(KEY))


def test_the_least_scopes_are_asked_for():
    assert sorted(scope.rsplit("/", 1)[-1] for scope in SCOPES) == [
        "calendar.calendarlist.readonly",
        "calendar.events",
        "calendar.settings.readonly",
    ]


# --- tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "text", "kind"),
    [
        (400, "invalid_grant", "Invalid email or User ID", MailboxUnavailable),
        (400, "invalid_grant", "Invalid JWT Signature.", AuthenticationFailed),
        (400, "invalid_grant", "Invalid grant: account not found", AuthenticationFailed),
        (400, "invalid_grant", "Token has been expired or revoked.", AuthenticationFailed),
        (401, "unauthorized_client", "Client is unauthorized to retrieve access tokens", AuthenticationFailed),
        (401, "invalid_client", "Unauthorized", AuthenticationFailed),
    ],
)
def test_refused_tokens_name_who_must_act(script, provider, status, error, text, kind):
    script.on("POST /token", (status, {"error": error, "error_description": text}))

    with pytest.raises(kind):
        provider.calendars("ann@example.com")


def test_a_token_service_in_trouble_is_passing_trouble(script, provider):
    script.on("POST /token", (503, {"error": "backend_error"}))

    with pytest.raises(Transient):
        provider.calendars("ann@example.com")


def test_one_token_serves_all_adapters_of_the_process(script):
    script.on("GET /calendar/v3/users/me/calendarList", {"items": []})
    for _ in range(3):
        script.provider().calendars("ann@example.com")
    script.provider().calendars("bob@example.com")

    assert len(script.asked("POST /token")) == 2


def test_a_server_that_is_not_there_is_passing_trouble():
    nowhere = "http://127.0.0.1:9"
    provider = GoogleProvider(GoogleCredentials(service_account_info(nowhere)), GoogleEndpoints(nowhere))

    with pytest.raises(Transient):
        provider.calendars("ann@example.com")


def test_credentials_that_stay_refused_are_a_matter_of_credentials(script, provider):
    script.on("GET /calendar/v3/users/me/calendarList", refusal(401, "authError"))

    with pytest.raises(AuthenticationFailed):
        provider.calendars("ann@example.com")


# --- calendars --------------------------------------------------------------------------------------------


def test_calendars_are_listed_over_pages(script, provider):
    own = {"id": "ann@example.com", "summary": "Ann", "timeZone": "Europe/Berlin", "primary": True}
    team = {"id": "team@group.calendar.google.com", "summary": "T", "summaryOverride": "Team", "timeZone": "UTC"}
    gone = {"id": "gone@group.calendar.google.com", "deleted": True}
    script.on(
        "GET /calendar/v3/users/me/calendarList",
        {"items": [own | {"accessRole": "owner"}, gone], "nextPageToken": "p2"},
        {"items": [team | {"accessRole": "reader"}]},
    )

    first, second = provider.calendars("ann@example.com")

    assert (first.calendar_id, first.zone, first.is_primary, first.can_write) == (
        own["id"],
        "Europe/Berlin",
        True,
        True,
    )
    assert (second.name, second.is_primary, second.can_write) == ("Team", False, False)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "notACalendarUser", MailboxUnavailable),
        (403, "insufficientPermissions", AccessDenied),
        (403, "accessNotConfigured", AccessDenied),
    ],
)
def test_closed_doors_are_told_apart(script, provider, status, reason, kind):
    script.on("GET /calendar/v3/users/me/calendarList", refusal(status, reason))

    with pytest.raises(kind):
        provider.calendars("ann@example.com")


# --- push -------------------------------------------------------------------------------------------------


def subscribe(provider: GoogleProvider, **words: str) -> Subscription:
    asked = {"url": "https://hub.example/google", "lifecycle_url": "", "secret": "s3cret", "channel_id": "c-1"} | words
    return provider.subscribe(MAILBOX, **asked)


def test_a_channel_carries_our_id_and_secret(script, provider):
    script.on("POST /events/watch", {"id": "c-1", "resourceId": "r-1", "expiration": "1798279200000"})

    subscription = subscribe(provider)

    body = script.asked("POST /events/watch")[0].body
    assert (body["id"], body["token"], body["type"], body["params"]) == ("c-1", "s3cret", "web_hook", {"ttl": "604800"})
    assert (subscription.subscription_id, subscription.resource_id) == ("c-1", "r-1")
    assert subscription.expires_at == datetime(2026, 12, 26, 10, 0, tzinfo=UTC)


def test_a_channel_without_a_told_end_is_renewed_soon(script, provider):
    script.on("POST /events/watch", {"id": "c-1", "resourceId": "r-1"})

    assert subscribe(provider).expires_at < datetime.now(UTC) + timedelta(hours=2)


def test_a_calendar_without_push_is_refused_for_good(script, provider):
    script.on("POST /events/watch", refusal(400, "pushNotSupportedForRequestedResource"))

    with pytest.raises(Rejected) as refused:
        subscribe(provider)

    assert refused.value.code == "pushNotSupportedForRequestedResource"


def test_a_secret_that_is_too_long_is_refused_before_any_request(script, provider):
    with pytest.raises(Rejected):
        subscribe(provider, secret="x" * 257)

    assert script.asked("POST /events/watch") == []


def test_channels_cannot_be_prolonged(provider):
    assert provider.renew(MAILBOX, Subscription("c-1", "r-1", datetime.now(UTC))) is None


def test_a_channel_is_stopped_by_id_and_resource(script, provider):
    script.on("POST /calendar/v3/channels/stop", (204, 204))

    provider.unsubscribe(MAILBOX, Subscription("c-1", "r-1", datetime.now(UTC)))

    assert script.asked("POST /calendar/v3/channels/stop")[0].body == {"id": "c-1", "resourceId": "r-1"}
