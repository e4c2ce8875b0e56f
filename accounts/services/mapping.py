"""Bringing people, units and mailboxes in line with a mapping file: few statements, however many rows.

What lives here: the order of the work and its tallies. What does not: reading the file (``accounts.mapping``),
mailbox by mailbox decisions (``mapped_mailboxes``), calendars (a floor above).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import models, transaction

from accounts import selectors
from accounts.mapping.document import CheckedFile, Known, check_document
from accounts.mapping.rows import MAILBOX_COLUMNS, PersonRow
from accounts.models import LinkedAccount, OrgUnit, TenantConnection, User
from accounts.models.health import STATE_FIELDS
from accounts.progress import Report, silent
from accounts.services.mapped_mailboxes import MailboxChanges, plan_mailboxes
from accounts.services.units import ensure_units
from accounts.trail import record
from calsync.engine.events import Platform

_BATCH = 2_000  # rows between two reports; the database splits further where it must
_MAX_WAVES = 20
_PERSON_FIELDS = ["name", "org_unit", "time_zone", "clearance", "manager", "told_by"]
_ACCOUNT_FIELDS = ["connection", *STATE_FIELDS, "directory_id", "aliases", "was_mapped"]
_WORDS = {"org_unit_id": "org_unit", "manager_id": "manager", "told_by": "source"}
_Row = TypeVar("_Row", bound=models.Model)


@dataclass(slots=True)
class Tally:
    """How many rows of one kind were made, changed or found right."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class MappingOutcome:
    """What a file did. ``notes``: (line, sentence) of every line that changed something, in the order of lines."""

    units: Tally
    people: Tally
    mailboxes: Tally
    disabled: int
    accounts: tuple[LinkedAccount, ...]  # in use, of the people in the file
    notes: tuple[tuple[int, str], ...]


def check_mapping(data: bytes, *, report: Report = silent) -> CheckedFile:
    """Read a mapping file and hold it against the people who are known; changes nothing."""
    known = Known(managers=selectors.managers_by_email(), mailboxes=selectors.mailbox_owners())
    return check_document(data, known=known, report=report)


@transaction.atomic
def apply_mapping(
    *,
    rows: Sequence[PersonRow],
    now: datetime,
    connections: Mapping[Platform, TenantConnection] | None = None,
    platforms: Collection[Platform] = tuple(MAILBOX_COLUMNS),
    report: Report = silent,
) -> MappingOutcome:
    """Make or change the units, people and linked accounts of checked rows, all or nothing.

    The rows are the truth about a person's name, unit, zone, manager and tenant mailboxes on ``platforms``; what a row
    does not say stays as it is. People who are not in the rows are left alone.
    """
    units, made = ensure_units({row.org_unit for row in rows if row.org_unit is not None})
    work = _PeopleWork(units)
    people = work.store(rows, report=report)
    changes = plan_mailboxes(
        rows,
        people=people,
        accounts=selectors.accounts_of({person.pk for person in people.values()}),
        connections=selectors.environment_connections() if connections is None else connections,
        now=now,
        platforms=platforms,
    )
    _store_accounts(changes, report=report)
    tally = work.tally
    record("mapping.applied", now=now, rows=len(rows), created=tally.created, changed=tally.updated, units_made=made)
    return MappingOutcome(
        units=Tally(created=made, unchanged=len(units) - made),
        people=work.tally,
        mailboxes=Tally(len(changes.created), len(changes.updated) - changes.disabled, changes.unchanged),
        disabled=changes.disabled,
        accounts=tuple(changes.in_use),
        notes=tuple(sorted(work.notes + changes.notes)),
    )


@dataclass(slots=True)
class _PeopleWork:
    units: Mapping[str, OrgUnit]
    tally: Tally = field(default_factory=Tally)
    notes: list[tuple[int, str]] = field(default_factory=list)

    def store(self, rows: Sequence[PersonRow], *, report: Report) -> dict[str, User]:
        """Make the new people, then change whoever differs."""
        people = selectors.people_by_email({row.email for row in rows} | {row.manager for row in rows if row.manager})
        new_rows = [row for row in rows if row.email not in people]
        for wave in waves(new_rows):
            new = [self._new(row, people.get(row.manager or "")) for row in wave]
            _insert(new, report=report, stage="New people")
            people |= {person.email: person for person in new}
        fresh = {people[row.email].pk for row in new_rows}
        changed = [people[row.email] for row in rows if self._bring_in_line(row, people, fresh)]
        update_rows(changed, _PERSON_FIELDS, report=report, stage="Changed people")
        return people

    def _new(self, row: PersonRow, manager: User | None) -> User:
        self.tally.created += 1
        self.notes.append((row.line, f"{row.email}: created in {row.org_unit or 'no org unit'}"))
        # As make_password(None), which takes ten times as long to find forty random characters.
        person = User(email=row.email, password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20), manager=manager)
        _assign(person, self._wanted(row))
        return person

    def _bring_in_line(self, row: PersonRow, people: Mapping[str, User], fresh: set[int]) -> bool:
        """Change the person as the row says (in memory); whether that changed anything."""
        person = people[row.email]
        wanted = self._wanted(row)
        if row.manager is not None:
            wanted["manager_id"] = people[row.manager].pk if row.manager else None
        differing = [name for name, value in wanted.items() if getattr(person, name) != value]
        _assign(person, {name: wanted[name] for name in differing})
        if person.pk not in fresh:
            self._count(row, differing)
        return bool(differing)

    def _count(self, row: PersonRow, differing: list[str]) -> None:
        if not differing:
            self.tally.unchanged += 1
            return
        self.tally.updated += 1
        fields = ", ".join(_WORDS.get(name, name) for name in differing)
        self.notes.append((row.line, f"{row.email}: changed {fields}"))

    def _wanted(self, row: PersonRow) -> dict[str, Any]:  # column values of differing types
        wanted: dict[str, Any] = {"name": row.name, "time_zone": row.time_zone, "clearance": row.clearance}
        if row.org_unit is not None:
            wanted["org_unit_id"] = self.units[row.org_unit].pk
        if row.told_by:
            wanted["told_by"] = row.told_by
        return {name: value for name, value in wanted.items() if value is not None}


def waves(rows: Sequence[PersonRow]) -> list[list[PersonRow]]:
    """The rows so that managers come in an earlier wave than their people, who can then be inserted with them.

    In a line of command that is longer than any real one, the rest follows in one last wave, in any order.
    """
    by_email = {row.email: row for row in rows}
    depths: dict[str, int] = {}
    for row in rows:
        line = [row]
        while (above := by_email.get(line[-1].manager or "")) and above.email not in depths:
            line.append(above)
        for step in reversed(line):
            depths[step.email] = depths.get(step.manager or "", -1) + 1
    found: dict[int, list[PersonRow]] = {}
    for row in rows:
        found.setdefault(min(depths[row.email], _MAX_WAVES), []).append(row)
    return [found[depth] for depth in sorted(found)]


def _assign(person: User, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(person, name, value)


def _store_accounts(changes: MailboxChanges, *, report: Report) -> None:
    # Changes first: an account that is disabled makes room for the person's new one.
    update_rows(changes.updated, _ACCOUNT_FIELDS, report=report, stage="Changed mailboxes")
    _insert(changes.created, report=report, stage="New mailboxes")


def _insert(rows: Sequence[_Row], *, report: Report, stage: str) -> None:
    done = 0
    for batch in _batches(rows):
        type(batch[0])._default_manager.bulk_create(batch)
        done += len(batch)
        report(stage, done, len(rows))


def update_rows(
    rows: Sequence[_Row], fields: list[str], *, report: Report = silent, stage: str = "Changed rows"
) -> None:
    """Write some columns of many rows. As an upsert: bulk_update's CASE for each value is slow beyond thousands."""
    done = 0
    for batch in _batches(rows):
        type(batch[0])._default_manager.bulk_create(
            batch, update_conflicts=True, unique_fields=["id"], update_fields=fields
        )
        done += len(batch)
        report(stage, done, len(rows))


def _batches(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
