"""Take out every copy that CalSync wrote, and nothing else."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.progress import bars
from calendars import removal
from calendars.management.scope import UsageError, add_person, chosen
from calendars.models import CalendarQuerySet
from calendars.removal import RemovalReport
from calendars.sync.remove import Removed

HELP = """Switch sync off for some calendars and delete every copy that CalSync itself wrote into them.

Nothing else is touched: an event that a person made, a pair that stood on both sides already, and a copy that has
become a meeting with guests all stay. Each copy is read and proven right before it is deleted, and nobody gets a mail.
Only the named calendars lose copies; what they hold of their own stays copied elsewhere. Safe to repeat. To go on
syncing afterwards: manage.py activate_sync; it makes the copies again.

--dry-run looks at every copy, says what would be deleted, and changes nothing. Without a terminal --yes is needed.

exit code 0   no copy of ours is left in the scope      1   something could not be deleted (said line by line)
          2   a wrong call

  manage.py remove_copies --person ada@example.org --dry-run
  manage.py remove_copies --all --yes"""

LISTED = 50


class Command(BaseCommand):
    """``manage.py remove_copies``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Scope, consent and form of the report."""
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--all", action="store_true", help="every calendar")
        add_person(scope)  # type: ignore[arg-type]  # a group takes arguments like a parser
        scope.add_argument("--calendar", type=int, metavar="ID", help="only this calendar")
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, take out, report."""
        calendars = chosen(options)
        if not calendars.exists():
            raise UsageError("There is no calendar in this scope.")
        dry_run = options["dry_run"]
        if not dry_run and not options["yes"]:
            self._ask(calendars)
        with bars() as progress:
            report = (
                removal.preview(calendars=calendars, progress=progress)
                if dry_run
                else removal.remove_copies(calendars=calendars, clock=timezone.now, progress=progress)
            )
        document = json.dumps(as_json(report, dry_run=dry_run), indent=2)
        self.stdout.write(document if options["json"] else as_text(report, dry_run=dry_run))
        if report.left:
            sys.exit(1)

    def _ask(self, calendars: CalendarQuerySet) -> None:
        if not sys.stdin.isatty():
            raise UsageError("Say --yes to delete copies without being asked, or --dry-run to look first.")
        active, copies = calendars.active().count(), removal.count_copies(calendars)
        self.stderr.write(f"{active} calendars will be switched off, and up to {copies} copies deleted from them.")
        self.stderr.write("Type yes to go on: ", ending="")
        if input().strip().lower() != "yes":
            raise UsageError("Nothing was changed.")


def as_json(report: RemovalReport, *, dry_run: bool) -> dict[str, Any]:
    """The machine-readable report; the keys are a contract."""
    return {
        "dry_run": dry_run,
        "removed": report.removed,
        "gone": report.gone,
        "kept": report.kept,
        "left": report.left,
        "calendars": [_calendar_json(one) for one in report.calendars],
    }


def _calendar_json(one: Removed) -> dict[str, Any]:
    return {
        "calendar": one.calendar.pk,
        "name": str(one.calendar),
        "removed": [link.event_id for link in one.removed],
        "gone": [link.event_id for link in one.gone],
        "kept": [{"event": link.event_id, "reason": reason} for link, reason in one.kept],
        "left": [{"event": link and link.event_id, "reason": reason} for link, reason in one.left],
    }


def as_text(report: RemovalReport, *, dry_run: bool) -> str:
    """The same for a reader."""
    done = "Copies to delete" if dry_run else "Copies deleted"
    lines = [f"{done}: {report.removed}. Gone already: {report.gone}. Staying: {report.kept}. Left: {report.left}."]
    for one in report.calendars:
        if one.done:
            counts = f"{len(one.removed)} of ours, {len(one.gone)} gone already"
            lines.append(f"{one.calendar} (calendar {one.calendar.pk}): {counts}.")
            lines += [f"  stays: event {link.event_id}: {reason}" for link, reason in one.kept[:LISTED]]
            lines += [f"  left: {_named(link)}: {reason}" for link, reason in one.left[:LISTED]]
            hidden = len(one.kept[LISTED:]) + len(one.left[LISTED:])
            lines += [f"  ... and {hidden} more; --json lists all."] if hidden else []
    lines.append("Nothing was changed." if dry_run else "Sync is off for these calendars: see activate_sync.")
    return "\n".join(lines)


def _named(link: Any) -> str:  # Any: a link, or None for the calendar as a whole
    return f"event {link.event_id}" if link is not None else "the rest of this calendar"
