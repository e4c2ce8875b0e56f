"""The test's end of the line to a warmed-up process: start a sync in a fork, wait for its end, read its report."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from calsync.simulator.core import Call
from tests.queue.installation import ROOT, Installation
from tests.queue.processes import kill

BEGIN = "import django; django.setup(); from tests.queue import forked; forked.main()"
LATER = 700
"""Seconds by which the forks' clock is moved on for a clean-up: leases have run out, and no write counts as a storm."""


class Forks:
    """One warmed-up process of an installation."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.ahead = installation, 0
        with (installation.folder / "forks.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BEGIN],
                env=installation.environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, text=True,
            )  # fmt: skip

        assert self._answer() == 0  # it is warm

    def close(self) -> None:
        """End the process; its children are done or killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)

    def start(self, name: str = "sync", **order: Any) -> int:
        """Begin a sync in a fork; returns its pid. What may be ordered: ``forked``."""
        self._report(name).unlink(missing_ok=True)
        return self._ask({"ahead": self.ahead, **order, "report": str(self._report(name))})

    def wait(self, pid: int) -> int:
        """The exit code of a fork; negative: the signal that ended it."""
        return self._ask({"wait": pid})

    def sync(self, name: str = "sync", **order: Any) -> int:
        """A sync to its end, whichever that is."""
        return self.wait(self.start(name, **order))

    def report(self, name: str = "sync") -> dict[str, Any]:
        """What a sync that came to its good end has told."""
        assert self._report(name).exists(), self.installation.log("forks")
        return json.loads(self._report(name).read_text())

    def clean_up(self) -> dict[str, Any]:
        """A sync after a dead one's lease has run out; must come to its good end."""
        self.ahead += LATER
        assert self.sync("clean_up") == 0, self.installation.log("forks")
        return self.report("clean_up")

    def sync_killed_at(self, request: int) -> int:
        """A sync, killed when the providers have carried out its n-th request; its exit code."""
        pid: list[int] = []
        with self._killing(pid, request):
            pid.append(self.start())
            self._begun.set()
            return self.wait(pid[0])

    @contextmanager
    def _killing(self, pid: list[int], request: int) -> Iterator[None]:
        numbers, self._begun = itertools.count(1), threading.Event()
        hooks = self.installation.simulator.core.on_call

        def strike(_: Call) -> None:
            if next(numbers) == request:
                self._begun.wait(5)
                kill(pid)

        hooks.append(strike)
        try:
            yield
        finally:
            hooks.remove(strike)

    def _report(self, name: str) -> Any:  # a Path
        return self.installation.folder / f"{name}.json"

    def _ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, self.installation.log("forks")
        return int(answer)
