"""events.list and events.instances: filters, pages, and incremental sync by position in the change log.

A full listing walks the rows in a stable order, an incremental one the change log, so that its cost follows what
changed. Expanded or ordered listings (``singleEvents``, ``orderBy``) are computed whole and then cut into pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from calsync.simulator.google import expansion, ids, wire
from calsync.simulator.google.errors import (
    bad_request,
    full_sync_required,
    invalid,
    ordering_not_available,
    time_range_empty,
    updated_min_too_long_ago,
)
from calsync.simulator.google.moments import parse_instant, zone_info
from calsync.simulator.google.records import Calendar, Fields, Record

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore

T = TypeVar("T")
FORBIDDEN_WITH_TOKEN = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin",
)  # fmt: skip
WITHOUT_TOKEN = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin")
TOKEN_LIFE_HOURS = 28 * 24
CHANGES_KEPT = timedelta(days=28)
LARGEST_PAGE = 2500


@dataclass(slots=True)
class Query:
    """The parameters of one listing, read."""

    raw: Fields
    size: int
    low: datetime | None
    high: datetime | None
    updated_min: datetime | None
    zone: str
    page: ids.PageToken | None

    @property
    def single(self) -> bool:
        """Whether series are expanded."""
        return bool(self.raw.get("singleEvents", False))

    @property
    def deleted(self) -> bool:
        """Whether deleted events are wanted."""
        return bool(self.raw.get("showDeleted", False)) or self.updated_min is not None


def read(raw: Fields) -> Query:
    """Read and check list parameters; raises 400 refusals."""
    zone = raw.get("timeZone", "")
    if zone and zone_info(zone) is None:
        raise invalid("Invalid time zone.", parameter="timeZone")
    times = {n: parse_instant(raw[n], parameter=n) if n in raw else None for n in ("timeMin", "timeMax", "updatedMin")}
    low, high = times["timeMin"], times["timeMax"]
    if low is not None and high is not None and low >= high:
        raise time_range_empty()
    page = _parsed(ids.PageToken.parse, raw["pageToken"], "pageToken") if "pageToken" in raw else None
    size = min(raw.get("maxResults", 250), LARGEST_PAGE)
    return Query(raw, size, low, high, times["updatedMin"], zone, page)


def _parsed(read: Callable[[str], T], text: str, name: str) -> T:
    try:
        return read(text)
    except ValueError:
        kind = "sync" if name == "syncToken" else "page"
        raise invalid(f"Invalid {kind} token value.", parameter=name) from None


def list_events(store: GoogleStore, calendar: Calendar, raw: Fields) -> Fields:
    """One page of events.list."""
    query = read(raw)
    if raw.get("orderBy") == "startTime" and not query.single:
        raise ordering_not_available()
    now = store.core.clock.now()
    if query.updated_min is not None and query.updated_min < now - CHANGES_KEPT:
        raise updated_min_too_long_ago()
    if "syncToken" in raw:
        return _changes(store, calendar, query)
    if query.single or "orderBy" in raw or "iCalUID" in raw:
        return _computed(store, calendar, query)
    return _rows(store, calendar, query)


def _envelope(calendar: Calendar, query: Query, items: list[Fields], **tokens: str) -> Fields:
    return {
        "kind": "calendar#events",
        "etag": ids.collection_etag(calendar.updated_us),
        "summary": calendar.summary,
        "description": "",
        "updated": ids.stamp_text(calendar.updated_us),
        "timeZone": query.zone or calendar.zone_name,
        "accessRole": "reader" if calendar.read_only else "owner",
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.primary else [],
        **tokens,
        "items": items,
    }


def _sync_token(store: GoogleStore, calendar: Calendar, newest_us: int) -> str:
    hour = int(store.core.clock.now().timestamp()) // 3600
    return ids.SyncToken(newest_us, calendar.generation, hour).text()


def _wired(calendar: Calendar, query: Query, record: Record) -> Fields:
    return wire.listed(calendar, record, zone=query.zone, max_attendees=query.raw.get("maxAttendees", 0))


def _rows(store: GoogleStore, calendar: Calendar, query: Query) -> Fields:
    """A full listing without expansion. Hidden tombstones use up room on their page, as recorded."""
    page = query.page or ids.PageToken(0, len(calendar.rows), calendar.updated_us)
    position, items, room = page.position, [], query.size
    wanted = _filter(calendar, query)
    while position < page.limit and room:
        record = calendar.rows[position]
        position += 1
        if wanted(record):
            items.append(_wired(calendar, query, record))
            room -= 1
        elif record.cancelled and record.master is None:
            room -= 1
    return _page(store, calendar, query, items, ids.PageToken(position, page.limit, page.newest_us))


def _page(store: GoogleStore, calendar: Calendar, query: Query, items: list[Fields], after: ids.PageToken) -> Fields:
    if after.position < after.limit:
        return _envelope(calendar, query, items, nextPageToken=after.text())
    if any(name in query.raw for name in WITHOUT_TOKEN):
        return _envelope(calendar, query, items)
    token = _sync_token(store, calendar, after.newest_us)
    return _envelope(calendar, query, items, nextSyncToken=token)


def _changes(store: GoogleStore, calendar: Calendar, query: Query) -> Fields:
    """What changed since a sync token: every record at its newest place in the log."""
    token = _checked_token(store, calendar, query)
    log = calendar.log
    newest = max(log[-1][0] if log else 0, token.updated_us)
    page = query.page or ids.PageToken(calendar.changes_since(token.updated_us), len(log), newest)
    position = page.position
    records: list[Record] = []
    kinds = set(query.raw.get("eventTypes", ()))
    while position < page.limit and len(records) < query.size:
        stamp, record = log[position]
        position += 1
        if record.updated_us == stamp and (not kinds or record.effective.get("eventType", "default") in kinds):
            records.append(record)
    chosen: Iterable[Record] = _expanded(calendar, records) if query.single else records
    items = [_wired(calendar, query, record) for record in chosen]
    return _page(store, calendar, query, items, ids.PageToken(position, page.limit, page.newest_us))


def _checked_token(store: GoogleStore, calendar: Calendar, query: Query) -> ids.SyncToken:
    for name in FORBIDDEN_WITH_TOKEN:
        if name in query.raw:
            raise bad_request(f"The parameter {name} cannot be used together with syncToken.", parameter=name)
    if query.raw.get("showDeleted") is False:
        raise bad_request("showDeleted cannot be set to false together with syncToken.", parameter="showDeleted")
    token = _parsed(ids.SyncToken.parse, query.raw["syncToken"], "syncToken")
    hour = int(store.core.clock.now().timestamp()) // 3600
    if token.generation != calendar.generation or hour - token.hour > TOKEN_LIFE_HOURS:
        raise full_sync_required()
    return token


def _expanded(calendar: Calendar, records: list[Record]) -> list[Record]:
    """Changed records with living series replaced by all their occurrences."""
    found: dict[str, Record] = {}
    for record in records:
        if record.recurring and not record.cancelled:
            found |= {item.id: item for item in expansion.occurrences(calendar, record, None, None, cancelled=True)}
        else:
            found.setdefault(record.id, record)
    return list(found.values())


def _filter(calendar: Calendar, query: Query) -> Callable[[Record], bool]:
    """Whether a stored record belongs into a listing without expansion."""
    plain = not (query.raw.keys() & {"eventTypes", "q", "privateExtendedProperty", "sharedExtendedProperty"})
    windowed = query.low is not None or query.high is not None

    def wanted(record: Record) -> bool:
        if record.swept or (record.master is not None and record.master.cancelled):
            return False
        if record.cancelled and record.master is None and not query.deleted:
            return False
        if query.updated_min is not None and record.updated_us < ids.microseconds(query.updated_min):
            return False
        if not plain and not _matches(record, query.raw):
            return False
        return not windowed or _in_window(calendar, record, query)

    return wanted


def _in_window(calendar: Calendar, record: Record, query: Query) -> bool:
    if record.recurring and not record.cancelled:
        return expansion.any_occurrence(calendar, record, query.low, query.high)
    return expansion.meets(record, query.low, query.high, calendar.zone)


def _matches(record: Record, raw: Fields) -> bool:
    fields = record.effective
    if raw.get("eventTypes") and fields.get("eventType", "default") not in raw["eventTypes"]:
        return False
    extended = fields.get("extendedProperties", {})
    for scope in ("private", "shared"):
        for pair in raw.get(f"{scope}ExtendedProperty", ()):
            name, _, value = pair.partition("=")
            if extended.get(scope, {}).get(name) != value:
                return False
    return all(word in _text(fields) for word in raw.get("q", "").lower().split())


def _text(fields: Fields) -> str:
    people = [fields.get("organizer", {}), *fields.get("attendees", [])]
    words = [str(person.get(key, "")) for person in people for key in ("displayName", "email")]
    return " ".join([*(str(fields.get(key, "")) for key in ("summary", "description", "location")), *words]).lower()


def _computed(store: GoogleStore, calendar: Calendar, query: Query) -> Fields:
    """An expanded, ordered or UID listing: computed whole, cut by offset."""
    newest = query.page.newest_us if query.page else calendar.updated_us
    found = list(_all(calendar, query))
    if query.raw.get("orderBy") == "startTime":
        found.sort(key=lambda record: (record.start.at(calendar.zone), record.id))
    elif query.raw.get("orderBy") == "updated":
        found.sort(key=lambda record: record.updated_us)
    start = query.page.position if query.page else 0
    items = [_wired(calendar, query, record) for record in found[start : start + query.size]]
    return _page(store, calendar, query, items, ids.PageToken(start + len(items), len(found), newest))


def _all(calendar: Calendar, query: Query) -> Iterator[Record]:
    uid = query.raw.get("iCalUID")
    wanted = _filter(calendar, query)
    for record in calendar.with_uid(uid) if uid is not None else calendar.rows:
        if not query.single:
            if wanted(record):
                yield record
        elif record.master is None and record.recurring and not record.cancelled:
            found = expansion.occurrences(calendar, record, query.low, query.high, cancelled=query.deleted)
            yield from (item for item in found if _matches(item, query.raw))
        elif record.master is None and not record.recurring and wanted(record):
            yield record


def instances(calendar: Calendar, record: Record, raw: Fields) -> Fields:
    """One page of events.instances; an occurrence's own id answers with that occurrence."""
    query = read(raw)
    found = [record] if record.master is not None else _of_master(calendar, record, query)
    found = [item for item in found if query.deleted or not item.cancelled]
    if "originalStart" in raw:
        wanted = parse_instant(raw["originalStart"], parameter="originalStart") if "T" in raw["originalStart"] else None
        found = [item for item in found if _starts_at(item, raw["originalStart"], wanted)]
    start = query.page.position if query.page else 0
    items: list[Any] = [
        wire.event(calendar, item, zone=query.zone, max_attendees=raw.get("maxAttendees", 0))
        for item in found[start : start + query.size]
    ]
    after = ids.PageToken(start + len(items), len(found), calendar.updated_us)
    if after.position < after.limit:
        return _envelope(calendar, query, items, nextPageToken=after.text())
    return _envelope(calendar, query, items)


def _of_master(calendar: Calendar, record: Record, query: Query) -> list[Record]:
    if not record.recurring:
        return []
    found = expansion.occurrences(calendar, record, query.low, query.high, cancelled=query.deleted)
    return sorted(found, key=lambda item: item.start.at(calendar.zone))


def _starts_at(record: Record, text: str, instant: datetime | None) -> bool:
    if record.original is None:
        return False
    return record.original.instant == instant if instant else str(record.original.day) == text
