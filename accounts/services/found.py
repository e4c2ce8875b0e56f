"""Deciding whose a found mailbox is: the candidate's, somebody else's, somebody new's, or nobody's business."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import FoundMailbox, FoundState, LinkedAccount, OrgUnit, User
from accounts.services.mapped_mailboxes import COMES_BACK
from accounts.services.units import ensure_units
from accounts.trail import record
from accounts.unit_paths import parse_path


@transaction.atomic
def confirm_found(*, found: Iterable[FoundMailbox], now: datetime) -> list[LinkedAccount]:
    """Link each mailbox to its candidate, all or none; raises ValidationError."""
    rows = list(found)
    if lacking := [row.address for row in rows if row.candidate is None]:
        raise ValidationError(f"There is no candidate for {', '.join(lacking[:5])}: choose a person.")
    return [_link(row, row.candidate, now=now) for row in rows if row.candidate is not None]


@transaction.atomic
def give_found(*, found: Iterable[FoundMailbox], person: User, now: datetime) -> list[LinkedAccount]:
    """Link a mailbox to a person of the caller's choice; raises ValidationError."""
    return [_link(row, person, now=now) for row in found]


@transaction.atomic
def make_people_of_found(*, found: Iterable[FoundMailbox], now: datetime) -> list[LinkedAccount]:
    """Let each mailbox be that of somebody new, all or none; raises ValidationError when an address is taken."""
    made = []
    for row in found:
        if User.objects.filter(email=row.address).exists():
            raise ValidationError(f"{row.address} is the log-in of somebody already: confirm, or choose a person.")
        person = User.objects.create_user(row.address, name=row.name, org_unit=_unit(row), told_by=row.platform)
        if row.time_zone:
            person.time_zone = row.time_zone
            person.save(update_fields=["time_zone"])
        made.append(_link(row, person, now=now))
    return made


@transaction.atomic
def ignore_found(*, found: Iterable[FoundMailbox], now: datetime) -> int:
    """Leave mailboxes alone, in later imports as well; returns how many."""
    rows = list(found)
    for row in rows:
        record("found.ignored", target=row, now=now)
    return FoundMailbox.objects.filter(pk__in=[row.pk for row in rows]).update(state=FoundState.IGNORED)


def _unit(row: FoundMailbox) -> OrgUnit | None:
    """The unit that the directory names, made if missing; none when it cannot stand in our tree."""
    if not row.org_unit.strip(" /"):
        return None
    try:
        path = parse_path("/" + row.org_unit.strip().strip("/"))
    except ValueError:
        return None
    return ensure_units([path])[0][path]


def _link(row: FoundMailbox, person: User, *, now: datetime) -> LinkedAccount:
    """The mailbox becomes the person's; one that they had under this address goes on with the new id."""
    held = LinkedAccount.objects.filter(platform=row.platform, address=row.address).first()
    if held is not None and held.person_id != person.pk:
        raise ValidationError(f"{row.address} is linked to {held.person}; a mailbox never changes hands.")
    account = held or LinkedAccount(person=person, platform=row.platform, address=row.address, state_since=now)
    account.connection, account.directory_id, account.aliases = row.connection, row.directory_id, row.aliases
    if account.state_reason in COMES_BACK:
        account.enable(now=now)
        person.come_back()
        person.save(update_fields=["is_active", "left_at"])
    try:
        account.validate_constraints()
    except ValidationError as error:
        raise ValidationError(f"{person}: {' '.join(error.messages)}") from None
    account.save()
    record("found.linked", target=row, now=now)
    row.delete()
    return account
