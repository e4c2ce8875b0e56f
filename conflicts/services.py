"""Turning findings into cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from calendars.models import Finding
from conflicts.models import Case
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
