"""What is tried: a connection with its credentials opened and the mailboxes to try, so that no thread asks the
database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from accounts.credentials import Credentials, last_day
from accounts.gateway import directory_admin, open_credentials
from accounts.models import LinkedAccount, ReachedThrough, TenantConnection
from accounts.sealing import SealBroken
from accounts.selectors import own_connection_of
from calsync.engine.events import Platform
from calsync.providers.base import AuthenticationFailed

MOST_TRIED = 3
"""One mailbox that does not exist says nothing about the connection: so many are tried."""

NAMES = {Platform.OUTLOOK: "Microsoft 365", Platform.GOOGLE: "Google Workspace"}


@dataclass(frozen=True, slots=True)
class Subject:
    """One connection, ready to be tried. ``problem`` is set when it holds no credentials that could be sent."""

    platform: Platform
    own: bool  # entered in the console, not by the environment
    client: str
    mailboxes: tuple[str, ...]
    credentials: Credentials | None = field(default=None, repr=False)
    problem: str = ""
    admin: str = ""  # Google: whom to act as for the directory
    expires_on: date | None = None
    at: datetime | None = None

    def with_stand_in(self) -> Subject:
        """Itself; without a mailbox, one that tries the administrator's."""
        return replace(self, mailboxes=(self.admin,)) if self.admin and not self.mailboxes else self

    @property
    def provider(self) -> str:
        """The platform's full name."""
        return NAMES[self.platform]


def subject_of(
    connection: TenantConnection | None, platform: Platform, *, mailboxes: Sequence[str], now: datetime
) -> Subject:
    """Open a connection for a probe; None stands for the environment's."""
    own = connection is not None and not connection.from_environment
    known = {
        "platform": platform,
        "own": own,
        "client": connection.client if connection else "",
        "mailboxes": tuple(mailboxes),
        "admin": directory_admin(connection) if platform == Platform.GOOGLE else "",
        "at": now,
    }
    try:
        credentials = open_credentials(connection, platform)
    except (AuthenticationFailed, SealBroken) as error:
        problem = f"{error} {error.remedy}" if isinstance(error, SealBroken) else str(error)
        return Subject(**known, problem=problem)  # type: ignore[arg-type]  # a dictionary of several types
    ends = connection.expires_on if own and connection else last_day(credentials)
    return Subject(**known, credentials=credentials, expires_on=ends)  # type: ignore[arg-type]  # as above


def mailboxes_to_try(
    platform: Platform, owns: Sequence[TenantConnection], own: TenantConnection | None = None
) -> list[str]:
    """Addresses that a connection reaches (``own``; None is the environment's), those that are synced first.

    ``owns`` are the platform's connections beside the environment's. Asks the database.
    """
    accounts = LinkedAccount.objects.in_use().filter(platform=platform.value, reached_through=ReachedThrough.TENANT)
    ordered = accounts.order_by("-calendars__is_active", "calendars__failures", "pk")
    found: dict[str, None] = {}
    for address, chosen in ordered.values_list("address", "connection_id").iterator(chunk_size=100):
        if own_connection_of(address, chosen, owns) == own:
            found[address] = None
        if len(found) == MOST_TRIED:
            break
    return list(found)
