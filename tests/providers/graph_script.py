"""A Graph that answers exactly what a test scripts, over real HTTP: for shapes and failures that no simulator shows.

Requests are recorded as they arrived, the parts of a batch one by one. A route is ``"METHOD path-regex"``; its answers
are used up in order and the last one stays.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class Seen:
    """One request. ``path`` is decoded and holds the query."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Scripted:
    """One scripted answer; ``drop`` closes the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


class ScriptedGraph:
    """Start it with ``with``; ``url`` serves both as login and as Graph URL."""

    def __init__(self) -> None:
        self.routes: list[tuple[str, list[Scripted]]] = []
        self.seen: list[Seen] = []
        self.round_trips = 0
        self.tokens = 0
        self.logins: list[str] = []
        self.login_answer: Scripted | None = None
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length) if length else b""
                script.answer(self, raw)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> ScriptedGraph:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def on(self, route: str, *answers: Scripted | dict | int) -> None:
        """Script a route; a dict is a 200 with that body, a number a bodiless status. Later routes win."""
        ready = [
            a if isinstance(a, Scripted) else Scripted(a) if isinstance(a, int) else Scripted(body=a) for a in answers
        ]
        self.routes.insert(0, (route, ready))

    def calls(self, route: str) -> list[Seen]:
        """The recorded requests that match a route."""
        return [seen for seen in self.seen if re.search(route, f"{seen.method} {seen.path}")]

    def answer(self, handler: BaseHTTPRequestHandler, raw: bytes) -> None:
        path = unquote(handler.path)
        if "/v1.0/" not in handler.path:
            self.logins.append(f"{handler.command} {path} {raw.decode()}")
            return reply(handler, self.login_answer or Scripted(body=self._login(path)))
        self.round_trips += 1
        body = json.loads(raw) if raw else None
        path = path.removeprefix("/v1.0")
        if path == "/$batch":
            self.seen.append(Seen("POST", path, {}, None))
            scripted = self._scripted(Seen("POST", path, dict(handler.headers), None), default=None)
            if scripted is not None:
                return reply(handler, scripted)
            inner = [self._inner(part) for part in body["requests"]]
            return reply(handler, Scripted(body={"responses": list(reversed(inner))}))
        return reply(handler, self._record(Seen(handler.command, path, dict(handler.headers), body)))

    def _inner(self, part: dict[str, Any]) -> dict[str, Any]:
        answer = self._record(Seen(part["method"], unquote(part["url"]), part["headers"], part.get("body")))
        return {"id": part["id"], "status": answer.status, "headers": answer.headers, "body": answer.body}

    def _record(self, seen: Seen) -> Scripted:
        self.seen.append(seen)
        missing = Scripted(404, {"error": {"code": "ErrorItemNotFound", "message": "not found"}})
        return self._scripted(seen, default=missing) or missing

    def _scripted(self, seen: Seen, *, default: Scripted | None) -> Scripted | None:
        for route, answers in self.routes:
            if re.search(route, f"{seen.method} {seen.path}"):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return default

    def _login(self, path: str) -> dict[str, Any]:
        if path.endswith("/openid-configuration"):
            base = "https://login.microsoftonline.com/contoso"
            return {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        self.tokens += 1
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.tokens}"}


def reply(handler: BaseHTTPRequestHandler, answer: Scripted) -> None:
    """Send a scripted answer."""
    if answer.drop:
        handler.close_connection = True
        return
    data = json.dumps(answer.body).encode() if answer.body is not None else b""
    handler.send_response(answer.status)
    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
