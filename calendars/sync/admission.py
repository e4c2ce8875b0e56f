"""Admission: events that lay beyond the horizon of their rule come in when their time has come, by a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from calendars.models import Link, Withheld
from calendars.sync import bell
from calendars.sync.reconsider import reconsider
from calendars.sync.tally import Tally
from calsync.engine import masking

MOST_AT_ONCE = 500


def admit_due(*, now: datetime) -> int:
    """Look again at the events that begin within their rule's horizon by now; returns how many."""
    due = sorted(set(_due(now)))[:MOST_AT_ONCE]
    tally = Tally()
    reconsider(due, now=now, tally=tally)
    bell.call(calendar_ids=sorted(tally.rung), now=now)
    return len(due)


def _due(now: datetime) -> Iterator[int]:
    waiting = Link.objects.filter(withheld=Withheld.BEYOND, event__deleted_at__isnull=True).order_by("event__starts_at")
    for event_id, starts_at, stored in waiting.values_list("event_id", "event__starts_at", "treatment").iterator():
        horizon = masking.load(stored).horizon_days
        if horizon is None or starts_at <= now + timedelta(days=horizon):
            yield event_id
