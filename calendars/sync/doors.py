"""Doors: what is asked again right before a write: switches, rules, and the brakes of single events (``braking``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from calendars import rows
from calendars.models import HELD_BY_SWITCH, IN_ITS_TURN, Calendar, Link, Operation
from calendars.sync.braking import REASONS, STORM_WINDOW, stopped_links
from calendars.sync.pacing import REASON as TURN_REASON
from calendars.sync.pacing import in_their_turn
from calendars.sync.verdicts import COPIES, Verdicts
from calsync.engine.plan import HubState
from syncrules.selectors import door_for

SWITCH_PAUSE = timedelta(minutes=30)
"""Until a write asks again by itself; once sync is on, ``pacing.let_go`` gives it its turn within a minute."""
SWITCH_ON = "Switch sync on again, in the console."
EARLY_REASON = "The calendar is read first: the invitation may have brought the meeting by now."


def open_doors(*, calendar: Calendar, operations: Sequence[Operation], now: datetime) -> set[Operation]:
    """The operations that may be written now; the others are put off (in memory), with the reason."""
    door = door_for(calendar.account.person_id, now=now, platform=calendar.account.platform)
    if not door.open:
        for operation in operations:
            _put_off(operation, now + SWITCH_PAUSE, reason=door.why, code=HELD_BY_SWITCH)
            operation.remedy = SWITCH_ON
        return set()
    later = in_their_turn(calendar=calendar, operations=operations, now=now)
    for operation, turn_at in later.items():
        _put_off(operation, turn_at, reason=TURN_REASON, code=IN_ITS_TURN)
        operation.remedy = ""
    operations = [operation for operation in operations if operation not in later]
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


def outdated_by_rules(
    *, operations: Collection[Operation], links_of: Mapping[int, list[Link]], key: bytes, now: datetime
) -> set[Operation]:
    """Those whose copy must be another one by now, or none; they are put off (in memory) until that is planned.

    A part follows its series. One query where there are no rules.
    """
    asked = [op for op in operations if op.link.event.deleted_at is None and op.link.event.whole_id is None]
    concerned = [link for op in asked for link in links_of.get(op.link.event_id, [])]
    copies = [op for op in asked if op.link.role in COPIES]
    if not copies:
        return set()
    hubs = {op.link.event_id: hub for op in copies if (hub := _hub(op, links_of)) is not None}
    people = {link.calendar.account.person_id for link in concerned} | {op.link.event.owner_id for op in copies}
    events = [hub.event for hub in hubs.values()]
    verdicts = Verdicts.load(people=people, events=events, links=concerned, key=key, now=now)
    known = [op for op in copies if op.link.event_id in hubs]
    return {op for op in known if verdicts and _is_outdated(op, hubs[op.link.event_id], links_of, verdicts)}


def _hub(operation: Operation, links_of: Mapping[int, list[Link]]) -> HubState | None:
    """What is to be written; None where it cannot be read, of which its own write will tell."""
    try:
        return rows.hub_state(operation.link.event, links_of.get(operation.link.event_id, []))
    except (KeyError, ValueError):
        return None


def _is_outdated(operation: Operation, hub: HubState, links_of: Mapping[int, list[Link]], verdicts: Verdicts) -> bool:
    here = (link for link in links_of.get(operation.link.event_id, []) if link.pk == operation.link_id)
    if not any(verdicts.is_outdated(operation.link.event, hub, link) for link in here):
        return False
    _put_off(operation, verdicts.now, reason="The rules say something else of it by now.", code="rules")
    return True


def _is_early(operation: Operation, calendar: Calendar) -> bool:
    """Whether a copy has waited for an invitation, and nobody has looked since whether it came."""
    waited = operation.kind == "create" and operation.attempts == 1 and operation.due_at > operation.planned_at
    return waited and (calendar.last_success_at is None or calendar.last_success_at < operation.due_at)


def _put_off(operation: Operation, until: datetime, *, reason: str, code: str) -> None:
    """Waiting at a door is no attempt."""
    operation.attempts = max(0, operation.attempts - 1)
    operation.retry_at(until, reason=reason, code=code)
