"""Health in one place: how calendars, mailboxes and connections are doing, worked out from rows and stored.

The pipeline notes on a calendar at once what a read or write met; here is what only time shows (nobody reads any more),
and what follows for the mailbox and for the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Consent, HasHealth, Health, LinkedAccount, ReachedThrough, TenantConnection
from calendars.models import Calendar

OVERDUE = timedelta(minutes=4)
"""A poll so late means that no worker reads: the check runs every minute, so that it shows within five."""

WORST_FIRST = (
    Health.ACTION_REQUIRED,
    Health.DELAYED,
    Health.IMPORTING,
    Health.CATCHING_UP,
    Health.HEALTHY,
    Health.WAITING,
    Health.DISABLED,
)
START_A_WORKER = "See that manage.py worker runs; manage.py doctor tells more."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How something is doing, why and what helps."""

    state: Health
    reason: str = ""
    remedy: str = ""


def check_health(*, now: datetime) -> int:
    """Work out and store all that rows tell; returns how many states changed. Safe to repeat."""
    return _late_calendars(now) + _mailboxes(now) + _connections(now)


def _late_calendars(now: datetime) -> int:
    """Healthy ones that nobody reads. The next read makes them healthy again, so that nothing is undone here."""
    late = Calendar.objects.active().filter(state=Health.HEALTHY, next_poll_at__lt=now - OVERDUE)
    unserved = Calendar.objects.active().filter(state=Health.HEALTHY, dirty_at__lt=now - OVERDUE)
    told = {"state_reason": "It is due to be read and no worker reads it.", "state_remedy": START_A_WORKER}
    return (late | unserved).update(state=Health.DELAYED, state_since=now, **told)


@transaction.atomic
def _mailboxes(now: datetime) -> int:
    accounts = list(LinkedAccount.objects.in_use().select_for_update().order_by("pk"))
    parts: dict[int, list[HasHealth]] = {consent.account_id: [consent] for consent in _ended_consents()}
    for calendar in Calendar.objects.filter(is_active=True).order_by("pk").defer("cursor"):
        parts.setdefault(calendar.account_id, []).append(calendar)
    return _store(LinkedAccount.objects.all(), [(one, parts.get(one.pk, [])) for one in accounts], now=now)


def _ended_consents() -> QuerySet[Consent]:
    """Those without which a mailbox is not reached: no tenant connection of its own has taken over."""
    ended = Consent.objects.filter(state=Health.ACTION_REQUIRED, account__reached_through=ReachedThrough.CONSENT)
    return ended.exclude(account__connection__from_environment=False).defer("access_token", "refresh_token")


@transaction.atomic
def _connections(now: datetime) -> int:
    """A connection is as well as the best of its mailboxes: one that is let in proves it, and one that has no licence
    says nothing about the others. One that its owner's consent opens says nothing of the environment's connection.
    """
    accounts: dict[int, list[LinkedAccount]] = {}
    by_consent = Q(reached_through=ReachedThrough.CONSENT, connection__from_environment=True)
    for account in LinkedAccount.objects.in_use().exclude(connection=None).exclude(by_consent).order_by("pk"):
        accounts.setdefault(account.connection_id or 0, []).append(account)
    rows = TenantConnection.objects.select_for_update().defer("credentials").filter(pk__in=accounts).order_by("pk")
    pairs = []
    for row in rows:
        tried = [one for one in accounts[row.pk] if one.state not in (Health.WAITING, Health.DISABLED)]
        best = max(tried, key=lambda one: WORST_FIRST.index(Health(one.state)), default=None)
        if best is not None:
            pairs.append((row, [best]))
    return _store(TenantConnection.objects.all(), pairs, now=now)


def _store(
    rows: QuerySet[LinkedAccount] | QuerySet[TenantConnection],
    pairs: Sequence[tuple[HasHealth, Sequence[HasHealth]]],
    *,
    now: datetime,
) -> int:
    changed = 0
    for row, parts in pairs:
        before, succeeded = row.state_values(), row.last_success_at
        verdict = worst(parts)
        row.enter(verdict.state, now=now, reason=verdict.reason, remedy=verdict.remedy)
        row.last_success_at = max((one.last_success_at for one in parts if one.last_success_at), default=succeeded)
        if before != row.state_values():
            changed += before["state"] != row.state
            rows.filter(pk=row.pk).update(last_success_at=row.last_success_at, **row.state_values())
        elif row.last_success_at != succeeded:
            rows.filter(pk=row.pk).update(last_success_at=row.last_success_at)
    return changed


def worst(parts: Sequence[HasHealth]) -> Verdict:
    """What the worst of several parts says for the whole."""
    if not parts:
        return Verdict(Health.WAITING, "No calendar of it is active.", "manage.py activate_sync")
    found = min(parts, key=lambda one: WORST_FIRST.index(Health(one.state)))
    return Verdict(Health(found.state), found.state_reason, found.state_remedy)
