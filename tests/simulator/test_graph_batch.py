"""``$batch`` and the limits per mailbox."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from calsync.simulator.core import Fault
from tests.simulator.graph_world import ALICE, BOB, code_of, serve_graph, single

EVENTS = f"/users/{ALICE}/events"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def part(name, method="GET", url=f"{EVENTS}?$top=1", **more):
    return {"id": str(name), "method": method, "url": url, **more}


def write(name, subject="x", **more):
    return part(name, "POST", EVENTS, headers=JSON, body=single(subject), **more)


def run(client, *parts):
    answer = client.post("/$batch", {"requests": list(parts)})
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["responses"]}


def test_parts_are_answered_each_and_not_in_order(client):
    answer = client.post("/$batch", {"requests": [part(n) for n in range(5)]})
    names = [one["id"] for one in answer.json()["responses"]]
    assert sorted(names) == list("01234")
    assert names != sorted(names)


def test_parts_read_and_write_with_their_own_headers(client):
    found = run(client, write(1), part(2, "DELETE", f"{EVENTS}/none"))
    assert (found["1"]["status"], found["1"]["body"]["subject"]) == (201, "x")
    assert found["2"]["body"]["error"]["code"] == "ErrorInvalidIdMalformed"
    event = found["1"]["body"]
    prefer = {"Prefer": 'outlook.timezone="Asia/Tokyo"'}
    shown = run(client, part(1, url=f"{EVENTS}/{event['id']}", headers=prefer))["1"]
    assert shown["body"]["start"]["timeZone"] == "Asia/Tokyo"
    stale = {"If-Match": 'W/"old"', **JSON}
    refused = run(client, part(1, "PATCH", f"{EVENTS}/{event['id']}", headers=stale, body={"subject": "b"}))["1"]
    assert (refused["status"], refused["body"]["error"]["code"]) == (412, "ErrorIrresolvableConflict")
    gone = run(client, part(1, "DELETE", f"{EVENTS}/{event['id']}"))["1"]
    assert (gone["status"], gone["body"]) == (204, None)


def test_a_part_whose_parent_failed_is_424(client):
    bad = part(1, "DELETE", f"{EVENTS}/none")
    found = run(client, bad, write(2, dependsOn=["1"]), write(3, dependsOn=["2"]), write(4))
    assert [found[name]["status"] for name in "1234"] == [400, 424, 424, 201]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part(n) for n in range(21)],
        [part(1), part(1)],
        [part(1, dependsOn=["2"]), part(2)],
        [part(1, "POST", EVENTS, body=single())],
        [{"id": "1", "method": "GET"}],
    ],
)
def test_a_malformed_batch_is_refused_whole(client, parts):
    assert code_of(client.post("/$batch", {"requests": parts})) == (400, "BadRequest")


def test_twenty_parts_to_one_mailbox_are_fine(client):
    assert {one["status"] for one in run(client, *(write(n) for n in range(20))).values()} == {201}


def busy(client, places):
    """Hold some places of Alice's mailbox with slow requests; returns when they are held."""
    client.sim.core.faults.append(Fault("graph", "delay", path="hold", times=places, seconds=1.0))
    headers = dict(client.session.headers)
    threads = [
        threading.Thread(
            target=client.session.__class__.get, args=(_plain(headers), f"{client.sim.url}/v1.0{EVENTS}?hold=1")
        )
        for _ in range(places)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    return threads


def _plain(headers):
    session = requests.Session()
    session.trust_env = False
    session.headers.update(headers)
    return session


def test_a_fifth_request_at_a_time_is_throttled(client):
    threads = busy(client, 4)
    answer = client.get(EVENTS)
    assert code_of(answer) == (429, "ApplicationThrottled")
    assert float(answer.headers["Retry-After"]) > 0
    assert client.get(f"/users/{BOB}/events").status_code == 200
    for thread in threads:
        thread.join()
    assert client.get(EVENTS).status_code == 200


def test_a_batch_into_a_busy_mailbox_hides_429_in_a_200(client):
    threads = busy(client, 3)
    found = run(client, *(part(n) for n in range(6)), part("bob", url=f"/users/{BOB}/events"))
    throttled = [one for one in found.values() if one["status"] == 429]
    assert len(throttled) == 3
    assert all("Retry-After" in one["headers"] for one in throttled)
    assert found["bob"]["status"] == 200
    for thread in threads:
        thread.join()


def test_the_budget_of_ten_minutes_counts_parts(client):
    client.sim.core.switches.graph_requests_per_10_minutes = 5
    run(client, *(part(n) for n in range(5)))
    answer = client.get(EVENTS)
    assert code_of(answer) == (429, "TooManyRequests")
    assert int(answer.headers["Retry-After"]) > 500


def test_a_lost_part_loses_the_whole_answer_though_the_parts_were_done(client):
    client.sim.core.faults.append(Fault("graph", "lose_answer", method="POST", path="/events$", skip=1))
    with pytest.raises(requests.ConnectionError):
        run(client, write(1), write(2), write(3))
    assert len(client.sim.graph.events(ALICE)) == 3


def test_the_ledger_and_faults_see_every_part(client):
    client.sim.core.faults.append(Fault("graph", "status", method="POST", path="/events$", skip=1, status=503))
    found = run(client, write(1), write(2), write(3))
    assert [found[name]["status"] for name in "123"] == [201, 503, 201]
    inner = [call for call in client.sim.core.ledger.calls if call.inner]
    assert [(call.method, call.mailbox, call.status) for call in inner] == [
        ("POST", ALICE, 201),
        ("POST", ALICE, 503),
        ("POST", ALICE, 201),
    ]
    outer = [call for call in client.sim.core.ledger.calls if call.path == "/v1.0/$batch"]
    assert len(outer) == 1
    assert not outer[0].is_write
