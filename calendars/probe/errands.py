"""Errands: calls over the network that must not keep anybody waiting. Each runs in a thread that is left behind when it
does not come back in time.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Errands(Generic[Found]):
    """Calls under way since ``send``. None may touch the database: each runs in a thread of its own."""

    def __init__(self) -> None:
        self._waiting: list[tuple[queue.SimpleQueue[list[Found] | BaseException], list[Found]]] = []

    def send(self, errand: Callable[[], list[Found]], *, late: Sequence[Found]) -> None:
        """Begin a call; ``late`` is what is found when it does not come back in time."""
        answers: queue.SimpleQueue[list[Found] | BaseException] = queue.SimpleQueue()
        # A daemon: the end of the process does not wait for it.
        threading.Thread(target=_run, args=(errand, answers), name="errand", daemon=True).start()
        self._waiting.append((answers, list(late)))

    def collect(self, *, seconds: float) -> list[Found]:
        """What all calls found, waiting for so long altogether. A defect of an errand is raised here."""
        give_up_at = time.monotonic() + seconds
        findings: list[Found] = []
        for answers, late in self._waiting:
            try:
                answer = answers.get(timeout=max(0.0, give_up_at - time.monotonic()))
            except queue.Empty:
                answer = late
            if isinstance(answer, BaseException):
                raise answer
            findings += answer
        return findings


def _run(errand: Callable[[], list[Found]], answers: queue.SimpleQueue[list[Found] | BaseException]) -> None:
    try:
        answers.put(errand())
    except BaseException as error:  # handed on to ``collect``
        answers.put(error)
