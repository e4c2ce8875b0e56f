"""Who may work on a calendar: one holder at a time, by a lease row with a fencing number.

The lease covers reading *and* writing a calendar, so the echo of a write cannot be read before it is recorded.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from calendars.models import Calendar


class LeaseLost(Exception):
    """Another worker took the calendar over: everything not yet stored is void."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one calendar until it expires or the fence moves."""

    calendar_id: int
    owner: uuid.UUID
    fence: int


def take(*, calendar_id: int, now: datetime) -> Lease | None:
    """Claim a calendar; None when somebody else has it."""
    owner = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claimed = Calendar.objects.filter(free, pk=calendar_id).update(
        lease_owner=owner, lease_until=_until(now), fence=F("fence") + 1, rung_at=None, last_attempt_at=now
    )
    if not claimed:
        # A task that was queued has begun, if only to find the calendar taken: the next ring must queue another.
        Calendar.objects.filter(pk=calendar_id, rung_at__isnull=False).update(rung_at=None)
        return None
    fence = Calendar.objects.filter(pk=calendar_id, lease_owner=owner).values_list("fence", flat=True).first()
    return None if fence is None else Lease(calendar_id, owner, fence)


def hold(lease: Lease, *, now: datetime, **values: object) -> None:
    """Prolong the lease and set ``values`` on the calendar, in one statement.

    Called inside each transaction that stores something. Raises LeaseLost when the fence has moved.
    """
    kept = Calendar.objects.filter(pk=lease.calendar_id, lease_owner=lease.owner, fence=lease.fence).update(
        lease_until=_until(now), **values
    )
    if not kept:
        raise LeaseLost(f"calendar {lease.calendar_id}")


def release(lease: Lease) -> None:
    """Give the calendar back; harmless when it was lost."""
    Calendar.objects.filter(pk=lease.calendar_id, lease_owner=lease.owner, fence=lease.fence).update(
        lease_owner=None, lease_until=None
    )


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.CALSYNC_LEASE_SECONDS)
