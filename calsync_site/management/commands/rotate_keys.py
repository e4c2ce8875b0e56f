"""Seal everything with the newest key."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.progress import bars
from accounts.rotation import Column, rotate

HELP = """Seal every secret and every event's text with the first key of CALSYNC_SEALING_KEYS, while everything runs.

  1. put a new key in front of the others and restart web and workers: they seal with it and open what is older
  2. manage.py rotate_keys        broken off, it is simply begun again
  3. when it says that nothing is left on older keys, take these out of the setting

A new key: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"

exit code 0   everything is sealed with the newest key
          1   something is left on older keys, or opened by none of them"""


class Command(BaseCommand):
    """``manage.py rotate_keys``."""

    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Form of the report."""
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry everything over and report."""
        with bars() as progress:
            columns = rotate(now=timezone.now(), progress=progress)
        self.stdout.write(json.dumps(as_json(columns), indent=2) if options["json"] else as_text(columns))
        if any(column.left or column.broken for column in columns):
            sys.exit(1)


def as_json(columns: list[Column]) -> list[dict[str, Any]]:
    """One object for each sealed column."""
    return [
        {"column": c.name, "values": c.values, "resealed": c.resealed, "left": c.left, "broken": c.broken}
        for c in columns
    ]


def as_text(columns: list[Column]) -> str:
    """The same for a reader."""
    lines = [f"{column.name}: {column.values} values, {column.resealed} sealed anew." for column in columns]
    lines += [
        f"{column.name}: {column.left} were written with an older key meanwhile. Restart web and workers with the "
        "new setting, then repeat."
        for column in columns
        if column.left
    ]
    lines += [
        f"{column.name}: {column.broken} are opened by none of the keys and were left as they are. Put the key that "
        "was in use before back at the end of CALSYNC_SEALING_KEYS."
        for column in columns
        if column.broken
    ]
    if not any(column.left or column.broken for column in columns):
        lines.append("Everything is sealed with the newest key. Older ones can be taken out of CALSYNC_SEALING_KEYS.")
    return "\n".join(lines)
