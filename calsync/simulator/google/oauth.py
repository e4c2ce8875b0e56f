"""The token endpoint: service-account assertions with domain-wide delegation, codes, refresh tokens, who a token is.

Sources: the service-account and web-server OAuth guides. The audience of an assertion stays Google's own address
whatever ``token_uri`` the client was given, so both that and our own address are accepted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from calsync.simulator import openid
from calsync.simulator.core import Core
from calsync.simulator.openid import Codes

GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
CLIENT_EMAIL = "calsync-simulator@calsync-simulator.iam.gserviceaccount.com"
OAUTH_CLIENT_ID = "112233445566-calsync.apps.googleusercontent.com"
OAUTH_CLIENT_SECRET = "pretend-web-client-secret"  # noqa: S105 - known to everybody, opens only the pretend domain
ISSUER = "https://accounts.google.com"
KEY_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334"
SCOPE = "https://www.googleapis.com/auth/"
DELEGATED = frozenset(
    SCOPE + name
    for name in (
        "calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly", "calendar.events.owned",
        "calendar.calendarlist", "calendar.calendarlist.readonly", "calendar.calendars", "calendar.calendars.readonly",
        "calendar.settings.readonly", "calendar.freebusy", "calendar.events.freebusy", "calendar.acls.readonly",
        "admin.directory.user.readonly", "admin.directory.orgunit.readonly", "admin.directory.user",
        "admin.directory.orgunit",
    )
)  # fmt: skip


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The pretend service account's key, made once per process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account_info(base_url: str) -> dict[str, str]:
    """The key file of the pretend service account; ``base_url`` without a trailing slash."""
    return {
        "type": "service_account",
        "project_id": "calsync-simulator",
        "private_key_id": KEY_ID,
        "private_key": pem_of(signing_key()),
        "client_email": CLIENT_EMAIL,
        "client_id": "112233445566778899001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": f"{base_url}/token",
        "universe_domain": "googleapis.com",
    }


@dataclass(slots=True)
class ServiceAccount:
    """The service account of another domain, with a key of its own and what that domain's administrator delegated."""

    email: str
    domains: frozenset[str]
    key: rsa.RSAPrivateKey
    delegated: set[str] = field(default_factory=lambda: set(DELEGATED))

    def info(self, base_url: str) -> dict[str, str]:
        """Its key file."""
        return service_account_info(base_url) | {"client_email": self.email, "private_key": pem_of(self.key)}


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """A private key as a key file holds it."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


@dataclass(eq=False)
class TokenRefused(Exception):
    """The endpoint says no: HTTP ``code`` and an OAuth error."""

    code: int
    error: str
    description: str

    def body(self) -> dict[str, str]:
        """The JSON document of the answer."""
        return {"error": self.error, "error_description": self.description}


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access or refresh token stands for. ``user`` is empty for a service account acting as itself."""

    user: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    client_id: str = ""
    client_secret: str = ""


@dataclass(slots=True)
class Tokens:
    """Everything handed out, and the delegation that the domain's administrator granted."""

    core: Core
    delegated: set[str] = field(default_factory=lambda: set(DELEGATED))
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=lambda: {OAUTH_CLIENT_ID: OAUTH_CLIENT_SECRET})
    codes: Codes = field(default_factory=Codes)
    others: dict[str, ServiceAccount] = field(default_factory=dict)

    def add_account(self, *domains: str) -> ServiceAccount:
        """The service account of another Workspace, which holds the mailboxes of these mail domains."""
        email = f"calsync@{domains[0].replace('.', '-')}.iam.gserviceaccount.com"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.others[email] = ServiceAccount(email, frozenset(domains), key)
        return self.others[email]

    def workspace_of(self, address: str) -> str:
        """The Workspace that holds an address, by its service account; '' is the first one."""
        domain = address.rpartition("@")[2]
        return next((other.email for other in self.others.values() if domain in other.domains), "")

    def _delegated(self, issuer: str, subject: str) -> set[str]:
        """What the service account may do in the domain of this person."""
        domain = subject.rpartition("@")[2]
        if other := self.others.get(issuer):
            return other.delegated if domain in other.domains else set()
        return set() if any(domain in other.domains for other in self.others.values()) else self.delegated

    def mint(self, user: str, *scopes: str, seconds: int = 3600) -> str:
        """An access token for ``user``; all delegated scopes when none are named."""
        token = "ya29." + secrets.token_urlsafe(24)
        expires_at = self.core.clock.now() + timedelta(seconds=seconds)
        self.access[token] = Grant(user.lower(), frozenset(scopes) or DELEGATED, expires_at)
        return token

    def consent(self, user: str, *, client_id: str, client_secret: str, scopes: tuple[str, ...]) -> str:
        """A refresh token, as a person's consent would leave it behind."""
        token = "1//" + secrets.token_urlsafe(24)
        self.refresh[token] = Grant(user.lower(), frozenset(scopes), None, client_id, client_secret)
        return token

    def revoke(self, user: str) -> None:
        """End everything that a user granted."""
        for held in (self.access, self.refresh):
            for token in [token for token, grant in held.items() if grant.user == user.lower()]:
                del held[token]

    def grant_of(self, header: str) -> Grant | None:
        """Whom an Authorization header speaks for; None when it is unknown or expired."""
        kind, _, token = header.partition(" ")
        grant = self.access.get(token.strip()) if kind.lower() == "bearer" else None
        if grant is None or (grant.expires_at is not None and grant.expires_at <= self.core.clock.now()):
            return None
        return grant

    def answer(self, form: dict[str, str], *, own_url: str, users: set[str]) -> dict[str, Any]:
        """Answer one POST to the token endpoint; raises TokenRefused."""
        kind = form.get("grant_type", "")
        if kind == GRANT_JWT:
            return self._by_assertion(form.get("assertion", ""), own_url, users)
        if kind == "refresh_token":
            return self._by_refresh(form)
        if kind == "authorization_code":
            return self._by_code(form)
        raise TokenRefused(400, "unsupported_grant_type", f"Invalid grant_type: {kind}")

    def _by_refresh(self, form: dict[str, str]) -> dict[str, Any]:
        grant = self.refresh.get(form.get("refresh_token", ""))
        if grant is None:
            raise TokenRefused(400, "invalid_grant", "Token has been expired or revoked.")
        sent = (form.get("client_id", ""), form.get("client_secret", ""))
        if not secrets.compare_digest(json.dumps(sent), json.dumps((grant.client_id, grant.client_secret))):
            raise TokenRefused(401, "invalid_client", "Unauthorized")
        asked = set(form.get("scope", "").split()) or set(grant.scopes)
        if not asked <= grant.scopes:
            raise TokenRefused(400, "invalid_scope", "Some requested scopes were invalid.")
        answer = self._granted(grant.user, asked)
        if self.core.switches.google_refresh_tokens_rotate:
            del self.refresh[form["refresh_token"]]
            answer["refresh_token"] = self.consent(
                grant.user, client_id=grant.client_id, client_secret=grant.client_secret, scopes=tuple(grant.scopes)
            )
        return answer

    def _by_code(self, form: dict[str, str]) -> dict[str, Any]:
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if not secrets.compare_digest(self.clients.get(client, ""), secret) or not secret:
            raise TokenRefused(401, "invalid_client", "Unauthorized")
        code = self.codes.redeem(form, now=self.core.clock.now())
        if code is None:
            raise TokenRefused(400, "invalid_grant", "Bad Request")
        answer = self._granted(code.user, set(code.scopes))
        if code.asking.offline:
            answer["refresh_token"] = self.consent(
                code.user, client_id=client, client_secret=secret, scopes=tuple(code.scopes)
            )
        if "openid" in code.scopes:
            answer["id_token"] = openid.signed(self.claims(code.user, client, code.asking.nonce))
        return answer

    def claims(self, user: str, client_id: str, nonce: str = "") -> openid.Claims:
        """What an ID token says of a user."""
        now = self.core.clock.now()
        times = {"iat": int(now.timestamp()), "exp": int((now + timedelta(hours=1)).timestamp())}
        who = {"iss": ISSUER, "azp": client_id, "aud": client_id, **profile(user), **times}
        return who | ({"nonce": nonce} if nonce else {})

    def revoke_token(self, token: str) -> bool:
        """End a token, and with it everything that its user granted to that client; False when it is unknown."""
        grant = self.refresh.get(token) or self.access.get(token)
        if grant is None:
            return False
        self.revoke(grant.user)
        return True

    def _by_assertion(self, assertion: str, own_url: str, users: set[str]) -> dict[str, Any]:
        claims = self._verified(assertion)
        self._check_claims(claims, own_url)
        subject = str(claims.get("sub") or "").lower()
        scopes = set(str(claims.get("scope") or "").split())
        if not scopes:
            raise TokenRefused(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        if subject and subject != claims["iss"]:
            if subject not in users:
                raise TokenRefused(400, "invalid_grant", "Invalid email or User ID")
            if not scopes <= self._delegated(str(claims["iss"]), subject):
                raise TokenRefused(401, "unauthorized_client", UNAUTHORIZED)
        return self._granted(subject, scopes)

    def _granted(self, user: str, scopes: set[str]) -> dict[str, Any]:
        token = self.mint(user, *scopes)
        return {"access_token": token, "expires_in": 3599, "scope": " ".join(sorted(scopes)), "token_type": "Bearer"}

    def _verified(self, assertion: str) -> dict[str, Any]:
        """The claims of a JWT that our key signed with RS256."""
        bad = TokenRefused(400, "invalid_grant", "Invalid JWT Signature.")
        try:
            head, body, signature = assertion.split(".")
            header, claims = (json.loads(_decoded(part)) for part in (head, body))
            other = self.others.get(str(claims.get("iss")))
            (other.key if other else signing_key()).public_key().verify(
                _decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (ValueError, binascii.Error, InvalidSignature):
            raise bad from None
        if header.get("alg") != "RS256" or header.get("kid") not in (None, KEY_ID):
            raise bad
        return dict(claims)

    def _check_claims(self, claims: dict[str, Any], own_url: str) -> None:
        now = datetime.now(UTC).timestamp()  # clients sign by the real clock, which a test cannot move
        issued, expires = float(claims.get("iat", 0)), float(claims.get("exp", 0))
        if claims.get("iss") not in (CLIENT_EMAIL, *self.others):
            raise TokenRefused(400, "invalid_grant", "Invalid issuer: Not a valid email or user ID.")
        if claims.get("aud") not in (GOOGLE_AUDIENCE, own_url):
            raise TokenRefused(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        if expires > issued + 3600 + 1 or expires < now - 300 or issued > now + 300:
            message = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            raise TokenRefused(400, "invalid_grant", message)


def profile(user: str) -> dict[str, Any]:
    """Who a user is, as the userinfo address tells it."""
    number = str(int(hashlib.sha256(user.encode()).hexdigest()[:16], 16))
    return {"sub": number, "email": user, "email_verified": True, "hd": user.partition("@")[2]}


UNAUTHORIZED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the "
    "scopes requested."
)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
