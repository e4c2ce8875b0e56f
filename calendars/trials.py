"""Trials: every few minutes each connection is asked for a token anew and for one mailbox, whatever tokens are held.

What lives here: what only an idle connection would hide (an expired secret, withdrawn consent, subscriptions that the
provider forgot), at a cost per connection and not per calendar. What does not: reading calendars (``sync``), working
out states (``health``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Case, IntegerField, Q, Value, When

from accounts.models import Health, LinkedAccount, ReachedThrough, TenantConnection
from accounts.models.health import MAX_REASON
from calendars import gateway
from calendars.models import Watch, WatchState
from calendars.sync.clock import Clock
from calendars.sync.trouble import log_defect
from calendars.sync.watch import give_up
from calsync.engine.events import Platform
from calsync.providers.base import (
    AccessDenied,
    AuthenticationFailed,
    CalendarProvider,
    MailboxUnavailable,
    NotFound,
    ProviderError,
)

logger = logging.getLogger(__name__)

TRY_EVERY = timedelta(minutes=3)
"""With a schedule of a minute, the health page knows a refusal within five."""

MOST_TRIED = 3
"""One mailbox that is closed says nothing about the connection: so many are tried."""

SETTLING = timedelta(minutes=1)
"""A channel that is younger may not be in the provider's list yet."""

FORGOTTEN = "The provider does not know this channel any more."


def try_connections(*, clock: Clock) -> dict[str, int]:
    """Try each connection whose trial is due; returns how many let us in, refused and could not be asked."""
    counts = {"let_in": 0, "refused": 0, "unknown": 0}
    due = TenantConnection.objects.filter(_is_due(clock())).order_by("pk")
    for pk in list(due.values_list("pk", flat=True)):
        addresses = _addresses(pk)
        if addresses and _claim(pk, clock()):
            counts[_guarded(pk, addresses, clock)] += 1
    return counts


def _guarded(pk: int, addresses: Sequence[str], clock: Clock) -> str:
    """A defect with one connection (credentials that no key opens, say) leaves the others their trials."""
    try:
        return _try(TenantConnection.objects.get(pk=pk), addresses, clock)
    except DatabaseError:
        raise
    except Exception as error:  # the outermost line for one connection
        log_defect(logger, "trial.defect", error, connection=pk)
        return "unknown"


def _is_due(now: datetime) -> Q:
    return Q(tried_at=None) | Q(tried_at__lte=now - TRY_EVERY) | Q(tried_at__gt=now)  # the last: a clock was put back


def _claim(pk: int, now: datetime) -> bool:
    return bool(TenantConnection.objects.filter(_is_due(now), pk=pk).update(tried_at=now))


def _addresses(pk: int) -> list[str]:
    """Mailboxes to ask for, those first that answered last time."""
    well = Case(When(state=Health.HEALTHY, then=Value(0)), default=Value(1), output_field=IntegerField())
    synced = LinkedAccount.objects.in_use().filter(connection=pk, reached_through=ReachedThrough.TENANT)
    synced = synced.filter(calendars__is_active=True).order_by(well, "-last_success_at", "pk")
    return list(dict.fromkeys(synced.values_list("address", flat=True)[: MOST_TRIED * 2]))[:MOST_TRIED]


def _try(row: TenantConnection, addresses: Sequence[str], clock: Clock) -> str:
    try:
        provider = gateway.adapter_of(row, Platform(row.platform))
        refusal = _ask(provider, addresses)
        if refusal is None:
            _compare_channels(row, provider, clock)
    except AuthenticationFailed as error:
        refusal = error
    except ProviderError as error:
        logger.info("trial.unknown connection=%s error=%s status=%s", row.pk, type(error).__name__, error.status)
        return "unknown"  # passing trouble: what was known stays so
    told = (str(refusal)[:MAX_REASON], refusal.remedy) if refusal else ("", "")
    found = TenantConnection.objects.filter(pk=row.pk)
    found.update(refused_reason=told[0], refused_remedy=told[1])
    if refusal is None:
        found.update(last_success_at=clock())
        return "let_in"
    if not row.refused_reason:
        logger.warning("trial.refused connection=%s status=%s code=%s", row.pk, refusal.status, refusal.code)
    return "refused"


def _ask(provider: CalendarProvider, addresses: Sequence[str]) -> ProviderError | None:
    """Why all of the mailboxes are closed in the same way; None when one is open or they are closed for their own sake.

    Raises AuthenticationFailed, which concerns all of them, and whatever else came between.
    """
    denied: list[ProviderError] = []
    for address in addresses:
        try:
            provider.try_access(address)
        except AccessDenied as error:
            denied.append(error)
        except (MailboxUnavailable, NotFound):
            continue
        else:
            return None
    return denied[0] if len(denied) == len(addresses) else None


def _compare_channels(row: TenantConnection, provider: CalendarProvider, clock: Clock) -> None:
    """Channels that the provider has forgotten are dead; the next look at channels makes new ones."""
    before = clock() - SETTLING
    known = provider.known_channels()
    if known is None:
        return
    ours = Watch.objects.filter(state=WatchState.LIVE, state_since__lt=before, calendar__account__connection=row)
    ours = ours.filter(calendar__account__platform=row.platform)
    for watch in ours.order_by("pk"):
        if watch.subscription_id not in known:
            give_up(watch, WatchState.DEAD, now=clock(), reason=FORGOTTEN)
