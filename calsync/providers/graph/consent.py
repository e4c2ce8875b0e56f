"""A person's own consent at Microsoft, through msal: authorization code with a proof key, rotating refresh tokens.

Sources: the pages on the authorization code flow and on refresh tokens of the Microsoft identity platform. msal checks
no ID token since 1.38, so that is done here. There is no address that ends one person's consent.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msal

from calsync.providers.base import AuthenticationFailed, ProviderError, RequestCount, Transient
from calsync.providers.consent import (
    WRONG_PROOF,
    Begun,
    ConsentEnded,
    ConsentRefused,
    Expected,
    Granted,
    Pending,
    Tokens,
    check_scopes,
    check_state,
    checked_claims,
)
from calsync.providers.graph.client import GraphClient, Request
from calsync.providers.graph.oauth import (
    PASSING,
    REAL_GRAPH,
    REAL_LOGIN,
    GraphCredentials,
    GraphEndpoints,
    LoginSession,
    login_errors,
    new_app,
)

WANTED = {
    "Calendars.ReadWrite": "read and write your calendars",
    "MailboxSettings.Read": "read your mailbox settings, for the time zone",
    "User.Read": "read who you are",
}
"""Delegated permission -> what it is for, in words for the person."""
OVER = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})
"""Error codes that say: ask the person again."""
GUEST_MARK = "#ext#"

# A form that another site posts arrives without our session's cookie, and the session holds the state and proof key.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", category=UserWarning)

Json = dict[str, Any]  # msal's answers are open dictionaries


class NothingKept(msal.TokenCache):  # type: ignore[misc]  # msal is untyped
    """msal's memory of tokens, without any: people's tokens are kept sealed in the database alone."""

    def add(self, event: Json, now: float | None = None) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class _OneToken:
    """The keeper of a token that has just come."""

    access: str

    def token(self, *, stale: str = "") -> tuple[str, int]:
        """Itself."""
        del stale
        return self.access, 0


class GraphConsent:
    """The desk of ``consent.ConsentDesk`` at Microsoft."""

    def __init__(self, credentials: GraphCredentials, endpoints: GraphEndpoints) -> None:
        self._credentials = credentials
        self._endpoints = endpoints
        self._http = LoginSession(endpoints.login_url)

    def begin(self, *, redirect_uri: str, hint: str) -> Begun:
        """msal makes state, nonce and proof key."""
        with login_errors(self._http):
            flow: Json = self._app().initiate_auth_code_flow(
                list(WANTED), redirect_uri=redirect_uri, login_hint=hint, prompt="select_account"
            )
        url = str(flow.pop("auth_uri")).replace(REAL_LOGIN, self._endpoints.login_url, 1)
        if parse_qs(urlsplit(url).query).get("code_challenge_method") != ["S256"]:
            raise AuthenticationFailed("The Microsoft library made no proof key.", code="configuration")
        return Begun(url, flow)

    def finish(self, pending: Pending, answer: Mapping[str, str], *, now: datetime) -> Granted:
        """Redeem the code. The address is the sign-in name, which is the tenant's administrators' to give."""
        check_state(pending, answer)
        with login_errors(self._http):
            told, issuer = self._redeemed(pending, answer), self._issuer()
        if "error" in told:
            raise self._refusal(told, ConsentRefused, "Microsoft does not accept that permission any more.")
        nonce = hashlib.sha256(str(pending.get("nonce") or "").encode()).hexdigest()
        expected = Expected(frozenset({issuer}), self._credentials.client_id, nonce)
        checked_claims(told.get("id_token"), expected, now=now)
        tokens = _tokens(told)
        check_scopes(tokens, WANTED)
        return Granted(tokens, self._sign_in_name(tokens))

    def renew(self, refresh: str) -> Tokens:
        """Microsoft answers with a new refresh token each time; the one before may be worth nothing from then on."""
        with login_errors(self._http):
            told: Json = self._app().acquire_token_by_refresh_token(refresh, list(WANTED))
        if "error" in told:
            raise self._refusal(told, ConsentEnded, "Microsoft says that the consent has ended.")
        return _tokens(told)

    def revoke(self, refresh: str) -> bool:
        """Microsoft has no address for that: the person or an administrator ends it on a page of Microsoft's."""
        del refresh
        return False

    def _app(self) -> msal.ConfidentialClientApplication:
        return new_app(self._credentials, self._http, token_cache=NothingKept())

    def _redeemed(self, pending: Pending, answer: Mapping[str, str]) -> Json:
        app, sent = self._app(), {name: answer[name] for name in ("code", "state")}
        try:
            told: Json = app.acquire_token_by_auth_code_flow(dict(pending), sent)
        except RuntimeError:  # from None: msal quotes both nonces
            raise ConsentRefused(WRONG_PROOF, code="id_token") from None
        return told

    def _issuer(self) -> str:
        """The issuer of the tenant's tokens, as its discovery document says; a tenant may be named by its domain."""
        address = f"{REAL_LOGIN}/{self._credentials.tenant_id}/v2.0/.well-known/openid-configuration"
        return str(self._http.get(address).json()["issuer"])

    def _sign_in_name(self, tokens: Tokens) -> str:
        client = GraphClient(_OneToken(tokens.access), self._endpoints, RequestCount())
        me = client.get(Request("GET", "/me", {"$select": "id,userPrincipalName"}, label="directory"))
        name = str(me.get("userPrincipalName") or "").lower()
        if GUEST_MARK in name:
            raise ConsentRefused("Choose the account of your own organisation: a guest cannot be linked.", code="guest")
        return name

    def _refusal(self, told: Json, kind: type[ProviderError], sentence: str) -> ProviderError:
        """Only error codes are told: descriptions may hold identifiers."""
        code = str(told.get("error") or "unknown")
        if code in OVER:
            return kind(sentence, status=400, code=code)
        if code in PASSING:
            return Transient("The Microsoft login service is unavailable for the moment.", code=code)
        return AuthenticationFailed(f"Microsoft refused CalSync's app registration ({code}).", code=code)


@lru_cache(maxsize=8)
def graph_consent(credentials: GraphCredentials, endpoints: GraphEndpoints) -> GraphConsent:
    """The process's one desk of an app registration."""
    return GraphConsent(credentials, endpoints)


def _tokens(told: Json) -> Tokens:
    """Scopes come with or without Graph's address in front."""
    scopes = str(told.get("scope") or "").lower().split()
    return Tokens(
        access=str(told["access_token"]),
        refresh=str(told.get("refresh_token") or ""),
        lasts=timedelta(seconds=float(told.get("expires_in") or 0)),
        scopes=frozenset(scope.removeprefix(f"{REAL_GRAPH}/") for scope in scopes),
    )
