"""The brakes of single events, asked at the door of each write: storm (written too often) and resurrection (made anew
too often).

What lives here: counting, and what becomes of a write that was stopped. What does not: the thresholds
(``calsync.engine.brakes``), new events that are like deleted ones (``returns``), releasing (``calendars.decisions``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from calendars.models import Calendar, Finding, LinkState, Operation, OperationState
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.tally import Tally
from calsync.engine import serial
from calsync.engine.brakes import resurrection, storm
from calsync.engine.findings import named, values_at
from calsync.engine.plan import Finding as FoundByEngine
from calsync.engine.plan import FindingKind
from calsync.engine.wanted import NOTE

STORM_WINDOW = timedelta(minutes=10)
HOUR = timedelta(hours=1)
REASONS = {
    FindingKind.STORM: "This event was written more than 5 times in 10 minutes: the next write waits.",
    FindingKind.RESURRECTION: "This copy was deleted and made anew more than twice in an hour: it is not made again.",
}
REMEDY = "Decide its case in the console, and find out which other tool changes the event."
RELEASED = "release"  # the decision after which counting begins anew


def stopped_links(operations: Sequence[Operation], *, now: datetime) -> dict[int, FindingKind]:
    """The links that must not be written now, with the brake that says so."""
    operations = [operation for operation in operations if operation.link.state == LinkState.ACTIVE]
    links = [operation.link_id for operation in operations]
    stopped = _waiting_for_a_person(links)
    counts = _recent_writes(links, now=now)
    for operation in operations:
        creates, writes = counts.get(operation.link_id, (0, 0))
        # Both brakes are asked about what would then have happened.
        if operation.link.remote_id == "" and resurrection(min(creates + 1, operation.link.generation)):
            stopped.setdefault(operation.link_id, FindingKind.RESURRECTION)
        elif storm(writes + 1):
            stopped.setdefault(operation.link_id, FindingKind.STORM)
    return stopped


def note_brakes(*, calendar: Calendar, operations: Sequence[Operation], now: datetime, tally: Tally) -> None:
    """Tell a person about writes that were stopped, and park those that only a person may let through.

    The operations are changed in memory. To be called in the transaction that stores them, with the person locked.
    """
    stopped = [op for op in operations if op.state == OperationState.PLANNED and op.error_code in _CODES]
    _note_quiet([op.link_id for op in operations if op.state != OperationState.PLANNED], now=now)
    if not stopped:
        return
    store = Store(calendar, {}, Stamps(noticed_at=None, pulled_at=now, planned_at=now), tally)
    findings = Finding.objects.filter(link__in=[op.link_id for op in stopped], kind__in=_CODES)
    known = set(findings.filter(settled_at=None).values_list("link_id", "kind"))
    stormy = set(findings.filter(kind=FindingKind.STORM, created_at__gt=now - HOUR).values_list("link_id", flat=True))
    for operation in stopped:
        kind = FindingKind(operation.error_code)
        parks = kind is FindingKind.RESURRECTION or operation.link_id in stormy
        if (operation.link_id, kind) not in known:
            store.add_finding(_found(operation, kind, parks=parks), event=operation.link.event, link=operation.link)
        if parks:
            operation.close(OperationState.PARKED, now=now, reason=REASONS[kind], remedy=REMEDY, code=kind.value)
    store.save()


_CODES = tuple(kind.value for kind in REASONS)


def _found(operation: Operation, kind: FindingKind, *, parks: bool) -> FoundByEngine:
    """What the next write would have done, without event text in the sentence; its values are sealed."""
    if kind is FindingKind.RESURRECTION:
        text = f"{REASONS[kind]} It waits for a person."
    else:
        fields = f" of {told}" if (told := named(set(operation.paths) - {NOTE})) else ""
        until = "waits for a person, as it is the second time in an hour" if parks else "waits until it is quiet"
        text = f"This event was written more than 5 times in 10 minutes: the next {operation.kind}{fields} {until}."
    values = {} if operation.kind == "delete" else values_at(serial.load(operation.link.event.content), operation.paths)
    return FoundByEngine(kind, operation.calendar_id, frozenset(operation.paths), values, text)


def _note_quiet(links: Collection[int], *, now: datetime) -> None:
    """A storm that was only waited for is over with the next write."""
    if links:
        Finding.objects.filter(kind=FindingKind.STORM, link__in=links, settled_at=None).update(settled_at=now)


def _waiting_for_a_person(links: Collection[int]) -> dict[int, FindingKind]:
    """Links whose writes are parked by one of these brakes and not released."""
    waiting = Finding.objects.filter(kind__in=_CODES, link__in=links, settled_at=None).values_list("link_id", "kind")
    found = {link_id: FindingKind(kind) for link_id, kind in waiting if link_id is not None}
    stormy = [link_id for link_id, kind in found.items() if kind is FindingKind.STORM]
    parked = Operation.objects.filter(link__in=stormy, state=OperationState.PARKED, error_code=FindingKind.STORM)
    kept = set(parked.values_list("link_id", flat=True)) if stormy else set()
    return {link_id: kind for link_id, kind in found.items() if kind is FindingKind.RESURRECTION or link_id in kept}


def _recent_writes(links: Collection[int], *, now: datetime) -> dict[int, tuple[int, int]]:
    """Creates of the last hour and writes of the last ten minutes, by link; those before a release do not count."""
    done = Operation.objects.filter(link__in=links, state=OperationState.DONE, written_at__gt=now - HOUR)
    written = list(done.values_list("link_id", "kind", "written_at"))
    released = _releases(written_links) if (written_links := {link_id for link_id, _, _ in written}) else {}
    counts: dict[int, tuple[int, int]] = {}
    for link_id, kind, at in written:
        if at is None or at <= released.get(link_id, at - HOUR):
            continue
        creates, writes = counts.get(link_id, (0, 0))
        counts[link_id] = (creates + (kind == "create"), writes + (at > now - STORM_WINDOW))
    return counts


def _releases(links: Collection[int]) -> dict[int, datetime]:
    decided = Finding.objects.filter(kind__in=_CODES, link__in=links, decision=RELEASED, settled_at__isnull=False)
    last = decided.values("link_id").annotate(last=Max("settled_at")).values_list("link_id", "last")
    return {link_id: at for link_id, at in last if link_id is not None and at is not None}
