"""A pretend company, kept in step before your eyes."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from calsync_site.demo.processes import DemoFailed
from calsync_site.demo.show import Demo


class Command(BaseCommand):
    """``manage.py demo``."""

    help = (
        "Show CalSync on a pretend company of 40 people: starts pretend providers, web server and workers, maps, "
        "activates, audits, and keeps living until Ctrl-C. Everything it needs lies in var/demo, made anew each time."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Manner and place."""
        parser.add_argument(
            "--once", action="store_true", help="end after an audit; exit 0 only if all matches and no mail went out"
        )
        parser.add_argument("--port", type=int, default=8780, help="the console's port; the providers use the next one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it, and stop everything in the end."""
        for number in (signal.SIGINT, signal.SIGTERM):  # set both: a shell may have told us to ignore the first
            signal.signal(number, _as_interrupt)
        demo = Demo(
            root=Path(settings.BASE_DIR),
            folder=Path(settings.BASE_DIR) / "var" / "demo",
            port=options["port"],
            say=self._say,
        )
        try:
            demo.begin()
            if options["once"]:
                self._prove(demo)
            else:
                demo.live()
        except DemoFailed as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self._say("\nStopping ...")
        finally:
            demo.end()

    def _prove(self, demo: Demo) -> None:
        outcome = demo.prove()
        counts = ", ".join(
            f"{outcome.audit[kind]} {kind}" for kind in ("matched", "missing", "drifted", "orphans", "duplicates")
        )
        self._say(f"Audit after the edits: match rate {outcome.audit['match_rate']:.2f} %: {counts}.")
        self._say(f"Invitation mails sent by CalSync: {outcome.mails}.")
        if not outcome.good:
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _as_interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal's arguments
    raise KeyboardInterrupt
