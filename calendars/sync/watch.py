"""Watch: push channels at the providers: made, renewed with overlap, dropped. Polling goes on beside them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q

from calendars import gateway, rows
from calendars.models import Calendar, Watch, WatchState
from calendars.sync.clock import Clock
from calendars.sync.trouble import log_defect
from calsync.engine.events import Platform
from calsync.providers.base import ProviderError, Subscription

logger = logging.getLogger(__name__)

STATE_FIELDS = ("state", "state_since", "state_reason")
Row = TypeVar("Row", Watch, Calendar)

RETRY_REFUSED = timedelta(minutes=10)
SILENCE = timedelta(minutes=4)
"""So long after a change at the provider its announcement is lost: Graph may take three minutes."""
SILENT = "A change was not announced."
MUTE = "Nothing was ever heard from this channel."


def ensure_watches(*, clock: Clock) -> dict[str, int]:
    """Give every active calendar a live channel; returns counts of made, renewed and refused ones.

    Without CALSYNC_PUBLIC_URL nothing is asked for: the providers could not call back.
    """
    counts = {"made": 0, "renewed": 0, "refused": 0}
    if not settings.CALSYNC_PUBLIC_URL:
        return counts
    _silence(clock())
    for watch in _expiring(clock()):
        counts[_guarded(_renew, watch, clock)] += 1
    for calendar in _unwatched(clock()):
        counts[_guarded(_subscribe, calendar, clock)] += 1
    return counts


def _guarded(do: Callable[[Row, Clock], str], row: Row, clock: Clock) -> str:
    """A defect with one calendar leaves the others their channels."""
    try:
        return do(row, clock)
    except DatabaseError:
        raise
    except Exception as error:  # the outermost line for one calendar
        log_defect(logger, "watch.defect", error, row=row.pk)
        return "refused"


def give_up(watch: Watch, state: WatchState, *, now: datetime, reason: str) -> None:
    """A channel is not relied on any more: its calendar is read at once, since nobody tells what changed."""
    watch.enter(state, now=now, reason=reason)
    watch.save(update_fields=STATE_FIELDS)
    Calendar.objects.filter(pk=watch.calendar_id).ring(now=now)


def _silence(now: datetime) -> None:
    """Channels that owe news are dead, and made anew at once; those that never spoke count as refused, and wait."""
    owing = Watch.objects.filter(state=WatchState.LIVE, owed_since__lt=now - SILENCE)
    for watch in owing.exclude(heard_at=None).order_by("pk"):
        give_up(watch, WatchState.DEAD, now=now, reason=SILENT)
    unheard = Watch.objects.filter(state=WatchState.LIVE, heard_at=None)
    first_word = Q(state_since__lt=now - SILENCE, calendar__account__platform=Platform.GOOGLE.value)
    for watch in unheard.filter(first_word | Q(owed_since__lt=now - SILENCE)).order_by("pk"):
        give_up(watch, WatchState.REFUSED, now=now, reason=MUTE)


def stop_watches(calendar: Calendar, *, clock: Clock) -> None:
    """Drop all live channels of a calendar."""
    for watch in calendar.watches.filter(state=WatchState.LIVE).order_by("pk"):
        _stop(watch, clock)


def _expiring(now: datetime) -> list[Watch]:
    live = Watch.objects.filter(state=WatchState.LIVE, renew_at__lte=now, calendar__is_active=True)
    return list(live.select_related("calendar__account").order_by("pk"))


def _unwatched(now: datetime) -> list[Calendar]:
    asked_lately = Q(state=WatchState.REFUSED, state_since__gt=now - RETRY_REFUSED)
    being_asked = Q(state=WatchState.ASKED, state_since__gt=now - timedelta(minutes=2))
    covered = Watch.objects.filter(Q(state=WatchState.LIVE, expires_at__gt=now) | asked_lately | being_asked)
    calendars = Calendar.objects.active().exclude(pk__in=covered.values("calendar_id"))
    return list(calendars.select_related("account").order_by("pk"))


def _subscribe(calendar: Calendar, clock: Clock) -> str:
    watch = Watch(calendar=calendar, secret=secrets.token_urlsafe(32), state_since=clock())
    # Google uses our id for the channel and may speak before it has answered us; Graph's id comes with the answer.
    watch.subscription_id = str(watch.channel_id) if calendar.platform == Platform.GOOGLE else ""
    watch.save()
    hook = f"{settings.CALSYNC_PUBLIC_URL}/hooks/{'google' if calendar.platform == Platform.GOOGLE else 'graph'}"
    try:
        given = gateway.provider_for(calendar.account).subscribe(
            rows.mailbox_of(calendar),
            url=hook,
            lifecycle_url=hook,
            secret=watch.secret,
            channel_id=str(watch.channel_id),
        )
    except ProviderError as error:
        watch.enter(WatchState.REFUSED, now=clock(), reason=str(error))
        watch.save(update_fields=STATE_FIELDS)
        logger.warning("watch.refused calendar=%s status=%s code=%s", calendar.pk, error.status, error.code)
        return "refused"
    _note(watch, given, clock())
    for dead in calendar.watches.filter(state=WatchState.DEAD).order_by("pk"):
        _stop(dead, clock)
    # What happened between the last read and the new channel is announced by nobody.
    Calendar.objects.filter(pk=calendar.pk).ring(now=clock())
    return "made"


def _renew(watch: Watch, clock: Clock) -> str:
    """Prolong, or where the provider cannot, make a new channel first and drop the old one afterwards."""
    try:
        given = gateway.provider_for(watch.calendar.account).renew(rows.mailbox_of(watch.calendar), _given(watch))
    except ProviderError as error:
        watch.renew_at = clock() + RETRY_REFUSED
        watch.state_reason = str(error)[:255]
        watch.save(update_fields=["renew_at", "state_reason"])
        return "refused"
    if given is not None:
        _note(watch, given, clock())
        return "renewed"
    outcome = _subscribe(watch.calendar, clock)
    if outcome == "made":
        _stop(watch, clock)
        return "renewed"
    return outcome


def _stop(watch: Watch, clock: Clock) -> None:
    try:
        gateway.provider_for(watch.calendar.account).unsubscribe(rows.mailbox_of(watch.calendar), _given(watch))
    except ProviderError as error:
        logger.info("watch.stop_failed calendar=%s status=%s", watch.calendar_id, error.status)
    watch.enter(WatchState.STOPPED, now=clock(), reason=watch.state_reason)
    watch.save(update_fields=STATE_FIELDS)


def _note(watch: Watch, given: Subscription, now: datetime) -> None:
    watch.subscription_id, watch.resource_id = given.subscription_id, given.resource_id
    watch.lives_until(given.expires_at, now=now)
    watch.enter(WatchState.LIVE, now=now)
    watch.save(update_fields=("subscription_id", "resource_id", "expires_at", "renew_at", *STATE_FIELDS))


def _given(watch: Watch) -> Subscription:
    expires_at = watch.expires_at or watch.state_since
    return Subscription(watch.subscription_id, watch.resource_id, expires_at)
