"""Compare both sides and print the match rate."""

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
from calendars.services import audit_calendars, count_audits, repair_differences
from calendars.sync.audit import REMEDIES, AuditReport, Difference
from calendars.sync.run import serve

HELP = """Read both sides of everybody in scope completely, compare them, and print the match rate and each difference.

matched       events that stand equal on both sides
missing       an event without its copy            drifted      a copy that differs
orphans       a copy whose event is gone           duplicates   an event that stands twice on one side
policy        a copy that shows what a rule masks
unsupported   events that the other side cannot hold (not counted in the rate)
conflicts     open questions for a person (not counted in the rate)

exit code 0   match rate 100 %      1   something differs or could not be read      2   a wrong call

  manage.py audit
  manage.py audit --person ada@example.org --repair"""

LISTED = 50


class Command(BaseCommand):
    """``manage.py audit``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Scope, repair and form of the report."""
        add_person(parser)
        parser.add_argument("--repair", action="store_true", help="mend what differs, then audit again")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Audit, mend if asked, report."""
        calendars = chosen(options)
        if not calendars.active().exists():
            raise UsageError("No active calendar in this scope. Activate one first: manage.py activate_sync --all")
        if options["repair"]:
            serve(calendars=calendars, clock=timezone.now, until_idle=True)  # fresh edits are no differences to mend
        report = self._audit(calendars)
        if options["repair"] and report.differences:
            repair_differences(calendars=calendars, report=report, clock=timezone.now)
            report = self._audit(calendars)
        self.stdout.write(json.dumps(as_json(report), indent=2) if options["json"] else as_text(report))
        if report.match_rate < 100.0 or report.unread:
            sys.exit(1)

    def _audit(self, calendars: Any) -> AuditReport:  # Any: a queryset of calendars
        with bars() as progress:
            total = count_audits(calendars)
            return audit_calendars(
                calendars=calendars,
                clock=timezone.now,
                progress=lambda done: progress("Comparing mailboxes", done, total),
            )


def as_json(report: AuditReport) -> dict[str, Any]:
    """The machine-readable report; the keys are a contract."""
    counts = {kind: report.count(kind) for kind in REMEDIES}
    listed = [
        {
            "kind": difference.kind,
            "calendar": difference.calendar.pk,
            "event": difference.event_id,
            "fields": list(difference.paths),
            "remedy": REMEDIES[difference.kind],
        }
        for difference in report.differences
    ]
    unread = [{"calendar": calendar.pk, "reason": reason} for calendar, reason in report.unread]
    return {
        "match_rate": report.match_rate,
        "matched": report.matched,
        **counts,
        "differences": listed,
        "unread": unread,
    }


def as_text(report: AuditReport) -> str:
    """The same for a reader."""
    counts = ", ".join(f"{report.count(kind)} {kind}" for kind in REMEDIES)
    lines = [f"Match rate {report.match_rate:.2f} %: {report.matched} matched, {counts}."]
    for difference in report.differences[:LISTED]:
        fields = f" in {', '.join(difference.paths)}" if difference.paths else ""
        place: Calendar = difference.calendar
        lines.append(
            f"  {difference.kind}: {_subject(difference)} in {place}{fields}. Remedy: {REMEDIES[difference.kind]}."
        )
    if len(report.differences) > LISTED:
        lines.append(f"  ... and {len(report.differences) - LISTED} more; --json lists all.")
    lines += [f"  could not be read: {calendar}: {reason}" for calendar, reason in report.unread]
    return "\n".join(lines)


def _subject(difference: Difference) -> str:
    if difference.event_id:
        return f"event {difference.event_id}"
    # A brake on a whole calendar has one case for all its events.
    return "an event not met before" if difference.remote_id else "several events at once"
