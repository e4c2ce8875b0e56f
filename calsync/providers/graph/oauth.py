"""Tokens of an Entra app registration (client credentials flow) through msal.

What lives here: credentials, endpoints, one msal app per credentials and process. What does not: calls to Graph.
msal accepts no http authority and wants the real host name, so the authority is always the real one and the HTTP client
that msal is given carries requests for that host to ``GraphEndpoints.login_url``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msal
import requests
from msal.exceptions import MsalServiceError

from calsync.providers.base import AuthenticationFailed, Transient
from calsync.providers.http import TIMEOUT, checked_url, prepare

REAL_LOGIN = "https://login.microsoftonline.com"
REAL_GRAPH = "https://graph.microsoft.com"
SCOPES = ["https://graph.microsoft.com/.default"]
PASSING = frozenset({"temporarily_unavailable", "server_error"})
"""OAuth error codes (RFC 6749 section 4.1.2.1) that say: try later."""


@dataclass(frozen=True, slots=True)
class GraphCredentials:
    """An app registration with a secret, or with a certificate: PEM text of both the private key and it."""

    tenant_id: str
    client_id: str
    client_secret: str = ""
    client_certificate: str = ""

    def __post_init__(self) -> None:
        if not (self.tenant_id and self.client_id):
            raise ValueError("Microsoft needs a tenant id and a client id.")
        if bool(self.client_secret) == bool(self.client_certificate):
            raise ValueError("Microsoft needs either a client secret or a client certificate.")

    def __repr__(self) -> str:
        return f"GraphCredentials(tenant_id={self.tenant_id!r}, client_id={self.client_id!r})"


@dataclass(frozen=True, slots=True)
class GraphEndpoints:
    """Base URLs of the login service and of Graph (without /v1.0); https, or plain http on loopback."""

    login_url: str = REAL_LOGIN
    graph_url: str = REAL_GRAPH

    def __post_init__(self) -> None:
        object.__setattr__(self, "login_url", checked_url(self.login_url, what="Microsoft login URL"))
        object.__setattr__(self, "graph_url", checked_url(self.graph_url, what="Microsoft Graph URL"))


class LoginSession(requests.Session):
    """The HTTP client given to msal: sends what is meant for the real login host to the configured one."""

    def __init__(self, login_url: str) -> None:
        super().__init__()
        prepare(self, login_url)
        self.login_url = login_url
        self.calls = 0
        self.last_status = 0

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As ``requests``, whose open signature this must keep, hence ``Any``."""
        self.calls += 1
        kwargs.setdefault("timeout", TIMEOUT)
        address = url.decode() if isinstance(url, bytes) else url
        response = super().request(method, address.replace(REAL_LOGIN, self.login_url, 1), *args, **kwargs)
        self.last_status = response.status_code
        if self.login_url != REAL_LOGIN:
            # A discovery document may name its endpoints under the configured URL; msal insists on the real host's.
            response._content = response.content.replace(self.login_url.encode(), REAL_LOGIN.encode())
        return response


class TokenSource:
    """Access tokens for one app registration; thread-safe, cached in memory by msal."""

    def __init__(self, credentials: GraphCredentials, login_url: str) -> None:
        self._credentials = credentials
        self._http = LoginSession(login_url)
        self._lock = threading.Lock()
        self._app: msal.ConfidentialClientApplication | None = None

    def token(self, *, stale: str = "") -> tuple[str, int]:
        """A token, and how many HTTP requests getting it took. ``stale`` names one that Graph refused: it is dropped.

        Raises AuthenticationFailed (a person must act) or Transient.
        """
        with self._lock:
            before = self._http.calls
            with login_errors(self._http):
                answer = self._acquire(stale)
            return _accepted(answer), self._http.calls - before

    def forget(self) -> None:
        """Drop the token that is held: the next call asks for a new one."""
        with self._lock:
            if self._app is not None:
                self._app.remove_tokens_for_client()

    def _acquire(self, stale: str) -> dict[str, Any]:  # msal's answers are open dictionaries
        app = self._app = self._app or new_app(self._credentials, self._http)
        answer: dict[str, Any] = app.acquire_token_for_client(SCOPES)
        if stale and answer.get("access_token") == stale:
            app.remove_tokens_for_client()
            answer = app.acquire_token_for_client(SCOPES)
        return answer


def new_app(
    credentials: GraphCredentials, http: LoginSession, *, token_cache: msal.TokenCache | None = None
) -> msal.ConfidentialClientApplication:
    """msal's object for an app registration; making it asks for the tenant's discovery document."""
    pem = credentials.client_certificate
    secret = {"private_key": pem, "public_certificate": pem} if pem else credentials.client_secret
    return msal.ConfidentialClientApplication(
        credentials.client_id,
        client_credential=secret,
        authority=f"{REAL_LOGIN}/{credentials.tenant_id}",
        instance_discovery=False,
        http_client=http,
        token_cache=token_cache,
    )


@contextmanager
def login_errors(http: LoginSession) -> Iterator[None]:
    """Turn what msal raises into our family."""
    try:
        yield
    except (requests.RequestException, MsalServiceError, RuntimeError) as error:
        raise Transient(f"The Microsoft login service did not answer ({type(error).__name__}).") from error
    except (ValueError, KeyError) as error:
        if http.last_status == 429:
            raise Transient("The Microsoft login service is busy.", status=429) from error
        raise AuthenticationFailed(
            "The Microsoft login service does not know the tenant, or the client certificate is unusable."
        ) from error


def _accepted(answer: dict[str, Any]) -> str:
    """The token within msal's answer; only error codes are told, descriptions may hold identifiers."""
    token = answer.get("access_token")
    if token:
        return str(token)
    code = str(answer.get("error", "unknown"))
    numbers = ", ".join(f"AADSTS{number}" for number in answer.get("error_codes") or [])
    if code in PASSING:
        raise Transient("The Microsoft login service is unavailable for the moment.", code=code)
    said = f"{code}; {numbers}" if numbers else code
    raise AuthenticationFailed(
        f"Microsoft refused the app registration's credentials ({said}).", code=code, detail=numbers.partition(",")[0]
    )


@lru_cache(maxsize=256)
def token_source(credentials: GraphCredentials, login_url: str) -> TokenSource:
    """The process's one token source for these credentials: msal keeps its cache within the app object."""
    return TokenSource(credentials, login_url)
