"""What an app registration may do at this moment, told by a token that is fetched for the question.

Tokens live for an hour and keep the permissions they were given with: an older one would know nothing of a consent that
was granted a minute ago.
"""

from __future__ import annotations

import base64
import binascii
import json

from calsync.providers.base import CalendarInfo, RequestCount
from calsync.providers.graph import directory
from calsync.providers.graph.client import GraphClient, Request, segment
from calsync.providers.graph.oauth import GraphCredentials, GraphEndpoints, TokenSource

CALENDARS, SETTINGS, PEOPLE = "Calendars.ReadWrite", "MailboxSettings.Read", "User.Read.All"
"""The application permissions: for the calendars, for each mailbox's time zone, and for importing the directory."""


class GraphProbe:
    """One app registration, tried afresh. Not for two threads at once."""

    def __init__(self, credentials: GraphCredentials, endpoints: GraphEndpoints) -> None:
        self._tokens = TokenSource(credentials, endpoints.login_url)
        self._client = GraphClient(self._tokens, endpoints, RequestCount())

    def permissions(self) -> frozenset[str] | None:
        """The permissions for the whole tenant that the token names; None when it cannot be read. Raises ProviderError.

        What Exchange grants for some mailboxes only (RBAC for Applications) is not among them.
        """
        token, _ = self._tokens.token()
        return _roles(token)

    def calendars(self, address: str) -> list[CalendarInfo]:
        """As ``CalendarProvider.calendars``."""
        return directory.calendars(self._client, address=address)

    def settings(self, address: str) -> None:
        """Read a mailbox's settings; raises ProviderError when that is not allowed."""
        self._client.get(Request("GET", f"/users/{segment(address)}/mailboxSettings", label="calendars"))


def _roles(token: str) -> frozenset[str] | None:
    """For looking only, so that the signature does not matter: Graph judges the token, we do not."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, binascii.Error, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    roles = claims.get("roles") or []
    return frozenset(str(role) for role in roles) if isinstance(roles, list) else None
