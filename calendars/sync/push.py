"""Push (stage 4): claim planned writes, carry them out, record what the provider answered.

What lives here: the way of an operation. What is written is derived from the hub at the door, so an operation that
waited never writes an old state.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import F

from accounts.secrets import fingerprint_key
from calendars import rows
from calendars.models import Calendar, Link, LinkState, Operation, OperationState, Watch
from calendars.sync import lease as leases
from calendars.sync.braking import note_brakes
from calendars.sync.clock import Clock
from calendars.sync.doors import open_doors, outdated_by_rules
from calendars.sync.lease import Lease
from calendars.sync.locks import lock_person
from calendars.sync.pacing import BATCH
from calendars.sync.pull import CLOCKS_APART
from calendars.sync.reconsider import reconsider
from calendars.sync.saving import update_rows
from calendars.sync.settle import settle_batch
from calendars.sync.tally import Tally
from calendars.sync.trouble import log_defect
from calsync.engine.differing import differing
from calsync.engine.fingerprint import changed
from calsync.engine.plan import HubState, WriteWish, wanted_writes
from calsync.engine.policy import Role
from calsync.engine.treatment import FULL, Treatment
from calsync.engine.wanted import projected_at, shown_map
from calsync.providers.base import CalendarProvider, ProviderError, Write, WriteKind, Written

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One claimed operation with the write that carries it out, and the hub state that the write was made from."""

    operation: Operation
    write: Write
    hub: HubState

    @property
    def treatment(self) -> Treatment:
        """What the rules let the copy show when the write was made."""
        mine = (link for link in self.hub.links if link.calendar_id == self.operation.calendar_id)
        return next((link.treatment for link in mine), FULL)


def push_due(
    *,
    lease: Lease,
    calendar: Calendar,
    provider: CalendarProvider,
    clock: Clock,
    tally: Tally,
    only_interrupted: bool = False,
) -> bool:
    """Carry out one batch of due operations (or of those that broke off); False when none was due.

    Raises a ProviderError when the whole batch failed (its operations are then planned again) and LeaseLost.
    """
    claimed = _claim(lease, calendar, clock, only_interrupted=only_interrupted)
    if not claimed:
        return False
    prepared = _prepare(lease, calendar, claimed, clock, tally)
    if prepared:
        begun = clock()
        outcomes = _apply(lease, calendar, provider, prepared, clock)
        settle_batch(lease=lease, calendar=calendar, prepared=prepared, outcomes=outcomes, clock=clock, tally=tally)
        if any(isinstance(outcome, Written) for outcome in outcomes):  # our own writes are announced as well
            Watch.objects.filter(calendar=calendar).expect_news(since=begun - CLOCKS_APART, now=clock())
    return True


def _claim(lease: Lease, calendar: Calendar, clock: Clock, *, only_interrupted: bool) -> list[Operation]:
    """Take due operations and count the attempt before the work begins, so that crashes are counted too."""
    now = clock()
    with transaction.atomic():
        leases.hold(lease, now=now)
        due = Operation.objects.due(now=now).filter(calendar=calendar)
        due = due.interrupted() if only_interrupted else due
        claimed = list(due.select_related("link__event").order_by("pk")[:BATCH])
        Operation.objects.filter(pk__in=[operation.pk for operation in claimed]).update(
            state=OperationState.IN_FLIGHT, attempts=F("attempts") + 1
        )
    for operation in claimed:
        operation.attempts += 1
        operation.state = OperationState.IN_FLIGHT
    return claimed


def _prepare(
    lease: Lease, calendar: Calendar, claimed: Sequence[Operation], clock: Clock, tally: Tally
) -> list[Prepared]:
    """Ask the doors, derive each write from the hub, and close what needs no write any more."""
    now = clock()
    siblings: dict[int, list[Link]] = {}
    links = Link.objects.filter(event__in=[op.link.event_id for op in claimed]).exclude(state=LinkState.GONE)
    for link in links.prefetch_related("calendar__account").order_by("calendar_id"):
        siblings.setdefault(link.event_id, []).append(link)
    key = fingerprint_key()
    prepared: list[Prepared] = []
    refused: list[Operation] = []
    passing = open_doors(calendar=calendar, operations=claimed, now=now)
    outdated = outdated_by_rules(operations=passing, links_of=siblings, key=key, now=now)
    passing -= outdated
    for operation in claimed:
        links_of = siblings.get(operation.link.event_id, [])
        ready = _prepare_one(operation, links_of, calendar, key=key, now=now) if operation in passing else None
        if ready is None:
            refused.append(operation)
        else:
            prepared.append(ready)
    if outdated:  # what the rules say now is planned first; the writes that follow are made in the next batch
        reconsider(sorted({operation.link.event_id for operation in outdated}), now=now, tally=tally)
    with transaction.atomic():
        leases.hold(lease, now=now)
        lock_person(calendar.account.person_id)
        _reopen_overtaken(refused, calendar, key=key, now=now)
        note_brakes(calendar=calendar, operations=claimed, now=now, tally=tally)
        update_rows(refused, ["state", "reason", "remedy", "error_code", "attempts", "closed_at", "due_at"])
    return prepared


def _reopen_overtaken(refused: Sequence[Operation], calendar: Calendar, *, key: bytes, now: datetime) -> None:
    """Keep open (in memory) what a change of this moment needs after all: its own operation could not be planned
    while this one was open.
    """
    dropped = {op.link_id: op for op in refused if op.state == OperationState.DROPPED}
    links = Link.objects.filter(pk__in=dropped).select_related("event").prefetch_related("calendar__account")
    for link in links:
        if write_for(link, rows.hub_state(link.event, [link]), calendar, key=key) is not None:
            dropped[link.pk].closed_at = None
            dropped[link.pk].retry_at(now, reason="the event has changed again")


def _prepare_one(
    operation: Operation, links: Sequence[Link], calendar: Calendar, *, key: bytes, now: datetime
) -> Prepared | None:
    """The write of one operation; None when there is none to do (the operation is then closed, in memory)."""
    try:
        hub = rows.hub_state(operation.link.event, links)
        write = write_for(operation.link, hub, calendar, key=key)
    except DatabaseError:
        raise
    except Exception as error:  # whatever one event does to us, the others of the batch go on
        log_defect(logger, "operation.defect", error, operation=operation.pk, calendar=calendar.pk)
        reason = f"CalSync itself failed on this event ({type(error).__name__})."
        operation.close(OperationState.PARKED, now=now, reason=reason, remedy="Report it: the log has the place.")
        return None
    if write is None:
        operation.close(OperationState.DROPPED, now=now, reason="nothing left to write")
        return None
    return Prepared(operation, write, hub)


def write_for(link: Link, hub: HubState, calendar: Calendar, *, key: bytes) -> Write | None:
    """The write that brings one link up to the hub's state; None when there is nothing to do."""
    if link.state in (LinkState.GONE, LinkState.HELD, LinkState.RELEASED):
        return None
    if link.event.deleted_at is not None:
        real_meeting = link.role == Role.NATIVE or (link.role == Role.ORIGIN and bool(hub.event.guests))
        deletable = bool(link.remote_id) and not real_meeting
        return Write(WriteKind.DELETE, remote_id=link.remote_id, version=link.version) if deletable else None
    wanted = [write for write in wanted_writes(hub, key=key) if write.calendar_id == calendar.pk]
    if not wanted:
        return None
    mine = next(state for state in hub.links if state.calendar_id == calendar.pk)
    event = projected_at(hub.event, mine)
    if wanted[0].kind is WriteWish.CREATE:
        return Write(WriteKind.CREATE, key=link.key, event=event)
    return Write(
        WriteKind.UPDATE,
        remote_id=link.remote_id,
        version=link.version,
        event=event,
        before=differing(event, wanted[0].paths),
        edited_in=lambda read: changed(shown_map(read, Role(link.role), key=key), link.remote_map),
    )


def _apply(
    lease: Lease, calendar: Calendar, provider: CalendarProvider, prepared: Sequence[Prepared], clock: Clock
) -> list[Written | ProviderError]:
    try:
        return provider.apply(rows.mailbox_of(calendar), [item.write for item in prepared])
    except ProviderError:
        with transaction.atomic():
            leases.hold(lease, now=clock())
            waiting = [item.operation.pk for item in prepared]
            Operation.objects.filter(pk__in=waiting).update(state=OperationState.PLANNED, attempts=F("attempts") - 1)
        raise
