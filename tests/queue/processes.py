"""Processes of one test: found by the mark in their environment, killed by their own ids, none left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PATIENCE = 60.0  # seconds; a loaded machine is slow, and a green test never waits for so long


def wait_until(condition: Callable[[], object], *, what: str, seconds: float = PATIENCE) -> None:
    """Poll until the condition holds; fails the test when it does not in time."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def marked(mark: str) -> set[int]:
    """Living processes that were started with ``mark`` (NAME=value) in their environment."""
    wanted = mark.encode()
    return {pid for pid in _pids() if _is_alive(pid) and wanted in _read(pid, "environ").split(b"\0")}


def children(parent: int) -> list[int]:
    """The living children of a process, the oldest first."""
    return sorted((pid for pid in _pids() if _is_alive(pid) and _parent(pid) == parent), key=_age)


def tree(root: int) -> list[int]:
    """A process and all its living descendants, ancestors first."""
    found = [root]
    for pid in found:
        found += children(pid)
    return found


def kill(pids: Iterable[int], number: int = signal.SIGKILL) -> None:
    """Signal each process; those that are gone already do not matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _pids() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _fields(pid: int) -> list[bytes]:
    """State, parent and so on: what follows the command's name in ``stat``."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def _age(pid: int) -> tuple[int, int]:
    """Grows with the moment of the start."""
    fields = _fields(pid)
    return int(fields[19]) if fields else 0, pid


def _is_alive(pid: int) -> bool:
    fields = _fields(pid)
    return bool(fields) and fields[0] not in {b"Z", b"X"}
