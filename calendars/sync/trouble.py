"""Trouble: what a provider's error means for a calendar. One table, used by pull and push alike."""

from __future__ import annotations

import logging
import random
import traceback
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Health
from calendars.models import Calendar
from calendars.sync import lease as leases
from calendars.sync.lease import Lease
from calsync.engine.backoff import next_attempt
from calsync.providers.base import (
    AccessDenied,
    AuthenticationFailed,
    MailboxUnavailable,
    NotFound,
    ProviderError,
    QuotaPaused,
    Transient,
)

logger = logging.getLogger(__name__)

QUOTA_PAUSE = timedelta(hours=2)
PERSON_NEEDED_PAUSE = timedelta(minutes=5)
DEFECT = "Send the log line calendar.defect of this calendar to whoever maintains CalSync; it is tried again by itself."
NEEDS_A_PERSON = (AuthenticationFailed, AccessDenied, MailboxUnavailable, NotFound)


def pause_until(error: ProviderError, *, failures: int, now: datetime) -> datetime:
    """When a mailbox may be asked again after this error."""
    if isinstance(error, QuotaPaused):
        return now + QUOTA_PAUSE
    if isinstance(error, NEEDS_A_PERSON):
        return now + PERSON_NEEDED_PAUSE
    return next_attempt(attempts=failures + 1, hint=error.retry_after, now=now, spread=random.random())  # noqa: S311 - jitter


def log_defect(log: logging.Logger, event: str, error: BaseException, **facts: object) -> None:
    """Log an error of our own with its place in the code, and without its message: that may hold event text."""
    place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(error.__traceback__)))
    told = " ".join(f"{name}={value}" for name, value in facts.items())
    log.error("%s %s error=%s place=%s", event, told, type(error).__name__, place)


def note_defect(*, lease: Lease, calendar_id: int, error: Exception, now: datetime) -> None:
    """Record on the calendar that CalSync itself failed on it, and let it rest: the other calendars go on."""
    log_defect(logger, "calendar.defect", error, calendar=calendar_id)
    calendar = Calendar.objects.get(pk=calendar_id)
    calendar.enter(
        Health.ACTION_REQUIRED, now=now, reason=f"CalSync itself failed ({type(error).__name__}).", remedy=DEFECT
    )
    with transaction.atomic():
        leases.hold(
            lease,
            now=now,
            **calendar.state_values(),
            failures=calendar.failures + 1,
            not_before=now + PERSON_NEEDED_PAUSE,
        )


def note_trouble(*, lease: Lease, calendar: Calendar, error: ProviderError, now: datetime) -> None:
    """Record on the calendar that a whole read or batch failed, and when it is tried again."""
    state = Health.DELAYED if isinstance(error, Transient | QuotaPaused) else Health.ACTION_REQUIRED
    calendar.enter(state, now=now, reason=str(error), remedy=error.remedy)
    calendar.failures += 1
    calendar.not_before = pause_until(error, failures=calendar.failures, now=now)
    logger.warning(
        "calendar.trouble calendar=%s error=%s status=%s code=%s failures=%s",
        calendar.pk, type(error).__name__, error.status, error.code, calendar.failures,
    )  # fmt: skip
    with transaction.atomic():
        leases.hold(
            lease,
            now=now,
            **calendar.state_values(),
            failures=calendar.failures,
            not_before=calendar.not_before,
        )
