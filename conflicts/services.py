"""Turning findings into cases, deciding them, and closing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q
from django_q.tasks import async_task

from accounts.models import User
from accounts.trail import record
from calendars import decisions
from calendars.choices import Decision
from calendars.models import Finding
from conflicts.models import Case, CaseState, OverlapPolicy
from notifications.services import Telling, tell_all

_BATCH = 500


def open_cases(*, now: datetime) -> int:
    """Open a case for every finding that has none, and tell the person; returns how many were opened.

    Safe to call twice and by several processes at once: findings are claimed row by row, and a finding has one case.
    """
    opened = 0
    while count := _open_batch(now=now):
        opened += count
    return opened


def decide_case(*, case: Case, decision: Decision, by: User, reason: str, now: datetime) -> str:
    """Carry out what a person decided and note who and why; returns what happens next, in a sentence.

    Safe to repeat. Raises ValidationError with a sentence when the decision is not open or cannot be carried out.
    """
    with transaction.atomic():
        current = Case.objects.select_for_update(of=("self",)).select_related("finding").get(pk=case.pk)
        is_new = current.finding.decision != decision
        told = decisions.decide(current.finding, decision, now=now)
        if is_new:
            current.decide(by_id=by.pk, now=now, reason=reason)
            if decisions.is_done(current.finding):
                current.close(now=now)
            current.save(update_fields=["state", "decided_at", "decided_by", "reason", "closed_at"])
            record("case.decided", target=current, reason=reason, by=by, now=now, decision=decision)
    return told


def close_settled(*, now: datetime) -> int:
    """Close the cases of which nothing is left to decide or to carry out; returns how many."""
    decisions.settle_resolved(now=now)
    moved = Q(finding__settled_at__isnull=False) | ~Q(finding__decision="")
    waiting = Case.objects.exclude(state=CaseState.CLOSED).filter(moved).select_related("finding")
    done = [case.pk for case in waiting.defer("finding__values").order_by("pk") if decisions.is_done(case.finding)]
    return (
        Case.objects.filter(pk__in=done).exclude(state=CaseState.CLOSED).update(state=CaseState.CLOSED, closed_at=now)
    )


@transaction.atomic
def save_overlap_policy(*, policy: OverlapPolicy, now: datetime) -> None:
    """Say what counts as a double booking in a unit; its people are looked at again soon. Raises ValidationError."""
    policy.full_clean()
    policy.save()
    record("overlaps.policy_saved", target=policy.unit, now=now)
    _look_again(policy.unit_id)


@transaction.atomic
def drop_overlap_policy(*, policy: OverlapPolicy, now: datetime) -> None:
    """Let the policy of the unit above count; the people are looked at again soon."""
    policy.delete()
    record("overlaps.policy_dropped", target=policy.unit, now=now)
    _look_again(policy.unit_id)


def _look_again(unit_id: int) -> None:
    transaction.on_commit(lambda: async_task("conflicts.tasks.look_at_unit", unit_id, save=False))


@transaction.atomic
def _open_batch(*, now: datetime) -> int:
    findings = _claim()
    cases = Case.objects.bulk_create(_case_of(finding, now=now) for finding in findings)
    Finding.objects.filter(pk__in=[finding.pk for finding in findings]).update(case_opened_at=now)
    tell_all([_telling(case) for case in cases], now=now)
    return len(cases)


def _claim() -> Sequence[Finding]:
    """Some findings without a case, locked; those that another process has locked are its business."""
    skip_locked = connection.features.has_select_for_update_skip_locked
    findings = Finding.objects.select_for_update(skip_locked=skip_locked).filter(case_opened_at=None)
    # What was found first is seen first; the losing values are not needed, so they stay sealed.
    return list(findings.order_by("pk").defer("values")[:_BATCH])


def _case_of(finding: Finding, *, now: datetime) -> Case:
    return Case(finding=finding, kind=finding.kind, person_id=finding.person_id, summary=finding.text, opened_at=now)


def _telling(case: Case) -> Telling:
    return Telling(person_id=case.person_id, topic="case_opened", facts={"summary": case.summary, "case": case.pk})
