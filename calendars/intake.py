"""People come in: mapped rows together with their calendars and the messages about them, in one transaction.

Used alike by the commands and by the console's pages. What a row or an entry means lives in ``accounts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.gateway import UNIT_FIELDS, read_directory
from accounts.mapping.rows import PersonRow
from accounts.models import FoundMailbox, LinkedAccount, TenantConnection, User
from accounts.progress import Report, silent
from accounts.services import found as services
from accounts.services.connections import ensure_connections_from_environment
from accounts.services.directory import DirectoryOutcome, import_people, known_ids
from accounts.services.mapping import MappingOutcome, apply_mapping
from calendars.services import ensure_primary_calendars
from calendars.sync.renamed import carry_activation_over, read_anew
from calsync.providers.people import DirectoryReading
from notifications.services import Telling, tell_all

_NAMED = 10  # leavers whose addresses stand in the message


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of it: the mapping's outcome, and how many calendars were made."""

    outcome: MappingOutcome
    calendars: int


def bring_in_rows(
    *, rows: Sequence[PersonRow], now: datetime, dry_run: bool = False, report: Report = silent
) -> Brought:
    """Apply checked rows and make missing primary calendars; a dry run takes all of it back."""
    with transaction.atomic():
        ensure_connections_from_environment(now=now)
        outcome = apply_mapping(rows=rows, now=now, report=report)
        calendars = _calendars_for(outcome.accounts, now=now)
        transaction.set_rollback(dry_run)
    return Brought(outcome, calendars)


def read_people(connection: TenantConnection, *, unit_from: str = UNIT_FIELDS[0]) -> DirectoryReading:
    """Read a tenant's directory to its end; raises ProviderError. Call it outside of any transaction."""
    return read_directory(connection, known=known_ids(connection), unit_from=unit_from)


def bring_in_directory(
    *,
    reading: DirectoryReading,
    connection: TenantConnection,
    now: datetime,
    time_zone: str = "UTC",
    force: bool = False,
    dry_run: bool = False,
    report: Report = silent,
) -> tuple[DirectoryOutcome, int]:
    """Apply a directory, make missing primary calendars and tell IT who left; raises DirectoryRefused.

    Returns the outcome and how many calendars were made; a dry run takes all of it back.
    """
    with transaction.atomic():
        outcome = import_people(
            reading=reading, connection=connection, now=now, time_zone=time_zone, force=force, report=report
        )
        calendars = _calendars_for(outcome.mapping.accounts, now=now)
        read_anew(outcome.renamed_accounts, now=now)
        if outcome.left:
            _tell_it(outcome.left, connection, now=now)
        transaction.set_rollback(dry_run)
    return outcome, calendars


def _calendars_for(accounts: Sequence[LinkedAccount], *, now: datetime) -> int:
    made = ensure_primary_calendars(accounts)
    carry_activation_over(accounts, now=now)
    return made


def _tell_it(left: Sequence[str], connection: TenantConnection, *, now: datetime) -> None:
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    facts: dict[str, str | int] = {
        "count": len(left),
        "connection": connection.name,
        "names": ", ".join(left[:_NAMED]) + more,
    }
    admins = User.objects.active().filter(is_superuser=True).order_by("pk")
    tell_all([Telling(person_id=admin.pk, topic="people_left", facts=facts) for admin in admins], now=now)


@transaction.atomic
def confirm_found(*, found: Iterable[FoundMailbox], now: datetime) -> int:
    """Link found mailboxes to their candidates, calendars and all; raises ValidationError. Returns how many."""
    return _welcome(services.confirm_found(found=found, now=now), now=now)


@transaction.atomic
def give_found(*, found: Iterable[FoundMailbox], person: User, now: datetime) -> int:
    """The same for a person of the caller's choice."""
    return _welcome(services.give_found(found=found, person=person, now=now), now=now)


@transaction.atomic
def make_people_of_found(*, found: Iterable[FoundMailbox], now: datetime) -> int:
    """The same for people who are made of the entries."""
    return _welcome(services.make_people_of_found(found=found, now=now), now=now)


def _welcome(accounts: Sequence[LinkedAccount], *, now: datetime) -> int:
    _calendars_for(accounts, now=now)
    return len(accounts)
