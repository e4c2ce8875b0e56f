"""The seam at which a worker's turn is interrupted: before or after its k-th request, or at its k-th statement.

``Death`` stands for SIGKILL: from then on not one statement and not one request of the turn gets through, so that
whatever ``finally`` blocks try (giving back the lease, say) does not happen; open transactions are rolled back.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from django.db import connection

from calendars import gateway
from calsync.providers.google import oauth as google_oauth
from calsync.providers.graph.oauth import token_source

Act = Callable[[], None]
CLEANING_UP = ("ROLLBACK", "RELEASE")  # the database does this by itself when a connection ends


class Death(BaseException):
    """The worker is gone. Nothing catches this but the seam."""


@dataclass(slots=True)
class Interruption:
    """What happens, and at which point of the turn; once."""

    at: int
    where: str  # "before" or "after" a request, at a "statement"
    act: Act
    count: int = 0
    over: bool = False

    def reached(self, where: str) -> bool:
        """Count one point; whether it is the one."""
        if self.over or where != self.where:
            return False
        self.count += 1
        self.over = self.count >= self.at
        return self.over


class Seam:
    """Stands around one turn at a time, in the thread that takes it."""

    def __init__(self) -> None:
        self._plan: Interruption | None = None
        self._dead = False

    @contextmanager
    def around(self, plan: Interruption) -> Iterator[None]:
        """Interrupt what is done inside, as planned. A Death ends here."""
        mine = threading.get_ident()
        send, answer = http.client.HTTPConnection.endheaders, http.client.HTTPConnection.getresponse

        def endheaders(line: Any, *arguments: Any, **options: Any) -> None:
            self._reach("before", mine)
            send(line, *arguments, **options)

        def getresponse(line: Any, *arguments: Any, **options: Any) -> Any:
            self._check(mine)
            found = answer(line, *arguments, **options)
            self._reach("after", mine)
            return found

        def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if not sql.startswith(CLEANING_UP):
                self._reach("statement", mine)
            return run(sql, params, many, context)

        self._plan, self._dead = plan, False
        wire = http.client.HTTPConnection
        with patch.object(wire, "endheaders", endheaders), patch.object(wire, "getresponse", getresponse):
            try:
                with connection.execute_wrapper(execute):
                    yield
            except Death:
                forget_connections()
            finally:
                self._plan = None

    def die(self) -> None:
        """To be used as an interruption's act."""
        self._dead = True
        raise Death

    def _check(self, thread: int) -> None:
        if self._dead and threading.get_ident() == thread:
            raise Death

    def _reach(self, where: str, thread: int) -> None:
        self._check(thread)
        if threading.get_ident() == thread and self._plan is not None and self._plan.reached(where):
            self._plan.act()


def forget_connections() -> None:
    """As in a new process: no adapter, token or kept-alive connection is left.

    Whoever is in the middle of asking for a token holds its lock, for which another process would not wait.
    """
    gateway._adapters.__dict__.clear()
    token_source.cache_clear()
    google_oauth._WALLET._held.clear()


@contextmanager
def another_process() -> Iterator[None]:
    """What is done inside uses connections of its own, as another worker would."""
    kept = dict(gateway._adapters.__dict__)
    forget_connections()
    try:
        yield
    finally:
        gateway._adapters.__dict__.clear()
        gateway._adapters.__dict__.update(kept)
