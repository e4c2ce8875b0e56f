"""What changed in a calendar: one round of ``calendarView/delta``, page by page.

What lives here: telling singles, series and removals apart, and which of them need a second look. Delta shows
occurrences as stubs, never shows a deleted occurrence, and reports removals of events that were never in the window; so
every touched series is read whole, and a removal counts only for an event that is known and proven gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from calsync.providers.base import CursorExpired, Item, Known, Mailbox, Page, ProviderError, Rejected, Transient, Window
from calsync.providers.graph.client import PREFER, Answer, ForeignLink, Json, Request, segment
from calsync.providers.graph.instances import utc_text
from calsync.providers.graph.mapping import is_series, kind_of, single_item, version_of
from calsync.providers.graph.reading import EventReader

PAGE_SIZE = 200
HEADERS = {"Prefer": f"{PREFER}, odata.maxpagesize={PAGE_SIZE}"}
WHOLE = frozenset({"subject", "body", "start", "end"})
"""Without these a single event came as a stub."""


@dataclass(slots=True)
class _Sorted:
    """The entries of one page by what they need; the last word on an id counts."""

    singles: dict[str, Json] = field(default_factory=dict)
    series: dict[str, str] = field(default_factory=dict)  # master id -> its version, '' when only occurrences came
    removed: dict[str, None] = field(default_factory=dict)

    def add(self, raw: Json) -> None:
        """Take one entry in."""
        item_id = str(raw.get("id") or "")
        master = item_id if is_series(raw) else str(raw.get("seriesMasterId") or "")
        if "@removed" in raw:
            self.singles.pop(item_id, None)
            self.series.pop(item_id, None)
            self.removed[item_id] = None
        elif is_series(raw):
            self.removed.pop(item_id, None)
            self.series[item_id] = version_of(raw)
        elif master:
            self.series.setdefault(master, "")
        elif item_id and kind_of(raw) not in {"occurrence", "exception"}:
            self.removed.pop(item_id, None)
            self.singles[item_id] = raw

    @property
    def ids(self) -> list[str]:
        """Everything that the caller may know."""
        return [*self.singles, *self.series, *self.removed]


class Round:
    """One round of delta over one calendar. ``known`` is asked once per page."""

    def __init__(self, reader: EventReader, window: Window, known: Callable[[Sequence[str]], dict[str, Known]]) -> None:
        self._reader = reader
        self._window = window
        self._known = known
        self._fresh = False
        self._hydrated: dict[str, str] = {}  # master id -> version that was read in this round

    def pages(self, cursor: str) -> Iterator[Page]:
        """The pages since ``cursor`` ('' begins anew). Raises CursorExpired at any point."""
        self._fresh = not cursor
        link = cursor
        while True:
            body = self._fetch(link)
            entries = body.get("value")
            items = tuple(self._items(entries if isinstance(entries, list) else []))
            following, delta = str(body.get("@odata.nextLink") or ""), str(body.get("@odata.deltaLink") or "")
            if following and following != link:
                yield Page(items)
                link = following
            elif delta and not following:
                yield Page(items, cursor=self._reader.client.own(delta), complete=self._fresh)
                return
            else:
                raise Transient("Microsoft Graph broke off its list of changes.")

    def _fetch(self, link: str) -> Json:
        client = self._reader.client
        request = delta_request(self._reader.mailbox, self._window)
        try:
            answer = client.follow(link, request) if link else client.send(request)
        except ForeignLink as error:
            raise CursorExpired("The position in the calendar's changes belongs to another server.") from error
        if answer.error is not None:
            raise self._error(answer, answer.error)
        return answer.body

    def _error(self, answer: Answer, error: ProviderError) -> ProviderError:
        """A position that Graph does not take is expired, whatever code says so: reading anew is the only remedy."""
        if answer.status == 410 or (not self._fresh and isinstance(error, Rejected)):
            return CursorExpired(
                "Microsoft no longer knows the position in the calendar's changes.",
                status=answer.status,
                code=error.code,
            )
        return error

    def _items(self, entries: Sequence[object]) -> Iterator[Item]:
        page = _Sorted()
        for entry in entries:
            if isinstance(entry, dict):
                page.add(entry)
        known = self._known(page.ids) if page.ids else {}
        second_look = [item_id for item_id in page.removed if item_id in known]
        for item_id, raw in page.singles.items():
            if WHOLE - raw.keys() and raw.get("isCancelled") is not True:
                second_look.append(item_id)
            elif not self._is_unchanged(item_id, version_of(raw), known):
                yield single_item(raw, mailbox=self._reader.mailbox)
        yield from self._reader.events(second_look)
        yield from self._whole_series(page.series, known)

    def _whole_series(self, touched: Mapping[str, str], known: Mapping[str, Known]) -> Iterator[Item]:
        wanted = [
            item_id
            for item_id, version in touched.items()
            if not self._was_read(item_id, version) and not self._is_unchanged(item_id, version, known)
        ]
        for item_id, item in zip(wanted, self._reader.series(wanted), strict=True):
            self._hydrated[item_id] = item.version
            yield item

    def _was_read(self, item_id: str, version: str) -> bool:
        return item_id in self._hydrated and version in {"", self._hydrated[item_id]}

    def _is_unchanged(self, item_id: str, version: str, known: Mapping[str, Known]) -> bool:
        """Whether the caller holds this version: then it has been asked about, and need not be read again.

        In a round from the start too: one that broke off goes on where it was, instead of reading every series again.
        """
        return bool(version) and item_id in known and known[item_id].version == version


def delta_request(mailbox: Mailbox, window: Window) -> Request:
    """The first call of a round; delta takes no $select and no $expand."""
    whose = f"/users/{segment(mailbox.address)}"
    calendar = "" if mailbox.calendar_id == "primary" else f"/calendars/{segment(mailbox.calendar_id)}"
    bounds = {"startDateTime": utc_text(window.start), "endDateTime": utc_text(window.end)}
    return Request("GET", f"{whose}{calendar}/calendarView/delta", bounds, headers=HEADERS, label="delta")
