"""A person's own consent at Google: authorization code with a proof key, refresh, revocation.

Sources: Google's guides "Using OAuth 2.0 for Web Server Applications" and "OpenID Connect". The addresses are those of
Google's discovery document.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import google.auth.credentials
import requests

from calsync.providers.base import AuthenticationFailed, ProviderError, Transient
from calsync.providers.consent import (
    Begun,
    ConsentEnded,
    ConsentRefused,
    Expected,
    Granted,
    Pending,
    TokenKeeper,
    Tokens,
    check_scopes,
    check_state,
    checked_claims,
)
from calsync.providers.google.oauth import CALENDAR_LIST, EVENTS, SETTINGS
from calsync.providers.http import TIMEOUT, checked_url, pooled_session

REAL_LOGIN = "https://accounts.google.com"
WANTED = {
    EVENTS: "see and edit the events of your calendars",
    CALENDAR_LIST: "see the list of your calendars",
    SETTINGS: "see your calendar settings, for the time zone",
}
"""Scope -> what it is for, in words for the person."""
ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})

Json = dict[str, Any]  # decoded JSON objects of an open type


@dataclass(frozen=True, slots=True)
class GoogleClient:
    """A web client of Google Cloud."""

    client_id: str
    client_secret: str = field(repr=False)
    login_url: str = REAL_LOGIN

    def __post_init__(self) -> None:
        object.__setattr__(self, "login_url", checked_url(self.login_url, what="Google login URL"))


class GoogleConsent:
    """The desk of ``consent.ConsentDesk`` at Google."""

    def __init__(self, client: GoogleClient) -> None:
        self._client = client
        self._http = pooled_session(client.login_url)

    def begin(self, *, redirect_uri: str, hint: str) -> Begun:
        """A fresh state, nonce and proof key; asks for a refresh token and for an account to be chosen."""
        names = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "code_verifier")}
        digest = hashlib.sha256(names["code_verifier"].encode()).digest()
        asked = {
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(["openid", "email", *WANTED]),
            "state": names["state"],
            "nonce": names["nonce"],
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "select_account consent",
            "login_hint": hint,
        }
        return Begun(f"{self._address('authorization')}?{urlencode(asked)}", {**names, "redirect_uri": redirect_uri})

    def finish(self, pending: Pending, answer: Mapping[str, str], *, now: datetime) -> Granted:
        """Redeem the code. Counts only an address of a Workspace: a private account may bear any address."""
        check_state(pending, answer)
        told = self._token(
            grant_type="authorization_code",
            code=answer["code"],
            redirect_uri=str(pending["redirect_uri"]),
            code_verifier=str(pending["code_verifier"]),
        )
        expected = Expected(ISSUERS, self._client.client_id, str(pending["nonce"]))
        claims = checked_claims(told.get("id_token"), expected, now=now)
        tokens = _tokens(told)
        check_scopes(tokens, WANTED)
        if claims.get("email_verified") is not True or not claims.get("hd"):
            raise ConsentRefused("Choose the Google account of your work; a private one is not linked.", code="private")
        return Granted(tokens, str(claims.get("email") or "").lower())

    def renew(self, refresh: str) -> Tokens:
        """Google keeps the refresh token in use, as a rule."""
        try:
            return _tokens(self._token(grant_type="refresh_token", refresh_token=refresh))
        except ConsentRefused as error:
            raise ConsentEnded(
                "Google says that the consent has ended.", status=error.status, code=error.code
            ) from None

    def revoke(self, refresh: str) -> bool:
        """End the consent; one that Google does not know any more has ended already."""
        self._post(self._address("revocation"), {"token": refresh})
        return True

    def _token(self, **form: str) -> Json:
        client = {"client_id": self._client.client_id, "client_secret": self._client.client_secret}
        status, body = self._post(self._address("token"), {**client, **form})
        if status < 400:
            return body
        code = str(body.get("error") or "unknown")
        if code == "invalid_grant":
            raise ConsentRefused("Google does not accept that permission any more.", status=status, code=code)
        raise AuthenticationFailed(f"Google refused CalSync's web client ({code}).", status=status, code=code)

    def _post(self, url: str, form: Mapping[str, str]) -> tuple[int, Json]:
        return self._sent("POST", url, form)

    def _sent(self, method: str, url: str, form: Mapping[str, str] | None = None) -> tuple[int, Json]:
        try:
            answer = self._http.request(method, url, data=form, timeout=TIMEOUT, allow_redirects=False)
            body = answer.json() if answer.content else {}
        except requests.RequestException as error:  # an answer that is no JSON among them
            raise Transient(f"Google's sign-in service did not answer ({type(error).__name__}).") from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Transient("Google's sign-in service is busy.", status=answer.status_code)
        return answer.status_code, body if isinstance(body, dict) else {}

    def _address(self, name: str) -> str:
        known = self._discovered()
        try:
            return checked_url(str(known.get(f"{name}_endpoint") or ""), what=f"Google {name} address")
        except ValueError as error:
            raise AuthenticationFailed(str(error), code="configuration") from None

    def _discovered(self) -> Json:
        status, body = self._sent("GET", f"{self._client.login_url}/.well-known/openid-configuration")
        if status >= 400:
            raise AuthenticationFailed("The Google login address names no sign-in service.", status=status)
        return body


@lru_cache(maxsize=8)
def google_consent(client: GoogleClient) -> GoogleConsent:
    """The process's one desk of a client."""
    return GoogleConsent(client)


class KeptCredentials(google.auth.credentials.Credentials):
    """Credentials for the client library whose tokens somebody else keeps: asked before each request."""

    def __init__(self, keeper: TokenKeeper) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped library
        self._keeper = keeper

    @property
    def valid(self) -> bool:
        """Whether the token at hand is still the keeper's: parts of a batch are sent with it unasked."""
        return self.token is not None and self.token == self._keeper.token()[0]

    def refresh(self, request: object) -> None:
        """After a refusal: whatever the keeper has instead of the token that was refused."""
        del request
        self.token, _ = self._keeper.token(stale=str(self.token or ""))

    def before_request(self, request: object, method: str, url: str, headers: dict[str, str]) -> None:
        """Put the present token on a request."""
        del request, method, url
        self.token, _ = self._keeper.token()
        headers["authorization"] = f"Bearer {self.token}"


def _tokens(told: Json) -> Tokens:
    try:
        return Tokens(
            access=str(told["access_token"]),
            refresh=str(told.get("refresh_token") or ""),
            lasts=timedelta(seconds=float(told.get("expires_in") or 0)),
            scopes=frozenset(str(told.get("scope") or "").lower().split()),
        )
    except (KeyError, ValueError):
        raise ProviderError("Google's answer holds no token.", code="no_token") from None
