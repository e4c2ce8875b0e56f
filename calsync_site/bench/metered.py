"""The simulator with a meter at its door: which requests came, and what a replay has to know of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from werkzeug.wrappers import Request, Response

from calsync.simulator.server import Simulator, provider_of
from calsync_site.bench.tokens import handed_out

LEFT_OUT = {"host", "content-length", "connection", "accept-encoding"}  # what a client makes itself


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came over the wire, and the answer. A batch is one request."""

    provider: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer: bytes

    @property
    def is_log_in(self) -> bool:
        """Whether it only fetched a token."""
        return self.provider in ("microsoft_login", "google_token")


class Metered(Simulator):
    """A simulator that remembers its requests while ``recording``."""

    def __init__(self, port: int = 0) -> None:
        self.heard: list[Heard] = []
        self.last_heard_at = time.monotonic()
        self.under_way = 0
        self._door = threading.Lock()
        super().__init__(port=port)

    def forget(self) -> None:
        """Begin anew, as before a measured phase."""
        with self._door:
            self.heard.clear()
        with self.core.lock:
            self.core.ledger.clear()

    def totals(self) -> dict[str, int]:
        """Requests over the wire; the calls that quotas count (parts of batches, each); event writes among them."""
        with self.core.lock:
            calls = [call for call in self.core.ledger.calls if call.provider in ("graph", "google")]
        with self._door:
            heard = list(self.heard)
        return {
            "requests": sum(not one.is_log_in for one in heard),
            "log_ins": sum(one.is_log_in for one in heard),
            "quota": sum("batch" not in call.path for call in calls),
            "writes": sum(call.is_write for call in calls),
        }

    def write_down(self, file: Path) -> int:
        """Store what was heard as JSON lines for a replay; returns how many requests."""
        with self._door:
            heard = list(self.heard)
        file.write_text("".join(json.dumps(_as_line(one)) + "\n" for one in heard))
        return len(heard)

    def _answer(self, request: Request) -> Response:
        provider = provider_of(request.path)
        if provider == "control":
            return super()._answer(request)
        body = request.get_data()
        with self._door:
            self.under_way += 1
        try:
            response = super()._answer(request)
        finally:
            with self._door:
                self.under_way -= 1
                self.last_heard_at = time.monotonic()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in LEFT_OUT}
        target = request.environ["RAW_URI"]
        heard = Heard(provider, request.method, target, headers, body, response.status_code, response.get_data())
        with self._door:
            self.heard.append(heard)
        return response


def _as_line(one: Heard) -> dict[str, object]:
    return {
        "method": one.method,
        "target": one.target,
        "headers": dict(one.headers),
        "body": one.body.decode("latin-1"),
        "status": one.status,
        "tokens": handed_out(one.answer),
    }
