"""Progress bars for commands: on a terminal, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Report = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done and how much there is."""


def silent(stage: str, done: int, total: int) -> None:
    """A Report that shows nothing."""


@contextmanager
def bars() -> Iterator[Report]:
    """A Report that draws one bar for each stage on a terminal; one that shows nothing when output is piped."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield report
