"""What one round of changes has brought so far.

What lives here: sorting resources into singles and tombstones (items at once) and parts of series (kept to the end of
the round). Only values are kept, never the resources, so that a round over many events stays small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from calsync.engine.events import Event
from calsync.providers.base import Item, Known, Mailbox
from calsync.providers.google import mapping
from calsync.providers.google.mapping import Instance, Single
from calsync.providers.google.times import Unreadable
from calsync.providers.google.transport import Raw

KnownOf = Callable[[Sequence[str]], dict[str, Known]]


@dataclass(slots=True)
class Gathered:
    """The sorted content of a round. ``full``: it began without a cursor, so that every event in the window is told."""

    mailbox: Mailbox
    in_window: Callable[[Event], bool]
    known: KnownOf
    full: bool
    masters: dict[str, Single] = field(default_factory=dict)
    parts: defaultdict[str, list[Instance]] = field(default_factory=lambda: defaultdict(list))
    strays: dict[str, str] = field(default_factory=dict)  # tombstones of unknown ids, perhaps of instances: id -> etag
    broken: dict[str, Item] = field(default_factory=dict)  # series of which a part cannot be read
    settled: set[str] = field(default_factory=set)  # ids told as tombstone or single: not again as series

    def take(self, answer: Raw) -> list[Item]:
        """Sort one page of the wire; the items that need nothing more."""
        singles: list[Single | Item] = []
        tombstones: dict[str, str] = {}
        for raw in answer.get("items") or ():
            if not isinstance(raw, dict) or not raw.get("id") or not mapping.is_synced(raw):
                continue
            if mapping.is_instance(raw):
                self._take_instance(raw)
            elif mapping.is_cancelled(raw):
                remote_id, version = mapping.identity(raw)
                tombstones[remote_id] = version
            else:
                singles.extend(self._take_live(raw))
        return [*self._told_tombstones(tombstones), *self._told_singles(singles)]

    def _take_instance(self, raw: Raw) -> None:
        series_id = str(raw["recurringEventId"])
        try:
            part = mapping.instance(raw, zone=self.mailbox.zone, address=self.mailbox.address)
        except Unreadable as error:
            self.broken[series_id] = Item(series_id, "", None, problem=str(error))
        else:
            self.parts[series_id].append(part)

    def _take_live(self, raw: Raw) -> Iterator[Single | Item]:
        """A single event, or a master (which is kept)."""
        remote_id, version = mapping.identity(raw)
        try:
            read = mapping.single(raw, zone=self.mailbox.zone, address=self.mailbox.address)
        except Unreadable as error:
            yield Item(remote_id, version, None, problem=str(error))
            return
        if read.event.recurrence is None:
            yield read
        else:
            self.masters[remote_id] = read

    def _told_tombstones(self, tombstones: dict[str, str]) -> Iterator[Item]:
        known = self.known(list(tombstones)) if tombstones else {}
        for remote_id, version in tombstones.items():
            if remote_id in known:
                self.settled.add(remote_id)
                yield Item(remote_id, version, None)
            else:
                self.strays[remote_id] = version

    def _told_singles(self, singles: Sequence[Single | Item]) -> Iterator[Item]:
        read = [one for one in singles if isinstance(one, Single)]
        unreadable = [one for one in singles if isinstance(one, Item)]
        if not self.full:
            self.settled.update(one.remote_id for one in singles)
        yield from unreadable
        yield from self.tell(read, skip_same=not self.full)

    def tell(self, events: Sequence[Single], *, skip_same: bool) -> Iterator[Item]:
        """Events as items, without those that are unknown and outside the window.

        ``skip_same`` also leaves out those whose version is the known one; never in a full round, where what is not
        told counts as absent.
        """
        near = {one.remote_id for one in events if self.in_window(one.event)}
        asked = [one.remote_id for one in events if skip_same or one.remote_id not in near]
        known = self.known(asked) if asked else {}
        for one in events:
            held = known.get(one.remote_id)
            unchanged = skip_same and held is not None and held.version == one.version
            if not unchanged and (held is not None or one.remote_id in near):
                yield Item(one.remote_id, one.version, one.event, one.changed_at, key=one.key)
