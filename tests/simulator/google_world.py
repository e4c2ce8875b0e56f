"""A pretend Google behind a real port, and Google's own Python client in front of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httplib2
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from werkzeug.wrappers import Request, Response

from calsync.simulator.core import Core
from calsync.simulator.faults import Arrival, carry_out
from calsync.simulator.google.api import GoogleApi
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.http import HttpServer

ANNA, BOB, ROOT = "anna@meridian.example", "bob@meridian.example", "root@meridian.example"
SCOPE = "https://www.googleapis.com/auth/"
CALENDAR = (SCOPE + "calendar",)


@dataclass
class GoogleWorld:
    """The pretend domain with its two people and an administrator."""

    api: GoogleApi
    url: str

    @property
    def core(self) -> Core:
        return self.api.core

    @property
    def store(self):
        return self.api.store

    def credentials(self, user: str, scopes: tuple[str, ...] = CALENDAR) -> Any:
        info = service_account_info(self.url)
        return service_account.Credentials.from_service_account_info(info, scopes=scopes, subject=user)

    def client(self, user: str, scopes: tuple[str, ...] = CALENDAR) -> Any:
        document = json.loads(get_static_doc("calendar", "v3"))
        document["rootUrl"] = self.url + "/"
        return build_from_document(document, credentials=self.credentials(user, scopes))

    def directory(self, user: str) -> Any:
        scopes = (SCOPE + "admin.directory.user.readonly", SCOPE + "admin.directory.orgunit.readonly")
        document = json.loads(get_static_doc("admin", "directory_v1"))
        document["rootUrl"] = self.url + "/"
        return build_from_document(document, credentials=self.credentials(user, scopes))

    def http(self, user: str) -> AuthorizedHttp:
        return AuthorizedHttp(self.credentials(user), http=httplib2.Http())

    def full(self, client: Any, **query: Any) -> tuple[list[dict[str, Any]], str]:
        """Read a listing to its end: items and the sync token ('' when there is none)."""
        items, page = [], client.events().list(calendarId="primary", **query).execute()
        items += page["items"]
        while "nextPageToken" in page:
            assert "nextSyncToken" not in page
            page = client.events().list(calendarId="primary", pageToken=page["nextPageToken"], **query).execute()
            items += page["items"]
        return items, page.get("nextSyncToken", "")


@contextmanager
def serve_google() -> Iterator[GoogleWorld]:
    core = Core()
    core.switches.validate_answers = True
    api = GoogleApi(core)
    api.store.add_mailbox(ANNA, "Anna Berg", "Europe/Berlin", "/Sales/EMEA")
    api.store.add_mailbox(BOB, "Bob Chen", "America/Chicago", "/Sales/Americas")
    api.store.add_mailbox(ROOT, "Rita Root", "Etc/UTC", "/Executive", admin=True)

    def app(request: Request) -> Response:
        arrival = Arrival("google", request.method, request.path, api.mailbox_of(request))
        return carry_out(core, arrival, lambda: api.handle(request) or Response(status=404))

    server = HttpServer(app)
    server.start()
    try:
        yield GoogleWorld(api, f"http://127.0.0.1:{server.port}")
    finally:
        server.stop()
        core.notifier.stop()


def timed(start: str, end: str, zone: str = "Europe/Berlin", **more: Any) -> dict[str, Any]:
    """A timed event's body; ``start`` and ``end`` as wall clock ``2026-03-02T09:00``."""
    times = {"start": {"dateTime": f"{start}:00", "timeZone": zone}, "end": {"dateTime": f"{end}:00", "timeZone": zone}}
    return {"summary": "Planning", **times, **more}


def weekly(**more: Any) -> dict[str, Any]:
    """A series on Mondays at nine in Berlin, from 2 March 2026, across the change of clocks."""
    return timed("2026-03-02T09:00", "2026-03-02T10:00", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8;BYDAY=MO"], **more)
