"""Sweep: find the work that rows remember and no bell announces (lost tasks, killed workers, due polls)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings

from calendars import selectors
from calendars.models import Calendar
from calendars.sync import bell
from calendars.sync.pacing import let_go

logger = logging.getLogger(__name__)

HORIZON_SLACK = timedelta(days=30)
"""A calendar's window is read anew when less than (ahead days - this) is left of it."""

ROLLED_AT_ONCE = 200
"""Calendars that were activated together must not all be read anew in the same minute."""


def sweep(*, now: datetime) -> int:
    """Queue a turn for every calendar with unserved work; returns how many."""
    let_go(calendars=Calendar.objects.active(), now=now)
    due = selectors.due_calendar_ids(Calendar.objects.active(), now=now)
    called = bell.call(calendar_ids=due, now=now)
    if called:
        logger.info("sweep.called calendars=%s", called)
    return called


def poll_due(*, now: datetime) -> int:
    """Ring every calendar whose poll is due; returns how many."""
    due = list(Calendar.objects.due_for_poll(now=now).order_by("next_poll_at").values_list("pk", flat=True)[:5000])
    Calendar.objects.filter(pk__in=due).update(next_poll_at=now + timedelta(seconds=settings.CALSYNC_POLL_SECONDS))
    roll_windows(now=now)
    bell.ring(calendar_ids=due, now=now)
    return len(due)


def roll_windows(*, now: datetime) -> int:
    """Have calendars whose window is running out read anew, with a window that begins today; returns how many."""
    ahead = timedelta(days=settings.CALSYNC_WINDOW_AHEAD_DAYS)
    behind = Calendar.objects.active().filter(window_end__lt=now + ahead - HORIZON_SLACK, reread_at=None)
    chosen = list(behind.exclude(cursor="").order_by("window_end", "pk").values_list("pk", flat=True)[:ROLLED_AT_ONCE])
    return Calendar.objects.filter(pk__in=chosen, reread_at=None).reread(now=now)
