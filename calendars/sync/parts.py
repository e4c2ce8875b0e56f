"""Keeping parts: the rows of the events that stand for a series which a platform cannot hold as one.

A part is an Event row of its own, derived from its whole, with a Link into each calendar where it stands; so keys,
guards, retries and holds are those of any other event. What lives here: making, changing and ending those rows.
What does not: which parts there are (``calsync.engine.parts``), what an edit of one means (``plan_part``).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.secrets import fingerprint_key
from calendars import gateway, rows
from calendars.models import Calendar, Event, Link, LinkState, Operation
from calendars.sync.locks import lock_people
from calendars.sync.stamps import Stamps
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.parts import crossing, is_split, part_key, parts_of
from calsync.engine.plan import wanted_writes
from calsync.engine.policy import Role
from calsync.engine.traits import Traits
from calsync.engine.wanted import may_delete

Whole = tuple[Event, HubEvent | None]
"""The row of an event that recurs, and what it is now: None when it is deleted."""


def keep_parts(wholes: Sequence[Whole], *, stamps: Stamps, grace: timedelta) -> list[Operation]:
    """Bring the parts of these wholes in line with them, inside the caller's transaction; the writes that follow.

    ``grace`` is how long a colleague's copy waits. Without any wholes there is no query.
    """
    if not wholes:
        return []
    latest = {row.pk: (row, event) for row, event in wholes}  # the last word on a series counts
    having = _parts_by_whole(latest)
    affected = [(row, event) for row, event in latest.values() if row.pk in having or _may_need_parts(row, event)]
    links = _links_by_event([row.pk for row, _ in affected])
    keeper = _Keeper(stamps=stamps, grace=grace, key=fingerprint_key())
    for row, event in affected:
        keeper.keep(row, event, links.get(row.pk, []), having.get(row.pk, {}))
    return keeper.operations


def roll_parts(calendar: Calendar, *, stamps: Stamps, grace: timedelta) -> set[int]:
    """Make the parts that a calendar's new window brings into sight; returns the calendars that get writes."""
    in_parts = Link.objects.filter(calendar=calendar, state=LinkState.ACTIVE, remote_id="", event__is_series=True)
    owners = set(in_parts.order_by("pk").values_list("event__owner_id", flat=True))  # colleagues' series, too
    with transaction.atomic():
        lock_people({calendar.account.person_id, *owners})
        wholes = Event.objects.filter(pk__in=in_parts.values("event"), deleted_at__isnull=True, whole__isnull=True)
        found = [(row, serial.load(row.content)) for row in wholes.filter(owner__in=owners).order_by("pk")]
        operations = keep_parts(found, stamps=stamps, grace=grace)
        Operation.objects.bulk_create(operations, ignore_conflicts=True)
    return {operation.calendar_id for operation in operations}


def _may_need_parts(row: Event, event: HubEvent | None) -> bool:
    return (
        event is not None
        and not row.left_alone
        and any(_needs_parts(event, traits) for traits in gateway.TRAITS.values())
    )


def _needs_parts(event: HubEvent, traits: Traits) -> bool:
    return is_split(event, traits) or (traits.neighbour_bound and bool(crossing(event)))


def _parts_by_whole(wholes: Collection[int]) -> dict[int, dict[str, Event]]:
    found: dict[int, dict[str, Event]] = defaultdict(dict)
    for part in Event.objects.filter(whole__in=wholes, deleted_at__isnull=True).order_by("pk"):
        found[part.whole_id or 0][part.part] = part
    return found


def _links_by_event(events: Collection[int]) -> dict[int, list[Link]]:
    found: dict[int, list[Link]] = defaultdict(list)
    standing = Link.objects.filter(event__in=events).exclude(state=LinkState.GONE)
    for link in standing.prefetch_related("calendar__account").order_by("calendar_id"):
        found[link.event_id].append(link)
    return found


@dataclass(slots=True)
class _Keeper:
    """Changes the rows of parts and collects the writes that follow."""

    stamps: Stamps
    grace: timedelta
    key: bytes
    operations: list[Operation] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.stamps.planned_at

    def keep(self, row: Event, event: HubEvent | None, links: Sequence[Link], having: dict[str, Event]) -> None:
        """One whole: retire what it no longer needs, make and change the rest."""
        places = [link for link in links if self._stands_in_parts(event, link)]
        wanted = self._wanted(event, places, having)
        for name, part in having.items():
            if name not in wanted:
                self._end(part)
        for name, content in wanted.items():
            self._put(row, name, content, having.get(name), places)
        for link in places:
            if event is not None and link.remote_id and is_split(event, gateway.TRAITS[link.calendar.platform]):
                self._retire_whole(row, link)

    def _stands_in_parts(self, event: HubEvent | None, link: Link) -> bool:
        if event is None:
            return False
        traits = gateway.TRAITS[link.calendar.platform]
        if link.role == Role.ORIGIN and is_split(event, traits):
            return False
        return _needs_parts(event, traits) and may_delete(event, rows.link_state(link, link.calendar))

    def _wanted(self, event: HubEvent | None, places: Sequence[Link], having: dict[str, Event]) -> dict[str, HubEvent]:
        if event is None or not places:
            return {}
        starts = [link.calendar.window_start for link in places if link.calendar.window_start]
        ends = [link.calendar.window_end for link in places if link.calendar.window_end]
        after = min(starts, default=self.now - timedelta(days=settings.CALSYNC_WINDOW_BACK_DAYS))
        before = max(ends, default=self.now + timedelta(days=settings.CALSYNC_WINDOW_AHEAD_DAYS))
        traits = gateway.TRAITS[places[0].calendar.platform]
        wanted = parts_of(event, traits=traits, after=after, before=before, kept=having)
        moved = [part.starts_at for name, part in having.items() if name not in wanted and part_key(name)]
        if moved and (first := min(moved) - timedelta(days=1)) < after:
            # Moved occurrences are parts of other names: those that have left the window move along with the rest.
            wanted = parts_of(event, traits=traits, after=first, before=before, kept=having)
        return wanted

    def _end(self, part: Event) -> None:
        """A part that is no longer one is taken out wherever it stands; its name may be used again."""
        part.deleted_at, part.part = self.now, f"ended {part.pk} {part.part}"[:255]
        part.save(update_fields=["deleted_at", "part"])
        for link in Link.objects.filter(event=part).exclude(state=LinkState.GONE).exclude(remote_id=""):
            self._plan(link, "delete", "The part of a series is no longer wanted.")

    def _put(self, row: Event, name: str, content: HubEvent, part: Event | None, places: Sequence[Link]) -> None:
        if part is None:
            part = Event(owner_id=row.owner_id, whole=row, part=name)
            rows.fill_event(part, content, changed_at=row.changed_at)
            part.save()
        elif serial.load(part.content) != content:
            rows.fill_event(part, content, changed_at=row.changed_at)
            part.save()
        links = Link.objects.filter(event=part).select_related("calendar__account")
        having = {link.calendar_id: link for link in links}
        for place in places:
            link = having.get(place.calendar_id) or self._link(part, place)
            if link.treatment != place.treatment:  # the rules speak of the whole
                link.treatment = place.treatment
                link.save(update_fields=["treatment"])
            self._write(part, link)

    def _link(self, part: Event, place: Link) -> Link:
        role = Role.COPY if place.role == Role.COPY else Role.TWIN
        link = Link(event=part, calendar=place.calendar, role=role, treatment=place.treatment)
        link.key = link.new_key()
        link.save()
        return link

    def _write(self, part: Event, link: Link) -> None:
        if link.state == LinkState.GONE and link.key:
            return  # its person took it out of their own calendar
        if link.state == LinkState.GONE:
            link.begin_again()
            link.save()
        for write in wanted_writes(rows.hub_state(part, [link]), key=self.key):
            self._plan(link, write.kind, write.why, paths=sorted(write.paths))

    def _retire_whole(self, row: Event, link: Link) -> None:
        """The copy of the whole goes, and its parts stand in its place."""
        retired = Event(owner_id=row.owner_id, whole=row, part=f"retired {uuid.uuid4()}", deleted_at=self.now)
        rows.fill_event(retired, serial.load(row.content), changed_at=None)
        retired.save()
        calendar, role, link.event = link.calendar, link.role, retired
        link.save(update_fields=["event"])
        self._plan(link, "delete", "The series stands here in parts now.")
        fresh = Link(event=row, calendar=calendar, role=role, treatment=link.treatment)
        fresh.key = fresh.new_key()
        fresh.save()

    def _plan(self, link: Link, kind: str, why: str, *, paths: Sequence[str] = ()) -> None:
        waits = kind == "create" and link.role == Role.COPY
        self.operations.append(
            Operation(
                link=link,
                calendar_id=link.calendar_id,
                kind=kind,
                paths=list(paths),
                why=why[:255],
                due_at=self.now + (self.grace if waits else timedelta()),
                changed_at=link.event.changed_at,
                noticed_at=self.stamps.noticed_at,
                pulled_at=self.stamps.pulled_at,
                planned_at=self.stamps.planned_at,
            )
        )
