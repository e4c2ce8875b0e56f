"""The HTTP client of Graph: bearer tokens, time-outs, the base URL, counting.

What lives here: requests and answers as values, one way to send them. What does not: which requests, and their meaning.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from calsync.providers.base import ProviderError, RateLimited, Rejected, RequestCount, Transient
from calsync.providers.consent import TokenKeeper
from calsync.providers.graph.errors import error_from
from calsync.providers.graph.oauth import REAL_GRAPH, GraphCredentials, GraphEndpoints, token_source
from calsync.providers.http import TIMEOUT, is_loopback, origin_of, pooled_session

Json = dict[str, Any]  # decoded JSON objects of an open type

READ_PATIENCE = 15.0
"""Seconds that one throttled read may be waited for in all."""
MOST_PARTS = 20
"""Of one ``$batch``."""
CAUTIOUS_PARTS = 4
"""As many requests as Graph works on at a time for one mailbox."""
CAUTION = 600.0
"""Seconds: the span over which Outlook counts a mailbox's requests."""

PREFER = 'IdType="ImmutableId", outlook.body-content-type="html"'
"""Sent with every request: ids that survive moves, and bodies with their formatting. Graph remembers neither."""


class ForeignLink(Rejected):
    """A link to another server than our Graph; it is not followed, since the token would go with it."""


def segment(value: str) -> str:
    """An id or address as one path segment of a URL."""
    return quote(value, safe="@")


@dataclass(frozen=True, slots=True)
class Request:
    """One request below ``/v1.0``. ``label`` names its kind in the request count."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    label: str = "event"

    @property
    def url(self) -> str:
        """Path and query, as inside a batch. Blanks are %20: Graph's filters do not take a plus sign."""
        return f"{self.path}?{urlencode(self.params, quote_via=quote, safe='$,()=')}" if self.params else self.path

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers that travel, inside a batch as well."""
        headers = {"Prefer": PREFER, **self.headers}
        return {**headers, "Content-Type": "application/json"} if self.body is not None else headers


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whatever its status. ``body`` is the decoded JSON object, empty when there was none."""

    status: int
    headers: Mapping[str, str]
    body: Json

    @property
    def error(self) -> ProviderError | None:
        """The error that the answer stands for, if any."""
        return None if 200 <= self.status < 300 else error_from(self.status, self.headers, self.body)

    def checked(self) -> Answer:
        """Itself; raises the error that it stands for."""
        if (error := self.error) is not None:
            raise error
        return self


class Bearer(AuthBase):
    """Sets the token; being an auth object it also keeps ``.netrc`` entries from replacing it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """As ``requests`` calls it just before sending."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class GraphClient:
    """Sends requests to one Graph, as one app registration or with the tokens of one person. Not thread-safe."""

    def __init__(
        self, credentials: GraphCredentials | TokenKeeper, endpoints: GraphEndpoints, counted: RequestCount
    ) -> None:
        self._cautious_until = 0.0
        self._tokens = _keeper(credentials, endpoints)
        self._base = endpoints.graph_url
        self._session = pooled_session(endpoints.graph_url)
        self._counted = counted

    @property
    def batch_parts(self) -> int:
        """How many requests the next batch should hold at most: fewer for a while after one was throttled."""
        return CAUTIOUS_PARTS if time.monotonic() < self._cautious_until else MOST_PARTS

    def be_cautious(self) -> None:
        """Parts of a batch were throttled."""
        self._cautious_until = time.monotonic() + CAUTION

    def send(self, request: Request) -> Answer:
        """One round trip; raises Transient and AuthenticationFailed only, other trouble is in the answer."""
        return self._send(request.method, f"{self._base}/v1.0{request.url}", request)

    def get(self, request: Request) -> Json:
        """The body of a successful request."""
        return self.send(request).checked().body

    def follow(self, link: str, request: Request) -> Answer:
        """Follow a link from an answer, with the headers of ``request``; raises ForeignLink for another host."""
        return self._send("GET", self.own(link), request)

    def own(self, link: str) -> str:
        """A link, proven to lead to our Graph: tokens go nowhere else.

        A Graph that is reached under another address than it knows itself by may hand out links to the real host, or to
        another name of this machine; they are led back to ours.
        """
        if origin_of(link) == origin_of(self._base):
            return link
        both_here = is_loopback(link) and is_loopback(self._base) and origin_of(link)[2] == origin_of(self._base)[2]
        if not both_here and origin_of(link) != origin_of(REAL_GRAPH):
            raise ForeignLink("A link that should lead on within Microsoft Graph leads to another server.")
        base, parts = urlsplit(self._base), urlsplit(link)
        return urlunsplit((base.scheme, base.netloc, parts.path, parts.query, ""))

    def _send(self, method: str, url: str, request: Request) -> Answer:
        """One round trip; a throttled read is waited for and repeated, so that a long round need not begin anew."""
        answer = self._authorised(method, url, request)
        patience = READ_PATIENCE if method == "GET" else 0.0
        while isinstance(error := answer.error, RateLimited):
            wait = max(error.retry_after if error.retry_after is not None else patience / 3, 0.1)
            if wait > patience:
                break
            time.sleep(wait)
            patience -= wait
            answer = self._authorised(method, url, request)
        return answer

    def _authorised(self, method: str, url: str, request: Request) -> Answer:
        token = self._token()
        answer = self._once(method, url, request, token)
        if answer.status != 401:
            return answer
        fresh = self._token(stale=token)
        answer = self._once(method, url, request, fresh)
        return answer.checked() if answer.status == 401 else answer

    def _token(self, *, stale: str = "") -> str:
        token, calls = self._tokens.token(stale=stale)
        if calls:
            self._counted.other += calls
            self._counted.by_label["token"] = self._counted.by_label.get("token", 0) + calls
        return token

    def _once(self, method: str, url: str, request: Request, token: str) -> Answer:
        self._count(method, request.label)
        try:
            response = self._session.request(
                method,
                url,
                json=request.body,
                headers={"Accept": "application/json", **request.all_headers},
                auth=Bearer(token),
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            return Answer(response.status_code, response.headers, _decoded(response))
        except requests.RequestException as error:
            raise Transient(f"Microsoft Graph could not be reached ({type(error).__name__}).") from error

    def _count(self, method: str, label: str) -> None:
        self._counted.by_label[label] = self._counted.by_label.get(label, 0) + 1
        if label == "subscription":
            self._counted.other += 1
        elif method == "GET" or label == "batch of reads":
            self._counted.reads += 1
        else:
            self._counted.writes += 1


def _keeper(credentials: GraphCredentials | TokenKeeper, endpoints: GraphEndpoints) -> TokenKeeper:
    return token_source(credentials, endpoints.login_url) if isinstance(credentials, GraphCredentials) else credentials


def _decoded(response: requests.Response) -> Json:
    """The JSON object of an answer; an unreadable body of a success is passing trouble (a proxy's page)."""
    if not response.content:
        return {}
    try:
        body = response.json()
    except ValueError as error:
        if response.ok:
            raise Transient("Microsoft Graph answered with something that is not JSON.") from error
        return {}
    return body if isinstance(body, dict) else {}


def insensitive(headers: object) -> Mapping[str, str]:
    """Headers of an inner answer as a case-insensitive mapping of texts."""
    pairs = headers.items() if isinstance(headers, dict) else ()
    return CaseInsensitiveDict({str(name): str(value) for name, value in pairs})
