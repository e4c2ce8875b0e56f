"""Rules out to YAML and in again."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from calendars.rule_changes import Prospect, look_ahead, make
from calendars.sync.policy_effects import Effect
from syncrules.services.exchange import ImportLine, export_rules, import_rules

FROM_A_FILE = "imported from a file"
BEGUN = "The worker looks at these events in batches; the console shows how far it is, and can stop and undo it."
LEFT = "These events are left as they stand until this is applied: in the console (Changes of rules), or with --apply."


class Command(BaseCommand):
    """``manage.py rules``."""

    help = (
        "Write every rule to a YAML file, or make the rules of such a file so: all of them or, if one is wrong, none. "
        "Rules are known by their names; those that the file does not name are left as they are. "
        "Exit 0: done; 1: the file is wrong, and nothing has changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which way, and which file."""
        parser.add_argument("way", choices=["export", "import"])
        parser.add_argument("file", metavar="FILE.yaml", help="export to - writes to the screen")
        parser.add_argument(
            "--dry-run", action="store_true", help="import: only tell what would change, events included"
        )
        parser.add_argument("--apply", action="store_true", help="import: carry it into the events that stand, too")
        parser.add_argument("--reason", default=FROM_A_FILE, help="import: why, for the history of each rule")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["way"] == "export":
            self._export(options["file"])
        else:
            chosen = {name: options[name] for name in ("reason", "dry_run", "apply")}
            self._import(Path(options["file"]), **chosen)

    def _export(self, file: str) -> None:
        text = export_rules()
        if file == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"The rules are in {file}.")

    def _import(self, file: Path, *, reason: str, dry_run: bool, apply: bool) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}."
            ) from None
        now = timezone.now()

        def change() -> list[ImportLine]:
            return import_rules(text=text, by=None, why=reason, now=now)

        try:
            ahead = look_ahead(change=change, now=now)
            if not dry_run:
                make(change=change, ahead=ahead, by=None, reason=reason, now=now, is_carried_out=apply)
        except ValidationError as error:
            raise CommandError("\n".join(["Nothing has changed.", *error.messages])) from None
        self.stdout.write("\n".join(as_text(ahead)))
        if dry_run:
            self.stdout.write("This was a dry run: nothing has changed.")
        elif ahead.found.events:
            self.stdout.write(BEGUN if apply else LEFT)


def as_text(ahead: Prospect[list[ImportLine]]) -> Iterator[str]:
    """What becomes of each rule, and what that changes about the events that stand."""
    yield from (f"{line.outcome:<11} {line.name}" for line in ahead.outcome)
    found = ahead.found
    if ahead.is_news:
        yield f"{found.seen} events compared; for {len(found.events)} of them something changes."
    for effect in Effect:
        if found.counts[effect]:
            yield f"  copies {effect}: {found.counts[effect]}"
