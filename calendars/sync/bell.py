"""The bell: tell a worker that a calendar wants a turn. The row remembers; the queue only makes it fast."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q
from django_q.tasks import async_task
from redis import RedisError

from calendars.models import Calendar

logger = logging.getLogger(__name__)

STALE_BELL = timedelta(seconds=30)
"""A queued task that has not begun after this long may be lost: the next ring queues another."""


def ring(*, calendar_ids: Iterable[int], now: datetime) -> None:
    """Mark calendars as wanting a turn and queue one task for each that has none queued (this folds bursts)."""
    Calendar.objects.filter(pk__in=list(calendar_ids)).ring(now=now)
    call(calendar_ids=calendar_ids, now=now)


def call(*, calendar_ids: Iterable[int], now: datetime) -> int:
    """Queue a turn for calendars that have work already, without asking for another read; returns how many."""
    called = 0
    silent = Q(rung_at__isnull=True) | Q(rung_at__lt=now - STALE_BELL)
    for calendar_id in calendar_ids:
        if Calendar.objects.filter(silent, pk=calendar_id).update(rung_at=now):
            transaction.on_commit(partial(_enqueue, calendar_id))
            called += 1
    return called


def _enqueue(calendar_id: int) -> None:
    try:
        async_task("calendars.tasks.work", calendar_id, save=False)
    except RedisError as error:
        # Whoever rang has done what they could: the row remembers, and the sweep calls again.
        logger.warning("bell.not_queued calendar=%s error=%s", calendar_id, type(error).__name__)
        Calendar.objects.filter(pk=calendar_id).update(rung_at=None)
