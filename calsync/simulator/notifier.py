"""Sends webhook calls in the background, with retries and back-off. What is said and to whom: each provider's own room.

Deliveries of one ``key`` (a subscription or a channel) go out one after another, so that a slow receiver delays only
itself; different keys share a few threads.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

RETRY_AFTER = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)  # seconds; the last one repeats until GIVE_UP_AFTER
GIVE_UP_AFTER = 4 * 3600.0  # Graph drops a notification after four hours of refusals
ANSWER_WITHIN = 10.0


@dataclass(slots=True)
class Delivery:
    """One call that is owed: ``build`` gives the body at sending time, so that bursts may share one call."""

    key: str
    url: str
    build: Callable[[], bytes | None]  # None: nothing to say any more
    headers: Mapping[str, str]
    first_due: float
    attempts: int = 0


@dataclass(slots=True)
class Sent:
    """What came of one attempt; kept for tests and the control room (newest last, bounded)."""

    key: str
    status: int  # 0: no answer
    attempt: int
    seconds: float


@dataclass(slots=True)
class _Lane:
    """The deliveries of one key, in order; ``busy`` while a thread works on its head."""

    waiting: deque[Delivery] = field(default_factory=deque)
    busy: bool = False


class Notifier:
    """Background sender. Threads start with the first delivery and end with ``stop``."""

    def __init__(self, *, threads: int = 4) -> None:
        self.sent: deque[Sent] = deque(maxlen=10_000)
        self._size = threads
        self._threads: list[threading.Thread] = []
        self._lanes: dict[str, _Lane] = {}
        self._due: list[tuple[float, int, str]] = []  # heap of (monotonic time, tie-break, key)
        self._ticket = itertools.count()
        self._wake = threading.Condition()
        self._stopping = False

    def send(
        self, *, key: str, url: str, build: Callable[[], bytes | None], headers: Mapping[str, str], delay: float = 0.0
    ) -> None:
        """Owe one POST to ``url``, ``delay`` seconds from now at the earliest."""
        now = time.monotonic()
        with self._wake:
            if self._stopping:
                return
            lane = self._lanes.setdefault(key, _Lane())
            lane.waiting.append(Delivery(key, url, build, headers, now + delay))
            if not lane.busy and len(lane.waiting) == 1:
                self._schedule(key, now + delay)
            self._start_threads()

    def idle(self) -> bool:
        """Whether nothing is owed."""
        with self._wake:
            return not any(lane.waiting or lane.busy for lane in self._lanes.values())

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is owed; False when time ran out."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if self.idle():
                return True
            time.sleep(0.005)
        return self.idle()

    def stop(self) -> None:
        """Drop what is owed and end the threads."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=1)

    def _start_threads(self) -> None:
        if len(self._threads) < self._size:
            thread = threading.Thread(target=self._work, name="simulator-notifier", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _schedule(self, key: str, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._ticket), key))
        self._wake.notify()

    def _next_key(self) -> str | None:
        with self._wake:
            while not self._stopping:
                pause = self._due[0][0] - time.monotonic() if self._due else None
                if pause is not None and pause <= 0:
                    key = heapq.heappop(self._due)[2]
                    self._lanes[key].busy = True
                    return key
                self._wake.wait(pause)
        return None

    def _work(self) -> None:
        line = _Line()
        while (key := self._next_key()) is not None:
            delivery = self._lanes[key].waiting[0]
            self._settle(delivery, accepted=self._attempt(delivery, line))

    def _attempt(self, delivery: Delivery, line: _Line) -> bool:
        body = delivery.build()
        if body is None:
            return True
        delivery.attempts += 1
        began = time.monotonic()
        status = line.post(delivery.url, body, delivery.headers)
        self.sent.append(Sent(delivery.key, status, delivery.attempts, time.monotonic() - began))
        return 200 <= status < 300

    def _settle(self, delivery: Delivery, *, accepted: bool) -> None:
        now = time.monotonic()
        with self._wake:
            lane = self._lanes[delivery.key]
            lane.busy = False
            if accepted or now - delivery.first_due > GIVE_UP_AFTER:
                lane.waiting.popleft()
                pause = 0.0
            else:
                pause = RETRY_AFTER[min(delivery.attempts - 1, len(RETRY_AFTER) - 1)]
            if lane.waiting:
                self._schedule(delivery.key, max(now + pause, lane.waiting[0].first_due))
            else:
                del self._lanes[delivery.key]


class _Line:
    """One thread's kept-alive connections, by origin."""

    def __init__(self) -> None:
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """POST and return the status; 0 when there was no answer in time."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        for fresh in (False, True):  # a kept connection may have been closed by the other side meanwhile
            reused = not fresh and parts.netloc in self._connections
            try:
                return self._post_once(parts.scheme, parts.netloc, target, body, headers)
            except (OSError, http.client.HTTPException):
                self._drop(parts.netloc)
                if not reused:
                    return 0
        return 0

    def _post_once(self, scheme: str, netloc: str, target: str, body: bytes, headers: Mapping[str, str]) -> int:
        connection = self._connections.get(netloc)
        if connection is None:
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            connection = self._connections[netloc] = kind(netloc, timeout=ANSWER_WITHIN)
        connection.request("POST", target or "/", body=body, headers=dict(headers))
        answer = connection.getresponse()
        answer.read()
        if answer.will_close:
            self._drop(netloc)
        return answer.status

    def _drop(self, netloc: str) -> None:
        if connection := self._connections.pop(netloc, None):
            connection.close()
