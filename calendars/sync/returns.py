"""The resurrection brake for whole events: a deleted event that another tool makes again as a new one, again and again.

What lives here: recognising it, and stopping its copies. What does not: copies that are made anew (``braking``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q

from calendars import rows
from calendars.models import Calendar, Event
from calsync.engine import serial
from calsync.engine.brakes import resurrection
from calsync.engine.events import Event as HubEvent
from calsync.engine.findings import values_at
from calsync.engine.fingerprint import normal_text
from calsync.engine.plan import EventPlan, Finding, FindingKind

HOUR = timedelta(hours=1)
TEXT = "This event was deleted and came back more than twice in an hour. It is not copied until a person releases it."


def held_if_it_returns(plan: EventPlan, *, calendar: Calendar, read: HubEvent, now: datetime) -> EventPlan:
    """The plan of a new event; without its writes, and with findings instead, when the event keeps coming back."""
    if not plan.writes or calendar.imported_at is None:
        return plan
    if not resurrection(_deletions(calendar.account.person_id, read, now)):
        return plan
    shown = values_at(read, ("title", "when"))
    found = tuple(
        Finding(FindingKind.RESURRECTION, write.calendar_id, write.paths, shown, TEXT) for write in plan.writes
    )
    return replace(plan, writes=(), findings=(*plan.findings, *found))


def _deletions(person_id: int, read: HubEvent, now: datetime) -> int:
    """How many events of the last hour that are deleted now had this uid, or this title and start."""
    start, _ = rows.span_of(read.content.when)
    alike = Q(starts_at=start) | Q(uid=read.uid[:1024]) if read.uid else Q(starts_at=start)
    deleted = Event.objects.filter(alike, owner_id=person_id, deleted_at__gt=now - HOUR, whole=None)
    return sum(event.uid == read.uid != "" or _title(event) == _name(read) for event in deleted)


def _title(event: Event) -> str:
    return _name(serial.load(event.content))


def _name(event: HubEvent) -> str:
    return normal_text(event.content.title).casefold().strip()
