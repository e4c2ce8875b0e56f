"""The simulator's server: connections, faults, latency, ledger, and a port that is taken."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import pytest
import requests

from calsync.simulator.core import Core, Fault
from calsync.simulator.http import HttpServer, PortInUse
from calsync.simulator.server import Simulator
from tests.simulator.graph_world import ALICE, serve_graph, single

EVENTS = f"/users/{ALICE}/events"


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def test_a_taken_port_is_told_in_one_line():
    with Simulator() as first, pytest.raises(PortInUse, match=f"Port {first.port} on 127.0.0.1 is in use"):
        Simulator(port=first.port)


def test_a_stopped_port_can_be_taken_again_at_once():
    with Simulator() as first:
        requests.get(f"{first.url}/v1.0/users", timeout=5)
    with Simulator(port=first.port) as second:
        assert requests.get(f"{second.url}/v1.0/users", timeout=5).status_code == 401


def test_it_listens_on_the_loopback_interface_only():
    server = HttpServer(lambda _: None)
    try:
        assert server._socket.getsockname()[0] == "127.0.0.1"
    finally:
        server.stop()


def test_a_connection_serves_many_requests(client):
    line = http.client.HTTPConnection("127.0.0.1", client.sim.port, timeout=5)
    headers = {"Authorization": client.session.headers["Authorization"]}
    line.connect()
    own_port = line.sock.getsockname()[1]
    for _ in range(5):
        line.request("GET", f"/v1.0{EVENTS}", headers=headers)
        assert line.getresponse().read()
        assert line.sock.getsockname()[1] == own_port


def test_both_providers_answer_on_one_port():
    with Simulator() as sim:
        statuses = {
            path: requests.get(f"{sim.url}{path}", timeout=5).status_code
            for path in ("/v1.0/users", "/calendar/v3/users/me/calendarList", "/nothing/here")
        }
    assert statuses == {"/v1.0/users": 401, "/calendar/v3/users/me/calendarList": 401, "/nothing/here": 404}


def test_a_planned_status_is_answered_instead_of_acting(client):
    body = {"error": {"code": "ErrorServerBusy", "message": "busy"}}
    client.sim.core.faults.append(
        Fault("graph", "status", method="POST", status=503, body=body, headers={"Retry-After": "7"}, times=2, skip=1)
    )
    statuses = [client.post(EVENTS, single(f"e{number}")).status_code for number in range(4)]
    assert statuses == [201, 503, 503, 201]
    assert len(client.sim.graph.events(ALICE)) == 2


def test_a_lost_answer_has_acted(client):
    client.sim.core.faults.append(Fault("graph", "lose_answer", method="POST"))
    with pytest.raises(requests.ConnectionError):
        client.post(EVENTS, single())
    assert len(client.sim.graph.events(ALICE)) == 1
    assert client.sim.core.ledger.calls[-1].status == 201


def test_a_dropped_request_has_not_acted(client):
    client.sim.core.faults.append(Fault("graph", "drop", mailbox=ALICE, path="/events"))
    with pytest.raises(requests.ConnectionError):
        client.post(EVENTS, single())
    assert client.sim.graph.events(ALICE) == []
    assert client.post(EVENTS, single()).status_code == 201


def test_a_delayed_request_takes_its_time(client):
    client.sim.core.faults.append(Fault("", "delay", seconds=0.2))
    began = time.monotonic()
    assert client.get(EVENTS).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_latency_is_paid_once_per_http_request(client):
    client.sim.core.switches.latency_ms = 100
    parts = [{"id": str(n), "method": "GET", "url": EVENTS} for n in range(10)]
    began = time.monotonic()
    client.post("/$batch", {"requests": parts})
    assert 0.1 <= time.monotonic() - began < 0.5


def test_the_ledger_tells_writes_from_reads(client):
    client.sim.core.ledger.clear()
    client.get(EVENTS)
    client.create(single())
    client.post("/subscriptions", {})
    calls = client.sim.core.ledger.calls
    assert [(call.provider, call.method, call.mailbox, call.status, call.is_write) for call in calls] == [
        ("graph", "GET", ALICE, 200, False),
        ("graph", "POST", ALICE, 201, True),
        ("graph", "POST", "", 400, False),
    ]
    client.token()
    assert calls[-1].provider == "microsoft_login"


def test_hooks_hear_of_every_change():
    core, heard = Core(), []
    core.on_change.append(lambda *facts: heard.append(facts))
    with Simulator(core=core) as sim:
        calendar = sim.graph.add_mailbox(ALICE, "Alice", "UTC").default
        sim.graph.create_event(ALICE, single())
    assert heard == [("graph", ALICE, calendar.id)]


def test_a_large_body_and_a_chunked_one_arrive_whole(client):
    text = "x" * 300_000
    assert client.create(single(body={"contentType": "text", "content": text}))["body"]["content"].count("x") >= 300_000
    whole = json.dumps(single("chunked")).encode()
    pieces = (whole[at : at + 7] for at in range(0, len(whole), 7))
    answer = client.session.post(
        f"{client.sim.url}/v1.0{EVENTS}", data=pieces, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.json()["subject"] == "chunked"


def test_nonsense_on_the_line_is_answered_400(client):
    with socket.create_connection(("127.0.0.1", client.sim.port), timeout=5) as line:
        line.sendall(b"HELLO\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 400")


def test_many_clients_at_once_are_all_served(client):
    client.sim.core.switches.graph_concurrency = 0
    statuses = []

    def work():
        with requests.Session() as own:
            own.headers.update(client.session.headers)
            statuses.extend(own.get(f"{client.sim.url}/v1.0{EVENTS}", timeout=10).status_code for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 240


def test_half_an_answer_has_acted_and_ends_in_its_body(client):
    client.sim.core.faults.append(Fault("graph", "half_answer", method="POST"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.post(EVENTS, single())
    assert len(client.sim.graph.events(ALICE)) == 1


def test_hooks_hear_of_every_request_after_it_was_carried_out(client):
    heard = []
    client.sim.core.on_call.append(lambda call: heard.append((call.method, len(client.sim.graph.events(ALICE)))))
    client.post(EVENTS, single())
    client.get(EVENTS)
    assert heard == [("POST", 1), ("GET", 1)]
