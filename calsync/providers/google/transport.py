"""Requests to the Calendar API: the discovery document, authorised connections, counting, single calls and batches.

What lives here: everything that touches the client library. What does not: what is asked and what answers mean.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import httplib2
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient import discovery_cache
from googleapiclient.discovery import build_from_document
from googleapiclient.http import BatchHttpRequest, HttpRequest

from calsync.providers.base import AuthenticationFailed, ProviderError, RequestCount, Transient
from calsync.providers.consent import TokenKeeper
from calsync.providers.google.consent import KeptCredentials
from calsync.providers.google.errors import translated
from calsync.providers.google.oauth import GoogleCredentials, GoogleEndpoints, credentials_for, fresh_credentials_for
from calsync.providers.http import is_loopback

Raw = dict[str, Any]
"""A JSON object of the wire. Any: its values are checked where they are read."""

Answer = Raw | ProviderError

TIMEOUT = 30.0  # seconds, to connect and between bytes
BATCH_LIMIT = 50
"""Calls in one batch (Calendar API guide "Sending batch requests")."""

_BUILDING = threading.Lock()


class _Surface:
    """The client library's objects that make requests. Any: it makes its classes at run time, and slowly so."""

    def __init__(self, service: Any) -> None:
        self.events: Any = service.events()
        self.calendar_list: Any = service.calendarList()
        self.channels: Any = service.channels()
        self.new_batch: Any = service.new_batch_http_request


@lru_cache(maxsize=8)
def _surface(api_url: str) -> _Surface:
    """The client of one API base, built from the document that the library ships.

    ``client_options.api_endpoint`` would leave batches at the real host, hence the moved ``rootUrl``. It is shared by
    threads: it only makes requests, which get their connection when they are sent.
    """
    document = json.loads(discovery_cache.get_static_doc("calendar", "v3"))
    document["rootUrl"] = api_url + "/"
    document.pop("mtlsRootUrl", None)
    return _Surface(build_from_document(document, http=httplib2.Http()))


class CountingHttp(httplib2.Http):  # type: ignore[misc]  # httplib2 is untyped
    """An HTTP connection pool that counts what goes out; not for two threads at once."""

    def __init__(self, counts: RequestCount, *, api_url: str) -> None:
        proxies = None if is_loopback(api_url) else httplib2.proxy_info_from_environment
        super().__init__(timeout=TIMEOUT, proxy_info=proxies)
        self.counts = counts

    def request(self, uri: str, method: str = "GET", *args: Any, **kwargs: Any) -> Any:
        """As httplib2's; one call is one request."""
        self._count(method, urlsplit(uri).path)
        return super().request(uri, method, *args, **kwargs)

    def _count(self, method: str, path: str) -> None:
        label = _label(method, path)
        if label in {"list", "get", "calendars"}:
            self.counts.reads += 1
        elif label in {"insert", "patch", "delete", "batch"}:
            self.counts.writes += 1
        else:
            self.counts.other += 1
        self.counts.by_label[label] = self.counts.by_label.get(label, 0) + 1


def _label(method: str, path: str) -> str:
    if "/calendar/v3" not in path:
        return "token"
    if "/batch/" in path:
        return "batch"
    if path.endswith("/events"):
        return "list" if method == "GET" else "insert"
    if "/events/" in path and not path.endswith("/watch"):
        return method.lower()
    return {"watch": "watch", "stop": "stop", "calendarList": "calendars"}.get(path.rsplit("/", 1)[-1], "other")


class GoogleApi:
    """The API on behalf of one organisation, or of one person who has consented; hands out one ``UserApi`` per person
    over shared connections.
    """

    def __init__(
        self, credentials: GoogleCredentials | TokenKeeper, endpoints: GoogleEndpoints, counts: RequestCount
    ) -> None:
        self._credentials = credentials
        self._http = CountingHttp(counts, api_url=endpoints.api_url)
        with _BUILDING:
            self._surface = _surface(endpoints.api_url)

    def as_person(self, address: str, *, anew: bool = False) -> UserApi:
        """The API acting as ``address``; ``anew`` with a token that is asked for now, beside the one that is held."""
        if not isinstance(self._credentials, GoogleCredentials):
            return UserApi(self._surface, AuthorizedHttp(KeptCredentials(self._credentials), http=self._http))
        try:
            credentials = (fresh_credentials_for if anew else credentials_for)(self._credentials, address)
        except ValueError:
            raise AuthenticationFailed("The private key in the Google key file cannot be read.") from None
        return UserApi(self._surface, AuthorizedHttp(credentials, http=self._http))


class UserApi:
    """The API as one person. ``events``, ``calendar_list`` and ``channels`` make requests; ``send`` sends them."""

    def __init__(self, surface: _Surface, http: AuthorizedHttp) -> None:
        self._http = http
        self._new_batch = surface.new_batch
        self.events = surface.events
        self.calendar_list = surface.calendar_list
        self.channels = surface.channels

    def send(self, request: HttpRequest) -> Raw:
        """Carry out one request. No retries here: waiting is the caller's business."""
        request.http = self._http
        with translated():
            return _as_object(request.execute(num_retries=0))

    def send_all(self, requests: Sequence[HttpRequest]) -> list[Answer]:
        """Carry out independent requests, in batches when there are several; one answer or error each, in order.

        The server may run the parts of a batch in any order.
        """
        answers: list[Answer] = []
        for begin in range(0, len(requests), BATCH_LIMIT):
            some = requests[begin : begin + BATCH_LIMIT]
            answers.extend(self._alone(some[0]) if len(some) == 1 else self._together(some))
        return answers

    def _alone(self, request: HttpRequest) -> Iterator[Answer]:
        try:
            yield self.send(request)
        except ProviderError as error:
            yield error

    def _together(self, requests: Sequence[HttpRequest]) -> list[Answer]:
        found: dict[str, Answer] = {}

        def note(request_id: str, response: Any, error: Any) -> None:  # Any: the client library's callback
            found[request_id] = _part(response, error)

        batch = self._new_batch(callback=note)
        for number, request in enumerate(requests):
            request.http = self._http
            batch.add(request, request_id=str(number))
        try:
            self._execute(batch)
        except ProviderError as error:
            return [found.get(str(number), error) for number in range(len(requests))]
        lost = Transient("Google's batch answer lacks a part.")
        return [found.get(str(number), lost) for number in range(len(requests))]

    def _execute(self, batch: BatchHttpRequest) -> None:
        with translated():
            if not self._http.credentials.valid:  # the library would fetch the token over a connection without time-out
                self._http.credentials.refresh(self._http._request)
            batch.execute(http=self._http)


def _part(response: Any, error: Any) -> Answer:  # Any: as the client library calls back
    """The outcome of one part of a batch."""
    try:
        with translated():
            if error is not None:
                raise error
            return _as_object(response)
    except ProviderError as refusal:
        return refusal


def _as_object(response: Any) -> Raw:  # Any: the client library's deserialised body
    """What a request answered; deletes answer with an empty text. Raises ValueError on anything but a JSON object."""
    if not response:
        return {}
    if not isinstance(response, dict):
        raise ValueError("not a JSON object")
    return cast(Raw, response)
