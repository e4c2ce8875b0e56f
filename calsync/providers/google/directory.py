"""The people and org units of a Google Workspace domain, by the Directory API, acting as one of its administrators.

What lives here: requests, paging, and which entries are people. What does not: whom they are to us. The directory holds
no time zone, and reading a calendar's would need a token for each person.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import httplib2
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document

from calsync.providers.base import AuthenticationFailed, RequestCount
from calsync.providers.google.errors import translated
from calsync.providers.google.oauth import (
    REAL_API,
    GoogleCredentials,
    GoogleEndpoints,
    credentials_for,
    fresh_credentials_for,
)
from calsync.providers.google.transport import CountingHttp, Raw
from calsync.providers.people import DirectoryPerson, DirectoryReading

USERS = "https://www.googleapis.com/auth/admin.directory.user.readonly"
UNITS = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly"
SCOPES = (USERS, UNITS)
"""To be granted beside the calendar's scopes where people are imported."""
PAGE = 500
"""The largest that the Directory API gives."""


@lru_cache(maxsize=8)
def _surface(api_url: str) -> Any:  # Any: the client library makes its classes at run time
    """The client of one API base. The real Directory API has a host of its own, which its document names."""
    document = json.loads(discovery_cache.get_static_doc("admin", "directory_v1"))
    if api_url != REAL_API:
        document["rootUrl"] = api_url + "/"
    document.pop("mtlsRootUrl", None)
    return build_from_document(document, http=httplib2.Http())


class GoogleDirectory:
    """One domain's directory. Not for two threads at once."""

    def __init__(
        self, credentials: GoogleCredentials, endpoints: GoogleEndpoints, *, admin: str, anew: bool = False
    ) -> None:
        self.requests = RequestCount()
        self._surface = _surface(endpoints.api_url)
        try:
            token = (fresh_credentials_for if anew else credentials_for)(credentials, admin, scopes=SCOPES)
        except ValueError:
            raise AuthenticationFailed("The private key in the Google key file cannot be read.") from None
        self._http = AuthorizedHttp(token, http=CountingHttp(self.requests, api_url=endpoints.api_url))

    def read(self) -> DirectoryReading:
        """Everybody and every unit, read to the end; raises ProviderError when any part of it fails."""
        left_out: Counter[str] = Counter()
        people = []
        for raw in self._users():
            if reason := _no_person(raw):
                left_out[reason] += 1
            else:
                people.append(_person(raw))
        return DirectoryReading(tuple(people), units=tuple(self._units()), left_out=dict(left_out))

    def look(self) -> None:
        """Read one person and the org units; raises ProviderError."""
        self._send(self._surface.users().list(customer="my_customer", maxResults=1))
        self._send(self._surface.orgunits().list(customerId="my_customer", type="children"))

    def _users(self) -> Iterator[Raw]:
        query = {"customer": "my_customer", "maxResults": PAGE, "projection": "full", "orderBy": "email"}
        page_token = None
        while True:
            page = self._send(self._surface.users().list(**query, pageToken=page_token))
            yield from (raw for raw in page.get("users") or () if isinstance(raw, dict) and raw.get("id"))
            page_token = page.get("nextPageToken")
            if not page_token:
                return

    def _units(self) -> Iterator[str]:
        found = self._send(self._surface.orgunits().list(customerId="my_customer", type="all"))
        for raw in found.get("organizationUnits") or ():
            if path := str(raw.get("orgUnitPath") or ""):
                yield path

    def _send(self, request: Any) -> Raw:  # Any: as made by the client library
        request.http = self._http
        with translated():
            answer = request.execute(num_retries=2)
            if not isinstance(answer, dict):
                raise ValueError("not a JSON object")
            return answer


def _no_person(raw: Raw) -> str:
    if raw.get("isGuestUser"):
        return "guest"
    return "" if raw.get("primaryEmail") else "no address"


def _person(raw: Raw) -> DirectoryPerson:
    primary = str(raw["primaryEmail"]).strip().lower()
    name = raw.get("name") or {}
    unit = str(raw.get("orgUnitPath") or "")
    return DirectoryPerson(
        directory_id=str(raw["id"]),
        address=primary,
        aliases=tuple(sorted(_addresses(raw) - {primary})),
        name=str(name.get("fullName") or "") if isinstance(name, dict) else "",
        unit="" if unit == "/" else unit,
        manager=_manager(raw),
        enabled=not (raw.get("suspended") or raw.get("archived")),
    )


def _addresses(raw: Raw) -> set[str]:
    """Every address under which the account gets mail. ``emails`` may also hold private ones: not taken."""
    listed = [*(raw.get("aliases") or ()), *(raw.get("nonEditableAliases") or ())]
    return {str(address).strip().lower() for address in listed if "@" in str(address)}


def _manager(raw: Raw) -> str:
    relations = raw.get("relations")
    for relation in relations if isinstance(relations, list) else ():
        if isinstance(relation, dict) and relation.get("type") == "manager":
            return str(relation.get("value") or "").strip().lower()
    return ""
