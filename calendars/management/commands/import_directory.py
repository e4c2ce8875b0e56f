"""``manage.py import_directory``: people, org units and mailboxes from a tenant's own directory."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from accounts.gateway import UNIT_FIELDS
from accounts.models import TenantConnection
from accounts.progress import bars
from accounts.services.connections import ensure_connections_from_environment
from accounts.services.directory import DirectoryOutcome, DirectoryRefused
from accounts.timezones import zone_problem
from calendars.intake import bring_in_directory, read_people
from calendars.management.scope import UsageError
from calsync.engine.events import Platform
from calsync.providers.base import ProviderError

PLATFORMS = {"microsoft": Platform.OUTLOOK, "google": Platform.GOOGLE}
SHOWN = 200  # changes, unless -v 2 asks for all
REFUSED = 1

HELP = """Bring people, org units, managers and mailboxes in line with a tenant's directory.

Whoever is enabled there and has a mailbox becomes a person, or is found by the directory's id, an address or an alias.
An entry that might be one of several people, or of whom only the name before the @ is known, changes nothing: it waits
in the console (People, Unmatched people). A new address of a known id renames; nothing is copied again. Whoever is
disabled or gone is deactivated with their mailboxes; copies and history stay, and administrators get a message. If
more than 10 and more than 20 % of the known people were to leave, the import is refused unless --force is given.
The first directory that knows a person tells their name, unit and manager; another one only adds its mailbox.

All or nothing; --dry-run shows every change and makes none.

exit codes: 0 applied, 1 refused or the directory could not be read, 2 wrong usage or configuration"""


class Command(BaseCommand):
    """Reads the directory, applies it in one transaction and says what it did."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which directory, and how."""
        parser.add_argument("--from", dest="source", choices=PLATFORMS, required=True, help="which directory")
        parser.add_argument("--connection", metavar="NAME", help="the tenant connection, if there are several")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--force", action="store_true", help="apply even if suspiciously many people would leave")
        parser.add_argument(
            "--time-zone",
            metavar="ZONE",
            default="UTC",
            help="for new people of whom the directory tells none (default: %(default)s)",
        )
        parser.add_argument(
            "--unit-from", choices=UNIT_FIELDS, default=UNIT_FIELDS[0], help="Microsoft: what names the org unit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, apply, tell."""
        if problem := zone_problem(options["time_zone"]):
            raise UsageError(f"--time-zone: {problem}.")
        connection = _connection(PLATFORMS[options["source"]], options["connection"])
        try:
            reading = read_people(connection, unit_from=options["unit_from"])
        except ProviderError as error:
            raise CommandError(
                f"The directory could not be read, nothing was changed. {error} {error.remedy}"
            ) from None
        try:
            with bars() as report:
                outcome, calendars = bring_in_directory(
                    reading=reading, connection=connection, now=timezone.now(), time_zone=options["time_zone"],
                    force=options["force"], dry_run=options["dry_run"], report=report,
                )  # fmt: skip
        except DirectoryRefused as refusal:
            raise CommandError(str(refusal), returncode=REFUSED) from None
        except IntegrityError:
            raise CommandError(
                "The same people were changed by somebody else at this moment; nothing was applied. Run it again.",
                returncode=REFUSED,
            ) from None
        facts = figures(outcome, calendars=calendars, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(facts | {"changes": list(outcome.notes)}, indent=2))
        elif options["verbosity"]:
            self._tell(outcome, facts, verbosity=options["verbosity"])

    def _tell(self, outcome: DirectoryOutcome, facts: dict[str, Any], *, verbosity: int) -> None:
        shown = outcome.notes if verbosity > 1 else outcome.notes[:SHOWN]
        for note in shown:
            self.stdout.write(note)
        if len(shown) < len(outcome.notes):
            self.stdout.write(f"... and {len(outcome.notes) - len(shown)} more changes (-v 2 lists all)")
        people = facts["people"]
        self.stdout.write(
            f"People: {people['created']:,} created, {people['updated']:,} updated, {people['unchanged']:,} unchanged, "
            f"{facts['left']:,} left, {facts['back']:,} back, {facts['doubtful']:,} doubtful, "
            f"{facts['ignored']:,} ignored"
        )
        boxes = facts["mailboxes"]
        self.stdout.write(
            f"Mailboxes: {boxes['created']:,} linked, {facts['renamed']:,} renamed. "
            f"Org units: {facts['units']:,} created"
        )
        if outcome.left_out:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(outcome.left_out.items()))
            self.stdout.write(f"Left out of the directory: {reasons}")
        self.stdout.write("Dry run: nothing was changed." if facts["dry_run"] else "Applied.")


def figures(outcome: DirectoryOutcome, *, calendars: int, dry_run: bool) -> dict[str, Any]:  # Any: JSON values
    """Counts of an import."""
    return {
        "dry_run": dry_run,
        "people": asdict(outcome.mapping.people),
        "mailboxes": asdict(outcome.mapping.mailboxes),
        "units": outcome.mapping.units.created,
        "calendars": calendars,
        "renamed": len(outcome.renamed_accounts),
        "left": len(outcome.left),
        "back": outcome.back,
        "doubtful": outcome.doubtful,
        "ignored": outcome.ignored,
        "left_out": outcome.left_out,
    }


def _connection(platform: Platform, name: str | None) -> TenantConnection:
    """The one that is meant. Raises UsageError with the names to choose from."""
    named = ensure_connections_from_environment(now=timezone.now()).get(platform)
    usable = Q(from_environment=False) | Q(pk=named.pk if named else None)
    found = list(TenantConnection.objects.filter(usable, platform=platform.value).order_by("name"))
    chosen = [row for row in found if name is None or row.name == name]
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise UsageError(
            f"No connection to {platform} is configured: enter one in the console under Tenant connections, or set "
            "what manage.py doctor says."
        )
    raise UsageError(f"Choose one with --connection: {', '.join(repr(row.name) for row in found)}.")
