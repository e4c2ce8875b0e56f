"""Testing a connection because somebody asked: it is tried, what came of it is kept, and the audit trail has a line."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import TenantConnection
from accounts.models.health import STATE_FIELDS
from accounts.selectors import own_connections
from accounts.trail import record
from calendars.probe.run import PATIENCE, try_all
from calendars.probe.steps import Outcome, Step, worst
from calendars.probe.subject import mailboxes_to_try, subject_of
from calsync.engine.events import Platform

DECISIVE = ("reach", "credentials", "permissions")
"""What is wrong here keeps every mailbox from us."""


def probe_connection(
    *, connection: TenantConnection, address: str = "", now: datetime, patience: float = PATIENCE
) -> list[Step]:
    """Try a connection with a mailbox, by default with those that are mapped to it. Call it outside of a transaction.

    Without any, Google's administrator stands in: a service account shows its rights only when acting as somebody.
    """
    platform = Platform(connection.platform)
    own = None if connection.from_environment else connection
    mapped = mailboxes_to_try(platform, own_connections(platform), own)
    subject = subject_of(connection, platform, mailboxes=[address] if address else mapped, now=now)
    steps = try_all(subject.with_stand_in(), patience=patience)
    _keep(connection, steps, now=now)
    return steps


@transaction.atomic
def _keep(connection: TenantConnection, steps: list[Step], *, now: datetime) -> None:
    connection.was_tested([step.as_json() for step in steps], now=now)
    _report(connection, steps, now=now)
    connection.save(update_fields=["last_test", "tested_at", "last_success_at", *STATE_FIELDS])
    problems, warnings = (sum(step.outcome == one for step in steps) for one in (Outcome.PROBLEM, Outcome.WARNING))
    record(
        "connection.tested", target=connection, now=now, outcome=str(worst(steps)), problems=problems, warnings=warnings
    )


def _report(connection: TenantConnection, steps: list[Step], *, now: datetime) -> None:
    """A single mailbox's trouble says nothing about the connection: its state is left as it is then."""
    bad = next((step for step in steps if step.name in DECISIVE and step.outcome == Outcome.PROBLEM), None)
    if bad is not None:
        connection.fails(bad.text, remedy=bad.remedy, now=now)
    elif any(step.name == "mailbox" and step.outcome == Outcome.OK for step in steps):
        connection.works(now=now)
