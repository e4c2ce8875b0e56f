"""Take a turn: everything that is due on one calendar, under one lease: first read, then write, until nothing is left.

What lives here: the order of stages and what an error does to them.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from django.db import DatabaseError

from calendars import gateway, selectors
from calendars.models import Calendar, Operation
from calendars.sync import lease as leases
from calendars.sync.clock import Clock
from calendars.sync.held import carry_out_released
from calendars.sync.lease import Lease, LeaseLost
from calendars.sync.pull import pull_changes
from calendars.sync.push import push_due
from calendars.sync.tally import Tally
from calendars.sync.trouble import note_defect, note_trouble
from calsync.providers.base import CalendarProvider, CursorExpired, ProviderError

logger = logging.getLogger(__name__)

REREAD_PAUSE = timedelta(minutes=5)
"""How long a calendar goes on with its cursor after a complete read broke off."""

MOST_STEPS = 2_000  # of one turn; whatever is left waits for the next bell
MOST_VISITS = 3  # of one calendar on the way of one change


def take_turn(*, calendar_id: int, clock: Clock, tally: Tally) -> bool:
    """Do everything due on one calendar; False when another worker holds it (it goes on until the bell is served).

    Errors of providers, and our own, are recorded on the calendar and not raised; those of the database are.
    """
    taken = False
    while (lease := leases.take(calendar_id=calendar_id, now=clock())) is not None:
        taken = True
        try:
            _work(lease, clock, tally)
        except LeaseLost:
            logger.warning("turn.lease_lost calendar=%s", calendar_id)
        except DatabaseError:
            raise
        except Exception as error:
            with suppress(LeaseLost):
                note_defect(lease=lease, calendar_id=calendar_id, error=error, now=clock())
        finally:
            leases.release(lease)
        # Whoever rang just before the release found the lease held and left: look once more before going.
        if not selectors.due_calendar_ids(Calendar.objects.filter(pk=calendar_id), now=clock()):
            break
    return taken


def follow_up(*, calendar_id: int, clock: Clock, tally: Tally) -> None:
    """Take a turn, and then one on each calendar that it made work for: the short way of a change.

    A calendar is come back to when the other one had news for it in turn, but not for ever: the sweep is there too.
    """
    waiting, visits = [calendar_id], Counter[int]()
    while waiting:
        current = waiting.pop(0)
        tally.rung.clear()
        take_turn(calendar_id=current, clock=clock, tally=tally)
        visits[current] += 1
        waiting += sorted(rung for rung in tally.rung - {current, *waiting} if visits[rung] < MOST_VISITS)


def _work(lease: Lease, clock: Clock, tally: Tally) -> None:
    for _ in range(MOST_STEPS):
        calendar = selectors.with_owner(lease.calendar_id)
        if calendar is None or not _may_work(calendar, clock):
            return
        tally.calendars.add(calendar.pk)
        try:
            if not _step(lease, calendar, gateway.provider_for(calendar.account), clock, tally):
                return
        except ProviderError as error:
            note_trouble(lease=lease, calendar=calendar, error=error, now=clock())
            return


def _step(lease: Lease, calendar: Calendar, provider: CalendarProvider, clock: Clock, tally: Tally) -> bool:
    """One stage: finish what broke off, else read if the bell rang, else write a batch; False when all is done."""
    interrupted = Operation.objects.filter(calendar=calendar).interrupted()
    if interrupted.exists():
        # Read now, a half-written series would look like an edit of its owner's.
        return push_due(
            lease=lease, calendar=calendar, provider=provider, clock=clock, tally=tally, only_interrupted=True
        )
    if calendar.wanted > calendar.done:
        if carry_out_released(lease=lease, calendar=calendar, provider=provider, clock=clock, tally=tally):
            return True  # before the bell counts as served, so that nothing released is forgotten
        _read(lease, calendar, provider, clock, tally)
        return True
    if calendar.reread_at is not None and calendar.reread_at <= clock():
        _read_anew(lease, calendar, provider, clock, tally)
        return True
    return push_due(lease=lease, calendar=calendar, provider=provider, clock=clock, tally=tally)


def _read(lease: Lease, calendar: Calendar, provider: CalendarProvider, clock: Clock, tally: Tally) -> None:
    """What is new since the cursor; a cursor that has expired is replaced by a complete read."""
    try:
        pull_changes(lease=lease, calendar=calendar, provider=provider, clock=clock, tally=tally)
    except CursorExpired:
        if not calendar.cursor:
            raise
        logger.info("calendar.cursor_expired calendar=%s generation=%s", calendar.pk, calendar.generation)
        _read_anew(lease, calendar, provider, clock, tally)


def _read_anew(lease: Lease, calendar: Calendar, provider: CalendarProvider, clock: Clock, tally: Tally) -> None:
    """Everything in today's window, compared with what is known. Until it has come to its end the old cursor stays,
    and when it breaks off that one is used for a while.
    """
    try:
        pull_changes(lease=lease, calendar=calendar, provider=provider, clock=clock, tally=tally, anew=True)
    except ProviderError:
        leases.hold(lease, now=clock(), reread_at=clock() + REREAD_PAUSE)
        raise


def _may_work(calendar: Calendar, clock: Clock) -> bool:
    paused = calendar.not_before is not None and calendar.not_before > clock()
    return calendar.is_active and calendar.account.is_active and not paused
