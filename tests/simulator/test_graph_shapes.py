"""The pretend Graph's answers beside recorded ones: keys, shapes and the schema derived from Microsoft's metadata."""

from __future__ import annotations

import json
from datetime import timedelta

import jsonschema
import pytest

from tests.simulator.graph_world import ALICE, BOB, CORPUS, guests, instances, listening, serve_graph, single, weekly

EVENTS = f"/users/{ALICE}/events"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the payload corpus is not beside this repository")
SHORTENED = {"uid"}  # in some samples, but neither in v1.0's metadata nor in its default answers


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def recorded(name):
    return json.loads((CORPUS / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def check():
    schema = json.loads((CORPUS / "schema" / "calendar-v1.0.schema.json").read_text())

    def against(kind, value):
        wanted = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{kind}"}
        return [error.message for error in jsonschema.Draft202012Validator(wanted).iter_errors(value)]

    return against


def keys(value):
    """Property paths, without the annotations that vary from request to request."""
    if isinstance(value, dict):
        return {name for name in value if name not in SHORTENED} | {
            f"{name}.{inner}" for name, one in value.items() for inner in keys(one)
        }
    return {inner for one in value for inner in keys(one)} if isinstance(value, list) else set()


def posted(client, name):
    answer = client.post(EVENTS, recorded(f"{name}_request"), Prefer='outlook.timezone="Pacific Standard Time"')
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("name", ["event_create_single", "event_create_weekly_series", "event_create_multilocation"])
def test_a_recorded_create_is_answered_with_at_least_the_recorded_keys(client, name):
    missing = keys(recorded(f"{name}_response")) - keys(posted(client, name))
    assert {one for one in missing if "address" not in one and "coordinates" not in one} == set()


def test_a_recorded_series_comes_back_as_recorded(client):
    sample, ours = recorded("event_create_weekly_series_response"), posted(client, "event_create_weekly_series")
    for name in ("recurrence", "start", "end", "location", "locations", "attendees", "type", "originalStartTimeZone"):
        assert ours[name] == sample[name], name


def test_every_event_shape_is_valid_by_the_metadata(client, check):
    for name in ("event_create_single", "event_create_weekly_series", "event_create_online"):
        assert check("event", posted(client, name)) == []
    master = client.create(weekly(attendees=guests(BOB)))
    first, second, *_ = instances(client, master)
    client.patch(f"{EVENTS}/{first['id']}", {"subject": "Special"})
    client.delete(f"{EVENTS}/{second['id']}")
    whole = "?$select=cancelledOccurrences,exceptionOccurrences,originalStart&$expand=exceptionOccurrences"
    assert check("event", client.event(master["id"], whole)) == []
    for one in client.get(EVENTS).json()["value"] + instances(client, master):
        assert check("event", one) == []
    for one in client.get(f"/users/{BOB}/events").json()["value"]:
        assert check("event", one) == []


def test_server_side_recurrences_are_taken_and_returned_unchanged(client):
    for sample in recorded("recurrence_server_shapes_derived"):
        recurrence = sample["recurrence"]
        start = recurrence["range"]["startDate"]
        body = single(start=f"{start}T10:00:00", end=f"{start}T11:00:00", zone="Europe/Berlin", recurrence=recurrence)
        answer = client.post(EVENTS, body)
        assert answer.status_code == 201, (sample["kind"], answer.text)
        found = answer.json()["recurrence"]
        assert found["pattern"] == recurrence["pattern"], sample["kind"]
        assert found["range"] | {"startDate": start} == recurrence["range"], sample["kind"]


def test_documented_patterns_are_all_taken(client):
    for name, pattern in _documented("pattern"):
        body = weekly()
        body["recurrence"]["pattern"] = {"interval": 1, **pattern}
        assert client.post(EVENTS, body).status_code == 201, name


def _documented(word):
    found = []

    def walk(value, name):
        if isinstance(value, dict):
            if isinstance(value.get(word), dict) and "type" in value[word]:
                found.append((name, value[word]))
            for key, inner in value.items():
                walk(inner, f"{name}.{key}")
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(inner, f"{name}[{number}]")

    walk(recorded("recurrence_patterns_docs"), "docs")
    assert found
    return found


def test_a_delta_stub_has_exactly_the_observed_properties(client):
    client.create(weekly())
    sample = recorded("calendarview_delta_occurrence_minimal")
    assert keys(client.round().of("occurrence")[0]) == keys(sample)


def test_delta_pages_have_the_recorded_envelope(client):
    for number in range(12):
        client.create(single(f"e{number}"))
    first = client.get(f"/users/{ALICE}/calendarView/delta?startDateTime=2026-11-01&endDateTime=2026-12-01").json()
    assert set(first) == set(recorded("calendarview_delta_page1"))
    link = client.round().link
    client.delete(f"{EVENTS}/{client.sim.graph.events(ALICE)[0]['id']}")
    body, sample = client.get(link).json(), recorded("calendarview_delta_next_round_removed")
    assert set(body) == set(sample)
    assert set(body["value"][0]) == set(sample["value"][0])


def test_a_full_delta_item_has_the_recorded_keys(client):
    client.create(single(attendees=guests(BOB)))
    strays = {"IsRoomRequested", "AutoRoomBookingStatus", "AutoRoomBookingOptions", "OccurrenceId"}
    sample = recorded("calendarview_delta_full_beta")["value"][0]
    assert set(sample) - strays - SHORTENED <= set(client.round().items[0])


def test_a_subscription_and_its_notification_have_the_recorded_keys(client, check):
    with listening() as ear:
        ends = (client.sim.core.clock.now() + timedelta(days=1)).isoformat()
        body = {
            "changeType": "created", "notificationUrl": ear.url, "resource": f"users/{ALICE}/events",
            "expirationDateTime": ends, "clientState": "s",
        }  # fmt: skip
        made = client.post("/subscriptions", body).json()
        assert set(made) == set(recorded("subscription_outlook_create_response"))
        assert check("subscription", made) == []
        client.create(single())
        client.sim.core.notifier.wait_idle()
        assert keys(ear.bodies[0]) == keys(recorded("notification_basic"))
        assert check("changeNotificationCollection", ear.bodies[0]) == []


def test_calendars_users_and_tokens_have_the_recorded_keys(client, check):
    calendar = client.get(f"/users/{ALICE}/calendar").json()
    assert set(recorded("calendar_get_response")) - {"@odata.id"} <= set(calendar)
    assert check("calendar", calendar) == []
    assert set(recorded("user_get_response")) <= set(client.get(f"/users/{ALICE}").json())
    settings = client.get(f"/users/{ALICE}/mailboxSettings").json()
    assert {"timeZone", "workingHours", "language"} <= set(settings)
    assert check("mailboxSettings", settings) == []


def test_refusals_have_the_recorded_code_and_message(client):
    known = {
        (one["status"], one["body"]["error"]["code"]): one["body"]["error"] for one in recorded("error_bodies_observed")
    }
    made = client.create(single())
    stale = client.patch(f"{EVENTS}/{made['id']}", {"subject": "x"}, If_Match='W/"old"')
    midnight = client.post(EVENTS, single(isAllDay=True))
    for answer in (stale, midnight):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) in known
    assert stale.json()["error"]["message"] == known[412, "ErrorIrresolvableConflict"]["message"]


def test_a_token_error_has_the_recorded_shape(client):
    form = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x", "scope": "y/.default"}
    url = f"{client.sim.url}/{client.sim.graph.tenant_id}/oauth2/v2.0/token"
    assert set(client.session.post(url, data=form).json()) == set(recorded("token_error_invalid_scope"))
