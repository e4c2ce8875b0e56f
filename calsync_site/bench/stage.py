"""The pretend providers of a measurement, in a process of their own, with their twin for the floor.

``python -m calsync_site.bench.stage --port N`` serves until it is told to stop. Orders are JSON by POST below
``/_bench/``, beside the simulator's own control room. Original and twin hold the same people; what the measured
processes do to the original, a bare loop does to the twin afterwards. They share this process, so that the log-ins of
one are valid at the other.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from calsync.simulator.google.oauth import service_account_info
from calsync_site.bench.crowd import settle_in
from calsync_site.bench.edits import Editor
from calsync_site.bench.metered import Metered

Json = dict[str, Any]  # a JSON document


class Stage(Metered):
    """The original: a metered simulator that takes orders. ``twin`` answers on a port of its own."""

    def __init__(self, port: int) -> None:
        super().__init__(port=port)
        self.twin = Metered()
        self._orders: dict[str, Callable[..., Json]] = {
            "people": self._people,
            "latency": self._latency,
            "quiet": self._quiet,
            "forget": self._forget,
            "totals": self.totals,
            "record": self._record,
            "edit": self._edit,
        }

    def _answer(self, request: Request) -> Response:
        if not request.path.startswith("/_bench/"):
            return super()._answer(request)
        order = self._orders[request.path.removeprefix("/_bench/")]
        return Response(json.dumps(order(**json.loads(request.get_data() or b"{}"))), mimetype="application/json")

    def _people(self, *, people: int, outlook: int | None, google: int | None, series: bool, twin: bool) -> Json:
        for simulator in (self, self.twin) if twin else (self,):
            settle_in(simulator, people=people, outlook=outlook, google=google, series=series)
        return {"twin": self.twin.url}

    def _latency(self, *, ms: float) -> Json:
        self.core.switches.latency_ms = self.twin.core.switches.latency_ms = ms
        return {}

    def _quiet(self) -> Json:
        """No more push notifications."""
        self.core.switches.notifications = False
        return {}

    def _forget(self) -> Json:
        self.forget()
        return {}

    def _record(self, *, file: str) -> Json:
        return {"requests": self.write_down(Path(file))}

    def _edit(self, *, person: int, side: str, text: str) -> Json:
        return Editor(self).edit(person=person, side=side, text=text)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key-file", required=True)
    arguments = parser.parse_args()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    stage = Stage(arguments.port)
    with stage, stage.twin:
        Path(arguments.key_file).write_text(json.dumps(service_account_info(stage.url)))
        stopping.wait()


if __name__ == "__main__":
    main()
