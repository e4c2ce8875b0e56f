"""What is wrong here, and what to do about it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console
from rich.table import Table
from rich.text import Text

from calsync_site.doctor.checkup import examine
from calsync_site.doctor.finding import Finding, State

HELP = """Look at connections, mailboxes, push channels, queue, keys, clock, database and settings; change nothing.

Each finding is ok, a warning (worth knowing) or a problem (calendars do not stay in step), with one remedy.
It asks each provider for a token and one mailbox's calendars and takes no longer than about half a minute.

exit code 0   no problem      1   at least one problem

  manage.py doctor
  manage.py doctor --json"""

STYLES = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "bold red"}


class Command(BaseCommand):
    """``manage.py doctor``."""

    help = HELP
    requires_system_checks = ()  # they are part of the report

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Form of the report."""
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine and report."""
        findings = examine(now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(as_json(findings), indent=2))
        elif self.stdout.isatty():
            _show(findings)
        else:
            self.stdout.write(as_text(findings))
        if not is_well(findings):
            sys.exit(1)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether there is no problem; warnings do not count."""
    return all(finding.state != State.PROBLEM for finding in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The machine-readable report; the keys are a contract."""
    return {"ok": is_well(findings), "checks": [finding.as_json() for finding in findings]}


def as_text(findings: Sequence[Finding]) -> str:
    """One line per finding, its remedy below it."""
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.state:<8} {finding.name}: {finding.text}")
        if finding.remedy:
            lines.append(f"{'':<8}   -> {finding.remedy}")
    return "\n".join([*lines, _verdict(findings)])


def _show(findings: Sequence[Finding]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        text = Text(finding.text)
        if finding.remedy:
            text.append(f"\n{finding.remedy}", style="dim")
        table.add_row(Text(finding.state, style=STYLES[finding.state]), Text(finding.name), text)
    console = Console()
    console.print(table)
    console.print(_verdict(findings))


def _verdict(findings: Sequence[Finding]) -> str:
    counts = {state: sum(finding.state == state for finding in findings) for state in State}
    if not counts[State.PROBLEM]:
        return f"No problem, {counts[State.WARNING]} warnings."
    return f"{counts[State.PROBLEM]} problems, {counts[State.WARNING]} warnings."
