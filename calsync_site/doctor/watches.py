"""Watches: do changes announce themselves, or are calendars only polled."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from calendars.models import Calendar, CalendarQuerySet, Watch, WatchState
from calsync.engine.events import Platform
from calsync_site.doctor.finding import Finding, ok, warning

OVERDUE = timedelta(minutes=10)
"""Renewal runs every minute: so long after its time, something keeps it from happening."""


def look_at_watches(*, now: datetime) -> list[Finding]:
    """Live, overdue, refused and missing push channels of active calendars."""
    active = Calendar.objects.active()
    if not settings.CALSYNC_PUBLIC_URL:
        every = settings.CALSYNC_POLL_SECONDS
        text = f"CALSYNC_PUBLIC_URL is unset: changes are found by polling every {every} s only."
        return [warning("watches", text, "Set CALSYNC_PUBLIC_URL to the https address at which providers reach us.")]
    covered = Calendar.objects.filter(watches__state=WatchState.LIVE, watches__expires_at__gt=now)
    watched = active.filter(pk__in=covered.values("pk")).count()
    found = [ok("watches", f"{watched} of {active.count()} active calendars have a live push channel.")]
    return [*found, *_overdue(now), *_refused(covered), *_missing(active.count() - watched)]


def _overdue(now: datetime) -> list[Finding]:
    overdue = Watch.objects.filter(state=WatchState.LIVE, renew_at__lt=now - OVERDUE, calendar__is_active=True)
    if not (count := overdue.count()):
        return []
    reason = overdue.exclude(state_reason="").values_list("state_reason", flat=True).first()
    text = f"{count} push channels expire and are not renewed{': ' + reason if reason else ''}."
    return [warning("watches.expiring", text, "See that manage.py worker runs; until then calendars are polled.")]


def _refused(covered: CalendarQuerySet) -> list[Finding]:
    """Per platform, since the cause is: the newest reason of calendars that have no other channel."""
    found: list[Finding] = []
    for platform in Platform:
        refused = Watch.objects.filter(state=WatchState.REFUSED, calendar__account__platform=platform.value)
        lasting = refused.filter(calendar__is_active=True).exclude(calendar__in=covered.values("pk")).order_by("-pk")
        newest = lasting.first()
        if newest is not None:
            count = lasting.values("calendar_id").distinct().count()
            text = f"{count} {platform} calendars were refused a push channel: {newest.state_reason}"
            remedy = f"See that {settings.CALSYNC_PUBLIC_URL}/hooks/ can be reached by the provider over https."
            found.append(warning(f"watches.refused.{platform}", text, remedy))
    return found


def _missing(count: int) -> list[Finding]:
    if not count:
        return []
    text = f"{count} active calendars have no push channel and are polled every {settings.CALSYNC_POLL_SECONDS} s."
    return [warning("watches.missing", text, "See that manage.py worker runs: it asks for channels every minute.")]
