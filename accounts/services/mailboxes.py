"""Linked accounts: how each is doing, and taking them out of the sync and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Health, LinkedAccount
from accounts.models.health import STATE_FIELDS
from accounts.trail import record

_STATE_FIELDS = [*STATE_FIELDS, "last_success_at"]


@transaction.atomic
def disable_accounts(*, accounts: Iterable[LinkedAccount], reason: str, now: datetime) -> int:
    """Take mailboxes out of the sync; returns how many were in it."""
    if not reason.strip():
        raise ValidationError("Give a reason.")
    changing = [account for account in accounts if account.state != Health.DISABLED]
    for account in changing:
        account.disable(reason.strip(), now=now)
        record("mailboxes.disabled", target=account, reason=reason.strip(), now=now)
    LinkedAccount.objects.bulk_update(changing, _STATE_FIELDS, batch_size=200)
    return len(changing)


@transaction.atomic
def enable_accounts(*, accounts: Iterable[LinkedAccount], now: datetime) -> int:
    """Let disabled mailboxes take part again; raises ValidationError when the person has another one by now."""
    changing = [account for account in accounts if account.state == Health.DISABLED]
    for account in changing:
        account.enable(now=now)
        account.validate_constraints()
        account.save(update_fields=_STATE_FIELDS)
        record("mailboxes.enabled", target=account, now=now)
    return len(changing)


def report_account(*, account_id: int, problem: str = "", now: datetime) -> None:
    """Note that a mailbox answers ('' as ``problem``) or why it does not. Writes only what changed."""
    account = LinkedAccount.objects.filter(pk=account_id).first()
    if account is None:
        return
    before = (account.state, account.state_reason)
    if problem:
        account.fails(problem, now=now)
    else:
        account.works(now=now)
    if (account.state, account.state_reason) != before:
        account.save(update_fields=_STATE_FIELDS)


def pause_account(*, account_id: int, until: datetime | None) -> None:
    """Leave a mailbox alone until then, because a quota of all its calendars recovers; None ends the pause."""
    LinkedAccount.objects.filter(pk=account_id).update(paused_until=until)
