"""People's own consent, in what both providers share: values, refusals, and the check of ID tokens.

What lives here: nothing that knows a provider's addresses or scopes. What does not: keeping tokens (``accounts``).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from calsync.providers.base import AuthenticationFailed, ProviderError

Pending = dict[str, Any]  # JSON that a session keeps between the two halves of a consent
ALLOWED_SKEW = timedelta(minutes=5)
DECLINED = "access_denied"
WRONG_PROOF = "The provider's proof of who you are does not fit, so nothing was linked."


class ConsentEnded(AuthenticationFailed):
    """The consent is over: withdrawn, expired, or ended by the person's own administrator."""

    remedy = "Link the mailbox again on the page My mailboxes; nothing was lost meanwhile."


class ConsentRefused(ProviderError):
    """An answer that gives no tokens we may use. The message is for the person who wanted to link a mailbox."""

    remedy = "Try again from the page My mailboxes."


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider hands out. ``refresh`` is '' where the one in use goes on."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lasts: timedelta
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent: the tokens and the address that the provider vouches for."""

    tokens: Tokens
    address: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what the session must keep until it is back."""

    url: str
    pending: Pending = field(repr=False)


class TokenKeeper(Protocol):
    """Holds the tokens of one mailbox and renews them in time."""

    def token(self, *, stale: str = "") -> tuple[str, int]:
        """An access token, and how many HTTP requests getting it took. ``stale`` names one that was refused.

        Raises AuthenticationFailed (ConsentEnded among them) or Transient.
        """


class ConsentDesk(Protocol):
    """One provider's side of the authorization code flow. Every method may raise ProviderError."""

    def begin(self, *, redirect_uri: str, hint: str) -> Begun:
        """Prepare the way to the page of consent; ``hint`` is the address that is expected."""

    def finish(self, pending: Pending, answer: Mapping[str, str], *, now: datetime) -> Granted:
        """Turn what came back into tokens; raises ConsentRefused when state, proof or permissions are not right."""

    def renew(self, refresh: str) -> Tokens:
        """New tokens; raises ConsentEnded when the provider says that it is over."""

    def revoke(self, refresh: str) -> bool:
        """End the consent at the provider; False where the provider has no way for that."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say to be meant for us, now."""

    issuers: frozenset[str]
    audience: str
    nonce: str


def check_state(pending: Pending, answer: Mapping[str, str]) -> None:
    """Raise ConsentRefused unless the answer is the one that this browser asked for, and a yes."""
    wanted = str(pending.get("state") or "")
    if not wanted or not secrets.compare_digest(wanted.encode(), answer.get("state", "").encode()):
        raise ConsentRefused("That answer was not asked for in this browser, so nothing was linked.", code="state")
    if answer.get("error") == DECLINED:
        raise ConsentRefused("You did not allow it, so nothing was linked.", code=DECLINED)
    if answer.get("error") or not answer.get("code"):
        raise ConsentRefused("The provider sent no permission, so nothing was linked.", code="no_code")


def checked_claims(id_token: object, expected: Expected, *, now: datetime) -> Mapping[str, Any]:  # Any: open JSON
    """The claims of an ID token; raises ConsentRefused unless issuer, audience, nonce and time are right.

    The token came over TLS from the provider itself, which stands for its signature (OpenID Connect Core 3.1.3.7).
    """
    claims = _claims(id_token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    right = (
        claims.get("iss") in expected.issuers
        and audiences == [expected.audience]
        and claims.get("azp", expected.audience) == expected.audience
        and bool(expected.nonce)
        and secrets.compare_digest(str(claims.get("nonce") or "").encode(), expected.nonce.encode())
        and isinstance(expires, int | float)
        and expires > (now - ALLOWED_SKEW).timestamp()
    )
    if not right:
        raise ConsentRefused(WRONG_PROOF, code="id_token")
    return claims


def check_scopes(tokens: Tokens, wanted: Mapping[str, str]) -> None:
    """Raise ConsentRefused unless every wanted scope was granted, for good. ``wanted``: scope -> what it is for."""
    missing = [told for scope, told in wanted.items() if scope.lower() not in tokens.scopes]
    if not tokens.refresh:
        missing.append("keep access while you are away")
    if missing:
        told = "; ".join(missing)
        raise ConsentRefused(
            f"Nothing was linked, because this permission was not given: {told}. Try again and leave every box ticked.",
            code="scopes",
        )


def _claims(id_token: object) -> Mapping[str, Any]:
    try:
        body = str(id_token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
