"""The floor: a bare loop that sends recorded requests again, with no engine and no database. A process of its own.

``python -m calsync_site.bench.replay FILE URL MOST`` sends the first MOST of them and prints one JSON document:
``seconds``, ``cpu`` (seconds), ``peak`` (bytes), ``each`` (seconds of each request) and ``astray`` (how many answers
had another status than when recorded).

Tokens are the one thing that differs: those of the new answers take the place of those that were recorded. Guards
(If-Match) are left out, since a replayed write makes versions of its own.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import requests

from calsync_site.bench.tokens import handed_out
from calsync_site.bench.usage import peak_bytes

TIMEOUT = 60.0

Line = dict[str, Any]  # one recorded request, see metered.py


@dataclass(slots=True)
class Loop:
    """One replay under way. ``renewed`` maps recorded tokens to those of now."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)
    renewed: dict[str, str] = field(default_factory=dict)
    each: list[float] = field(default_factory=list)
    astray: int = 0

    def send(self, line: Line) -> None:
        """One recorded request, again."""
        headers = {name: value for name, value in line["headers"].items() if name.lower() != "if-match"}
        body = line["body"]
        kind, _, token = headers.get("Authorization", "").partition(" ")
        if token in self.renewed:
            headers["Authorization"] = f"{kind} {self.renewed[token]}"
            body = body.replace(token, self.renewed[token])
        target = self._target(line["target"])
        began = time.perf_counter()
        answer = self.session.request(
            line["method"],
            self.url + target,
            data=body.encode("latin-1") or None,
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        self.each.append(time.perf_counter() - began)
        self.astray += answer.status_code != line["status"]
        self.renewed.update(zip(line["tokens"], handed_out(answer.content), strict=False))

    def _target(self, target: str) -> str:
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        if not any(value in self.renewed for _, value in pairs):
            return target
        renewed = [(name, self.renewed.get(value, value)) for name, value in pairs]
        return f"{path}?{urlencode(renewed, quote_via=quote, safe='$,()=')}"


def replay(lines: list[Line], url: str) -> dict[str, Any]:
    """Send all, one after the other over kept connections; the figures as in the module's docstring."""
    loop = Loop(url)
    loop.session.trust_env = False
    began, cpu = time.perf_counter(), time.process_time()
    for line in lines:
        loop.send(line)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak": peak_bytes(),
        "each": loop.each,
        "astray": loop.astray,
    }


if __name__ == "__main__":
    recorded = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    print(json.dumps(replay(recorded[: int(sys.argv[3])], sys.argv[2])))
