"""What one or many turns did, counted; the numbers behind ``manage.py sync --json``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of a run. ``writes`` is keyed by (platform, kind)."""

    calendars: set[int] = field(default_factory=set)
    pulled: int = 0  # events that came with a pull, our own echoes included
    echoes: int = 0  # of these, the ones that told us nothing new
    adopted: int = 0
    held: int = 0
    brakes: int = 0
    conflicts: int = 0
    reopened: int = 0  # obstacles that may have gone
    writes: Counter[tuple[str, str]] = field(default_factory=Counter)
    busy_time: bool = False  # whether somebody's busy time has changed
    rung: set[int] = field(default_factory=set)  # calendars that got new work from this run

    @property
    def copied(self) -> int:
        """Copies that were made."""
        return sum(count for (_, kind), count in self.writes.items() if kind == "create")

    def writes_by_platform(self) -> dict[str, dict[str, int]]:
        """``{"outlook": {"create": 3}, ...}``."""
        report: dict[str, dict[str, int]] = {}
        for (platform, kind), count in sorted(self.writes.items()):
            report.setdefault(platform, {})[kind] = count
        return report
