"""Errands: calls over the network that must not keep the doctor waiting. Each runs in a thread that is left behind when
it does not come back in time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from calsync_site.doctor.finding import Finding

Errand = Callable[[], list[Finding]]
"""Must not touch the database: it runs in a thread of its own."""


class Errands:
    """Calls under way since ``send``."""

    def __init__(self) -> None:
        self._waiting: list[tuple[queue.SimpleQueue[list[Finding] | BaseException], list[Finding]]] = []

    def send(self, errand: Errand, *, late: Sequence[Finding]) -> None:
        """Begin a call; ``late`` is what is found when it does not come back in time."""
        answers: queue.SimpleQueue[list[Finding] | BaseException] = queue.SimpleQueue()
        # A daemon: the end of the command does not wait for it.
        threading.Thread(target=_run, args=(errand, answers), name="doctor-errand", daemon=True).start()
        self._waiting.append((answers, list(late)))

    def collect(self, *, seconds: float) -> list[Finding]:
        """What all calls found, waiting for so long altogether. A defect of an errand is raised here."""
        give_up_at = time.monotonic() + seconds
        findings: list[Finding] = []
        for answers, late in self._waiting:
            try:
                answer = answers.get(timeout=max(0.0, give_up_at - time.monotonic()))
            except queue.Empty:
                answer = late
            if isinstance(answer, BaseException):
                raise answer
            findings += answer
        return findings


def _run(errand: Errand, answers: queue.SimpleQueue[list[Finding] | BaseException]) -> None:
    try:
        answers.put(errand())
    except BaseException as error:  # handed on to ``collect``
        answers.put(error)
