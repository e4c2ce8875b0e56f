"""The protocol that both providers speak, and the family of errors that they raise.

What lives here: values that cross the border to a provider, the ``CalendarProvider`` protocol, the error family.
What does not: field names on the wire (``<name>/mapping.py``), rows, decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from calsync.engine.events import Event, OccurrenceKey
from calsync.engine.traits import Traits

# --- errors -----------------------------------------------------------------------------------------------


class ProviderError(Exception):
    """Something a provider refused or could not do. ``str(error)`` is for a person and holds no event text.

    ``code`` is the provider's own code or reason, ``detail`` what it adds to the code (never free text), ``status`` the
    HTTP status (0 when there was no answer).
    """

    remedy = "See the operation's reason; try again after correcting it."

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after  # seconds


class Transient(ProviderError):
    """Passing trouble (5xx, time-out, connection lost): try again later. A write may have happened."""

    remedy = "Nothing to do: it is tried again by itself."


class RateLimited(Transient):
    """Too many requests: wait ``retry_after`` seconds (or back off) and repeat. The write did not happen."""


class QuotaPaused(ProviderError):
    """A quota that takes hours to recover: pause the mailbox."""

    remedy = "Wait: the mailbox is paused until the provider's quota recovers."


class VersionMismatch(ProviderError):
    """If-Match failed: the item changed in between. Re-read, re-plan."""

    remedy = "Nothing to do: the event is read again and the change is planned anew."


class CursorExpired(ProviderError):
    """The cursor is no longer valid: read everything again and reconcile by comparison."""

    remedy = "Nothing to do: the calendar is read again from the start."


class NotFound(ProviderError):
    """The item or calendar is gone or not visible."""

    remedy = "Check that the mailbox and its calendar still exist."


class AlreadyExists(ProviderError):
    """A create whose idempotency key was used before. ``existing_id`` when the provider told it; '' when it did not."""

    def __init__(self, message: str, *, status: int = 0, code: str = "", existing_id: str = "") -> None:
        super().__init__(message, status=status, code=code)
        self.existing_id = existing_id


class AuthenticationFailed(ProviderError):
    """The provider does not accept our credentials: a person must act."""

    remedy = "Check the connection's credentials (secret, certificate, key file) and consent."


class AccessDenied(ProviderError):
    """We are known but not allowed (missing permission, scope or policy)."""

    remedy = "Grant the application access to this mailbox and its calendar permissions."


class MailboxUnavailable(ProviderError):
    """The mailbox cannot be synced at all (no licence, disabled, unknown address)."""

    remedy = "Check the mailbox's address and licence; if it was renamed, map the person with the new address."


class Rejected(ProviderError):
    """The request itself is wrong or not representable: repeating it cannot help. Park the item."""

    remedy = "The event cannot be written in this form; change it, or leave it on one side."


class CannotRepresent(Rejected):
    """This provider has no form for the event (say, a recurrence rule that Graph lacks). Raised before any request."""


# --- values -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One calendar of one person, as a provider addresses it."""

    address: str  # the person's address: Graph user id or UPN; Google subject to act as
    calendar_id: str  # "primary" or the provider's own id
    zone: str = "UTC"  # the calendar's IANA zone, used when an event names none


@dataclass(frozen=True, slots=True)
class CalendarInfo:
    """What a provider tells of one calendar."""

    calendar_id: str
    name: str
    zone: str  # IANA
    is_primary: bool
    can_write: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One changed event in one mailbox: the whole aggregate, or a tombstone when ``event`` is None.

    ``version`` is the provider's etag of the single event or of the series' master. ``changed_at`` is the provider's
    own stamp (aware UTC), for latency figures and as a tie-break only. A tombstone is proven: the adapter has already
    checked those that its provider gets wrong. ``problem`` is set (and ``event`` None) when the item could not be
    understood; it is then neither a change nor a deletion. ``key`` is the idempotency key that the item was created
    with, given only when the provider proves it for this very item (Google: the id is the one made from the key in
    its marker; Graph: its transactionId), since markers are cloned by copies and splits.
    """

    remote_id: str
    version: str
    event: Event | None
    changed_at: datetime | None = None
    problem: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The horizon of a read, aware UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller already holds about one remote id; lets an adapter skip what has not changed."""

    version: str
    occurrences: Set[OccurrenceKey] = frozenset()  # keys of exceptions and cancelled occurrences


@dataclass(frozen=True, slots=True)
class Page:
    """A batch of changes. ``cursor`` is set on the last page only and is valid once all pages were stored.

    ``complete`` (last page only) says that the round began without a cursor and read the whole window, so that
    a known item which neither appeared nor was asked about (``known``) is absent from it.
    """

    items: tuple[Item, ...]
    cursor: str = ""
    complete: bool = False


class WriteKind(StrEnum):
    """What one write does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Write:
    """One wanted state of one event in one mailbox. Never invites: the adapter writes no guests.

    CREATE needs ``key`` (idempotency, a UUID as text) and ``event``; UPDATE needs ``remote_id`` and ``event``, and
    ``before`` (what we believe is there) so that only differences travel; DELETE needs ``remote_id``. ``version`` is
    the If-Match guard; '' means unguarded. Where a version cannot guard everything, ``edited_in`` can: given what is
    read there, it tells the field paths that somebody has changed since we last knew the event.
    """

    kind: WriteKind
    key: str = ""
    remote_id: str = ""
    version: str = ""
    event: Event | None = None
    before: Event | None = None
    edited_in: Callable[[Event], frozenset[str]] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What the provider answered: identity, version and the echo of the whole aggregate (None after a delete).

    ``found``: what stood there already under the key of a create, before it was brought to what is wanted.
    ``made``: what a create had made by its first request, when others had to follow.
    """

    remote_id: str
    version: str
    event: Event | None
    changed_at: datetime | None = None
    found: Event | None = None
    made: Event | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A push channel at the provider. ``resource_id`` is Google's; '' at Graph."""

    subscription_id: str
    resource_id: str
    expires_at: datetime


@dataclass(slots=True)
class RequestCount:
    """How many HTTP requests an adapter has made, by rough kind; shared by reference, for reports and the bench."""

    reads: int = 0
    writes: int = 0
    other: int = 0
    by_label: dict[str, int] = field(default_factory=dict)


class CalendarProvider(Protocol):
    """One platform, reached with an organisation's credentials. Not thread-safe: one instance per thread.

    Every method may raise any ``ProviderError``. No write waits for longer than a second and no read for longer than a
    quarter of a minute: waiting is the caller's business.
    """

    traits: Traits
    requests: RequestCount

    def calendars(self, address: str) -> list[CalendarInfo]:
        """The calendars of one mailbox; raises MailboxUnavailable, AccessDenied, AuthenticationFailed."""

    def try_access(self, address: str) -> None:
        """Ask for a token anew, whatever is held, and one small question about a mailbox with it.

        Raises what was refused: AuthenticationFailed, AccessDenied, MailboxUnavailable, NotFound. Calls under way go on
        with the tokens that they have.
        """

    def known_channels(self) -> frozenset[str] | None:
        """Ids of every push channel of ours that the provider knows of; None where it does not tell."""

    def changes(
        self,
        mailbox: Mailbox,
        *,
        cursor: str,
        window: Window,
        known: Callable[[Sequence[str]], dict[str, Known]],
    ) -> Iterator[Page]:
        """Changes since ``cursor`` ('' reads the whole window), page by page, series hydrated to whole aggregates.

        Items whose version equals ``known(...)`` may be left out. Raises CursorExpired at any point.
        """

    def read(self, mailbox: Mailbox, remote_id: str) -> Item:
        """One event or series by id; a tombstone Item when it is gone."""

    def apply(self, mailbox: Mailbox, writes: Sequence[Write]) -> list[Written | ProviderError]:
        """Carry out writes, batched where that saves round trips; one outcome per write, in order.

        Converges: a series ends with exactly the wanted exceptions and cancelled occurrences, and repeating a
        half-done write is safe. DELETE of something already gone succeeds. CREATE with a used key yields the
        existing event as Written when it is ours and alive; AlreadyExists (burnt key) otherwise.
        """

    def subscribe(
        self, mailbox: Mailbox, *, url: str, lifecycle_url: str, secret: str, channel_id: str
    ) -> Subscription:
        """Ask for push notifications to ``url``; ``secret`` comes back with each of them."""

    def renew(self, mailbox: Mailbox, subscription: Subscription) -> Subscription | None:
        """Prolong; None when the provider cannot prolong (then subscribe anew and drop the old one)."""

    def unsubscribe(self, mailbox: Mailbox, subscription: Subscription) -> None:
        """Stop a channel; silent when it is already gone."""
