"""A whole file: its drafts and everything that is wrong in it by itself."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.mapping.checks import (
    Mailbox,
    circular_managers,
    duplicates,
    incomplete,
    taken_mailboxes,
    unknown_managers,
)
from accounts.mapping.reading import Problem, read_records
from accounts.mapping.rows import Draft, PersonRow, as_row, read_draft
from accounts.progress import Report, silent

_STAGE = "Reading the file"
_STEP = 500  # rows between two reports


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds: manager's e-mail ('' for none) by person's e-mail; person's e-mail by mailbox."""

    managers: dict[str, str]
    mailboxes: dict[Mailbox, str]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was read: rows to apply when there are no problems, problems in the order of lines otherwise."""

    rows: tuple[PersonRow, ...]
    problems: tuple[Problem, ...]


def check_document(data: bytes, *, known: Known, report: Report = silent) -> CheckedFile:
    """Read a file and find everything that is wrong with it in one go."""
    reading = read_records(data)
    problems = list(reading.problems)
    drafts: list[Draft] = []
    for number, record in enumerate(reading.records, start=1):
        draft, wrong = read_draft(record)
        drafts.append(draft)
        problems += wrong
        if number % _STEP == 0 or number == len(reading.records):
            report(_STAGE, number, len(reading.records))
    problems += duplicates(drafts)
    problems += incomplete(drafts, known.managers.keys())
    problems += taken_mailboxes(drafts, known.mailboxes)
    problems += circular_managers(drafts, known.managers)
    if not reading.lost_rows:  # else the manager may be on a row that could not be read
        problems += unknown_managers(drafts, known.managers.keys())
    rows = () if problems else tuple(as_row(draft) for draft in drafts)
    return CheckedFile(rows, tuple(sorted(problems)))
