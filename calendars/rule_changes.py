"""Changes of rules, seen before they are made: what they would do to the events that stand, then made and carried out.

What lives here: any change that the services of ``syncrules`` can make, tried and taken back, and made once somebody
has seen what it does. What does not: how events follow (``policy_change``), the pages and commands that ask.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from calendars import policy_change
from calendars.models import PolicyChange
from calendars.policy_change import Standing
from calendars.sync.policy_effects import PolicyPreview
from syncrules.models import Rule
from syncrules.selectors import in_their_order

T = TypeVar("T")
Change = Callable[[], T]
"""Calls services of ``syncrules``. It is called more than once: to look ahead, and to make the change."""


class RulesMoved(ValidationError):
    """Rules were changed after somebody was shown what a change would do."""

    def __init__(self) -> None:
        super().__init__("Rules have been changed in the meantime. Nothing was saved; these are the numbers of now.")


@dataclass(frozen=True, slots=True)
class Prospect(Generic[T]):
    """What a change would do. ``mark`` stands for the rules that it would change, as they were when it was tried.

    ``outcome`` is what the services gave back; rows in it are not stored.
    """

    outcome: T
    found: PolicyPreview
    mark: str
    is_news: bool  # whether it changes any rule at all


def look_ahead(*, change: Change[T], now: datetime) -> Prospect[T]:
    """What a change of rules would do to the events that stand. Nothing stays stored, no provider is asked.

    Raises ValidationError where the change itself cannot be made.
    """
    with transaction.atomic():
        before = policy_change.standing()
        outcome = change()
        after = policy_change.standing()
        rules = in_their_order()
        transaction.set_rollback(True)
    found = policy_change.preview(now=now, instead=rules) if after != before else PolicyPreview()
    return Prospect(outcome, found, _mark(before), after != before)


def make(
    *,
    change: Change[T],
    ahead: Prospect[T],
    by: User | None,
    reason: str,
    now: datetime,
    is_carried_out: bool = True,
) -> tuple[T, PolicyChange | None]:
    """Make a change of rules, and begin to carry it into the events that it concerns (None: there are none).

    Not ``is_carried_out``: the events that stand are left until somebody asks for it (``policy_change.start``).

    Raises RulesMoved when rules are not as they were for ``ahead``, ValidationError when the change cannot be made or
    another one is being carried out; nothing is changed then.
    """
    with transaction.atomic():
        list(Rule.objects.select_for_update(of=("self",)).order_by("pk"))  # who changes any of them, waits
        before = policy_change.standing()
        if _mark(before) != ahead.mark:
            raise RulesMoved
        outcome = change()
        begun = None
        if ahead.found.events and is_carried_out:
            begun = policy_change.start(found=ahead.found, by=by, reason=reason, now=now, before=before)
    return outcome, begun


def _mark(rules: Standing) -> str:
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:20]
