"""Who may work on a calendar: one holder at a time, by a lease row with a fencing number.

The lease covers reading *and* writing a calendar, so the echo of a write cannot be read before it is recorded.
Work that outlasts its lease is void and done again by the next holder, who therefore gets a longer one: two workers
cannot take a calendar from each other for ever.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, F, Q, Value, When

from calendars.models import Calendar

MOST_DOUBLINGS = 4
"""After so many leases in a row that ran out they do not get longer: a worker may also have been killed each time."""


class LeaseLost(Exception):
    """Another worker took the calendar over: everything not yet stored is void."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one calendar until it expires or the fence moves."""

    calendar_id: int
    owner: uuid.UUID
    fence: int
    length: timedelta


def take(*, calendar_id: int, now: datetime) -> Lease | None:
    """Claim a calendar; None when somebody else has it."""
    owner, usual = uuid.uuid4(), timedelta(seconds=settings.CALSYNC_LEASE_SECONDS)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    ran_out = Case(When(lease_owner__isnull=False, then=F("leases_run_out") + 1), default=Value(0))
    claimed = Calendar.objects.filter(free, pk=calendar_id).update(
        lease_owner=owner, lease_until=now + usual, fence=F("fence") + 1, leases_run_out=ran_out,
        rung_at=None, last_attempt_at=now,
    )  # fmt: skip
    if not claimed:
        # A task that was queued has begun, if only to find the calendar taken: the next ring must queue another.
        Calendar.objects.filter(pk=calendar_id, rung_at__isnull=False).update(rung_at=None)
        return None
    mine = Calendar.objects.filter(pk=calendar_id, lease_owner=owner).values_list("fence", "leases_run_out").first()
    return None if mine is None else _lengthened(Lease(calendar_id, owner, mine[0], usual), times=mine[1], now=now)


def _lengthened(lease: Lease, *, times: int, now: datetime) -> Lease | None:
    """The lease, twice as long for each one before it that ran out; None when it is lost already."""
    if not times:
        return lease
    longer = replace(lease, length=lease.length * 2 ** min(times, MOST_DOUBLINGS))
    try:
        hold(longer, now=now)
    except LeaseLost:
        return None
    return longer


def hold(lease: Lease, *, now: datetime, **values: object) -> None:
    """Prolong the lease and set ``values`` on the calendar, in one statement.

    Called inside each transaction that stores something. Raises LeaseLost when the fence has moved.
    """
    kept = Calendar.objects.filter(pk=lease.calendar_id, lease_owner=lease.owner, fence=lease.fence).update(
        lease_until=now + lease.length, **values
    )
    if not kept:
        raise LeaseLost(f"calendar {lease.calendar_id}")


def release(lease: Lease) -> None:
    """Give the calendar back; harmless when it was lost."""
    Calendar.objects.filter(pk=lease.calendar_id, lease_owner=lease.owner, fence=lease.fence).update(
        lease_owner=None, lease_until=None, leases_run_out=0
    )
