"""Measure what CalSync costs and how fast it is."""

from __future__ import annotations

import json
import signal
import tempfile
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from calsync_site.bench import runs
from calsync_site.bench.figures import Figure, show
from calsync_site.bench.inside import TASKS
from calsync_site.bench.stand import BenchFailed, DemoFailed


class Command(BaseCommand):
    """``manage.py bench``."""

    help = (
        "Measure against the pretend providers, with processes and data of its own, and print one JSON line per figure "
        "and a table. Each figure stands beside its floor: the same HTTP calls in a bare loop, with no engine and no "
        "database. docs/performance.md tells the method and what was reached."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which figures, at which latency."""
        parser.add_argument(
            "--only", metavar="NAME", default="", help="one group or one figure; a wrong name lists all"
        )
        parser.add_argument(
            "--latency",
            metavar="MS",
            type=float,
            nargs="+",
            default=[0.0, 50.0],
            help="how long each provider request takes, in milliseconds (default: 0 50)",
        )
        parser.add_argument("--inside", choices=sorted(TASKS), help=SUPPRESS)  # what measured processes are started as
        parser.add_argument("--words", default="{}", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        if options["inside"]:
            self.stdout.write(json.dumps(TASKS[options["inside"]](**json.loads(options["words"]))))
            return
        _require_known(options["only"])
        signal.signal(signal.SIGTERM, _as_interrupt)
        try:
            with tempfile.TemporaryDirectory(prefix="calsync-bench-") as workshop:
                measured = self._measure(Path(workshop), options["latency"], options["only"])
        except (BenchFailed, DemoFailed) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=130) from None
        show(measured, runs.GOALS)

    def _measure(self, workshop: Path, latencies: Sequence[float], only: str) -> list[Figure]:
        root = Path(settings.BASE_DIR)
        bench = runs.Bench(root=root, workshop=workshop, latencies=latencies, sizes=runs.Sizes(), say=self._progress)
        measured: list[Figure] = []
        for figure in runs.figures(bench, only):
            measured.append(figure)
            self.stdout.write(figure.line())
            self.stdout.flush()
        return measured

    def _progress(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()


def _require_known(name: str) -> None:
    known = [*runs.GROUPS, *(figure for group in runs.GROUPS.values() for figure in group)]
    if name and name not in known:
        raise CommandError(f"There is no figure {name!r}. Known: {', '.join(known)}", returncode=2)


def _as_interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal's arguments
    raise KeyboardInterrupt
