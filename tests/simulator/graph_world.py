"""A pretend tenant over real HTTP and a client that speaks to it as an application would."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import requests

from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.server import Simulator

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "protocols" / "corpus" / "graph"
ALICE, BOB = "alice@contoso.example", "bob@contoso.example"
WEEK = ("2026-11-02T00:00:00Z", "2026-12-01T00:00:00Z")


class GraphClient:
    """Requests with a bearer token; paths from ``/v1.0`` on, or whole links."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }
        answer = self.session.post(f"{self.sim.url}/{self.sim.graph.tenant_id}/oauth2/v2.0/token", data=form, timeout=5)
        return answer.json()["access_token"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.sim.url}/v1.0{path}"
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.session.request(method, url, json=body, headers=named, timeout=15)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> requests.Response:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> requests.Response:
        return self.call("DELETE", path, **headers)

    def create(self, body: dict[str, Any], address: str = ALICE, **headers: str) -> dict[str, Any]:
        answer = self.post(f"/users/{address}/events", body, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def event(self, event_id: str, options: str = "", address: str = ALICE, **headers: str) -> dict[str, Any]:
        answer = self.get(f"/users/{address}/events/{event_id}{options}", **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def round(self, link: str = "", *, window: tuple[str, str] = WEEK, address: str = ALICE, **headers: str) -> Round:
        """One delta round, followed to its end."""
        start, end = window
        link = link or f"/users/{address}/calendarView/delta?startDateTime={start}&endDateTime={end}"
        items: list[dict[str, Any]] = []
        pages = 0
        while True:
            answer = self.get(link, **headers)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert ("@odata.nextLink" in body) != ("@odata.deltaLink" in body)
            items += body["value"]
            pages += 1
            if "@odata.deltaLink" in body:
                return Round(items, body["@odata.deltaLink"], pages)
            link = body["@odata.nextLink"]


class Round:
    """What one delta round brought."""

    def __init__(self, items: list[dict[str, Any]], link: str, pages: int) -> None:
        self.items, self.link, self.pages = items, link, pages

    def kinds(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for item in self.items:
            kind = "removed" if "@removed" in item else item["type"]
            found[kind] = found.get(kind, 0) + 1
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.items if item.get("type") == kind]


@contextmanager
def serve_graph() -> Iterator[GraphClient]:
    """A tenant with Alice (Berlin, Sales) and Bob (New York, Legal), and an application's client."""
    with Simulator() as sim:
        sim.graph.add_mailbox(ALICE, "Alice Ames", "Europe/Berlin", "Sales")
        sim.graph.add_mailbox(BOB, "Bob Bell", "America/New_York", "Legal")
        yield GraphClient(sim)


def single(subject: str = "Lunch", start: str = "2026-11-10T12:00:00", end: str = "2026-11-10T13:00:00", **more: Any):
    zone = more.pop("zone", "Europe/Berlin")
    return {
        "subject": subject,
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


def weekly(subject: str = "Team", count: int = 4, **more: Any):
    """Mondays at ten in Berlin, from 2 November 2026 on."""
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["Monday"]}
    span = {"type": "numbered", "startDate": "2026-11-02", "numberOfOccurrences": count}
    return single(
        subject, "2026-11-02T10:00:00", "2026-11-02T10:30:00", recurrence={"pattern": pattern, "range": span}, **more
    )


def guests(*addresses: str) -> list[dict[str, Any]]:
    return [{"type": "required", "emailAddress": {"address": one, "name": one.partition("@")[0]}} for one in addresses]


def instances(client: GraphClient, master: dict[str, Any], select: str = "") -> list[dict[str, Any]]:
    window = f"startDateTime={WEEK[0]}&endDateTime=2027-06-01T00:00:00Z&$top=200"
    chosen = f"&$select={select}" if select else ""
    answer = client.get(f"/users/{ALICE}/events/{master['id']}/instances?{window}{chosen}")
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def escaped(text: str) -> str:
    return quote(text, safe="")


class Ear:
    """A webhook endpoint. ``bodies`` are the notifications heard; the behaviour of validation can be spoilt."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.echo: Callable[[str], tuple[int, str, bytes]] = lambda token: (200, "text/plain", token.encode())
        self.statuses: list[int] = []  # answers to give before the good one
        self.url = ""

    def items(self) -> list[dict[str, Any]]:
        return [item for body in self.bodies for item in body["value"]]


@contextmanager
def listening() -> Iterator[Ear]:
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            if token:
                ear.tokens.append(token[0])
                self.answer(*ear.echo(token[0]))
                return
            status = ear.statuses.pop(0) if ear.statuses else 202
            if status < 300:
                ear.bodies.append(json.loads(body))
            self.answer(status, "text/plain", b"")

        def answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    ear.url = f"http://127.0.0.1:{server.server_port}/hooks/graph"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ear
    finally:
        server.shutdown()
        server.server_close()
