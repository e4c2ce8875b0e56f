"""Tokens of a service account with domain-wide delegation: it acts as the person whose calendar is meant.

What lives here: credentials, endpoints, scopes, one token-bearing credential per person and process.
What does not: requests to the Calendar API.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from google.oauth2 import service_account

from calsync.providers.http import checked_url

REAL_API = "https://www.googleapis.com"
_REAL_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  (an address)

EVENTS = "https://www.googleapis.com/auth/calendar.events"
CALENDAR_LIST = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
SETTINGS = "https://www.googleapis.com/auth/calendar.settings.readonly"
SCOPES = (EVENTS, CALENDAR_LIST, SETTINGS)
"""The least set for two-way sync; an administrator grants exactly these to the service account's client id."""

_MOST_SUBJECTS = 20_000


@dataclass(frozen=True, slots=True)
class GoogleEndpoints:
    """The API's base URL (without ``/calendar/v3``); https, or plain http on loopback."""

    api_url: str = REAL_API

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_url", checked_url(self.api_url, what="Google API URL"))


@dataclass(frozen=True, slots=True)
class GoogleCredentials:
    """A service account's key file, loaded. Its ``token_uri`` is honoured: https, or plain http on loopback."""

    service_account_info: Mapping[str, Any] = field(repr=False)  # Any: the key file is free JSON

    def __post_init__(self) -> None:
        missing = [name for name in ("client_email", "private_key") if not self.service_account_info.get(name)]
        if missing:
            raise ValueError(f"The Google key file lacks {' and '.join(missing)}.")
        checked_url(self.token_uri, what="Google token address in the key file")

    @property
    def token_uri(self) -> str:
        """Where tokens are fetched."""
        return str(self.service_account_info.get("token_uri") or _REAL_TOKEN_URI)

    @property
    def identity(self) -> str:
        """Equal for equal key files; reveals nothing of the key."""
        info = self.service_account_info
        text = "\n".join((str(info["client_email"]), str(info["private_key"]), self.token_uri))
        return hashlib.sha256(text.encode()).hexdigest()


class DelegatedCredentials(service_account.Credentials):
    """Service account credentials without google-auth's lookup of regional access boundaries.

    The lookup does not apply to delegated users, yet the library copies the transport and starts a thread for it
    before it finds that out.
    """

    def _is_regional_access_boundary_lookup_required(self) -> bool:
        return False


class _Wallet:
    """Token-bearing credentials by key and person, shared by all threads of the process; the oldest fall out.

    Two threads that refresh one person's token at once fetch two tokens; both are good, so no lock is held meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str, tuple[str, ...]], DelegatedCredentials] = OrderedDict()

    def for_person(self, credentials: GoogleCredentials, address: str, scopes: tuple[str, ...]) -> DelegatedCredentials:
        key = (credentials.identity, address.lower(), scopes)
        with self._lock:
            if key not in self._held:
                base = self._base(credentials, scopes)
                self._held[key] = base.with_subject(address)  # type: ignore[no-untyped-call]  # untyped library
                if len(self._held) > _MOST_SUBJECTS:
                    self._held.popitem(last=False)
            self._held.move_to_end(key)
            return self._held[key]

    def beside(self, credentials: GoogleCredentials, address: str, scopes: tuple[str, ...]) -> DelegatedCredentials:
        """Credentials without a token, which nobody else holds."""
        with self._lock:
            base = self._base(credentials, scopes)
        return cast("DelegatedCredentials", base.with_subject(address))  # type: ignore[no-untyped-call]  # untyped library

    def _base(self, credentials: GoogleCredentials, scopes: tuple[str, ...]) -> DelegatedCredentials:
        """The account itself; copies for persons share its parsed private key."""
        key = (credentials.identity, "", scopes)
        if key not in self._held:
            info = {**credentials.service_account_info, "token_uri": credentials.token_uri}
            made = DelegatedCredentials.from_service_account_info(info, scopes=scopes)  # type: ignore[no-untyped-call]  # untyped library
            self._held[key] = made
        self._held.move_to_end(key)
        return self._held[key]


_WALLET = _Wallet()


def credentials_for(
    credentials: GoogleCredentials, address: str, *, scopes: tuple[str, ...] = SCOPES
) -> DelegatedCredentials:
    """Credentials that act as ``address``, with its token when one was fetched before in this process.

    Raises ValueError when the key file's private key cannot be read.
    """
    return _WALLET.for_person(credentials, address, scopes)


def fresh_credentials_for(
    credentials: GoogleCredentials, address: str, *, scopes: tuple[str, ...] = SCOPES
) -> DelegatedCredentials:
    """The same with no token yet, so that the next request shows whether one is still given."""
    return _WALLET.beside(credentials, address, scopes)
