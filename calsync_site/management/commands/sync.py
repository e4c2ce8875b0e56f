"""Read and write what is due, in this process."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.progress import bars
from calendars.management.scope import UsageError, add_person, chosen
from calendars.models import Calendar
from calendars.sync.run import RunReport, serve
from conflicts.detection import catch_up
from conflicts.services import close_settled, open_cases

HELP = """Read every active calendar in scope at least once, then pull and push whatever becomes due, here and now.

Workers do the same in the background; this command is for trying, for catching up, and for machines without a worker.

exit code 0   nothing is due any more (parked writes and open cases are reported; they are no failure)
          1   work is left that could not be done
          2   a wrong call, or nothing is active

  manage.py sync --until-idle
  manage.py sync --person ada@example.org --json"""


class Command(BaseCommand):
    """``manage.py sync``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Scope, endurance and form of the report."""
        scope = parser.add_mutually_exclusive_group()
        add_person(scope)  # type: ignore[arg-type]  # a group takes arguments like a parser
        scope.add_argument("--calendar", type=int, metavar="ID", help="only this calendar")
        parser.add_argument(
            "--until-idle", action="store_true", help="go on, waiting for short back-offs, until nothing is due"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve the scope and report."""
        calendars = chosen(options)
        if not calendars.active().exists():
            raise UsageError("No active calendar in this scope. Activate one first: manage.py activate_sync --all")
        with bars() as progress:
            report = serve(
                calendars=calendars,
                clock=timezone.now,
                until_idle=options["until_idle"],
                progress=progress,
            )
        # What was found becomes cases here, too: a machine without a worker has nobody else to do it.
        catch_up(now=timezone.now())
        open_cases(now=timezone.now())
        close_settled(now=timezone.now())
        self.stdout.write(json.dumps(as_json(report), indent=2) if options["json"] else as_text(report))
        if not report.idle and (options["until_idle"] or report.troubled):
            sys.exit(1)


def as_json(report: RunReport) -> dict[str, Any]:
    """The machine-readable report; the keys are a contract."""
    tally = report.tally
    return {
        "calendars": len(tally.calendars),
        "pulled": tally.pulled,
        "writes": tally.writes_by_platform(),
        "echoes": tally.echoes,
        "held": tally.held,
        "parked": [
            {"operation": op.pk, "calendar": op.calendar_id, "kind": op.kind, "reason": op.reason, "remedy": op.remedy}
            for op in report.parked
        ],
        "conflicts": tally.conflicts,
        "brakes": tally.brakes,
        "due": report.due + report.later,
        "troubled": [
            {"calendar": calendar.pk, "state": calendar.state, "reason": _why(calendar)} for calendar in report.troubled
        ],
        "seconds": report.seconds,
    }


def as_text(report: RunReport) -> str:
    """The same for a reader."""
    tally = report.tally
    writes = [f"{count} {kind} on {platform}" for (platform, kind), count in sorted(tally.writes.items())]
    lines = [
        f"Read {len(tally.calendars)} calendars, {tally.pulled} events came in, {tally.echoes} were our own echoes.",
        f"Wrote: {', '.join(writes) or 'nothing'}.",
        f"Held: {tally.held}, conflicts: {tally.conflicts}, brakes: {tally.brakes}, parked: {len(report.parked)}.",
    ]
    lines += [f"  parked: {op.kind} on {op.calendar}: {op.reason} {op.remedy}" for op in report.parked[:20]]
    lines += [f"  {calendar.get_state_display()}: {calendar}: {_why(calendar)}" for calendar in report.troubled[:20]]
    lines.append(f"{_ending(report)} ({report.seconds} s)")
    return "\n".join(lines)


def _why(calendar: Calendar) -> str:
    return f"{calendar.state_reason} {calendar.state_remedy}".strip()


def _ending(report: RunReport) -> str:
    if report.idle:
        return "Nothing is due."
    left = report.due + report.later
    if not left:
        return f"Not everything could be read; calendars in trouble: {len(report.troubled)}."
    return "1 thing is left." if left == 1 else f"{left} things are left."
