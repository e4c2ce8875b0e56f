"""Standing: what rows say of calendars that answer when they are asked: are they read, announced and written in time.

What lives here: questions. What a read or write met is noted by the pipeline at once (``sync.trouble``); storing what
is found here is the check's business (``health``), and a read's own (``sync.pull``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q

from accounts.models import Health
from accounts.models.health import MAX_REASON
from calendars.models import IN_ITS_TURN, Calendar, CalendarQuerySet, Operation, Watch, WatchState

OVERDUE = timedelta(minutes=4)
"""A poll so late means that no worker reads: the check runs every minute, so that it shows within five."""

REFUSED_LATELY = timedelta(hours=1)
"""A refused channel is asked for again long before: an older refusal is history."""

BACKLOG_AGE = timedelta(minutes=2)
"""Writes that are due for longer are a backlog; a change that makes many of them is written in much less."""

NOTHING_TO_DO = "Nothing to do: it is being worked off."
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
    found = dead_channels(here, now=now) or backlogs(here, now=now)
    return found.get(calendar.pk, WELL)


def troubled(calendars: CalendarQuerySet, *, now: datetime) -> dict[int, Verdict]:
    """Of these calendars, those that are not well, by their ids; the graver verdict counts."""
    found: dict[int, Verdict] = {}
    for each in (_unread(calendars, now), dead_channels(calendars, now=now), backlogs(calendars, now=now)):
        found |= {pk: verdict for pk, verdict in each.items() if pk not in found or found[pk].state != Health.DELAYED}
    return found


def _unread(calendars: CalendarQuerySet, now: datetime) -> dict[int, Verdict]:
    late = calendars.filter(Q(next_poll_at__lt=now - OVERDUE) | Q(dirty_at__lt=now - OVERDUE)).order_by("pk")
    held = late.filter(lease_until__gt=now)
    nobody = Verdict(Health.DELAYED, "It is due to be read and no worker reads it.", START_A_WORKER)
    somebody = Verdict(Health.CATCHING_UP, "A worker has been reading what changed for minutes.", NOTHING_TO_DO)
    found = dict.fromkeys(late.values_list("pk", flat=True), nobody)
    return found | dict.fromkeys(held.values_list("pk", flat=True), somebody)


def backlogs(calendars: CalendarQuerySet, *, now: datetime) -> dict[int, Verdict]:
    """Calendars in which writes have waited for long: catching up while some are made, delayed when none is."""
    old = Q(due_at__lt=now - BACKLOG_AGE)
    waiting = Operation.objects.open().filter(old | Q(error_code=IN_ITS_TURN), calendar__in=calendars)
    counted = waiting.order_by().values_list("calendar_id").annotate(Count("pk"), Min("due_at"), Max("due_at"))
    found = {pk: (many, first, last) for pk, many, first, last in counted}
    if not found:
        return {}
    written = Operation.objects.filter(written_at__gt=now - OVERDUE, calendar__in=calendars)
    moving = set(written.order_by().values_list("calendar_id", flat=True).distinct())
    moving |= set(calendars.filter(lease_until__gt=now).values_list("pk", flat=True))
    return {
        pk: verdict for pk, facts in found.items() if (verdict := _backlog(*facts, moves=pk in moving, now=now)) != WELL
    }


def _backlog(many: int, first: datetime, last: datetime, *, moves: bool, now: datetime) -> Verdict:
    changes = f"{many} change{'s' if many > 1 else ''}"
    if moves or first >= now - BACKLOG_AGE:
        until = f", the last one at {last:%H:%M} UTC" if last > now else ""
        wait = "waits" if many == 1 else "wait"
        return Verdict(Health.CATCHING_UP, f"{changes} {wait} to be written{until}.", NOTHING_TO_DO)
    if first >= now - OVERDUE:
        return WELL
    return Verdict(Health.DELAYED, f"{changes} should have been written and no worker writes.", START_A_WORKER)


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
