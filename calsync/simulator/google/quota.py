"""The quota of requests per minute and user, in a sliding window; every part of a batch counts."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calsync.simulator.core import Core
from calsync.simulator.google.errors import user_rate_limit_exceeded

WINDOW = timedelta(minutes=1)


@dataclass(slots=True)
class Quota:
    """Counts the requests of each user; ``Switches.google_requests_per_minute`` says how many are allowed."""

    core: Core
    seen: dict[str, deque[datetime]] = field(default_factory=dict)

    def spend(self, user: str) -> None:
        """Count one request; 403 when the user has none left."""
        allowed = self.core.switches.google_requests_per_minute
        if not allowed:
            return
        now = self.core.clock.now()
        times = self.seen.setdefault(user, deque())
        while times and times[0] <= now - WINDOW:
            times.popleft()
        if len(times) >= allowed:
            raise user_rate_limit_exceeded()
        times.append(now)
