"""The requests that concern one calendar, with the parameters that must never be forgotten.

What lives here: building requests. What does not: sending them, reading answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from googleapiclient.http import HttpRequest

from calsync.providers.base import Mailbox
from calsync.providers.google.bodies import Body
from calsync.providers.google.transport import UserApi

PAGE = 250
"""Events in one page of a read: the API's own default, small enough to hold."""

MOST = 2500
"""The largest page; used where one series is wanted whole."""

SILENT = "none"
"""``sendUpdates`` of every write: replication invites and informs nobody."""


@dataclass(frozen=True, slots=True)
class CalendarCalls:
    """Requests to one calendar on behalf of its owner."""

    api: UserApi
    mailbox: Mailbox

    def changes(self, *, cursor: str, page_token: str) -> HttpRequest:
        """One page of a round. All parameters but the tokens are equal in first and later rounds, as Google demands.

        Masters, no window: with ``singleEvents`` an endless series would expand for ever, and a token made with a
        window leaves undefined what later rounds hold. ``showDeleted`` is left at its default: a first read needs no
        tombstones and later rounds hold them anyway.
        """
        tokens = {"syncToken": cursor or None, "pageToken": page_token or None}
        return self._made(self.api.events.list, singleEvents=False, maxResults=PAGE, **tokens)

    def by_uid(self, uid: str, *, page_token: str = "") -> HttpRequest:
        """Everything that shares an iCalUID: a master with its changed and cancelled instances."""
        return self._made(
            self.api.events.list,
            iCalUID=uid,
            singleEvents=False,
            showDeleted=True,
            maxResults=MOST,
            pageToken=page_token or None,
        )

    def get(self, remote_id: str) -> HttpRequest:
        """One event or instance."""
        return self._made(self.api.events.get, eventId=remote_id)

    def instances(self, remote_id: str, *, original_start: str) -> HttpRequest:
        """One occurrence of a series by its original start."""
        return self._made(
            self.api.events.instances, eventId=remote_id, originalStart=original_start, showDeleted=True, maxResults=10
        )

    def insert(self, body: Body) -> HttpRequest:
        """A new event."""
        return self._made(self.api.events.insert, body=body, sendUpdates=SILENT)

    def patch(self, remote_id: str, body: Body, *, version: str = "") -> HttpRequest:
        """Change some fields. Never a PUT: that drops what it does not name."""
        request = self._made(self.api.events.patch, eventId=remote_id, body=body, sendUpdates=SILENT)
        return _guarded(request, version)

    def delete(self, remote_id: str, *, version: str = "") -> HttpRequest:
        """Delete an event or series, or cancel one instance."""
        request = self._made(self.api.events.delete, eventId=remote_id, sendUpdates=SILENT)
        return _guarded(request, version)

    def watch(self, body: Body) -> HttpRequest:
        """Open a push channel."""
        return self._made(self.api.events.watch, body=body)

    def _made(self, method: Any, **parameters: Any) -> HttpRequest:  # Any: the client library's run-time methods
        return cast(HttpRequest, method(calendarId=self.mailbox.calendar_id, **parameters))


def _guarded(request: HttpRequest, version: str) -> HttpRequest:
    if version:
        request.headers["If-Match"] = version
    return request
