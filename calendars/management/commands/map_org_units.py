"""``manage.py map_org_units``: people, org units, mailboxes and their primary calendars from a CSV file."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import IntegrityError
from django.utils import timezone

from accounts.mapping.rows import PersonRow
from accounts.progress import Report, bars
from accounts.services.mapping import MappingOutcome, Tally, check_mapping
from calendars.intake import bring_in_rows

SHOWN = 200  # lines of problems or changes, unless -v 2 asks for all
PROBLEMS, USAGE = 1, 2  # exit codes

_GUIDE = """
columns (the first line names them; any order; comma, semicolon or tab between them; UTF-8):
  email            who the person is; logs in with it
  name             as shown to others
  org_unit         path in the organisation's tree, such as /Sales/EMEA; missing units are made
  time_zone        IANA name, such as Europe/Berlin
  clearance        public, internal, confidential or restricted; empty: internal, or what the person has already
  manager          e-mail of a person in the file or known already; empty: none
  outlook_mailbox  address in Microsoft 365; empty: none
  google_mailbox   address in Google Workspace; empty: none

example:
  email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox
  ada@example.org,Ada Berg,/Sales,Europe/Berlin,confidential,,ada@example.org,ada@g.example.org
  bo@example.org,"Lind, Bo",/Sales/EMEA,Europe/Stockholm,,ada@example.org,bo@example.org,

The file may be applied again after changing it: people are moved and changed, a mailbox that a person's row no longer
names is disabled (never deleted), and people who are not in the file stay as they are. Either every line is applied or,
if anything is wrong, none; then every problem is listed with its line.

exit codes: 0 applied, 1 something is wrong in the file, 2 the command was used wrongly
"""


class _GuideFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of options, and the guide as it is written."""


class Command(BaseCommand):
    """Reads the file, checks it, applies it in one transaction and says what it did."""

    help = "Create or update people, org units, mailboxes and their primary calendars from a CSV file."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the guide below the options."""
        return super().create_parser(prog_name, subcommand, formatter_class=_GuideFormatter, epilog=_GUIDE, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE and --dry-run."""
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")

    def handle(self, *args: Any, file: Path, dry_run: bool, verbosity: int, **options: Any) -> None:
        """Apply the file, or list what is wrong with it."""
        data = _contents(file)
        with bars() as report:
            checked = check_mapping(data, report=report)
            if not checked.problems:
                outcome, calendars = _apply(checked.rows, dry_run=dry_run, report=report)
        if checked.problems:
            self._list(checked.problems, stream=self.stderr, verbosity=verbosity)
            raise CommandError(_refusal(len(checked.problems)), returncode=PROBLEMS)
        if verbosity:
            lines = [f"line {line}: {what}" for line, what in outcome.notes]
            self._list(lines, stream=self.stdout, verbosity=verbosity)
            self.stdout.write(_summary(outcome, calendars=calendars, dry_run=dry_run))

    def _list(self, lines: Sequence[object], *, stream: Any, verbosity: int) -> None:  # Django's OutputWrapper
        shown = lines if verbosity > 1 else lines[:SHOWN]
        for line in shown:
            stream.write(str(line))
        if len(shown) < len(lines):
            stream.write(f"... and {len(lines) - len(shown)} more lines (-v 2 lists all)")


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"There is no file {file}.", returncode=USAGE) from None
    except IsADirectoryError:
        raise CommandError(f"{file} is a directory, not a CSV file.", returncode=USAGE) from None
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=USAGE) from None


def _apply(rows: Sequence[PersonRow], *, dry_run: bool, report: Report) -> tuple[MappingOutcome, int]:
    """Apply checked rows and make missing primary calendars, in one transaction that a dry run takes back."""
    try:
        brought = bring_in_rows(rows=rows, now=timezone.now(), dry_run=dry_run, report=report)
    except IntegrityError:
        # The rows were checked a moment ago, so somebody has changed the same people in between.
        raise CommandError(
            "The same people were changed by somebody else at this moment; nothing was applied. Run the command again.",
            returncode=PROBLEMS,
        ) from None
    return brought.outcome, brought.calendars


def _refusal(count: int) -> str:
    problems = "1 problem" if count == 1 else f"{count:,} problems"
    return f"{problems} in the file; nothing was applied."


def _summary(outcome: MappingOutcome, *, calendars: int, dry_run: bool) -> str:
    parts: Iterable[tuple[str, Tally]] = (
        ("Org units", outcome.units),
        ("People", outcome.people),
        ("Mailboxes", outcome.mailboxes),
    )
    lines = [
        f"{name + ':':<11}{tally.created:>7,} created {tally.updated:>7,} updated {tally.unchanged:>7,} unchanged"
        for name, tally in parts
    ]
    lines[-1] += f" {outcome.disabled:>7,} disabled"
    lines.append(f"{'Calendars:':<11}{calendars:>7,} created")
    lines.append("Dry run: nothing was changed." if dry_run else "Applied.")
    return "\n".join(lines)
