"""Bringing people in line with a tenant's directory: who is new, renamed, gone, back, or in doubt.

What lives here: the order of the work. What does not: reading the directory (``accounts.gateway``), whose an entry is
(``accounts.directory``), making rows (``mapping``, shared with the CSV file), calendars and messages (floors above).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import transaction

from accounts import selectors
from accounts.directory.matching import Doubt, Match, match_people
from accounts.directory.rows import rows_of
from accounts.mapping.rows import is_address
from accounts.models import FoundMailbox, FoundState, Health, LinkedAccount, TenantConnection, User
from accounts.progress import Report, silent
from accounts.services.leaving import let_back, let_go
from accounts.services.mapped_mailboxes import DISABLED_THERE, GONE_THERE
from accounts.services.mapping import MappingOutcome, apply_mapping
from accounts.services.renaming import rename
from accounts.services.units import ensure_units
from accounts.trail import record
from accounts.unit_paths import parse_path
from calsync.engine.events import Platform
from calsync.providers.people import DirectoryPerson, DirectoryReading

MOST_LEAVERS, MOST_SHARE = 10, 0.2
"""More leavers than both at once are rather a fault of the directory, or of our rights there."""


class DirectoryRefused(Exception):
    """The directory says something that nobody should believe unasked; the text says what, and what helps."""


@dataclass(frozen=True, slots=True)
class DirectoryOutcome:
    """What an import did. ``notes``: a sentence for each change."""

    mapping: MappingOutcome
    renamed_accounts: tuple[int, ...]
    left: tuple[str, ...]  # e-mails of people whose mailbox left
    back: int
    doubtful: int
    ignored: int
    left_out: dict[str, int]
    notes: tuple[str, ...]


def known_ids(connection: TenantConnection) -> set[str]:
    """The directory ids of a connection's platform that are linked to somebody."""
    accounts = LinkedAccount.objects.filter(platform=connection.platform).exclude(directory_id="").order_by()
    return set(accounts.values_list("directory_id", flat=True))


@transaction.atomic
def import_people(
    *,
    reading: DirectoryReading,
    connection: TenantConnection,
    now: datetime,
    time_zone: str = "UTC",
    force: bool = False,
    report: Report = silent,
) -> DirectoryOutcome:
    """Apply a directory that was read to its end, all or nothing; raises DirectoryRefused.

    ``time_zone`` is for new people of whom the directory does not tell one. ``force`` passes the brake on leavers.
    """
    work = _Import(reading, connection, now)
    leavers = work.leavers()
    work.brake(len(leavers), force=force)
    accounts = [(work.accounts[match.account_id], match) for match in work.present if match.account_id is not None]
    renamed = rename([(account, match.entry.address) for account, match in accounts])
    left = let_go(leavers, now=now)
    back = let_back([account for account, _ in accounts], now=now)
    _, units = ensure_units(_paths(reading.units))  # a tree of its own comes whole, empty units included
    people = {person.pk: person for person in User.objects.order_by()}
    rows, dropped = rows_of(work.present, people=people, platform=work.platform, time_zone=time_zone)
    outcome = apply_mapping(
        rows=rows, now=now, connections={work.platform: connection}, platforms=[work.platform], report=report
    )
    outcome.units.created += units
    doubts, ignored = work.keep_doubts()
    record(
        "directory.imported",
        target=connection,
        now=now,
        people=len(reading.people),
        left=len(left.emails),
        back=len(back.emails),
        renamed=len(renamed.accounts),
        doubtful=len(doubts),
    )
    told = [*renamed.notes, *left.notes, *back.notes, *(text for _, text in outcome.notes), *dropped, *doubts]
    told += sorted(f"{entry.address[:80]}: left out, this is no e-mail address" for entry in work.unusable)
    return DirectoryOutcome(
        mapping=outcome,
        renamed_accounts=tuple(renamed.accounts),
        left=tuple(left.emails),
        back=len(back.emails),
        doubtful=len(doubts),
        ignored=ignored,
        left_out=dict(reading.left_out or {}),
        notes=tuple(told),
    )


def _paths(units: Iterable[str]) -> list[str]:
    """Those that can stand in our tree; a name that is too long is told where somebody is in it."""
    found = []
    for unit in units:
        with suppress(ValueError):
            found.append(parse_path(unit))
    return found


@dataclass
class _Import:
    """One reading held against what is known."""

    reading: DirectoryReading
    connection: TenantConnection
    now: datetime

    @property
    def platform(self) -> Platform:
        return Platform(self.connection.platform)

    @cached_property
    def accounts(self) -> dict[int, LinkedAccount]:
        """Every account of the platform, by id."""
        return {row.pk: row for row in LinkedAccount.objects.filter(platform=self.platform.value).order_by("pk")}

    @cached_property
    def answers(self) -> list[Match | Doubt]:
        emails = selectors.emails_by_person()
        entries = [entry for entry in self.reading.people if entry not in self.unusable]
        return list(match_people(entries, emails=emails, mailboxes=selectors.known_mailboxes(self.platform)))

    @cached_property
    def unusable(self) -> frozenset[DirectoryPerson]:
        """Entries whose address is none that our rows and forms would take."""
        return frozenset(entry for entry in self.reading.people if not is_address(entry.address))

    @cached_property
    def present(self) -> list[Match]:
        """Whoever is enabled and certain."""
        return [found for found in self.answers if isinstance(found, Match) and found.entry.enabled]

    def leavers(self) -> dict[LinkedAccount, str]:
        """Mailboxes in use that the directory has disabled or does not hold, each with the reason."""
        there = {entry.directory_id: entry.enabled for entry in self.reading.people}
        return {
            account: GONE_THERE if account.directory_id not in there else DISABLED_THERE
            for account in self._ours()
            if not there.get(account.directory_id, False)
        }

    def brake(self, leaving: int, *, force: bool) -> None:
        """Refuse when suspiciously many would leave."""
        known = len(self._ours())
        many = leaving > MOST_LEAVERS and leaving > MOST_SHARE * known
        if force or not (many or (known and not self.reading.people)):
            return
        raise DirectoryRefused(
            f"{self.connection} no longer shows {leaving} of the {known} people who are known from it; nothing was "
            "changed. See whether the connection may still read everybody. If they have really left, repeat with "
            "--force (in the console: Even if many would leave)."
        )

    def _ours(self) -> list[LinkedAccount]:
        return [
            account
            for account in self.accounts.values()
            if account.directory_id and account.connection_id == self.connection.pk and account.state != Health.DISABLED
        ]

    def keep_doubts(self) -> tuple[list[str], int]:
        """Store what waits for a person and forget what has settled itself; sentences, and how many are ignored."""
        before = {row.directory_id: row for row in FoundMailbox.objects.filter(connection=self.connection)}
        doubts = [found for found in self.answers if isinstance(found, Doubt) and found.entry.enabled]
        rows = [self._found(doubt, before.get(doubt.entry.directory_id)) for doubt in doubts]
        kept = {row.directory_id for row in rows}
        FoundMailbox.objects.filter(pk__in=[row.pk for one, row in before.items() if one not in kept]).delete()
        FoundMailbox.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["platform", "directory_id"],
            update_fields=["address", "aliases", "name", "org_unit", "time_zone", "candidate", "reason"],
        )
        waiting = [row for row in rows if row.state == FoundState.WAITING]
        return [f"{row.address}: doubtful. {row.reason}" for row in waiting], len(rows) - len(waiting)

    def _found(self, doubt: Doubt, before: FoundMailbox | None) -> FoundMailbox:
        entry = doubt.entry
        return FoundMailbox(
            platform=self.platform.value,
            connection=self.connection,
            directory_id=entry.directory_id,
            address=entry.address,
            aliases=list(entry.aliases),
            name=entry.name[:200],
            org_unit=entry.unit[:500],
            time_zone=entry.zone,
            candidate_id=doubt.candidate,
            reason=doubt.reason[:255],
            state=FoundState.WAITING if before is None else before.state,
            found_at=self.now if before is None else before.found_at,
        )
