"""Outlook's limits per mailbox: four requests at a time, ten thousand in ten minutes. A batch's parts count each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from calsync.simulator.core import Core
from calsync.simulator.graph.errors import mailbox_concurrency, too_many_requests

PERIOD = 600.0
PAUSE = 1.0  # seconds that Retry-After asks for


@dataclass(slots=True)
class Budget:
    """Requests of one mailbox in the running ten minutes (simulated time)."""

    until: float = 0.0
    spent: int = 0


class Throttle:
    """Who is inside, and who has used up the budget."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._inside: Counter[str] = Counter()
        self._budgets: dict[str, Budget] = {}

    def enter(self, wanted: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """Take up to the wanted number of places per mailbox; (places taken, places refused)."""
        limit = self._core.switches.graph_concurrency
        taken, refused = {}, {}
        with self._core.lock:
            for mailbox, places in wanted.items():
                free = places if not limit else max(0, limit - self._inside[mailbox])
                taken[mailbox] = min(places, free)
                refused[mailbox] = places - taken[mailbox]
                self._inside[mailbox] += taken[mailbox]
        return taken, refused

    def leave(self, taken: dict[str, int]) -> None:
        """Give the places back."""
        with self._core.lock:
            self._inside.subtract(taken)

    def refuse(self) -> None:
        """Raise the answer for a mailbox with too many requests at a time."""
        raise mailbox_concurrency(PAUSE)

    def spend(self, mailbox: str) -> None:
        """Count one request; refused ones count as well."""
        limit = self._core.switches.graph_requests_per_10_minutes
        if not limit or not mailbox:
            return
        with self._core.lock:
            now = self._core.clock.now().timestamp()
            budget = self._budgets.setdefault(mailbox, Budget())
            if now >= budget.until:
                budget.until, budget.spent = now + PERIOD, 0
            budget.spent += 1
            if budget.spent > limit:
                raise too_many_requests(budget.until - now)
