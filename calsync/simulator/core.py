"""What both pretend providers share: the clock, the ledger of requests, the outbox of mails, faults and switches.

Everything is guarded by one lock per simulator (``Core.lock``): stores are changed under it, network calls
(notifications, simulated latency) happen outside it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from calsync.simulator.notifier import Notifier


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
    """One mail that the real provider would have sent.

    ``by_person`` tells a pretend person's own act from an API client's.
    """

    at: datetime
    kind: str  # invitation, update, cancellation, response
    sender: str
    recipient: str
    event_id: str
    by_person: bool


@dataclass(frozen=True, slots=True)
class Guest:
    """One invited person. ``response``: needsAction, accepted, declined, tentative."""

    address: str
    name: str = ""
    optional: bool = False
    response: str = "needsAction"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a meeting mail (iMIP) says, in neither provider's words; travels through ``Core.deliver``.

    ``uid`` is the sender's iCalendar UID of the series or single event (never an occurrence's). Timed meetings carry
    naive wall clock times plus IANA zones; all-day ones carry dates (end exclusive) and empty zones. ``recurrence``
    holds whole RFC 5545 lines ("RRULE:..."), and is None for singles and for a message about one occurrence, which has
    ``original_start`` instead (wall clock in ``start_zone`` or a date). ``reply`` goes to the organizer only and tells
    ``sender``'s ``response``.
    """

    method: str  # "request", "cancel", "reply"
    uid: str
    organizer: str
    organizer_name: str
    attendees: tuple[Guest, ...]
    subject: str
    body: str
    body_is_html: bool
    location: str
    start: datetime | date
    end: datetime | date
    start_zone: str = ""
    end_zone: str = ""
    recurrence: tuple[str, ...] | None = None
    original_start: datetime | date | None = None
    sender: str = ""  # who mails: the organizer, or the answering guest of a reply
    response: str = ""  # reply only: accepted, declined, tentative
    is_private: bool = False

    @property
    def is_all_day(self) -> bool:
        """Whether start and end are dates."""
        return not isinstance(self.start, datetime)


Deliver = Callable[[Invitation, str], None]  # (invitation, recipient address): land it in that person's mailbox
OnChange = Callable[[str, str, str], None]  # (provider, mailbox address, calendar id)
OnCall = Callable[["Call"], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What shall go wrong with matching requests: at most ``times`` of them, after ``skip`` good ones.

    ``kind``: ``status`` (answer ``status`` with ``body`` and ``headers`` instead of acting), ``lose_answer`` (act, then
    drop the connection), ``half_answer`` (act, then drop it in the middle of the body), ``drop`` (drop the connection
    without acting), ``delay`` (sleep ``seconds`` first).
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
class FaultUse:
    """How often a planned fault has matched so far."""

    fault: Fault
    seen: int = 0


@dataclass(slots=True)
class Switches:
    """Behaviours that the sources leave open, or that tests vary. Latency is per request, in milliseconds."""

    latency_ms: float = 0.0
    graph_reshape_wipes_exceptions: bool = True
    graph_delta_exceptions_are_stubs: bool = True
    graph_duplicate_transaction_answers_400: bool = True
    graph_projects_windows_names: bool = True  # originalStartTimeZone answered as Windows name even when IANA came in
    graph_expand_exceptions_refused: bool = False  # 400 on $expand=exceptionOccurrences
    graph_all_day_keeps_zone: bool = False  # an all-day event stays anchored in the zone it was sent with, not in UTC
    graph_delta_empty_pages: bool = False  # every delta round begins with an empty page that has a nextLink
    graph_delta_repeats_items: bool = False  # every item of a delta round arrives twice
    graph_foreign_uids_are_plain: bool = False  # iCalUId of a foreign invitation: its own UID, not wrapped in hex
    graph_concurrency: int = 4  # requests at a time per mailbox; 0 switches the limit off
    graph_requests_per_10_minutes: int = 10_000  # per mailbox; 0 switches the limit off
    google_series_share_one_version: bool = True
    google_idle_patch_keeps_version: bool = False  # a patch that changes nothing leaves etag and updated alone
    google_unknown_fields_answer_400: bool = False  # else unknown body fields are ignored
    google_requests_per_minute: int = 0  # per user, sliding; the real default is 600; 0 switches the limit off
    consent_withholds: str = ""  # scopes, separated by blanks, that people do not grant though they are asked for
    graph_refresh_tokens_serve_once: bool = False  # else a refresh token stays valid beside the one that follows it
    google_refresh_tokens_rotate: bool = False  # Google does not; other OpenID providers do, and end the old one
    validate_answers: bool = False  # check every Google answer against the discovery document (tests)
    mail_arrives: bool = True  # else meeting mails wait in ``Core.held_mails`` until they are released
    notifications: bool = True  # deliver push notifications at all
    duplicate_notifications: bool = False
    notification_delay_ms: float = 0.0  # how long after a change its push notification is sent at the earliest


@dataclass(slots=True)
class Core:
    """One simulator's shared state.

    ``on_change(provider, mailbox, calendar_id)`` hooks are called under the lock after each event change and must be
    quick; so are ``on_call(call)`` ones, after a request was carried out and before it is answered.
    ``deliver[provider](invitation, recipient)`` lands a native copy of an invitation in a mailbox there.
    """

    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(default_factory=Ledger)
    outbox: list[Mail] = field(default_factory=list)
    held_mails: list[tuple[Invitation, str]] = field(default_factory=list)  # (invitation, recipient)
    faults: list[Fault] = field(default_factory=list)
    fault_uses: dict[int, FaultUse] = field(default_factory=dict)  # by id() of the fault
    switches: Switches = field(default_factory=Switches)
    lock: threading.RLock = field(default_factory=threading.RLock)
    domains: dict[str, str] = field(default_factory=dict)  # lower-case mailbox address -> "graph" | "google"
    deliver: dict[str, Deliver] = field(default_factory=dict)
    on_change: list[OnChange] = field(default_factory=list)
    on_call: list[OnCall] = field(default_factory=list)
    notifier: Notifier = field(default_factory=Notifier)
    company: object | None = None  # the pretend company that was seeded, if any

    def changed(self, provider: str, mailbox: str, calendar_id: str) -> None:
        """Tell the hooks that an event of this calendar changed."""
        for hook in self.on_change:
            hook(provider, mailbox, calendar_id)

    def send_invitation(self, invitation: Invitation, recipient: str) -> None:
        """Land the invitation natively if the recipient's mailbox lives here; a stranger only has the outbox row."""
        if not self.switches.mail_arrives:
            self.held_mails.append((invitation, recipient))
            return
        provider = self.domains.get(recipient.lower(), "")
        if land := self.deliver.get(provider):
            land(invitation, recipient.lower())

    def release_mails(self) -> None:
        """Let the held meeting mails arrive, and later ones at once again."""
        with self.lock:
            self.switches.mail_arrives = True
            waiting, self.held_mails = self.held_mails, []
            for invitation, recipient in waiting:
                self.send_invitation(invitation, recipient)
