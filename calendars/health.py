"""Health in one place: how calendars, mailboxes and connections are doing, worked out from rows and stored.

The pipeline notes on a calendar at once what a read or write met; here is what only time shows (``standing``), and what
follows for the mailbox and for the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Consent, HasHealth, Health, LinkedAccount, ReachedThrough, TenantConnection
from calendars.alarms import tell_of_connections
from calendars.models import Calendar, CalendarQuerySet
from calendars.standing import WELL, Verdict, answering, troubled

WORST_FIRST = (
    Health.ACTION_REQUIRED,
    Health.DELAYED,
    Health.IMPORTING,
    Health.CATCHING_UP,
    Health.HEALTHY,
    Health.WAITING,
    Health.DISABLED,
)

PORTION = 500

Found = tuple[Verdict, datetime | None]
"""How something is doing, and when a part of it last succeeded."""


def check_health(*, now: datetime) -> int:
    """Work out and store all that rows tell; returns how many states changed. Safe to repeat."""
    changed = _calendars(now) + _mailboxes(now) + _connections(now)
    tell_of_connections(now=now)
    return changed


def _calendars(now: datetime) -> int:
    """Stored in portions of one verdict each, and only where the calendar still answers: a worker may note trouble in
    the same moment.
    """
    here = answering(now=now)
    found = troubled(here, now=now)
    changing: dict[tuple[Verdict, bool], list[int]] = {}
    for calendar in here.order_by("pk").defer("cursor").iterator(chunk_size=2_000):
        verdict = found.get(calendar.pk, WELL)
        if calendar.tells() != (verdict.state, verdict.reason, verdict.remedy):
            changing.setdefault((verdict, calendar.state == verdict.state), []).append(calendar.pk)
    return sum(_set(here, pks, verdict, same, now) for (verdict, same), pks in changing.items())


def _set(here: CalendarQuerySet, pks: Sequence[int], verdict: Verdict, same: bool, now: datetime) -> int:
    told: dict[str, object] = {"state_reason": verdict.reason, "state_remedy": verdict.remedy}
    if not same:
        told |= {"state": verdict.state, "state_since": now}
    starts = range(0, len(pks), PORTION)
    done = sum(here.filter(pk__in=pks[start : start + PORTION]).update(**told) for start in starts)
    return 0 if same else done


@transaction.atomic
def _mailboxes(now: datetime) -> int:
    accounts = list(LinkedAccount.objects.in_use().select_for_update().order_by("pk"))
    parts: dict[int, list[HasHealth]] = {consent.account_id: [consent] for consent in _ended_consents()}
    for calendar in Calendar.objects.filter(is_active=True).order_by("pk").defer("cursor"):
        parts.setdefault(calendar.account_id, []).append(calendar)
    return _store(LinkedAccount.objects.all(), [(one, worst(parts.get(one.pk, []))) for one in accounts], now=now)


def _ended_consents() -> QuerySet[Consent]:
    """Those without which a mailbox is not reached: no tenant connection of its own has taken over."""
    ended = Consent.objects.filter(state=Health.ACTION_REQUIRED, account__reached_through=ReachedThrough.CONSENT)
    return ended.exclude(account__connection__from_environment=False).defer("access_token", "refresh_token")


@transaction.atomic
def _connections(now: datetime) -> int:
    """What the last trial was refused counts. Else a connection is as well as the best of its mailboxes: one that is
    let in proves it, and one that has no licence says nothing about the others. One that its owner's consent opens says
    nothing of the environment's connection.
    """
    accounts: dict[int, list[LinkedAccount]] = {}
    by_consent = Q(reached_through=ReachedThrough.CONSENT, connection__from_environment=True)
    for account in LinkedAccount.objects.in_use().exclude(connection=None).exclude(by_consent).order_by("pk"):
        accounts.setdefault(account.connection_id or 0, []).append(account)
    rows = TenantConnection.objects.select_for_update().defer("credentials").filter(pk__in=accounts).order_by("pk")
    pairs: list[tuple[TenantConnection, Found]] = []
    for row in rows:
        tried = [one for one in accounts[row.pk] if one.state not in (Health.WAITING, Health.DISABLED)]
        best = max(tried, key=lambda one: WORST_FIRST.index(Health(one.state)), default=None)
        if row.refused_reason:
            refused = Verdict(Health.ACTION_REQUIRED, row.refused_reason, row.refused_remedy)
            pairs.append((row, (refused, _last_success(tried))))
        elif best is not None:
            pairs.append((row, worst([best])))
    return _store(TenantConnection.objects.all(), pairs, now=now)


def _store(
    rows: QuerySet[LinkedAccount] | QuerySet[TenantConnection],
    pairs: Sequence[tuple[HasHealth, Found]],
    *,
    now: datetime,
) -> int:
    changed = 0
    for row, (verdict, parts_succeeded) in pairs:
        before, succeeded = row.state_values(), row.last_success_at
        row.enter(verdict.state, now=now, reason=verdict.reason, remedy=verdict.remedy)
        row.last_success_at = max((one for one in (succeeded, parts_succeeded) if one), default=None)
        if before != row.state_values():
            changed += before["state"] != row.state
            rows.filter(pk=row.pk).update(last_success_at=row.last_success_at, **row.state_values())
        elif row.last_success_at != succeeded:
            rows.filter(pk=row.pk).update(last_success_at=row.last_success_at)
    return changed


def worst(parts: Sequence[HasHealth]) -> Found:
    """What the worst of several parts says for the whole."""
    if not parts:
        return Verdict(Health.WAITING, "No calendar of it is active.", "manage.py activate_sync"), None
    found = min(parts, key=lambda one: WORST_FIRST.index(Health(one.state)))
    return Verdict(Health(found.state), found.state_reason, found.state_remedy), _last_success(parts)


def _last_success(parts: Sequence[HasHealth]) -> datetime | None:
    return max((one.last_success_at for one in parts if one.last_success_at), default=None)
