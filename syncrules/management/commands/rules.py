"""Rules out to YAML and in again."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from syncrules.services.exchange import export_rules, import_rules

FROM_A_FILE = "imported from a file"


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
        parser.add_argument("--dry-run", action="store_true", help="import: only tell what would change")
        parser.add_argument("--reason", default=FROM_A_FILE, help="import: why, for the history of each rule")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["way"] == "export":
            self._export(options["file"])
        else:
            self._import(Path(options["file"]), reason=options["reason"], dry_run=options["dry_run"])

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

    def _import(self, file: Path, *, reason: str, dry_run: bool) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}."
            ) from None
        try:
            lines = import_rules(text=text, by=None, why=reason, now=timezone.now(), dry_run=dry_run)
        except ValidationError as error:
            raise CommandError("\n".join(["Nothing has changed.", *error.messages])) from None
        for line in lines:
            self.stdout.write(f"{line.outcome:<11} {line.name}")
        if dry_run:
            self.stdout.write("This was a dry run: nothing has changed.")
