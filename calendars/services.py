"""What people and commands may ask of calendars: mapping, activation, clean-up. Each change of rows starts here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django_q.models import Failure

from accounts.models import Clearance, Health, LinkedAccount
from accounts.models.health import STATE_FIELDS
from accounts.trail import record
from calendars import gateway
from calendars.models import (
    AuditRun,
    Calendar,
    CalendarQuerySet,
    Event,
    EventEntry,
    Finding,
    HookCount,
    Link,
    LinkState,
    Operation,
    OperationState,
)
from calendars.sync.audit import REMEDIES, AuditReport, audit_pair, audit_window, audited_pairs
from calendars.sync.audit_colleagues import audit_alone, audited_alone, compare_copies
from calendars.sync.clock import Clock
from calendars.sync.history import BEGINNINGS
from calendars.sync.latecomers import welcome
from calendars.sync.repair import repair
from calendars.sync.run import RunReport, serve
from calendars.sync.tally import Tally
from calsync.engine.plan import FindingKind
from calsync.engine.policy import Role
from calsync.providers.base import ProviderError

_FEW = 500


def ensure_primary_calendars(accounts: Sequence[LinkedAccount]) -> int:
    """Give each linked account its primary calendar; returns how many were made. Safe to repeat."""
    lacking = LinkedAccount.objects.exclude(pk__in=Calendar.objects.filter(is_primary=True).values("account_id"))
    if len(accounts) <= _FEW:  # a long list of parameters would be refused; then all are looked at
        lacking = lacking.filter(pk__in=[account.pk for account in accounts])
    wanted = {account.pk for account in accounts}
    missing = [
        Calendar(account_id=account_id, time_zone=zone)
        for account_id, zone in lacking.order_by("pk").values_list("pk", "person__time_zone")
        if account_id in wanted
    ]
    Calendar.objects.bulk_create(missing, batch_size=500)
    return len(missing)


def look_up(calendar: Calendar) -> None:
    """Ask the provider for a primary calendar's name and zone, and note them. Raises ProviderError."""
    for info in gateway.provider_for(calendar.account).calendars(calendar.account.address):
        if info.is_primary:
            calendar.name, calendar.time_zone = info.name[:255], info.zone
            calendar.save(update_fields=["name", "time_zone"])


def activate(*, calendars: CalendarQuerySet, from_now: bool, now: datetime) -> list[Calendar]:
    """Switch calendars on and have them read. Those already active are left as they are; returns all of them."""
    with transaction.atomic():
        chosen = list(calendars.select_related("account__person").order_by("pk"))
        fresh = [calendar for calendar in chosen if not calendar.is_active]
        for calendar in fresh:
            calendar.is_active, calendar.activated_at = True, now
            calendar.leaves_existing_alone = from_now
            calendar.enter(Health.IMPORTING, now=now)
        Calendar.objects.bulk_update(
            chosen,
            ["is_active", "activated_at", "leaves_existing_alone", *STATE_FIELDS],
            batch_size=500,
        )
        # One that was on before begins with a complete read, after which what it missed meanwhile is made up for.
        again = Calendar.objects.filter(pk__in=[calendar.pk for calendar in fresh if calendar.imported_at])
        again.update(cursor="", imported_at=None, window_start=None, window_end=None, fence=F("fence") + 1)
        Calendar.objects.filter(pk__in=[calendar.pk for calendar in chosen]).ring(now=now)
        if fresh:
            record("calendars.activated", name=_named(fresh), now=now, calendars=len(fresh), from_now=str(from_now))
    welcome(calendars=fresh, now=now)
    return chosen


def _named(calendars: Sequence[Calendar]) -> str:
    """One person's address, or how many calendars."""
    people = {calendar.account.person.email for calendar in calendars}
    return people.pop() if len(people) == 1 else f"{len(calendars)} calendars of {len(people)} people"


def deactivate(*, calendars: CalendarQuerySet, now: datetime, reason: str) -> int:
    """Switch calendars off: they are neither read nor written any more, and what was copied stays where it is.

    Returns how many were on. A worker in the middle of a step finishes it.
    """
    with transaction.atomic():
        active = list(calendars.filter(is_active=True).select_related("account__person").order_by("pk"))
        count = calendars.filter(is_active=True).update(
            is_active=False, state=Health.DISABLED, state_since=now, state_reason=reason[:255], state_remedy=""
        )
        if active:
            record("calendars.deactivated", name=_named(active), reason=reason, now=now, calendars=len(active))
    return count


def classify(*, calendars: CalendarQuerySet, level: Clearance, reason: str, now: datetime) -> int:
    """Set what the events of calendars are at least; returns how many calendars changed."""
    with transaction.atomic():
        changed = list(calendars.exclude(classification=level).select_related("account__person").order_by("pk"))
        Calendar.objects.filter(pk__in=[calendar.pk for calendar in changed]).update(classification=level)
        if changed:
            record("calendars.classified", name=_named(changed), reason=reason, now=now, level=level.label)
    return len(changed)


@dataclass(frozen=True, slots=True)
class Totals:
    """The state of the copies in some calendars, read from the rows: who made them does not matter."""

    events: int
    adopted: int  # pairs that stood on both sides already
    copied: int  # copies that we made
    held: int  # events that the other side cannot hold, and deletions that wait for a person
    parked: int


def totals(calendars: CalendarQuerySet) -> Totals:
    """Count what stands where, for a report."""
    standing = Link.objects.filter(calendar__in=calendars, state=LinkState.ACTIVE)
    # A colleague's own copy that the invitation made is nobody's pair.
    pairs = standing.exclude(role__in=(Role.ORIGIN, Role.NATIVE)).exclude(remote_id="")
    made = Operation.objects.filter(kind="create", state=OperationState.DONE, calendar__in=calendars)
    copied = pairs.filter(pk__in=made.values("link_id")).count()
    unrepresentable = Finding.objects.filter(
        kind=FindingKind.CANNOT_REPRESENT, calendar__in=calendars, settled_at__isnull=True
    )
    return Totals(
        events=Event.objects.filter(links__in=standing, deleted_at__isnull=True).distinct().count(),
        adopted=pairs.count() - copied,
        copied=copied,
        held=unrepresentable.count() + Link.objects.filter(calendar__in=calendars, state=LinkState.HELD).count(),
        parked=Operation.objects.filter(calendar__in=calendars, state=OperationState.PARKED).count(),
    )


def clean_up(*, now: datetime) -> dict[str, int]:
    """Drop finished operations, old counts, old lines of history and events that are gone everywhere; returns counts.

    How an event began stays in its history for as long as the event does.
    """
    before = now - timedelta(days=settings.CALSYNC_KEEP_DONE_DAYS)
    closed = Operation.objects.filter(state__in=[OperationState.DONE, OperationState.DROPPED], closed_at__lt=before)
    standing = Link.objects.exclude(state=LinkState.GONE)
    dead = Event.objects.filter(deleted_at__lt=before).exclude(links__in=standing).exclude(parts__links__in=standing)
    entries = EventEntry.objects.filter(at__lt=before).exclude(kind__in=BEGINNINGS)
    hooks = HookCount.objects.filter(day__lt=before.date())
    failures = Failure.objects.filter(stopped__lt=before)  # the queue itself keeps them for ever
    outdated = {
        "operations": closed,
        "events": dead,
        "entries": entries,
        "hook_counts": hooks,
        "failures": failures,
    }
    return {name: found.delete()[0] for name, found in outdated.items()}


def audit_calendars(
    *, calendars: CalendarQuerySet, clock: Clock, progress: Callable[[int], object] = bool
) -> AuditReport:
    """Audit every pair in scope and keep the result for the history."""
    started = clock()
    report = AuditReport()
    audits: list[tuple[Calendar, Callable[[], object]]] = [
        *((left, partial(_audit_two, left, right, clock, report)) for left, right in audited_pairs(calendars)),
        *((one, partial(_audit_one, one, clock, report)) for one in audited_alone(calendars)),
    ]
    for position, (calendar, audit) in enumerate(audits, start=1):
        try:
            audit()
        except ProviderError as error:
            report.unread.append((calendar, f"{error} {error.remedy}"))
        progress(position)
    AuditRun.objects.create(
        started_at=started,
        finished_at=clock(),
        scope=f"{calendars.count()} calendars",
        match_rate=report.match_rate,
        counts={"matched": report.matched, **{kind: report.count(kind) for kind in REMEDIES}},
    )
    return report


def count_audits(calendars: CalendarQuerySet) -> int:
    """How many steps an audit of these calendars takes."""
    return sum(1 for _ in audited_pairs(calendars)) + len(audited_alone(calendars))


def _audit_two(left: Calendar, right: Calendar, clock: Clock, report: AuditReport) -> None:
    now = clock()
    for side in audit_pair(left, right, now=now, report=report):
        compare_copies(side, audit_window(now, left, right), report)


def _audit_one(calendar: Calendar, clock: Clock, report: AuditReport) -> None:
    audit_alone(calendar, now=clock(), report=report)


def repair_differences(*, calendars: CalendarQuerySet, report: AuditReport, clock: Clock) -> RunReport:
    """Plan what mends an audit's differences and carry it out."""
    now = clock()
    repair(differences=report.differences, now=now, tally=Tally())
    if report.differences:
        chosen = list(calendars.select_related("account__person").order_by("pk"))
        record("copies.repaired", name=_named(chosen), now=now, differences=len(report.differences))
    return serve(calendars=calendars, clock=clock, until_idle=True)
