"""What a mapping file means for linked accounts: which are made, disabled, enabled again or attached. In memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.mapping.rows import MAILBOX_COLUMNS, PersonRow
from accounts.models import Health, LinkedAccount, TenantConnection, User
from calsync.engine.events import Platform

NOT_NAMED = "The mapping file does not name this mailbox any more."
DISABLED_THERE = "The directory has disabled this account."
GONE_THERE = "The directory does not know this account any more."
COMES_BACK = frozenset({NOT_NAMED, DISABLED_THERE, GONE_THERE})
"""Reasons that end when a directory names the mailbox again."""


@dataclass(slots=True)
class MailboxChanges:
    """Accounts to insert and to update, and what to tell about them."""

    created: list[LinkedAccount] = field(default_factory=list)
    updated: list[LinkedAccount] = field(default_factory=list)
    in_use: list[LinkedAccount] = field(default_factory=list)
    disabled: int = 0
    unchanged: int = 0
    notes: list[tuple[int, str]] = field(default_factory=list)


def plan_mailboxes(
    rows: Sequence[PersonRow],
    *,
    people: Mapping[str, User],
    accounts: Sequence[LinkedAccount],
    connections: Mapping[Platform, TenantConnection],
    now: datetime,
    platforms: Collection[Platform] = tuple(MAILBOX_COLUMNS),
) -> MailboxChanges:
    """Hold the rows against the accounts that their people have on these platforms; others are left alone."""
    changes = MailboxChanges()
    held: dict[tuple[int, Platform], list[LinkedAccount]] = defaultdict(list)
    for account in accounts:
        held[account.person_id, Platform(account.platform)].append(account)
    for row in rows:
        person = people[row.email]
        for platform in platforms:
            place = _Place(row, person, platform, connections.get(platform), now)
            place.bring_in_line(held.get((person.pk, platform), []), changes)
    return changes


@dataclass(frozen=True, slots=True)
class _Place:
    """One person on one platform, as one row wants it."""

    row: PersonRow
    person: User
    platform: Platform
    connection: TenantConnection | None
    now: datetime

    def bring_in_line(self, accounts: Sequence[LinkedAccount], changes: MailboxChanges) -> None:
        wanted = self.row.mailboxes.get(self.platform, "")
        for account in accounts:
            if account.address != wanted and _is_the_files_business(account):
                account.disable(NOT_NAMED, now=self.now)
                changes.updated.append(account)
                changes.disabled += 1
                self._note(changes, account.address, "disabled, not named any more")
        if not wanted:
            return
        named = next((account for account in accounts if account.address == wanted), None)
        if named is None:
            self._create(wanted, changes)
        else:
            self._keep(named, changes)

    def _create(self, address: str, changes: MailboxChanges) -> None:
        account = LinkedAccount(
            person=self.person,
            platform=self.platform.value,
            address=address,
            connection=self.connection,
            state_since=self.now,
            directory_id=self.row.directory_id,
            aliases=list(self.row.aliases),
        )
        changes.created.append(account)
        changes.in_use.append(account)
        self._note(changes, address, "linked")

    def _keep(self, account: LinkedAccount, changes: MailboxChanges) -> None:
        """An account that is named: enabled again if an earlier file disabled it, not if a person did."""
        if account.state == Health.DISABLED and account.state_reason != NOT_NAMED:
            changes.unchanged += 1
            self._note(changes, account.address, f"stays disabled: {account.state_reason}")
            return
        account.person = self.person  # known already: nobody has to ask the database for it
        changes.in_use.append(account)
        changed = [self._enabled(account, changes), self._attached(account, changes), self._identified(account)]
        changed.append(self._mapped(account))
        if not any(changed):
            changes.unchanged += 1
        else:
            changes.updated.append(account)

    def _enabled(self, account: LinkedAccount, changes: MailboxChanges) -> bool:
        if account.state != Health.DISABLED:
            return False
        account.enable(now=self.now)
        self._note(changes, account.address, "enabled again")
        return True

    def _attached(self, account: LinkedAccount, changes: MailboxChanges) -> bool:
        if self.connection is None or account.connection_id is not None:
            return False
        account.connection = self.connection
        self._note(changes, account.address, f"attached to {self.connection}")
        return True

    def _mapped(self, account: LinkedAccount) -> bool:
        """From now on IT staff vouch for what its owner had linked alone."""
        if account.is_mapped:
            return False
        account.was_mapped = True
        return True

    def _identified(self, account: LinkedAccount) -> bool:
        """Note the directory's id and aliases; a file knows none and changes none."""
        told = (self.row.directory_id, list(self.row.aliases))
        if not self.row.directory_id or told == (account.directory_id, account.aliases):
            return False
        account.directory_id, account.aliases = told
        return True

    def _note(self, changes: MailboxChanges, address: str, what: str) -> None:
        changes.notes.append((self.row.line, f"{self.row.email}: {self.platform.value} mailbox {address} {what}"))


def _is_the_files_business(account: LinkedAccount) -> bool:
    """A mailbox that its person linked by own consent is not the organisation's to take away."""
    return account.state != Health.DISABLED and account.is_mapped
