"""The pretend Microsoft 365 and Google Workspace on one loopback port: which API answers, latency, faults, ledger.

What lives here: ``Simulator`` and the shape that a provider's API has. What does not: any provider's behaviour.
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Protocol, Self

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from calsync.simulator.control import Control
from calsync.simulator.core import Core
from calsync.simulator.faults import Arrival, carry_out, record
from calsync.simulator.google.api import GoogleApi
from calsync.simulator.google.consent import PATHS as CONSENT_PATHS
from calsync.simulator.graph.api import GraphApi
from calsync.simulator.http import HttpServer


class ProviderApi(Protocol):
    """One provider's HTTP face."""

    def handle(self, request: Request) -> Response | None:
        """Answer the request; None when the path is not this provider's."""

    def mailbox_of(self, request: Request) -> str:
        """Whose mailbox a request is about, as faults and the ledger name it; '' when it is nobody's."""


class Simulator:
    """Both pretend providers behind one port. ``with Simulator() as sim: ... sim.url``; raises PortInUse."""

    def __init__(self, port: int = 0, core: Core | None = None) -> None:
        self.core = core if core is not None else Core()
        self._graph_api = GraphApi(self.core)
        self._google_api = GoogleApi(self.core)
        self.graph = self._graph_api.store
        self.google = self._google_api.store
        self._control = Control(self.core, self.graph, self.google)
        self._http = HttpServer(self._answer, port=port)
        self.port = self._http.port
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Begin to answer, in threads of our own."""
        self._http.start()
        return self

    def stop(self) -> None:
        """Cut every connection and end the threads."""
        self._http.stop()
        self.core.notifier.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Response:
        response = self._answer_as(provider_of(request.path), request)
        response.headers["Date"] = http_date(self.core.clock.now())
        return response

    def _answer_as(self, provider: str, request: Request) -> Response:
        if provider == "control":
            return self._control.handle(request) or _not_found()
        api: ProviderApi = self._google_api if provider in GOOGLE_FACES else self._graph_api
        arrival = Arrival(provider, request.method, request.environ["RAW_URI"], api.mailbox_of(request))
        with self._admit(provider, request) as refusal:
            if latency := self.core.switches.latency_ms:
                time.sleep(latency / 1000)
            if refusal is not None:
                record(self.core, arrival, status=refusal.status_code)
                return refusal
            return carry_out(self.core, arrival, lambda: api.handle(request) or _not_found())

    def _admit(self, provider: str, request: Request) -> AbstractContextManager[Response | None]:
        """Held while the request lasts, latency included; yields the 429 of a mailbox with too many at a time."""
        return self._graph_api.admit(request) if provider == "graph" else nullcontext()


GOOGLE_FACES = frozenset({"google", "google_token", "directory"})


def provider_of(path: str) -> str:
    """Which face of which provider a path belongs to, as ``Call.provider`` names it."""
    if path.startswith("/v1.0/"):
        return "graph"
    if path.startswith(("/calendar/v3/", "/batch/calendar/")):
        return "google"
    if path.startswith("/_sim/"):
        return "control"
    if path.startswith("/admin/directory/"):
        return "directory"
    return "google_token" if path == "/token" or path in CONSENT_PATHS else "microsoft_login"


def _not_found() -> Response:
    body = {"error": {"code": 404, "message": "Not Found", "status": "notFound"}}
    return Response(json.dumps(body), status=404, mimetype="application/json")
