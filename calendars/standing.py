"""Standing: what rows say of calendars that answer when they are asked: are they read, announced and written in time.

What lives here: questions. What a read or write met is noted by the pipeline at once (``sync.trouble``); storing what
is found here is the check's business (``health``), and a read's own (``sync.pull``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from accounts.models import Health
from accounts.models.health import MAX_REASON
from calendars.models import Calendar, CalendarQuerySet, Watch, WatchState

OVERDUE = timedelta(minutes=4)
"""A poll so late means that no worker reads: the check runs every minute, so that it shows within five."""

REFUSED_LATELY = timedelta(hours=1)
"""A refused channel is asked for again long before: an older refusal is history."""

START_A_WORKER = "See that manage.py worker runs; manage.py doctor tells more."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How something is doing, why and what helps."""

    state: Health
    reason: str = ""
    remedy: str = ""


WELL = Verdict(Health.HEALTHY)


def answering(*, now: datetime) -> CalendarQuerySet:
    """Active calendars that were read once and whose last call went well: their state is what rows say."""
    free = Q(not_before=None) | Q(not_before__lte=now)
    states = (Health.HEALTHY, Health.CATCHING_UP, Health.DELAYED)
    return Calendar.objects.active().filter(free, state__in=states, failures=0)


def after_reading(calendar: Calendar, *, now: datetime) -> Verdict:
    """How a calendar is doing that was read to the end just now."""
    here = Calendar.objects.filter(pk=calendar.pk)
    return dead_channels(here, now=now).get(calendar.pk, WELL)


def troubled(calendars: CalendarQuerySet, *, now: datetime) -> dict[int, Verdict]:
    """Of these calendars, those that are not well, by their ids; the graver verdict counts."""
    return {**dead_channels(calendars, now=now), **_unread(calendars, now)}


def _unread(calendars: CalendarQuerySet, now: datetime) -> dict[int, Verdict]:
    late = calendars.filter(Q(next_poll_at__lt=now - OVERDUE) | Q(dirty_at__lt=now - OVERDUE))
    verdict = Verdict(Health.DELAYED, "It is due to be read and no worker reads it.", START_A_WORKER)
    return dict.fromkeys(late.order_by("pk").values_list("pk", flat=True), verdict)


def dead_channels(calendars: CalendarQuerySet, *, now: datetime) -> dict[int, Verdict]:
    """Calendars that have no channel although they had or should have one; the newest tells why."""
    if not settings.CALSYNC_PUBLIC_URL:
        return {}
    ended = Q(state=WatchState.DEAD) | Q(state=WatchState.LIVE, expires_at__lte=now)
    refused = Q(state=WatchState.REFUSED, state_since__gt=now - REFUSED_LATELY)
    covered = Watch.objects.announcing(now=now).values("calendar_id")
    gone = Watch.objects.filter(ended | refused, calendar__in=calendars).exclude(calendar__in=covered)
    reasons = dict(gone.order_by("pk").values_list("calendar_id", "state_reason"))
    return {calendar_id: _unannounced(reason) for calendar_id, reason in reasons.items()}


def _unannounced(reason: str) -> Verdict:
    every = f"every {settings.CALSYNC_POLL_SECONDS} s"
    told = f"Changes are not announced, only found by reading {every}: {reason or 'The channel ran out.'}"[:MAX_REASON]
    remedy = (
        f"See that {settings.CALSYNC_PUBLIC_URL}/hooks/ can be reached by the provider over https; a new channel is "
        "asked for every ten minutes."
    )
    return Verdict(Health.DELAYED, told, remedy)
