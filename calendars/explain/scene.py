"""Everything that the explanation of one event rests on, read from the rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.secrets import fingerprint_key
from calendars import gateway, rows
from calendars.models import Calendar, Event, Finding, Link, LinkState, Operation, OperationState
from calendars.models.work import OPEN_STATES
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import FindingKind, HubState, PlannedWrite, wanted_writes
from calsync.engine.traits import Traits
from syncrules.selectors import Door, door_for

BRAKES = (FindingKind.MASS_DELETE, FindingKind.EMPTY_SIDE, FindingKind.STORM, FindingKind.RESURRECTION)


@dataclass(frozen=True, slots=True)
class Scene:
    """One event with its links, calendars, work and findings."""

    event: Event
    hub: HubEvent
    now: datetime
    key: bytes
    calendars: dict[int, Calendar]  # those of its links, and its owner's primary ones
    links: dict[int, Link]  # by calendar
    operations: dict[int, Operation]  # by link: the open one, else the parked one
    doors: dict[int, Door]  # by calendar
    obstacles: dict[int, Finding]  # by calendar: why the event cannot stand there
    braked: dict[int, Finding]  # by calendar: the brake that waits for a person
    wanted: dict[int, PlannedWrite]  # by calendar

    @classmethod
    def load(cls, event: Event, *, now: datetime) -> Scene:
        """Read all of it."""
        links = {link.calendar_id: link for link in event.links.select_related("calendar__account__person")}
        mine = Q(account__person_id=event.owner_id, is_primary=True) | Q(pk__in=links)
        calendars = Calendar.objects.filter(mine).select_related("account__person").order_by("pk")
        hub, key = serial.load(event.content), fingerprint_key()
        standing = [link for link in links.values() if link.state != LinkState.GONE]
        hub_state = HubState(hub, tuple(rows.link_state(link, link.calendar) for link in standing), event.changed_at)
        alive = event.deleted_at is None
        return cls(
            event=event,
            hub=hub,
            now=now,
            key=key,
            calendars={calendar.pk: calendar for calendar in calendars},
            links=links,
            operations=_operations(event),
            doors={calendar.pk: _door(calendar, now=now) for calendar in calendars},
            obstacles=_open_findings(Q(event=event, kind=FindingKind.CANNOT_REPRESENT)),
            braked=_open_findings(Q(calendar__in=links, kind__in=BRAKES)),
            wanted={write.calendar_id: write for write in wanted_writes(hub_state, key=key)} if alive else {},
        )

    def traits(self, calendar: Calendar) -> Traits:
        """What a calendar's platform can hold."""
        return gateway.TRAITS[calendar.platform]

    def standing(self, calendar: Calendar) -> Link | None:
        """The link in a calendar, unless it is gone."""
        link = self.links.get(calendar.pk)
        return None if link is None or link.state == LinkState.GONE else link


def _door(calendar: Calendar, *, now: datetime) -> Door:
    return door_for(calendar.account.person_id, now=now, platform=calendar.account.platform)


def _operations(event: Event) -> dict[int, Operation]:
    """Parked ones count only while nothing newer is open or done."""
    latest: dict[int, Operation] = {}
    for operation in Operation.objects.filter(link__event=event).exclude(state=OperationState.DROPPED).order_by("pk"):
        latest[operation.link_id] = operation
    telling = (*OPEN_STATES, OperationState.PARKED)
    return {link: operation for link, operation in latest.items() if operation.state in telling}


def _open_findings(which: Q) -> dict[int, Finding]:
    findings = Finding.objects.filter(which, settled_at__isnull=True, calendar__isnull=False).defer("values")
    return {finding.calendar_id: finding for finding in findings.order_by("pk") if finding.calendar_id}
