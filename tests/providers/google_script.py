"""A Google that answers what a test scripts, over real HTTP: for shapes and failures that no simulator shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from calsync.providers.base import Mailbox
from calsync.providers.google.oauth import GoogleCredentials, GoogleEndpoints
from calsync.providers.google.provider import GoogleProvider
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.http import HttpServer

MAILBOX = Mailbox("ann@example.com", "primary", "Europe/Berlin")


@dataclass(frozen=True)
class Seen:
    """One request; ``path`` is decoded and holds the query."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedGoogle:
    """``on("GET /events", answer, ...)``: a dict is a 200, a number a bodiless status, a pair both.

    The answers of a route are used up in order and the last one stays; later routes win.
    """

    routes: list[tuple[str, list[Any]]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = HttpServer(self._answer, port=0)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.on("POST /token", {"access_token": "t", "expires_in": 3599, "token_type": "Bearer"})

    def on(self, route: str, *answers: Any) -> None:
        """Script a route: method and a regular expression for path and query."""
        self.routes.insert(0, (route, list(answers)))

    def asked(self, route: str) -> list[Seen]:
        """The requests that match a route."""
        return [one for one in self.seen if re.search(route, f"{one.method} {one.path}")]

    def provider(self, **info: str) -> GoogleProvider:
        """An adapter that talks to this Google."""
        return GoogleProvider(GoogleCredentials(service_account_info(self.url) | info), GoogleEndpoints(self.url))

    def _answer(self, request: Request) -> Response:
        raw = request.get_data()
        body = json.loads(raw) if raw and "json" in (request.content_type or "") else raw.decode()
        path = unquote(request.environ["RAW_URI"]).removeprefix("/calendar/v3/calendars/primary")
        one = Seen(request.method, path, {name.lower(): value for name, value in request.headers.items()}, body)
        self.seen.append(one)
        return _response(self._scripted(one))

    def _scripted(self, one: Seen) -> Any:
        for route, answers in self.routes:
            if re.search(f"^{route}", f"{one.method} {one.path}"):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return refusal(404, "notFound")


def _response(scripted: Any) -> Response:
    status, body = scripted if isinstance(scripted, tuple) else (200, scripted)
    if isinstance(body, int):
        return Response(b"", status=body)
    if isinstance(body, str):
        return Response(body, status=status, mimetype="text/html")
    return Response(json.dumps(body), status=status, mimetype="application/json")


def refusal(status: int, reason: str, message: str = "No.") -> tuple[int, dict[str, Any]]:
    """An error answer in Google's form."""
    entry = {"domain": "global", "reason": reason, "message": message}
    return status, {"error": {"errors": [entry], "code": status, "message": message}}


def timed(hour: int, *, day: str = "2026-12-01", zone: str = "Europe/Berlin") -> dict[str, str]:
    """An EventDateTime without an offset."""
    return {"dateTime": f"{day}T{hour:02}:00:00", "timeZone": zone}


def event(remote_id: str = "e1", **fields: Any) -> dict[str, Any]:
    """A single event as Google tells it; a field that is None is absent."""
    raw = {
        "kind": "calendar#event",
        "etag": '"1"',
        "id": remote_id,
        "status": "confirmed",
        "summary": remote_id,
        "iCalUID": f"{remote_id}@google.com",
        "created": "2026-11-01T08:00:00.000Z",
        "updated": "2026-11-01T08:00:00.123Z",
        "start": timed(9),
        "end": timed(10),
        "organizer": {"email": "ann@example.com", "self": True},
        "eventType": "default",
        **fields,
    }
    return {name: value for name, value in raw.items() if value is not None}


def weekly(remote_id: str = "s1", **fields: Any) -> dict[str, Any]:
    """A series on Tuesdays at nine."""
    return event(remote_id, **{"recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=TU"], **fields})


def changed_instance(series_id: str, day: str, **fields: Any) -> dict[str, Any]:
    """A changed occurrence of ``weekly`` (winter time)."""
    return event(
        f"{series_id}_{day.replace('-', '')}T080000Z",
        **{
            "recurringEventId": series_id,
            "iCalUID": f"{series_id}@google.com",
            "originalStartTime": timed(9, day=day),
            "start": timed(9, day=day),
            "end": timed(10, day=day),
            "summary": series_id,
            **fields,
        },
    )


def cancelled_instance(series_id: str, day: str, *, etag: str = '"1"') -> dict[str, Any]:
    """A cancelled occurrence of ``weekly`` as captured answers show it: no start, no uid, no stamp."""
    return {
        "kind": "calendar#event",
        "etag": etag,
        "id": f"{series_id}_{day.replace('-', '')}T080000Z",
        "status": "cancelled",
        "recurringEventId": series_id,
        "originalStartTime": timed(9, day=day),
    }


def tombstone(remote_id: str) -> dict[str, Any]:
    """A deleted event as a round of changes tells it: nothing else."""
    return {"kind": "calendar#event", "etag": '"2"', "id": remote_id, "status": "cancelled"}


def page(*items: dict[str, Any], token: str = "sync-2", next_page: str = "", **fields: Any) -> dict[str, Any]:
    """A page of ``events.list``; the last one of a round unless ``next_page`` is given."""
    tokens = {"nextPageToken": next_page} if next_page else {"nextSyncToken": token}
    return (
        {"kind": "calendar#events", "accessRole": "owner", "timeZone": "Europe/Berlin", "items": [*items]}
        | tokens
        | fields
    )
