"""Alarms: what IT administrators are told about connections, once for each cause."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import Health, TenantConnection
from notifications.services import tell_it

AGAIN_AFTER = timedelta(days=1)
EXPIRY_STEPS = (1, 7, 30)  # days before the end on which IT administrators are told, the nearest first
SEE_THE_PAGE = "See the connection's page in the console."
NEW_CREDENTIALS = "Make new ones at the provider and enter them on the connection's page in the console."
NEW_CERTIFICATE = "Register a new one at the provider and put it where MICROSOFT_CLIENT_CERTIFICATE says."


@transaction.atomic
def tell_of_connections(*, now: datetime) -> None:
    """Tell of those that are shut, and of credentials that end. The rows are locked, so that two workers tell once."""
    shut = Q(state=Health.ACTION_REQUIRED)
    ending = Q(expires_on__lte=now.date() + timedelta(days=EXPIRY_STEPS[-1]))
    rows = TenantConnection.objects.select_for_update().defer("credentials").filter(shut | ending).order_by("pk")
    for row in rows:
        if row.state == Health.ACTION_REQUIRED:
            _tell_shut(row, now)
        if row.expires_on is not None:
            _tell_ending(row, row.expires_on, now)


def _tell_shut(row: TenantConnection, now: datetime) -> None:
    facts = {"connection": str(row), "reason": row.state_reason, "remedy": row.state_remedy or SEE_THE_PAGE}
    tell_it(cause=f"connection.{row.pk}.shut", topic="connection_shut", facts=facts, now=now, again_after=AGAIN_AFTER)


def _tell_ending(row: TenantConnection, last_day: date, now: datetime) -> None:
    left = (last_day - now.date()).days
    step = next((days for days in EXPIRY_STEPS if left <= days), None)
    if step is None:
        return
    remedy = NEW_CERTIFICATE if row.from_environment else NEW_CREDENTIALS
    facts = {"connection": str(row), "day": f"{last_day:%Y-%m-%d}", "remedy": remedy}
    tell_it(cause=f"connection.{row.pk}.ends.{last_day}.{step}", topic="credentials_end", facts=facts, now=now)
