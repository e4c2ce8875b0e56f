"""Audit of colleagues' meetings: the guest-free copies, and their originals where nobody else compares them.

What lives here: what is compared, each calendar being read once. What does not: a person's own pairs (``audit``).
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from accounts.secrets import fingerprint_key
from calendars import rows, selectors
from calendars.models import Calendar, CalendarQuerySet, Link, LinkState, Operation
from calendars.sync.audit import (
    AuditReport,
    Difference,
    Side,
    audit_window,
    drift_of,
    is_colleagues,
    kind_of_drift,
    read_side,
)
from calendars.sync.pull import reaches_into
from calsync.engine import serial
from calsync.engine.plan import wanted_writes
from calsync.engine.policy import Role
from calsync.providers.base import Window


def audited_alone(calendars: CalendarQuerySet) -> list[Calendar]:
    """The calendars of people with one, in which a colleague's meeting or an original of such copies stands."""
    copies = Link.objects.filter(role=Role.COPY, state=LinkState.ACTIVE)
    originals = Link.objects.filter(role=Role.ORIGIN, event__in=copies.values("event_id"))
    concerned = Q(pk__in=copies.values("calendar_id")) | Q(pk__in=originals.values("calendar_id"))
    found = calendars.active().filter(concerned, is_primary=True).select_related("account__person")
    return [calendar for calendar in found.order_by("account__address", "pk") if not selectors.partners_of(calendar)]


def audit_alone(calendar: Calendar, *, now: datetime, report: AuditReport) -> None:
    """Compare the copies and originals in one calendar with the hub. Raises ProviderError when it cannot be read."""
    window = audit_window(now, calendar)
    side = read_side(calendar, window)
    compare_copies(side, window, report)
    copies = Link.objects.filter(role=Role.COPY, state=LinkState.ACTIVE, event__links__calendar=calendar)
    copied = set(copies.order_by("pk").values_list("event_id", flat=True))
    for link in side.links.values():
        if link.role == Role.ORIGIN and link.event_id in copied:
            _compare_original(side, link, report)


def compare_copies(side: Side, window: Window, report: AuditReport) -> None:
    """Count the colleagues' meetings in one calendar that stand as the hub wants them, and tell the others."""
    for link in side.links.values():
        if is_colleagues(link, side.calendar):
            _compare_copy(side, link, window, report)
    waiting = Link.objects.filter(calendar=side.calendar, role=Role.COPY, state=LinkState.ACTIVE, remote_id="")
    lacking = waiting.filter(event__deleted_at__isnull=True).exclude(operations__in=Operation.objects.open())
    for link in lacking.select_related("event").order_by("pk"):
        link.calendar = side.calendar
        # Nothing is wanted of a series that stands here in parts.
        if wanted_writes(rows.hub_state(link.event, [link]), key=fingerprint_key()):
            report.differences.append(Difference("missing", side.calendar, "", link.event_id))


def _compare_copy(side: Side, link: Link, window: Window, report: AuditReport) -> None:
    item = side.items.get(link.remote_id)
    if link.event.deleted_at is not None:
        if item is not None and link.role == Role.COPY:
            report.differences.append(Difference("orphans", side.calendar, link.remote_id, link.event_id))
    elif item is not None:
        paths = drift_of(side, link, item, serial.load(link.event.content))
        if paths:
            kind = kind_of_drift(link, paths)
            report.differences.append(Difference(kind, side.calendar, link.remote_id, link.event_id, paths))
        else:
            report.matched += 1
    elif _is_missed(link, window):
        report.differences.append(Difference("missing", side.calendar, link.remote_id, link.event_id))


def _is_missed(link: Link, window: Window) -> bool:
    """Whether a copy should be in the window and nobody knows that it is not. A native one is its provider's."""
    ours = link.role == Role.COPY and link.state == LinkState.ACTIVE
    return ours and link.event.starts_at < window.end and reaches_into(window, link.event)


def _compare_original(side: Side, link: Link, report: AuditReport) -> None:
    item = side.items.get(link.remote_id)
    paths = drift_of(side, link, item, serial.load(link.event.content)) if item is not None else ()
    if paths:
        report.differences.append(Difference("drifted", side.calendar, link.remote_id, link.event_id, paths))
