"""Reading events by id, series hydrated to whole aggregates.

What lives here: which requests show a whole series (a master alone shows neither its exceptions nor its cancelled
occurrences) and what to do where Graph refuses the short way. What does not: what changed (``changes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from calsync.engine import zones
from calsync.engine.events import Event, Timed
from calsync.engine.recurrence import expand, last_day, start_of
from calsync.providers.base import Item, Mailbox, NotFound, Rejected, Window
from calsync.providers.graph.batch import read_all
from calsync.providers.graph.client import Answer, GraphClient, Json, Request, segment
from calsync.providers.graph.instances import divided, ids_by_key, list_instances, pages
from calsync.providers.graph.mapping import (
    EVENT_FIELDS,
    OCCURRENCE_FIELDS,
    bare_series,
    is_series,
    kind_of,
    series_item,
    single_item,
    tombstone,
)

SELECT = {"$select": EVENT_FIELDS}
EXPAND = {
    "$select": f"{EVENT_FIELDS},exceptionOccurrences",  # named in both, as in the documentation's example
    "$expand": f"exceptionOccurrences($select={OCCURRENCE_FIELDS})",
}
DEPTH = timedelta(days=5 * 365)
"""How far before the window's end occurrences are compared one by one, where Graph tells exceptions no other way."""
MOVED = timedelta(days=31)
"""How far an exception may have been moved out of its span and still be seen."""


class EventReader:
    """Reads events of one mailbox by id. ``refusing`` remembers, across calls, calendars that refuse to expand."""

    def __init__(self, client: GraphClient, mailbox: Mailbox, window: Window, refusing: set[Mailbox]) -> None:
        self.client = client
        self.mailbox = mailbox
        self._window = window
        self._refusing = refusing

    def events(self, ids: Sequence[str]) -> list[Item]:
        """Events of either kind, in order; tombstones for those that are gone. An occurrence's id gives its series."""
        raws = [self._raw(item_id, answer) for item_id, answer in self._ask(ids, SELECT)]
        whole = {master: None for raw in raws if raw and (master := master_of(raw))}
        series = dict(zip(whole, self.series(list(whole)), strict=True))
        items = []
        for item_id, raw in zip(ids, raws, strict=True):
            master = master_of(raw) if raw else ""
            items.append(
                series[master] if master else single_item(raw, mailbox=self.mailbox) if raw else tombstone(item_id)
            )
        return items

    def series(self, ids: Sequence[str]) -> list[Item]:
        """Series by their masters' ids, in order, each with all its exceptions and cancelled occurrences."""
        if self.mailbox in self._refusing:
            return [self._by_instances(item_id) for item_id in ids]
        return [self._hydrated(item_id, answer) for item_id, answer in self._ask(ids, EXPAND)]

    def _ask(self, ids: Sequence[str], params: dict[str, str]) -> list[tuple[str, Answer]]:
        requests = [self._request(item_id, params) for item_id in ids]
        return list(zip(ids, read_all(self.client, requests), strict=True))

    def _request(self, item_id: str, params: dict[str, str]) -> Request:
        return Request("GET", f"/users/{segment(self.mailbox.address)}/events/{segment(item_id)}", params)

    def _raw(self, item_id: str, answer: Answer) -> Json | None:
        """The event, None when it is gone. A Graph that refuses our selection is asked without one."""
        if isinstance(answer.error, Rejected):
            answer = self.client.send(self._request(item_id, {}))
        return None if isinstance(answer.error, NotFound) else answer.checked().body

    def _hydrated(self, item_id: str, answer: Answer) -> Item:
        if isinstance(answer.error, NotFound):
            return tombstone(item_id)
        if isinstance(answer.error, Rejected):
            item = self._by_instances(item_id)
            if item.event is not None:
                self._refusing.add(self.mailbox)  # the event is fine, so it is the asking that is refused
            return item
        raw = answer.checked().body
        exceptions, cancelled = raw.get("exceptionOccurrences"), raw.get("cancelledOccurrences")
        if not is_series(raw):
            return single_item(raw, mailbox=self.mailbox)  # it has become a single event meanwhile
        if not (isinstance(exceptions, list) and isinstance(cancelled, list)):
            return self._by_instances(item_id)
        more = raw.get("exceptionOccurrences@odata.nextLink")
        rest = pages(self.client, {"@odata.nextLink": more}, self._request(item_id, {})) if more else ()
        return series_item(raw, exceptions=[*exceptions, *rest], cancelled=cancelled, mailbox=self.mailbox)

    # --- the long way ---------------------------------------------------------------------------------------

    def _by_instances(self, item_id: str) -> Item:
        """A series from its master and its listed occurrences; those that only the rule yields are gone."""
        raw = self._raw(item_id, self.client.send(self._request(item_id, SELECT)))
        if raw is None:
            return tombstone(item_id)
        if not is_series(raw):
            return single_item(raw, mailbox=self.mailbox)
        try:
            bare = bare_series(raw, mailbox=self.mailbox)
        except ValueError:
            return series_item(raw, exceptions=(), cancelled=(), mailbox=self.mailbox)  # tells the problem
        span = self._span(bare)
        around = Window(start=span.start - MOVED, end=span.end + MOVED)
        listed = list_instances(self.client, mailbox=self.mailbox, master_id=item_id, spans=divided(around))
        exceptional = [str(entry["id"]) for entry in listed if kind_of(entry) == "exception" and entry.get("id")]
        told = raw.get("cancelledOccurrences")
        cancelled = told if isinstance(told, list) else _missing_days(bare, listed, span)
        return series_item(raw, exceptions=self._exceptions(exceptional), cancelled=cancelled, mailbox=self.mailbox)

    def _exceptions(self, ids: Iterable[str]) -> list[Json]:
        wanted = list(dict.fromkeys(ids))
        asked = self._ask(wanted, {"$select": OCCURRENCE_FIELDS})
        return [raw for item_id, answer in asked if (raw := self._raw(item_id, answer)) is not None]

    def _span(self, series: Event) -> Window:
        """From the series' start to its end, within what is worth comparing."""
        when = series.content.when
        first = zones.to_instant(when.start, when.zone) if isinstance(when, Timed) else _midnight(when.start)
        start = max(first, self._window.end - DEPTH)
        last = last_day(when, series.recurrence) if series.recurrence else None
        end = min(self._window.end, _midnight(last) + timedelta(days=2)) if last else self._window.end
        return Window(start=start, end=max(end, start + timedelta(days=1)))


def master_of(raw: Json) -> str:
    """The id of the series that an event is or belongs to; '' for a single one."""
    if is_series(raw):
        return str(raw.get("id") or "")
    return str(raw.get("seriesMasterId") or "") if kind_of(raw) in {"occurrence", "exception", ""} else ""


def _missing_days(series: Event, listed: list[Json], span: Window) -> list[str]:
    """The dates of occurrences that the rule yields within the span and the listing lacks."""
    when = series.content.when
    present = ids_by_key(listed, when)
    if series.recurrence is None:
        return []
    keys = expand(when, series.recurrence, after=span.start, before=span.end)
    return [start_of(key).isoformat()[:10] for key in keys if key not in present]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
