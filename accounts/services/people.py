"""Changes to people that no file and no directory makes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models.people import UserQuerySet
from accounts.trail import record


@transaction.atomic
def be_on_one_platform(*, people: UserQuerySet, now: datetime) -> int:
    """Note that these people rightly have a mailbox on one platform only; returns how many."""
    count = people.update(single_platform=True)
    record("people.single_platform", people=count, now=now)
    return count
