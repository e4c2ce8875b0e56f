"""Doors: what is asked again right before a write: the switches, and the brakes of single events (``braking``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from calendars.models import Calendar, Operation
from calendars.sync.braking import REASONS, STORM_WINDOW, stopped_links
from syncrules.selectors import door_for

SWITCH_PAUSE = timedelta(minutes=5)
EARLY_REASON = "The calendar is read first: the invitation may have brought the meeting by now."


def open_doors(*, calendar: Calendar, operations: Sequence[Operation], now: datetime) -> set[Operation]:
    """The operations that may be written now; the others are put off (in memory), with the reason."""
    door = door_for(calendar.account.person_id, now=now, platform=calendar.account.platform)
    if not door.open:
        for operation in operations:
            _put_off(operation, now + SWITCH_PAUSE, reason=door.why, code="switched_off")
        return set()
    stopped = stopped_links(operations, now=now)
    for operation in operations:
        if operation.link_id in stopped:
            brake = stopped[operation.link_id]
            _put_off(operation, now + STORM_WINDOW, reason=REASONS[brake], code=brake.value)
    passing = {operation for operation in operations if operation.link_id not in stopped}
    early = {operation for operation in passing if _is_early(operation, calendar)}
    if early:
        Calendar.objects.filter(pk=calendar.pk).ring(now=now)
    for operation in early:
        _put_off(operation, operation.due_at, reason=EARLY_REASON, code="read_first")
    return passing - early


def _is_early(operation: Operation, calendar: Calendar) -> bool:
    """Whether a copy has waited for an invitation, and nobody has looked since whether it came."""
    waited = operation.kind == "create" and operation.attempts == 1 and operation.due_at > operation.planned_at
    return waited and (calendar.last_success_at is None or calendar.last_success_at < operation.due_at)


def _put_off(operation: Operation, until: datetime, *, reason: str, code: str) -> None:
    """Waiting at a door is no attempt."""
    operation.attempts = max(0, operation.attempts - 1)
    operation.retry_at(until, reason=reason, code=code)
