"""The Google side of the provider protocol.

What lives here: ``GoogleProvider``, which says what each call of the protocol consists of. The work is in the modules
beside it: ``changes`` (reading), ``writing``, ``watch``, ``transport`` (requests), ``errors``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from calsync.engine import zones
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
    WriteKind,
    Written,
)
from calsync.providers.consent import TokenKeeper
from calsync.providers.google import watch
from calsync.providers.google.batch import Job, run
from calsync.providers.google.bodies import TRAITS
from calsync.providers.google.calls import CalendarCalls
from calsync.providers.google.changes import Round
from calsync.providers.google.oauth import SCOPES, GoogleCredentials, GoogleEndpoints
from calsync.providers.google.series import read_one
from calsync.providers.google.transport import GoogleApi, Raw, UserApi
from calsync.providers.google.writing import carry_out

__all__ = ["SCOPES", "TRAITS", "GoogleCredentials", "GoogleEndpoints", "GoogleProvider"]


class GoogleProvider:
    """Google Calendar, reached with a service account that acts as each mailbox's owner, or with one owner's tokens.
    One instance per thread.
    """

    traits: Traits = TRAITS

    def __init__(self, credentials: GoogleCredentials | TokenKeeper, endpoints: GoogleEndpoints) -> None:
        self.requests = RequestCount()
        self._api = GoogleApi(credentials, endpoints, self.requests)

    def calendars(self, address: str, *, anew: bool = False) -> list[CalendarInfo]:
        """The person's calendar list; the primary calendar's id is usually the address. ``anew``: with a new token."""
        api = self._api.as_person(address, anew=anew)
        return [_calendar(raw) for raw in _calendar_list(api) if raw.get("id") and not raw.get("deleted")]

    def try_access(self, address: str) -> None:
        """A token of its own for the person, and the first entry of their calendar list."""
        api = self._api.as_person(address, anew=True)
        api.send(api.calendar_list.list(maxResults=1))

    def known_channels(self) -> frozenset[str] | None:
        """None: Google lists no channels."""
        return None

    def changes(
        self,
        mailbox: Mailbox,
        *,
        cursor: str,
        window: Window,
        known: Callable[[Sequence[str]], dict[str, Known]],
    ) -> Iterator[Page]:
        """One round of changes; the cursor is Google's sync token. One request when nothing has changed."""
        return Round(self._calls(mailbox), cursor, window, known).pages()

    def read(self, mailbox: Mailbox, remote_id: str) -> Item:
        """One event or series, or a tombstone."""
        calls = self._calls(mailbox)
        (item,) = run([read_one(calls, remote_id)], calls.api.send_all)
        if isinstance(item, ProviderError):
            raise item
        return item

    def apply(self, mailbox: Mailbox, writes: Sequence[Write]) -> list[Written | ProviderError]:
        """Carry out writes in step, so that their requests share batches of up to 50."""
        calls = self._calls(mailbox)
        outcomes: list[Written | ProviderError] = []
        for wave in _waves(writes):
            jobs: list[Job[Written]] = [carry_out(calls, write) for write in wave]
            outcomes.extend(run(jobs, calls.api.send_all))
        return outcomes

    def subscribe(
        self, mailbox: Mailbox, *, url: str, lifecycle_url: str, secret: str, channel_id: str
    ) -> Subscription:
        """Open a push channel; Google has no lifecycle notifications."""
        del lifecycle_url
        api = self._api.as_person(mailbox.address)
        return watch.subscribe(api, mailbox, url=url, secret=secret, channel_id=channel_id)

    def renew(self, mailbox: Mailbox, subscription: Subscription) -> Subscription | None:
        """None: Google's channels cannot be prolonged."""
        del mailbox, subscription
        return None

    def unsubscribe(self, mailbox: Mailbox, subscription: Subscription) -> None:
        """Stop a push channel."""
        watch.unsubscribe(self._api.as_person(mailbox.address), subscription)

    def _calls(self, mailbox: Mailbox) -> CalendarCalls:
        return CalendarCalls(self._api.as_person(mailbox.address), mailbox)


def _waves(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Writes that may run side by side: never two to one event, since the parts of a batch run in any order."""
    wave: list[Write] = []
    taken: set[str] = set()
    for write in writes:
        name = f"+{write.key}" if write.kind is WriteKind.CREATE else write.remote_id
        if name in taken:
            yield wave
            wave, taken = [], set()
        wave.append(write)
        taken.add(name)
    if wave:
        yield wave


def _calendar_list(api: UserApi) -> Iterator[Raw]:
    token: str | None = None
    while True:
        answer = api.send(api.calendar_list.list(maxResults=250, pageToken=token))
        yield from (raw for raw in answer.get("items") or () if isinstance(raw, dict))
        token = str(answer.get("nextPageToken") or "") or None
        if token is None:
            return


def _calendar(raw: Raw) -> CalendarInfo:
    return CalendarInfo(
        calendar_id=str(raw["id"]),
        name=str(raw.get("summaryOverride") or raw.get("summary") or ""),
        zone=zones.to_iana(str(raw.get("timeZone") or "")) or "UTC",
        is_primary=bool(raw.get("primary")),
        can_write=raw.get("accessRole") in {"owner", "writer"},
    )
