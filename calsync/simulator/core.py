"""What both pretend providers share: the clock, the ledger of requests, the outbox of mails, faults and switches.

Everything is guarded by one lock per simulator (``Core.lock``): stores are changed under it, network calls
(notifications, simulated latency) happen outside it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


class Clock:
    """The simulator's time: the real clock plus an offset that tests may move. Aware UTC."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The current simulated instant."""
        return datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> None:
        """Move the simulated time."""
        self._offset += by


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived (batch parts count as calls of their own, marked ``inner``)."""

    at: datetime
    provider: str  # "graph", "google", "microsoft_login", "google_token", "directory"
    method: str
    path: str
    mailbox: str
    status: int
    inner: bool = False

    @property
    def is_write(self) -> bool:
        """Whether it changes events: subscriptions, channels, tokens and queries by POST do not count."""
        if self.method not in {"POST", "PATCH", "PUT", "DELETE"} or self.provider not in {"graph", "google"}:
            return False
        quiet = ("subscriptions", "/$batch", "/batch/", "channels/stop", "/watch", "freeBusy", "getSchedule")
        return not any(word in self.path for word in quiet)


@dataclass(slots=True)
class Ledger:
    """Every request that reached the simulator, newest last; bounded."""

    calls: list[Call] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    limit: int = 200_000

    def add(self, call: Call) -> None:
        """Record one call."""
        self.counts[f"{call.provider} {call.method}{' inner' if call.inner else ''}"] += 1
        self.calls.append(call)
        if len(self.calls) > self.limit:
            del self.calls[: self.limit // 10]

    def clear(self) -> None:
        """Forget everything, as before a measured phase."""
        self.calls.clear()
        self.counts.clear()


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that the real provider would have sent. ``by_person`` tells a pretend person's own act from an API client's."""

    at: datetime
    kind: str  # invitation, update, cancellation, response
    sender: str
    recipient: str
    event_id: str
    by_person: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What shall go wrong with matching requests: at most ``times`` of them, after ``skip`` good ones.

    ``kind``: ``status`` (answer ``status`` with ``body`` and ``headers`` instead of acting), ``lose_answer`` (act, then
    drop the connection), ``drop`` (drop the connection without acting), ``delay`` (sleep ``seconds`` first).
    """

    provider: str
    kind: str
    method: str = ""  # '' matches any
    path: str = ""  # regular expression, searched
    mailbox: str = ""
    times: int = 1
    skip: int = 0
    status: int = 503
    body: dict[str, object] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(slots=True)
class Switches:
    """Behaviours that the sources leave open, or that tests vary. Latency is per request, in milliseconds."""

    latency_ms: float = 0.0
    graph_reshape_wipes_exceptions: bool = True
    graph_delta_exceptions_are_stubs: bool = True
    graph_duplicate_transaction_answers_400: bool = True
    graph_projects_windows_names: bool = True  # originalStartTimeZone answered as Windows name even when IANA came in
    graph_expand_exceptions_refused: bool = False  # 400 on $expand=exceptionOccurrences
    google_series_share_one_version: bool = True
    notifications: bool = True  # deliver push notifications at all
    duplicate_notifications: bool = False


@dataclass(slots=True)
class Core:
    """One simulator's shared state. ``on_change(provider, mailbox, calendar_id)`` hooks are called after each event change."""

    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(default_factory=Ledger)
    outbox: list[Mail] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    switches: Switches = field(default_factory=Switches)
    lock: threading.RLock = field(default_factory=threading.RLock)
    domains: dict[str, str] = field(default_factory=dict)  # mailbox address -> "graph" | "google", for mail delivery
    deliver: dict[str, Callable[..., None]] = field(default_factory=dict)  # provider -> lands a native copy of an invitation
