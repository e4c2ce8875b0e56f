"""What this process has used: memory at most, and time that it lost waiting for a core."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS, SCHEDULER = Path("/proc/self/status"), Path("/proc/self/schedstat")


def peak_bytes() -> int:
    """The largest resident size so far, in bytes.

    Linux's own high-water mark where there is one: ``ru_maxrss`` of a child begins with the size of its parent.
    """
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def starved_seconds() -> float:
    """How long the main thread was ready to run and had no core, since its beginning; 0 where nobody tells (Linux)."""
    return int(SCHEDULER.read_text().split()[1]) / 1e9 if SCHEDULER.exists() else 0.0
