from __future__ import annotations

import json
import queue
import threading
import uuid
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httplib2
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as AuthRequest
from google.oauth2.credentials import Credentials
from googleapiclient.errors import HttpError

from calsync.simulator.core import Fault
from tests.simulator.google_world import ANNA, BOB, CALENDAR, ROOT, SCOPE, serve_google, timed


@pytest.fixture
def world():
    with serve_google() as running:
        yield running


class Receiver(ThreadingHTTPServer):
    """A webhook receiver that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: queue.Queue = queue.Queue()
        self.url = f"http://127.0.0.1:{self.server_port}/hooks/google"

    def next(self):
        return self.got.get(timeout=5)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.got.put((dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        return


@pytest.fixture
def receiver():
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def status(call) -> int:
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.status_code


# -- tokens ---------------------------------------------------------------------------------------------------------


def test_an_unknown_subject_and_an_undelegated_scope_get_their_own_errors(world):
    with pytest.raises(RefreshError, match="invalid_grant: Invalid email or User ID"):
        world.credentials("nobody@meridian.example").refresh(AuthRequest())
    with pytest.raises(RefreshError, match="unauthorized_client"):
        world.credentials(ANNA, (SCOPE + "drive",)).refresh(AuthRequest())


def test_a_forged_assertion_is_refused(world):
    credentials = world.credentials(ANNA)
    assertion = credentials._make_authorization_grant_assertion().decode()
    head, body, signature = assertion.split(".")
    forged = f"{head}.{body[:-2]}AA.{signature}"
    form = f"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={forged}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer, content = httplib2.Http().request(world.url + "/token", "POST", form, headers)
    assert (answer.status, json.loads(content)["error"]) == (400, "invalid_grant")


def test_a_persons_refresh_token_works_until_it_is_revoked(world):
    token = world.api.tokens.consent(ANNA, client_id="app", client_secret="s", scopes=CALENDAR)
    credentials = Credentials(
        None, refresh_token=token, token_uri=world.url + "/token", client_id="app", client_secret="s", scopes=CALENDAR
    )
    credentials.refresh(AuthRequest())
    assert credentials.token.startswith("ya29.")
    wrong = Credentials(None, refresh_token=token, token_uri=world.url + "/token", client_id="app", client_secret="x")
    with pytest.raises(RefreshError, match="invalid_client"):
        wrong.refresh(AuthRequest())
    world.api.tokens.revoke(ANNA)
    with pytest.raises(RefreshError, match="expired or revoked"):
        credentials.refresh(AuthRequest())


def test_calls_without_or_with_a_dead_token_or_a_small_scope_are_refused(world):
    url = world.url + "/calendar/v3/users/me/calendarList"
    answer, content = httplib2.Http().request(url)
    assert (answer.status, json.loads(content)["error"]["errors"][0]["reason"]) == (401, "required")
    answer, content = httplib2.Http().request(url, headers={"Authorization": "Bearer dead"})
    assert (answer.status, json.loads(content)["error"]["errors"][0]["reason"]) == (401, "authError")
    small = world.client(ANNA, (SCOPE + "calendar.settings.readonly",))
    with pytest.raises(HttpError) as caught:
        small.events().list(calendarId="primary").execute()
    assert caught.value.error_details[0]["reason"] == "insufficientPermissions"


# -- batches --------------------------------------------------------------------------------------------------------


def test_a_batch_answers_each_part_with_its_own_status(world):
    client, answers = world.client(ANNA), {}
    batch = client.new_batch_http_request(callback=lambda name, body, error: answers.update({name: (body, error)}))
    body = timed("2026-03-02T09:00", "2026-03-02T10:00")
    batch.add(client.events().insert(calendarId="primary", body=body), request_id="made")
    batch.add(client.events().get(calendarId="primary", eventId="neverthere"), request_id="missing")
    batch.execute()
    assert answers["made"][0]["summary"] == "Planning"
    assert answers["made"][0]["etag"]
    assert answers["missing"][1].status_code == 404
    inner = [(call.method, call.status, call.mailbox) for call in world.core.ledger.calls if call.inner]
    assert sorted(inner) == [("GET", 404, ANNA), ("POST", 200, ANNA)]


def test_a_part_can_fail_by_plan_while_its_neighbours_succeed(world):
    body = {
        "error": {"code": 403, "message": "x", "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}]}
    }
    world.core.faults.append(Fault("google", "status", method="POST", path="/events", status=403, body=body, skip=1))
    client, answers = world.client(ANNA), []
    batch = client.new_batch_http_request(callback=lambda _, body, error: answers.append(error and error.status_code))
    for _ in range(3):
        event = timed("2026-03-02T09:00", "2026-03-02T10:00")
        batch.add(client.events().insert(calendarId="primary", body=event))
    batch.execute()
    assert sorted(answers, key=str) == [403, None, None]
    assert len(world.store.events(ANNA)) == 2


def test_a_lost_batch_answer_is_repeated_by_httplib2_and_does_its_inserts_twice(world):
    world.core.faults.append(Fault("google", "lose_answer", method="POST", path="^/calendar/v3.*/events", skip=1))
    client = world.client(ANNA)
    batch = client.new_batch_http_request(callback=lambda *_: None)
    for _ in range(2):
        batch.add(client.events().insert(calendarId="primary", body=timed("2026-03-02T09:00", "2026-03-02T10:00")))
    batch.execute()
    assert len(world.store.events(ANNA)) == 4


def test_a_user_who_asks_too_often_is_refused_for_a_while(world):
    world.core.switches.google_requests_per_minute = 2
    client = world.client(ANNA)
    for _ in range(2):
        client.colors().get().execute()
    with pytest.raises(HttpError) as caught:
        client.colors().get().execute()
    assert caught.value.error_details[0]["reason"] == "userRateLimitExceeded"
    world.core.clock.advance(timedelta(minutes=2))
    assert client.colors().get().execute()["event"]


def test_more_than_fifty_calls_in_a_batch_are_refused(world):
    client = world.client(ANNA)
    batch = client.new_batch_http_request(callback=lambda *_: None)
    for _ in range(51):
        batch.add(client.events().get(calendarId="primary", eventId="neverthere"))
    with pytest.raises(HttpError) as caught:
        batch.execute()
    assert caught.value.resp.status == 400


def test_a_long_get_arrives_as_a_post_and_is_still_a_get(world):
    world.store.create_event(ANNA, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    found = world.client(ANNA).events().list(calendarId="primary", q="planning " * 400).execute()
    assert len(found["items"]) == 1
    assert any(call.method == "POST" and call.path.endswith("/events") for call in world.core.ledger.calls)


def test_if_none_match_spares_the_body(world):
    made = world.store.create_event(ANNA, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    url = f"{world.url}/calendar/v3/calendars/primary/events/{made['id']}"
    answer, _ = world.http(ANNA).request(url, headers={"If-None-Match": made["etag"]})
    assert answer.status == 304


# -- push -----------------------------------------------------------------------------------------------------------


def watch(client, address, **more):
    body = {"id": str(uuid.uuid4()), "type": "web_hook", "address": address, "token": "secret"} | more
    return client.events().watch(calendarId=ANNA, body=body)


def test_a_channel_says_sync_and_then_exists(world, receiver):
    client = world.client(ANNA)
    channel = watch(client, receiver.url).execute()
    headers, body = receiver.next()
    assert body == b""
    assert headers["X-Goog-Resource-State"] == "sync"
    assert headers["X-Goog-Message-Number"] == "1"
    assert headers["X-Goog-Channel-Token"] == "secret"
    assert headers["X-Goog-Channel-Expiration"].endswith("GMT")
    world.store.create_event(ANNA, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    headers, _ = receiver.next()
    assert headers["X-Goog-Resource-State"] == "exists"
    assert headers["X-Goog-Channel-ID"] == channel["id"]
    assert headers["X-Goog-Resource-ID"] == channel["resourceId"]
    assert int(headers["X-Goog-Message-Number"]) > 1
    world.store.create_event(BOB, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    assert world.core.notifier.wait_idle()
    assert receiver.got.empty()


def test_a_stopped_channel_is_silent_and_its_id_stays_used(world, receiver):
    client = world.client(ANNA)
    channel = watch(client, receiver.url).execute()
    receiver.next()
    stop = {"id": channel["id"], "resourceId": channel["resourceId"]}
    client.channels().stop(body=stop).execute()
    world.store.create_event(ANNA, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    assert world.core.notifier.wait_idle()
    assert receiver.got.empty()
    assert status(client.channels().stop(body=stop)) == 404
    with pytest.raises(HttpError, match="not unique"):
        watch(client, receiver.url, id=channel["id"]).execute()


def test_the_resource_is_the_same_for_two_channels_and_life_is_bounded(world, receiver):
    client = world.client(ANNA)
    first = watch(client, receiver.url).execute()
    second = watch(client, receiver.url, expiration=str(32 * 10**11)).execute()
    assert first["resourceId"] == second["resourceId"]
    now = world.core.clock.now().timestamp()
    assert 6.9 < (int(first["expiration"]) / 1000 - now) / 86_400 <= 7
    assert 29 < (int(second["expiration"]) / 1000 - now) / 86_400 <= 30


def test_plain_http_and_holiday_calendars_cannot_be_watched(world):
    client = world.client(ANNA)
    with pytest.raises(HttpError, match="must be HTTPS"):
        watch(client, "http://elsewhere.example/hook").execute()
    holidays = "en.german#holiday@group.v.calendar.google.com"
    world.store.add_calendar(ANNA, "Holidays", "Europe/Berlin", identifier=holidays, read_only=True)
    body = {"id": "c1", "type": "web_hook", "address": "https://elsewhere.example/hook"}
    with pytest.raises(HttpError) as caught:
        client.events().watch(calendarId=holidays, body=body).execute()
    assert caught.value.error_details[0]["reason"] == "pushNotSupportedForRequestedResource"
    assert (
        status(client.events().insert(calendarId=holidays, body=timed("2026-03-02T09:00", "2026-03-02T10:00"))) == 403
    )


# -- lists and directory --------------------------------------------------------------------------------------------


def test_lists_and_settings_tell_the_primary_calendar_and_its_zone(world):
    client = world.client(ANNA)
    world.store.add_calendar(ANNA, "Projects", "Asia/Tokyo")
    entries = client.calendarList().list().execute()["items"]
    assert [(entry.get("primary", False), entry["accessRole"]) for entry in entries] == [
        (True, "owner"),
        (False, "owner"),
    ]
    assert client.calendarList().get(calendarId="primary").execute()["id"] == ANNA
    assert client.calendars().get(calendarId=ANNA).execute()["timeZone"] == "Europe/Berlin"
    assert client.settings().get(setting="timezone").execute()["value"] == "Europe/Berlin"
    assert client.settings().list().execute()["items"]


def test_an_administrator_reads_users_in_pages_and_units_at_once(world):
    directory = world.directory(ROOT)
    first = directory.users().list(customer="my_customer", maxResults=2).execute()
    token = first["nextPageToken"]
    second = directory.users().list(customer="my_customer", maxResults=2, pageToken=token).execute()
    assert [user["primaryEmail"] for user in first["users"] + second["users"]] == [ANNA, BOB, ROOT]
    sales = directory.users().list(customer="my_customer", query="orgUnitPath='/Sales'").execute()
    assert [user["orgUnitPath"] for user in sales["users"]] == ["/Sales/EMEA", "/Sales/Americas"]
    units = directory.orgunits().list(customerId="my_customer", type="all").execute()["organizationUnits"]
    assert [unit["orgUnitPath"] for unit in units] == ["/Executive", "/Sales", "/Sales/Americas", "/Sales/EMEA"]
    assert directory.orgunits().get(customerId="my_customer", orgUnitPath="Sales/EMEA").execute()["name"] == "EMEA"


def test_everybody_else_is_kept_out_of_the_directory(world):
    with pytest.raises(HttpError, match="Not Authorized to access this resource/api"):
        world.directory(ANNA).users().list(customer="my_customer").execute()
