"""A pretend person's edit, and the wait until its copy stands in the person's other calendar and its echo is read.

What lives here: watching the stores from inside the simulator's process, where looking costs no request.
"""

from __future__ import annotations

import time
from typing import Any

from calsync_site.bench.crowd import address, title
from calsync_site.bench.metered import Metered

LOOK_EVERY = 0.005  # seconds
GIVE_UP_AFTER = 60.0
REST = 0.6  # seconds without any request that count as rest

Body = dict[str, Any]  # an event as a provider's store shows it


class CopyMissing(Exception):
    """The copy of an edit did not come."""


class Editor:
    """Hands on the calendars of a metered simulator."""

    def __init__(self, simulator: Metered) -> None:
        self._simulator = simulator

    def edit(self, *, person: int, side: str, text: str) -> dict[str, object]:
        """Give the person's first event of this side a new title; wait for the copy, then for rest.

        Returns ``seconds`` from the edit to the copy, and the numbers ``first`` and ``last`` (exclusive) of the
        requests heard in between. Raises CopyMissing after a minute.
        """
        heard = self._simulator.heard
        whose, other = address(person), "google" if side == "outlook" else "outlook"
        event_id, words = self._id_of(whose, side, title(side, 0)), f"{title(side, 0)}, {text}"
        began, first = time.perf_counter(), len(heard)
        self._change(whose, side, event_id, words)
        while not self._shows(whose, other, words):
            if time.perf_counter() - began > GIVE_UP_AFTER:
                raise CopyMissing(f"no copy of an edit in {side} after {GIVE_UP_AFTER} seconds")
            time.sleep(LOOK_EVERY)
        seconds, last = time.perf_counter() - began, len(heard) + self._simulator.under_way
        self._rest()
        return {"seconds": seconds, "first": first, "last": last}

    def _id_of(self, whose: str, side: str, wanted: str) -> str:
        name = "subject" if side == "outlook" else "summary"
        return next(str(event["id"]) for event in self._events(whose, side) if str(event.get(name)).startswith(wanted))

    def _change(self, whose: str, side: str, event_id: str, words: str) -> None:
        if side == "outlook":
            self._simulator.graph.update_event(whose, event_id, {"subject": words})
        else:
            self._simulator.google.patch_event(whose, event_id, {"summary": words})

    def _shows(self, whose: str, side: str, words: str) -> bool:
        name = "subject" if side == "outlook" else "summary"
        return any(event.get(name) == words for event in self._events(whose, side))

    def _events(self, whose: str, side: str) -> list[Body]:
        store = self._simulator.graph if side == "outlook" else self._simulator.google
        return store.events(whose)

    def _rest(self) -> None:
        until = time.monotonic() + GIVE_UP_AFTER
        while time.monotonic() < until:
            notifier_idle = self._simulator.core.notifier.idle()
            if notifier_idle and time.monotonic() - self._simulator.last_heard_at > REST:
                return
            time.sleep(0.05)
