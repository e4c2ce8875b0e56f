"""Signs of life of one queue cluster, as files: a beat when a task runs, one when a result is acknowledged, and a mark
for each busy worker process.

The supervisor names the folder in ``CALSYNC_BEAT_DIR``; without it nothing is written. Files, because the processes to
be watched are exactly those whose queues and connections may be stuck.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from calendars.tasks import sweep

BEAT_DIR = "CALSYNC_BEAT_DIR"


def beat() -> None:
    """A task that looks for work which no bell announces. That it ran is the sign of life."""
    sweep()


def task_begins(sender: Any, **facts: Any) -> None:  # noqa: ARG001 - Any: the signal's own arguments
    """In a worker: it is alive, and busy from now on."""
    _touch("ran")
    _touch(f"busy-{os.getpid()}")


def task_ends(sender: Any, **facts: Any) -> None:  # noqa: ARG001 - Any: the signal's own arguments
    """In a worker: it is free again."""
    if folder := _folder():
        (folder / f"busy-{os.getpid()}").unlink(missing_ok=True)


def result_kept(sender: Any, **facts: Any) -> None:  # noqa: ARG001 - Any: the signal's own arguments
    """In the monitor: results are acknowledged."""
    _touch("acknowledged")


def last_sign(folder: Path) -> float:
    """When the cluster last showed both signs, in seconds since the epoch; 0 for never. A dead monitor stops it too."""
    return min(_modified(folder / "ran"), _modified(folder / "acknowledged"))


def has_busy_worker(folder: Path, *, longest: float) -> bool:
    """Whether a living worker process has been at one task for less than ``longest`` seconds."""
    return any(
        _is_alive(int(mark.name.removeprefix("busy-"))) and time.time() - _modified(mark) < longest
        for mark in folder.glob("busy-*")
    )


def _folder() -> Path | None:
    named = os.environ.get(BEAT_DIR)
    return Path(named) if named else None


def _touch(name: str) -> None:
    if folder := _folder():
        (folder / name).touch()


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
