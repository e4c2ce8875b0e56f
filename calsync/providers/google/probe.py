"""What a service account may do at this moment, told by tokens that are fetched for the question."""

from __future__ import annotations

from collections.abc import Sequence

import google_auth_httplib2

from calsync.providers.base import AuthenticationFailed, CalendarInfo, RequestCount
from calsync.providers.google.directory import GoogleDirectory
from calsync.providers.google.errors import translated
from calsync.providers.google.oauth import EVENTS, GoogleCredentials, GoogleEndpoints, fresh_credentials_for
from calsync.providers.google.provider import GoogleProvider
from calsync.providers.google.transport import CountingHttp


class GoogleProbe:
    """One service account, tried afresh: nothing that was granted earlier in this process counts."""

    def __init__(self, credentials: GoogleCredentials, endpoints: GoogleEndpoints) -> None:
        self._credentials, self._endpoints = credentials, endpoints
        self._provider = GoogleProvider(credentials, endpoints)

    def account(self) -> None:
        """Get a token as the account itself, which needs a good key and no delegation; raises ProviderError."""
        self._token("", [EVENTS])

    def missing(self, address: str, scopes: Sequence[str]) -> tuple[str, ...]:
        """Which of the scopes are not delegated for acting as ``address``; raises ProviderError for other trouble.

        Google refuses all scopes together when one is missing and does not say which: then each is asked alone.
        """
        if self._delegated(address, scopes):
            return ()
        return tuple(scope for scope in scopes if not self._delegated(address, [scope]))

    def calendars(self, address: str) -> list[CalendarInfo]:
        """As ``CalendarProvider.calendars``."""
        return self._provider.calendars(address, anew=True)

    def directory(self, admin: str) -> None:
        """Read a little of the directory as an administrator; raises ProviderError."""
        GoogleDirectory(self._credentials, self._endpoints, admin=admin, anew=True).look()

    def _delegated(self, address: str, scopes: Sequence[str]) -> bool:
        try:
            self._token(address, scopes)
        except AuthenticationFailed as error:
            if error.code == "unauthorized_client":
                return False
            raise
        return True

    def _token(self, address: str, scopes: Sequence[str]) -> None:
        try:
            held = fresh_credentials_for(self._credentials, address, scopes=tuple(scopes))
        except ValueError:
            raise AuthenticationFailed("The private key in the Google key file cannot be read.") from None
        http = CountingHttp(RequestCount(), api_url=self._endpoints.api_url)
        with translated():
            held.refresh(google_auth_httplib2.Request(http))  # type: ignore[no-untyped-call]  # untyped library
