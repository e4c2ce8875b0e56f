"""Import, report what matches, and let writes begin."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.gateway import SETTINGS
from accounts.progress import bars
from accounts.services.connections import ensure_connections_from_environment
from calendars import activation, services
from calendars.management.scope import UsageError, person_calendars, unit_calendars
from calendars.models import Calendar, CalendarQuerySet
from calendars.sync.run import RunReport, serve
from calendars.sync.watch import ensure_watches

HELP = """Switch sync on: read the primary calendars of both platforms, adopt the pairs that stand on both sides
already, then write the missing copies, both ways. Nobody outside gets a mail because of it.

Existing events are included (30 days back, 400 ahead); --from-now leaves them alone and copies only what is new.
Safe to repeat; --dry-run reads both sides, stores nothing and prints what would be done.

exit code 0   everything in scope is in step      1   something could not be done (said line by line)
          2   a wrong call or configuration

  manage.py activate_sync --all --dry-run
  manage.py activate_sync --org-unit /Sales/EMEA
  manage.py activate_sync --person ada@example.org --from-now"""


class Command(BaseCommand):
    """``manage.py activate_sync``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Scope and manner."""
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--all", action="store_true", help="everybody who is mapped")
        scope.add_argument("--org-unit", metavar="PATH", help="an org unit and those below it, like /Sales/EMEA")
        scope.add_argument("--person", metavar="EMAIL", help="one person")
        parser.add_argument("--from-now", action="store_true", help="leave existing events alone")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Activate or preview, and report."""
        calendars = activation.in_scope(_scope(options))
        if not calendars.exists():
            raise UsageError("Nobody in this scope has a mailbox. Map people first: manage.py map_org_units FILE.csv")
        _require_connections(calendars)
        if options["dry_run"]:
            self._preview(calendars, from_now=options["from_now"])
        else:
            self._activate(calendars, from_now=options["from_now"])

    def _activate(self, calendars: CalendarQuerySet, *, from_now: bool) -> None:
        ensure_connections_from_environment(now=timezone.now())
        with bars() as progress:
            chosen = services.activate(calendars=calendars, from_now=from_now, now=timezone.now())
            for position, calendar in enumerate(chosen, start=1):
                activation.try_look_up(calendar)
                progress("Finding mailboxes", position, len(chosen))
            report = serve(calendars=calendars, clock=timezone.now, until_idle=True, progress=progress)
            watches = ensure_watches(clock=timezone.now)
        totals = services.totals(calendars)
        self.stdout.write(
            f"{len(chosen)} calendars are active: {totals.events} events, {totals.adopted} pairs adopted, "
            f"{totals.copied} copied, {totals.held} held, {totals.parked} parked."
        )
        if watches["refused"]:
            self.stdout.write(
                f"{watches['refused']} calendars have no push channel yet: they are polled, and it is tried again."
            )
        self._trouble(report)

    def _trouble(self, report: RunReport) -> None:
        for calendar in report.troubled:
            self.stderr.write(f"{calendar}: {calendar.state_reason} {calendar.state_remedy}")
        for operation in report.parked:
            self.stderr.write(
                f"parked: {operation.kind} on {operation.calendar}: {operation.reason} {operation.remedy}"
            )
        if not report.idle:
            sys.exit(1)

    def _preview(self, calendars: CalendarQuerySet, *, from_now: bool) -> None:
        with bars() as progress:
            ahead = activation.read_ahead(calendars, from_now=from_now, now=timezone.now(), progress=progress)
        for trouble in ahead.troubles:
            self.stderr.write(trouble)
        preview = ahead.preview
        self.stdout.write(
            f"Would activate {calendars.count()} calendars of {ahead.people} people: {preview.events} events read, "
            f"{preview.adopted} pairs adopted, {preview.copied} copied, {preview.in_parts} of them in parts; "
            f"{preview.single} belong to people with one mailbox. Nothing was changed."
        )
        if ahead.troubles:
            sys.exit(1)


def _scope(options: dict[str, Any]) -> CalendarQuerySet:  # Any: argparse's values
    if options["person"] is not None:
        return person_calendars(options["person"])
    return unit_calendars(options["org_unit"]) if options["org_unit"] is not None else Calendar.objects.all()


def _require_connections(calendars: CalendarQuerySet) -> None:
    """Raises UsageError when a mailbox is reached neither by a connection of the console nor by the environment's."""
    for platform, address in activation.unreached(calendars):
        raise UsageError(
            f"No connection to {platform} reaches {address}: set {SETTINGS[platform]}, or enter a connection for its "
            "mail domain in the console under Tenant connections."
        )
