"""``GraphProvider``: Microsoft 365 behind the provider protocol. The work is done by the modules beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from datetime import UTC, datetime, timedelta

from calsync.engine.traits import Traits
from calsync.providers.base import (
    CalendarInfo,
    Item,
    Known,
    Mailbox,
    Page,
    ProviderError,
    RequestCount,
    Subscription,
    Window,
    Write,
    Written,
)
from calsync.providers.consent import TokenKeeper
from calsync.providers.graph import directory, users, watch
from calsync.providers.graph.changes import Round
from calsync.providers.graph.client import GraphClient
from calsync.providers.graph.oauth import GraphCredentials, GraphEndpoints, TokenSource
from calsync.providers.graph.payload import TRAITS
from calsync.providers.graph.reading import EventReader
from calsync.providers.graph.writing import Writer
from calsync.providers.people import DirectoryReading

AHEAD = timedelta(days=550)
"""How far ahead occurrences are compared one by one when no window is given; see ``reading``."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class GraphProvider:
    """One Microsoft 365 tenant, reached as an app registration, or one mailbox, reached with its owner's tokens. Not
    thread-safe; see ``CalendarProvider``.
    """

    def __init__(
        self,
        credentials: GraphCredentials | TokenKeeper,
        endpoints: GraphEndpoints | None = None,
        *,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.traits: Traits = TRAITS
        self.requests = RequestCount()
        self._credentials, self._endpoints = credentials, endpoints or GraphEndpoints()
        self._client = GraphClient(credentials, self._endpoints, self.requests)
        self._trial: tuple[TokenSource, GraphClient] | None = None
        self._clock = clock
        self._refusing: set[Mailbox] = set()

    def people(self, *, known: Set[str], unit_from: str = "department") -> DirectoryReading:
        """The tenant's people; see ``users``."""
        return users.read_users(self._client, known=known, unit_from=unit_from)

    def calendars(self, address: str) -> list[CalendarInfo]:
        """The calendars of one mailbox, its default one marked primary."""
        return directory.calendars(self._client, address=address)

    def try_access(self, address: str) -> None:
        """A token of its own, and the default calendar's id. An owner's tokens are asked for as they are needed."""
        directory.try_mailbox(self._afresh(), address=address)

    def _afresh(self) -> GraphClient:
        """A client whose next request needs a new token."""
        if not isinstance(self._credentials, GraphCredentials):
            return self._client
        if self._trial is None:
            tokens = TokenSource(self._credentials, self._endpoints.login_url)
            self._trial = tokens, GraphClient(tokens, self._endpoints, self.requests)
        tokens, client = self._trial
        tokens.forget()
        return client

    def known_channels(self) -> frozenset[str] | None:
        """The app registration's subscriptions in this tenant, page by page."""
        return watch.known(self._client)

    def changes(
        self,
        mailbox: Mailbox,
        *,
        cursor: str,
        window: Window,
        known: Callable[[Sequence[str]], dict[str, Known]],
    ) -> Iterator[Page]:
        """One round of delta; the cursor is the delta link that Graph handed out.

        A round without a cursor leaves nothing out; a later one leaves out events and series whose version is known.
        """
        return Round(self._reader(mailbox, window), window, known).pages(cursor)

    def read(self, mailbox: Mailbox, remote_id: str) -> Item:
        """One event or whole series."""
        return self._reader(mailbox).events([remote_id])[0]

    def apply(self, mailbox: Mailbox, writes: Sequence[Write]) -> list[Written | ProviderError]:
        """Carry out writes, one outcome each."""
        return Writer(self._reader(mailbox)).apply(writes)

    def subscribe(
        self, mailbox: Mailbox, *, url: str, lifecycle_url: str, secret: str, channel_id: str
    ) -> Subscription:
        """Watch the mailbox; Graph makes the id itself, so ``channel_id`` is not used."""
        del channel_id
        return watch.subscribe(
            self._client, mailbox=mailbox, url=url, lifecycle_url=lifecycle_url, secret=secret, now=self._clock()
        )

    def renew(self, mailbox: Mailbox, subscription: Subscription) -> Subscription | None:
        """Prolong by almost a week."""
        del mailbox
        return watch.renew(self._client, subscription=subscription, now=self._clock())

    def unsubscribe(self, mailbox: Mailbox, subscription: Subscription) -> None:
        """Stop a subscription."""
        del mailbox
        watch.unsubscribe(self._client, subscription=subscription)

    def _reader(self, mailbox: Mailbox, window: Window | None = None) -> EventReader:
        now = self._clock()
        return EventReader(self._client, mailbox, window or Window(start=now, end=now + AHEAD), self._refusing)
