"""Subscriptions and change notifications of the pretend Graph."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from tests.simulator.graph_world import ALICE, BOB, code_of, instances, listening, serve_graph, single, weekly

EVENTS = f"/users/{ALICE}/events"


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


@pytest.fixture
def ear():
    with listening() as heard:
        yield heard


def wanted(client, ear, **more):
    ends = client.sim.core.clock.now() + more.pop("lasts", timedelta(days=6))
    return {
        "changeType": "created,updated,deleted",
        "notificationUrl": ear.url,
        "lifecycleNotificationUrl": f"{ear.url}?life=1",
        "resource": f"users/{ALICE}/events",
        "expirationDateTime": ends.isoformat(),
        "clientState": "secret-1",
        **more,
    }


def subscribe(client, ear, **more):
    answer = client.post("/subscriptions", wanted(client, ear, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def heard(client, ear):
    assert client.sim.core.notifier.wait_idle(10)
    return [(one["changeType"], one["resourceData"]["id"]) for one in ear.items()]


def test_both_addresses_are_validated_before_the_answer(client, ear):
    made = subscribe(client, ear)
    assert len(ear.tokens) == 2
    assert " " in ear.tokens[0]
    assert (made["clientState"], made["resource"]) == ("secret-1", f"users/{ALICE}/events")


@pytest.mark.parametrize(
    "echo",
    [
        lambda token: (500, "text/plain", token.encode()),
        lambda token: (200, "text/html", token.encode()),
        lambda token: (200, "text/plain", b'"' + token.encode() + b'"'),
        lambda token: (202, "text/plain", token.encode()),
    ],
)
def test_a_wrong_echo_fails_the_subscription(client, ear, echo):
    ear.echo = echo
    assert code_of(client.post("/subscriptions", wanted(client, ear))) == (400, "ValidationError")
    assert client.get("/subscriptions").json()["value"] == []


def test_nobody_at_the_address_fails_the_subscription(client, ear):
    body = wanted(client, ear, notificationUrl="http://127.0.0.1:9/hooks", lifecycleNotificationUrl=None)
    assert code_of(client.post("/subscriptions", body)) == (400, "ValidationError")


@pytest.mark.parametrize(
    ("change", "status_and_code"),
    [
        ({"changeType": "renamed"}, (400, "InvalidRequest")),
        ({"notificationUrl": "http://example.com/hook"}, (400, "InvalidRequest")),
        ({"resource": "me/events"}, (400, "BadRequest")),
        ({"resource": f"users/{ALICE}/calendarView"}, (400, "InvalidRequest")),
        ({"resource": "users/nobody@contoso.example/events"}, (404, "Request_ResourceNotFound")),
        ({"clientState": "x" * 129}, (400, "InvalidRequest")),
        ({"lasts": timedelta(days=8)}, (400, "InvalidRequest")),
        ({"lasts": timedelta(minutes=-1)}, (400, "InvalidRequest")),
        ({"expirationDateTime": None}, (400, "InvalidRequest")),
    ],
)
def test_a_wrong_subscription_is_refused(client, ear, change, status_and_code):
    assert code_of(client.post("/subscriptions", wanted(client, ear, **change))) == status_and_code


def test_a_short_life_is_raised_to_45_minutes(client, ear):
    made = subscribe(client, ear, lasts=timedelta(minutes=5))
    least = client.sim.core.clock.now() + timedelta(minutes=44)
    assert made["expirationDateTime"] > least.strftime("%Y-%m-%dT%H:%M")


def test_the_same_subscription_twice_is_a_conflict(client, ear):
    subscribe(client, ear)
    assert code_of(client.post("/subscriptions", wanted(client, ear))) == (409, "Conflict")


def test_every_change_is_told_with_the_client_state(client, ear):
    made = subscribe(client, ear)
    event = client.create(single())
    client.patch(f"{EVENTS}/{event['id']}", {"subject": "b"})
    client.delete(f"{EVENTS}/{event['id']}")
    client.create(single(), address=BOB)
    assert heard(client, ear) == [(kind, event["id"]) for kind in ("created", "updated", "deleted")]
    item = ear.items()[0]
    assert (item["subscriptionId"], item["clientState"]) == (made["id"], "secret-1")
    assert item["resource"].lower().startswith("users/")
    assert item["tenantId"] == client.sim.graph.tenant_id
    assert item["resourceData"]["@odata.type"] == "#Microsoft.Graph.Event"


def test_an_occurrences_change_is_the_masters_update(client, ear):
    subscribe(client, ear)
    master = client.create(weekly())
    client.delete(f"{EVENTS}/{instances(client, master)[0]['id']}")
    assert heard(client, ear) == [("created", master["id"]), ("updated", master["id"])]


def test_only_wanted_kinds_are_told_and_ids_follow_the_subscription(client, ear):
    body = wanted(client, ear, changeType="deleted")
    client.post("/subscriptions", body, Prefer='IdType="ImmutableId"')
    event = client.create(single())
    fixed = client.event(event["id"], Prefer='IdType="ImmutableId"')["id"]
    client.delete(f"{EVENTS}/{event['id']}")
    assert heard(client, ear) == [("deleted", fixed)]


def test_a_refused_notification_is_sent_again(client, ear):
    subscribe(client, ear)
    ear.statuses = [503, 500]
    event = client.create(single())
    assert heard(client, ear) == [("created", event["id"])]
    assert [one.status for one in client.sim.core.notifier.sent] == [503, 500, 202]


def test_a_burst_shares_calls(client, ear):
    client.sim.core.switches.notification_delay_ms = 200
    subscribe(client, ear)
    for number in range(10):
        client.create(single(f"e{number}"))
    assert len(heard(client, ear)) == 10
    assert len(ear.bodies) < 10


def test_notifications_may_be_doubled_or_switched_off(client, ear):
    subscribe(client, ear)
    client.sim.core.switches.notifications = False
    client.create(single())
    assert heard(client, ear) == []
    client.sim.core.switches.notifications = True
    client.sim.core.switches.duplicate_notifications = True
    client.create(single())
    assert len(heard(client, ear)) == 2


def test_a_subscription_ends_with_its_time_and_can_be_prolonged(client, ear):
    made = subscribe(client, ear, lasts=timedelta(hours=2))
    later = (client.sim.core.clock.now() + timedelta(days=3)).isoformat()
    renewed = client.patch(f"/subscriptions/{made['id']}", {"expirationDateTime": later})
    assert renewed.json()["expirationDateTime"] > made["expirationDateTime"]
    client.sim.core.clock.advance(timedelta(days=4))
    client.session.headers["Authorization"] = f"Bearer {client.token()}"
    answer = client.patch(f"/subscriptions/{made['id']}", {"expirationDateTime": later})
    assert code_of(answer) == (404, "ResourceNotFound")
    client.create(single())
    assert heard(client, ear) == []


def test_a_deleted_subscription_is_silent(client, ear):
    made = subscribe(client, ear)
    assert client.delete(f"/subscriptions/{made['id']}").status_code == 204
    assert client.delete(f"/subscriptions/{made['id']}").status_code == 404
    client.create(single())
    assert heard(client, ear) == []


def test_lifecycle_messages_go_to_their_own_address(client, ear):
    made = subscribe(client, ear)
    client.sim.graph.subscriptions.lifecycle(made["id"], "missed")
    client.sim.graph.subscriptions.lifecycle(made["id"], "subscriptionRemoved")
    client.sim.core.notifier.wait_idle()
    assert [one["lifecycleEvent"] for one in ear.items()] == ["missed", "subscriptionRemoved"]
    assert all("resourceData" not in one and "changeType" not in one for one in ear.items())
    assert client.get(f"/subscriptions/{made['id']}").status_code == 404


def test_a_slow_listener_does_not_hold_up_the_writer(client, ear):
    subscribe(client, ear)
    ear.statuses = [503] * 3
    began = time.monotonic()
    client.create(single())
    assert time.monotonic() - began < 0.4
