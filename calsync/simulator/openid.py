"""What both pretend identity providers share: signed ID tokens, authorization codes with PKCE, the page of consent.

Sources: RFC 6749 (codes), RFC 7636 (PKCE), OpenID Connect Core and Discovery. A code lives for ten minutes, serves
once, and only for the client, the address and the verifier that it was made for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from html import escape
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_ID = "calsync-simulator-openid"
CODE_LIFETIME = timedelta(minutes=10)
Claims = dict[str, object]


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(claims: Claims) -> str:
    """The claims as a JWT with RS256."""
    head = encoded(json.dumps({"typ": "JWT", "alg": "RS256", "kid": KEY_ID}).encode())
    body = encoded(json.dumps(claims).encode())
    signature = _key().sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{head}.{body}.{encoded(signature)}"


def key_set() -> Claims:
    """The JWKS document that ``signed`` can be checked against."""
    numbers = _key().public_key().public_numbers()
    n, e = (encoded(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": n, "e": e}]}


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Asking:
    """What a client asks for at the authorization endpoint."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    nonce: str
    challenge: str
    hint: str
    offline: bool

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Asking:
        """From the query; raises ValueError with the parameter that is wrong."""
        if args.get("response_type") != "code":
            raise ValueError("response_type")
        if urlsplit(args.get("redirect_uri", "")).scheme not in ("http", "https"):
            raise ValueError("redirect_uri")
        if args.get("code_challenge") and args.get("code_challenge_method") != "S256":
            raise ValueError("code_challenge_method")
        return cls(
            client_id=args.get("client_id", ""),
            redirect_uri=args["redirect_uri"],
            scopes=tuple(args.get("scope", "").split()),
            state=args.get("state", ""),
            nonce=args.get("nonce", ""),
            challenge=args.get("code_challenge", ""),
            hint=args.get("login_hint", "").lower(),
            offline=args.get("access_type") == "offline",
        )

    def back(self, **answer: str) -> str:
        """The address that the browser is sent back to."""
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return self.redirect_uri + joint + urlencode({**answer, **({"state": self.state} if self.state else {})})


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for."""

    asking: Asking
    user: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(slots=True)
class Codes:
    """The codes that wait to be redeemed."""

    held: dict[str, Code] = field(default_factory=dict)

    def issue(self, asking: Asking, user: str, scopes: Iterable[str], *, now: datetime) -> str:
        """A code for what a person granted."""
        code = secrets.token_urlsafe(24)
        self.held[code] = Code(asking, user.lower(), frozenset(scopes), now + CODE_LIFETIME)
        return code

    def redeem(self, form: Mapping[str, str], *, now: datetime) -> Code | None:
        """What the code stands for; None when it is unknown, spent, too old or somebody else's."""
        code = self.held.pop(form.get("code", ""), None)
        if code is None or code.expires_at <= now:
            return None
        asking = code.asking
        if (form.get("client_id"), form.get("redirect_uri")) != (asking.client_id, asking.redirect_uri):
            return None
        digest = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        return None if asking.challenge and not secrets.compare_digest(digest, asking.challenge) else code


def consent_page(provider: str, asking: Asking, people: Iterable[str]) -> str:
    """The page where an end user picks an account and says yes or no; it posts back to its own address."""
    accounts = sorted(people, key=lambda address: (address != asking.hint, address))
    options = "".join(f"<option>{escape(address)}</option>" for address in accounts)
    scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asking.scopes)
    name = f"{provider} (pretend)"
    return (
        f"<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>{name}</title>"
        f"<style>body{{font:1rem/1.5 system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}"
        f"select,button{{font:inherit;padding:.5rem 1rem;margin:.5rem .5rem .5rem 0}}</style>"
        f"<h1>{name}</h1><form method=post><p><label>Account <select name=account>{options}</select></label>"
        f"<p>CalSync asks for:<ul>{scopes}</ul>"
        f"<button name=answer value=allow>Allow</button><button name=answer value=deny>Deny</button></form></html>"
    )
