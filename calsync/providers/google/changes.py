"""Rounds of changes: pages of ``events.list`` with a sync token, turned into items.

What lives here: reading a round page by page, singles at once and series at the round's end, because their parts may
be spread over pages. What does not: reading one series (``series``), one resource (``mapping``).
Source of the rules: Calendar API guide "Synchronize resources efficiently" and the reference of ``events.list``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calsync.providers.base import (
    AccessDenied,
    CursorExpired,
    Item,
    NotFound,
    Page,
    Rejected,
    Transient,
    Window,
)
from calsync.providers.google.calls import CalendarCalls
from calsync.providers.google.gathered import Gathered, KnownOf
from calsync.providers.google.scope import InWindow
from calsync.providers.google.settle import settle_series
from calsync.providers.google.transport import Raw

_MAY_WRITE = frozenset({"writer", "owner"})


@dataclass(frozen=True, slots=True)
class Round:
    """One round of changes of one calendar."""

    calls: CalendarCalls
    cursor: str
    window: Window
    known: KnownOf

    def pages(self) -> Iterator[Page]:
        """Items as they come, series last; the last page holds the new cursor. An idle round is one request."""
        in_window = InWindow(self.window, zone=self.calls.mailbox.zone)
        gathered = Gathered(self.calls.mailbox, in_window, self.known, full=not self.cursor)
        items: tuple[Item, ...] = ()
        cursor = ""
        for answer in self._answers():
            if items:
                yield Page(items)
            items = tuple(gathered.take(answer))
            cursor = str(answer.get("nextSyncToken") or "")
        if not cursor:
            raise Transient("Google ended a round of changes without a new sync token.")
        for series in settle_series(gathered, self.calls):
            if items:
                yield Page(items)
            items = series
        yield Page(items, cursor=cursor, complete=not self.cursor)

    def _answers(self) -> Iterator[Raw]:
        """The pages of the wire. They may be empty while there is a next one."""
        token = ""
        while True:
            answer = self._answer(token)
            _check_access(answer)
            yield answer
            token = str(answer.get("nextPageToken") or "")
            if not token:
                return

    def _answer(self, token: str) -> Raw:
        try:
            return self.calls.api.send(self.calls.changes(cursor=self.cursor, page_token=token))
        except (Rejected, NotFound) as error:
            # A token that cannot be read is refused with 400; 410 means the token whatever its reason.
            if error.status == 410 or (error.status == 400 and self.cursor):
                raise CursorExpired(str(error), status=error.status, code=error.code) from None
            raise


def _check_access(answer: Raw) -> None:
    """A reader gets private events without details, a freeBusyReader times only: that is not the truth to copy."""
    role = answer.get("accessRole")
    if role is not None and role not in _MAY_WRITE:
        raise AccessDenied("The access to this Google calendar is below writing: it hides details.", status=200)
