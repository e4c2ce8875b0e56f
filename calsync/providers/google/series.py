"""A series put together from its master, its changed and its cancelled instances.

What lives here: assembling, and reading one series whole. What does not: rounds of changes, writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from calsync.engine import recurrence
from calsync.engine.events import Content, Event, OccurrenceKey, Override
from calsync.engine.recurrence import override_of
from calsync.providers.base import Item, NotFound, Written
from calsync.providers.google import mapping
from calsync.providers.google.batch import Job, ask
from calsync.providers.google.calls import CalendarCalls
from calsync.providers.google.mapping import Instance, Single
from calsync.providers.google.times import (
    Unreadable,
    instance_id,
    key_of_original,
    original_of_suffix,
    split_instance_id,
)
from calsync.providers.google.transport import Raw


@dataclass(frozen=True, slots=True)
class Whole:
    """An event as the calendar holds it: a single one, or a series with everything that belongs to it."""

    single: Single  # the single event, or the master
    event: Event
    by_line: frozenset[OccurrenceKey] = frozenset()  # cancelled by an EXDATE line of the master
    ids: Mapping[OccurrenceKey, str] | None = None  # ids of changed and cancelled instances

    def instance_id(self, key: OccurrenceKey) -> str:
        """The id of one occurrence: as delivered, else made by Google's rule."""
        known = (self.ids or {}).get(key)
        return known or instance_id(self.single.remote_id, key, series=self.event.content.when)

    def as_single(self) -> Single:
        """The whole as one event with everything in it."""
        return replace(self.single, event=self.event)

    def as_item(self) -> Item:
        """The whole as a read item."""
        return Item(self.single.remote_id, self.single.version, self.event, self.single.changed_at, key=self.single.key)

    def as_written(self) -> Written:
        """The whole as the echo of a write."""
        return Written(self.single.remote_id, self.single.version, self.event, self.single.changed_at)


def assemble(master: Single, parts: Sequence[Instance]) -> Whole:
    """Master and instances as one aggregate.

    Instances that equal what they inherit are regular ones. Cancelled ones that the rule does not yield (any more)
    say nothing: Google delivers those when a rule was cut.
    """
    event = master.event
    if event.recurrence is None:
        return Whole(master, event)
    by_line = _generated(event, event.cancelled)
    exceptions: dict[OccurrenceKey, Override] = {}
    cancelled: set[OccurrenceKey] = set()
    ids: dict[OccurrenceKey, str] = {}
    for part in parts:
        key = key_of_original(part.original, series=event.content.when)
        if key is None:
            continue
        ids[key] = part.remote_id
        if part.content is None:
            cancelled.add(key)
        elif override := _override(event, key, part.content):
            exceptions[key] = override
    gone = (by_line | _generated(event, cancelled)) - exceptions.keys()
    changed = [stamp for stamp in (master.changed_at, *(part.changed_at for part in parts)) if stamp is not None]
    whole = replace(event, exceptions=exceptions, cancelled=frozenset(gone))
    return Whole(replace(master, changed_at=max(changed, default=None)), whole, by_line, ids)


def _generated(event: Event, keys: Iterable[OccurrenceKey]) -> frozenset[OccurrenceKey]:
    rules = event.recurrence
    if rules is None:
        return frozenset()
    return frozenset(key for key in keys if recurrence.generates(event.content.when, rules, key))


def _override(event: Event, key: OccurrenceKey, content: Content) -> Override:
    try:
        return override_of(event.content, key, content)
    except ValueError:  # a date in a timed series or the reverse: left from before the series changed its kind
        return {}


def bare_instance(remote_id: str, *, series_id: str, version: str) -> Instance | None:
    """A tombstone that names no series as a cancelled instance of ``series_id``; None when its id has no start."""
    split = split_instance_id(remote_id)
    if split is None:
        return None
    return Instance(remote_id, series_id, original_of_suffix(split[1]), version, uid="", content=None, is_bare=True)


def belongs_to(remote_id: str, series_id: str) -> bool:
    """Whether an instance id may be one of ``series_id``, whose own id may have got ``_R<start>`` by a split."""
    split = split_instance_id(remote_id)
    if split is None:
        return False
    base = split[0]
    return series_id in (base, base.split("_R")[0]) or series_id.startswith(base + "_R")


# --- reading one whole ------------------------------------------------------------------------------------


def read_whole(calls: CalendarCalls, remote_id: str, *, uid: str = "") -> Job[Whole | None]:
    """Read an event or series by id with everything that belongs to it; None when it is gone.

    One request when ``uid`` is its iCalUID or when the event was made at Google (there the iCalUID follows from the
    id); events from elsewhere need their iCalUID looked up. Raises Unreadable.
    """
    guess = uid or f"{remote_id}@google.com"
    found = yield from _family(calls, remote_id, guess)
    if found is not None:
        return _whole(calls, remote_id, found)
    try:
        raw = yield from ask(calls.get(remote_id))
    except NotFound:
        return None
    real = str(raw.get("iCalUID") or "")
    if mapping.is_cancelled(raw):
        return None
    if mapping.is_instance(raw) or not raw.get("recurrence") or real in {"", guess}:
        return _whole(calls, remote_id, [raw])
    return _whole(calls, remote_id, (yield from _family(calls, remote_id, real)) or [raw])


def _family(calls: CalendarCalls, remote_id: str, uid: str) -> Job[list[Raw] | None]:
    """All resources with this iCalUID; None when the wanted one is not among them."""
    found: list[Raw] = []
    token = ""
    while True:
        page = yield from ask(calls.by_uid(uid, page_token=token))
        found.extend(raw for raw in page.get("items") or () if isinstance(raw, dict))
        token = str(page.get("nextPageToken") or "")
        if not token:
            return found if any(raw.get("id") == remote_id for raw in found) else None


def _whole(calls: CalendarCalls, remote_id: str, family: list[Raw]) -> Whole | None:
    zone, address = calls.mailbox.zone, calls.mailbox.address
    head = next((raw for raw in family if raw.get("id") == remote_id), None)
    if head is None or mapping.is_cancelled(head) or not mapping.is_synced(head):
        return None
    master = mapping.single(head, zone=zone, address=address)
    parts = [
        mapping.instance(raw, zone=zone, address=address) for raw in family if raw.get("recurringEventId") == remote_id
    ]
    for raw in family:
        loose, version = mapping.identity(raw)
        if mapping.is_cancelled(raw) and not mapping.is_instance(raw) and belongs_to(loose, remote_id):
            bare = bare_instance(loose, series_id=remote_id, version=version)
            parts.extend([bare] if bare and loose != remote_id else [])
    return assemble(master, parts)


def read_one(calls: CalendarCalls, remote_id: str) -> Job[Item]:
    """One event or series as an item: a tombstone when it is gone, a problem when it cannot be understood."""
    try:
        raw = yield from ask(calls.get(remote_id))
    except NotFound:
        return Item(remote_id, "", None)
    version = mapping.identity(raw)[1]
    try:
        if not raw.get("recurrence") or mapping.is_cancelled(raw):
            whole = _whole(calls, remote_id, [raw])
        else:
            whole = yield from read_whole(calls, remote_id, uid=str(raw.get("iCalUID") or ""))
    except Unreadable as error:
        return Item(remote_id, version, None, problem=str(error))
    return whole.as_item() if whole is not None else Item(remote_id, version, None)
