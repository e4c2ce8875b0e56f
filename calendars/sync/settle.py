"""Settle: record the outcome of each write in one transaction: link, operation, and what follows from it."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.models import Health
from accounts.secrets import fingerprint_key
from calendars import rows
from calendars.models import Calendar, Event, Link, LinkState, Operation, OperationState
from calendars.sync import lease as leases
from calendars.sync.clock import Clock
from calendars.sync.lease import Lease
from calendars.sync.locks import lock_person
from calendars.sync.saving import update_rows
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.tally import Tally
from calendars.sync.trouble import pause_until
from calsync.engine import serial
from calsync.engine.backoff import next_attempt
from calsync.engine.findings import edited_before_known
from calsync.engine.masking import fields_sent, is_masked
from calsync.engine.plan import Finding as FoundByEngine
from calsync.engine.plan import FindingKind, settle, wanted_writes
from calsync.engine.policy import Role
from calsync.engine.treatment import Treatment
from calsync.engine.wanted import as_read
from calsync.providers.base import (
    AlreadyExists,
    NotFound,
    ProviderError,
    QuotaPaused,
    RateLimited,
    Rejected,
    Transient,
    VersionMismatch,
    WriteKind,
    Written,
)

if TYPE_CHECKING:
    from calendars.sync.push import Prepared

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 12
MOST_RESUMED = 3
LONG_PAUSE = timedelta(minutes=1)
GIVEN_UP = (
    "It was tried too often: see whether another program keeps changing this event. It is tried again when it changes."
)


def settle_batch(
    *,
    lease: Lease,
    calendar: Calendar,
    prepared: Sequence[Prepared],
    outcomes: Sequence[Written | ProviderError],
    clock: Clock,
    tally: Tally,
) -> None:
    """Record one outcome per write. Raises LeaseLost; then the writes are met again as our own creates and edits."""
    now = clock()
    with transaction.atomic():
        lock_person(calendar.account.person_id)
        stamps = Stamps(noticed_at=None, pulled_at=now, planned_at=now)
        batch = _Batch(calendar, now, tally, Store(calendar, {}, stamps, tally))
        batch.refresh(prepared, outcomes)
        for item, outcome in zip(prepared, outcomes, strict=True):
            batch.record(item, outcome)
        batch.save()
        leases.hold(lease, now=now, **batch.calendar_values)


class _Batch:
    """The rows that one batch of outcomes changes."""

    def __init__(self, calendar: Calendar, now: datetime, tally: Tally, store: Store) -> None:
        self.calendar, self.now, self.tally, self.store = calendar, now, tally, store
        self.key = fingerprint_key()
        self.operations: list[Operation] = []
        self.links: list[Link] = []
        self.follow_up: list[Link] = []
        self.calendar_values: dict[str, object] = {}
        self.holders: dict[str, Link] = {}

    def refresh(self, prepared: Sequence[Prepared], outcomes: Sequence[Written | ProviderError]) -> None:
        """What others may have decided while the writes were in flight: roles, and who holds the answered ids."""
        current = Link.objects.in_bulk([item.operation.link_id for item in prepared])
        for item in prepared:
            link = item.operation.link
            if link.pk not in current:
                continue
            for name in _DECIDED_MEANWHILE:  # a retired one belongs to an event of its own now
                setattr(link, name, getattr(current[link.pk], name))
            if link.withheld:
                link.state = current[link.pk].state
        answered = [outcome.remote_id for outcome in outcomes if isinstance(outcome, Written)]
        holders = Link.objects.filter(calendar=self.calendar, remote_id__in=answered)
        self.holders = {link.remote_id: link for link in holders}

    def record(self, item: Prepared, outcome: Written | ProviderError) -> None:
        self.operations.append(item.operation)
        item.operation.half_done = False
        if isinstance(outcome, Written):
            self._written(item, outcome)
        else:
            self._refused(item, outcome)

    def save(self) -> None:
        update_rows(self.operations, _OPERATION_FIELDS)
        update_rows(self.links, _LINK_FIELDS)
        self.store.save()
        self._plan_again()

    def _written(self, item: Prepared, written: Written) -> None:
        link, operation = item.operation.link, item.operation
        self.tally.writes[self.calendar.account.platform, operation.kind] += 1
        operation.close(OperationState.DONE, now=self.now)
        operation.written_at = self.now
        if item.write.kind == WriteKind.DELETE:
            link.state = LinkState.GONE
        elif self._is_held_by_another(link, written.remote_id):
            link.state, link.remote_id = LinkState.GONE, ""
            operation.reason = "the copy is linked to another event already"
        elif item.write.event is not None and written.event is not None:
            current = rows.link_state(link, self.calendar)
            state = settle(
                replace(current, treatment=item.treatment),  # whatever the rules have come to say since
                hub_event_as_written=item.hub.event,
                remote_id=written.remote_id,
                version=written.version,
                echo=written.event,
                made=written.made,
                key=self.key,
            )
            rows.fill_link(link, replace(state, treatment=current.treatment))
            link.sent = _sent(item.treatment)
            link.is_ours = link.is_ours or item.write.kind == WriteKind.CREATE
            link.occurrences = rows.occurrence_keys(written.event)
            self.follow_up.append(link)
            self._tell_of_early_edits(item, written)
            if not state.version:  # somebody edited it while it was written: what the read finds comes back
                Calendar.objects.filter(pk=self.calendar.pk).ring(now=self.now)
        self.links.append(link)
        self.store.history.written(operation)

    def _tell_of_early_edits(self, item: Prepared, written: Written) -> None:
        """A repeated create met its copy: what somebody had changed in it by then was written over, and is kept."""
        if item.operation.attempts < 2 or written.found is None or item.write.event is None:
            return  # at the first attempt a difference is the provider's own spelling
        link, role = item.operation.link, Role(item.operation.link.role)
        wanted, read = as_read(item.write.event, role), as_read(written.found, role)
        for found in edited_before_known(rows.link_state(link, self.calendar), wanted=wanted, read=read):
            self.store.add_finding(found, event=link.event, link=link)

    def _is_held_by_another(self, link: Link, remote_id: str) -> bool:
        """Whether the answered event belongs to another link; one that is gone gives its id up."""
        holder = self.holders.get(remote_id)
        if holder is None or holder.pk == link.pk:
            return False
        if holder.state == LinkState.GONE:
            Link.objects.filter(pk=holder.pk).update(remote_id="")
            return False
        return True

    def _refused(self, item: Prepared, error: ProviderError) -> None:
        operation, reason_before = item.operation, item.operation.reason
        logger.info(
            "operation.refused operation=%s calendar=%s error=%s status=%s code=%s attempt=%s",
            operation.pk, self.calendar.pk, type(error).__name__, error.status, error.code, operation.attempts,
        )  # fmt: skip
        again = isinstance(error, AlreadyExists | NotFound | VersionMismatch)
        hopeless = again and operation.attempts >= MOST_ATTEMPTS
        if isinstance(error, Rejected) or hopeless:
            self._park(item, error)
        elif isinstance(error, AlreadyExists):
            self._next_generation(item)
        elif isinstance(error, VersionMismatch | NotFound):
            self._read_again(item, error)
        else:
            self._wait(item, error)
        self.store.history.refused(operation, error, reason_before=reason_before)

    def _park(self, item: Prepared, error: ProviderError) -> None:
        operation = item.operation
        current = Event.objects.get(pk=operation.link.event_id)
        if current.deleted_at is not None or serial.load(current.content) != item.hub.event:
            operation.retry_at(self.now, reason="refused, but the event has changed meanwhile", code=error.code)
            return
        remedy = error.remedy if isinstance(error, Rejected) else GIVEN_UP
        operation.close(OperationState.PARKED, now=self.now, reason=str(error), remedy=remedy, code=error.code)
        text = f"A write was refused and is parked: {error} {remedy}"
        found = FoundByEngine(FindingKind.CANNOT_REPRESENT, self.calendar.pk, frozenset(), {}, text)
        self.store.add_finding(found, event=operation.link.event, link=operation.link)

    def _next_generation(self, item: Prepared) -> None:
        """The key is burnt (its event was deleted in the meantime): a new key, a new attempt."""
        link = item.operation.link
        link.generation += 1
        link.key = link.new_key()
        self.links.append(link)
        item.operation.retry_at(self.now, reason="its key was used up", code="burnt_key")

    def _read_again(self, item: Prepared, error: ProviderError) -> None:
        """The copy changed or vanished: read the calendar first, then look at the hub again."""
        spread = random.random()  # noqa: S311 - jitter
        attempts = item.operation.attempts
        due_at = self.now if attempts <= 2 else next_attempt(attempts=attempts, hint=None, now=self.now, spread=spread)
        item.operation.retry_at(due_at, reason=str(error), code=error.code)
        Calendar.objects.filter(pk=self.calendar.pk).ring(now=self.now)

    def _wait(self, item: Prepared, error: ProviderError) -> None:
        due_at = pause_until(error, failures=item.operation.attempts - 1, now=self.now)
        item.operation.retry_at(due_at, reason=str(error), code=error.code)
        if isinstance(error, RateLimited | QuotaPaused) or (isinstance(error, Transient) and error.retry_after):
            self._pause(due_at, error)
        unknown = isinstance(error, Transient) and not isinstance(error, RateLimited)
        # Only for so long: an event that always fails must not keep its calendar from being read.
        risky = item.hub.event.is_series or item.write.kind == WriteKind.CREATE
        item.operation.half_done = unknown and risky and item.operation.attempts <= MOST_RESUMED

    def _pause(self, until: datetime, error: ProviderError) -> None:
        """Leave the whole mailbox in peace; a long pause is shown, and ends with a read, which clears the state."""
        self.calendar_values["not_before"] = until
        if until - self.now < LONG_PAUSE:
            return
        self.calendar.enter(Health.DELAYED, now=self.now, reason=str(error), remedy=error.remedy)
        self.calendar_values |= self.calendar.state_values()
        Calendar.objects.filter(pk=self.calendar.pk).ring(now=self.now)

    def _plan_again(self) -> None:
        """The hub may have moved while a write was in flight: what is still to do becomes a new operation."""
        events = Event.objects.in_bulk([link.event_id for link in self.follow_up])
        wanted = [(link, self._still_wanted(link, events[link.event_id])) for link in self.follow_up]
        again = [
            Operation(link=link, calendar=self.calendar, kind=kind, due_at=self.now, planned_at=self.now)
            for link, kind in wanted
            if kind
        ]
        Operation.objects.bulk_create(again, ignore_conflicts=True)

    def _still_wanted(self, link: Link, event: Event) -> str:
        """The kind of write that a link still needs; '' when it needs none."""
        if event.deleted_at is not None:
            return "delete"
        link.calendar = self.calendar
        wanted = wanted_writes(rows.hub_state(event, [link]), key=self.key)
        return str(wanted[0].kind) if wanted else ""


_OPERATION_FIELDS = (
    "state", "reason", "remedy", "error_code", "attempts", "half_done", "due_at", "written_at", "closed_at"
)  # fmt: skip
_LINK_FIELDS = (
    "role", "remote_id", "version", "hub_map", "remote_map", "occurrences", "state", "generation", "key", "sent",
    "is_ours",
)  # fmt: skip
_DECIDED_MEANWHILE = ("role", "event_id", "treatment", "asked", "answer", "withheld")


def _sent(treatment: Treatment) -> dict[str, object]:
    """By which rule a copy was written, and which fields it shows; nothing for one that shows everything."""
    if not is_masked(treatment.details):
        return {"rule": treatment.rule} if treatment.rule else {}
    return {"rule": treatment.rule, "fields": sorted(name.value for name in fields_sent(treatment.details))}
