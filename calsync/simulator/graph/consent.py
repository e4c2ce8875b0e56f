"""The Microsoft side of a person's own consent: authorize page, codes, rotating refresh tokens, delegated tokens.

Sources: the pages on the authorization code flow, refresh tokens, ID token claims and delegated permissions of the
Microsoft identity platform. A refresh answers with a new refresh token and leaves the old one valid, unless
``Switches.graph_refresh_tokens_serve_once``. There is no address that revokes one refresh token.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from calsync.simulator import openid
from calsync.simulator.core import Core
from calsync.simulator.graph import ids
from calsync.simulator.graph.errors import Json
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.openid import Asking, Codes, consent_page

LOGIN = "https://login.microsoftonline.com"
LIFETIME = timedelta(seconds=3599)
OPENID = frozenset({"openid", "profile", "email", "offline_access"})
GRAPH = "https://graph.microsoft.com/"


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a delegated token stands for: an application acting as one user."""

    client_id: str
    user: str
    scopes: frozenset[str]
    expires_at: datetime | None = None


class Consents:
    """Codes and tokens that people's consent made. ``issuer`` is that of the tenant."""

    def __init__(self, core: Core, store: GraphStore) -> None:
        self._core = core
        self._store = store
        self.codes = Codes()
        self.refresh: dict[str, Delegation] = {}
        self.access: dict[str, Delegation] = {}

    def authorize(self, request: Request, clients: set[str]) -> Response:
        """The page of consent, and the way back once the person has answered."""
        try:
            asking = Asking.read(request.args.to_dict())
        except ValueError as wrong:
            return Response(f"AADSTS900144: the request lacks or misuses '{wrong}'.", 400)
        if asking.client_id not in clients:
            return Response("AADSTS700016: the application was not found in the directory.", 400)
        if request.method != "POST":
            return Response(consent_page("Microsoft", asking, self._store.mailboxes), mimetype="text/html")
        if request.form.get("answer") != "allow":
            return redirect(asking.back(error="access_denied", error_description="AADSTS65004: declined."))
        granted = set(asking.scopes) - set(self._core.switches.consent_withholds.split())
        code = self.codes.issue(asking, request.form.get("account", ""), granted, now=self._core.clock.now())
        return redirect(asking.back(code=code))

    def by_code(self, form: dict[str, str]) -> Json | None:
        """Tokens for a code; None when it is no good."""
        code = self.codes.redeem(form, now=self._core.clock.now())
        if code is None:
            return None
        grant = Delegation(code.asking.client_id, code.user, code.scopes)
        return self._tokens(grant, nonce=code.asking.nonce)

    def by_refresh(self, form: dict[str, str]) -> Json | None:
        """New tokens, a new refresh token among them; None when the old one is unknown or somebody else's."""
        old = form.get("refresh_token", "")
        grant = self.refresh.get(old)
        if grant is None or grant.client_id != form.get("client_id"):
            return None
        if self._core.switches.graph_refresh_tokens_serve_once:
            del self.refresh[old]
        return self._tokens(grant)

    def revoke(self, user: str) -> None:
        """End everything that a user granted, as the user or an administrator does it in the portal."""
        for held in (self.access, self.refresh):
            for token in [token for token, grant in held.items() if grant.user == user.lower()]:
                del held[token]

    def delegation_of(self, token: str) -> Delegation | None:
        """Whom a delegated access token speaks for; None when it is none or has expired."""
        found = self.access.get(token)
        return found if found and found.expires_at and found.expires_at > self._core.clock.now() else None

    def _tokens(self, grant: Delegation, *, nonce: str = "") -> Json:
        now, seconds = self._core.clock.now(), int(LIFETIME.total_seconds())
        access = "EwB." + secrets.token_urlsafe(32)  # opaque to clients, as Microsoft asks
        self.access[access] = Delegation(grant.client_id, grant.user, _plain(grant.scopes), now + LIFETIME)
        answer: Json = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(GRAPH + scope for scope in _plain(grant.scopes) - OPENID)),
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": access,
        }
        if "offline_access" in grant.scopes:
            refresh = "0.A" + secrets.token_urlsafe(32)
            self.refresh[refresh] = Delegation(grant.client_id, grant.user, grant.scopes)
            answer["refresh_token"] = refresh
        if "openid" in grant.scopes:
            answer["id_token"] = self._id_token(grant, now, nonce)
            client_info = {"uid": self._oid(grant), "utid": self._store.tenant_id}
            answer["client_info"] = openid.encoded(json.dumps(client_info).encode())
        return answer

    def _oid(self, grant: Delegation) -> str:
        return self._store.user(grant.user).guid

    def _id_token(self, grant: Delegation, now: datetime, nonce: str) -> str:
        user = self._store.user(grant.user)
        claims: openid.Claims = {
            "ver": "2.0",
            "iss": f"{LOGIN}/{self._store.tenant_id}/v2.0",
            "sub": ids.stable_uuid("pairwise", grant.client_id + user.guid),
            "aud": grant.client_id,
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "name": user.display_name,
            "preferred_username": user.shown,
            "oid": user.guid,
            "tid": self._store.tenant_id,
        }
        return openid.signed(claims | ({"nonce": nonce} if nonce else {}))


def _plain(scopes: frozenset[str]) -> frozenset[str]:
    """Permission names without the resource in front."""
    return frozenset(scope.removeprefix(GRAPH) for scope in scopes)
