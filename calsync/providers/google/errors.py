"""Google's refusals in our words: one table from status and reason to the error family.

What lives here: that table, and reading status, reason and waiting time out of the client library's exceptions.
Source of the table: Calendar API guide "Handle API errors"; the token endpoint's answers are RFC 6749 section 5.2.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import google.auth.exceptions
import httplib2
from googleapiclient.errors import Error as ClientLibraryError
from googleapiclient.errors import HttpError

from calsync.providers.base import (
    AccessDenied,
    AlreadyExists,
    AuthenticationFailed,
    CursorExpired,
    MailboxUnavailable,
    NotFound,
    ProviderError,
    QuotaPaused,
    RateLimited,
    Rejected,
    Transient,
    VersionMismatch,
)
from calsync.providers.http import retry_after

_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded", "calendarLimitExceeded"})
_CURSOR = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})
_ITEM_REFUSED = frozenset({"forbiddenForNonOrganizer", "push.webhookUrlUnauthorized", "eventTypeRestriction"})
_NO_CALENDAR = frozenset({"notACalendarUser", "domainPolicy"})

_PERSON = re.compile(r"^invalid email or user id|user has been|account has been|suspended|disabled", re.IGNORECASE)
"""What the token service says of the person to act as; everything else concerns the service account itself."""

_TOLD = {
    "clock": re.compile("reasonable timeframe|short-lived token", re.IGNORECASE),
    "signature": re.compile("jwt signature", re.IGNORECASE),
    "account": re.compile("invalid issuer|account not found", re.IGNORECASE),
}
"""What the token service says of the service account itself, which has one code for all of it."""

_SENTENCES: dict[type[ProviderError], str] = {
    RateLimited: "Google asks for fewer requests",
    Transient: "Google could not answer",
    QuotaPaused: "Google's calendar usage limit is used up",
    VersionMismatch: "The event was changed at Google in the meantime",
    CursorExpired: "Google asks for a full read of the calendar",
    NotFound: "Google does not find it",
    AlreadyExists: "Google has already used this id",
    AuthenticationFailed: "Google does not accept the credentials",
    AccessDenied: "Google does not allow this",
    MailboxUnavailable: "The person has no Google calendar",
    Rejected: "Google refused the request",
}


def error_from(*, status: int, reason: str, wait: float | None = None) -> ProviderError:
    """The error for one refused request. ``reason`` is ``error.errors[0].reason``; ``wait`` is in seconds."""
    kind = _kind(status, reason)
    said = f"{status} {reason}".strip()
    error = kind(f"{_SENTENCES[kind]} ({said}).", status=status, code=reason)
    error.retry_after = wait
    return error


def _kind(status: int, reason: str) -> type[ProviderError]:
    if status == 403:
        return _forbidden(reason)
    if status == 409:
        return AlreadyExists if reason in {"duplicate", "alreadyExists", "ALREADY_EXISTS"} else Transient
    if status == 410:
        return CursorExpired if reason in _CURSOR else NotFound
    if status >= 500 or status < 400 or status == 408:  # below 400: not what an API answers
        return Transient
    by_status: dict[int, type[ProviderError]] = {
        401: AuthenticationFailed,
        404: NotFound,
        412: VersionMismatch,
        429: RateLimited,
    }
    return by_status.get(status, Rejected)


def _forbidden(reason: str) -> type[ProviderError]:
    if reason in _TOO_FAST:
        return RateLimited
    if reason in _QUOTA:
        return QuotaPaused
    if reason in _NO_CALENDAR:
        return MailboxUnavailable
    return Rejected if reason in _ITEM_REFUSED else AccessDenied


def from_http_error(error: HttpError) -> ProviderError:
    """The error for an answer of 300 and above (a part of a batch included)."""
    body = _error_body(error.content)
    status = _status(error)
    return error_from(status=status, reason=_reason(body), wait=_waiting_time(error, body))


def _status(error: HttpError) -> int:
    try:
        return int(error.resp.status)
    except (TypeError, ValueError):
        return 0


def _error_body(content: Any) -> dict[str, Any]:  # Any: whatever a server may have sent
    try:
        parsed = json.loads(content)
    except (TypeError, ValueError):
        return {}
    if isinstance(parsed, list):  # some front ends wrap the error in an array
        parsed = parsed[0] if parsed else {}
    found = parsed.get("error") if isinstance(parsed, dict) else None
    return found if isinstance(found, dict) else {}


def _reason(body: dict[str, Any]) -> str:
    for listed in ("errors", "details"):
        for entry in body.get(listed) or ():
            if isinstance(entry, dict) and isinstance(entry.get("reason"), str):
                return _as_code(entry["reason"])
    return _as_code(str(body.get("status") or ""))


def _as_code(text: str) -> str:
    """Only what looks like a code may enter our messages; free text might hold an event's words."""
    return text if re.fullmatch(r"[A-Za-z0-9_.\-]{1,80}", text) else ""


def _waiting_time(error: HttpError, body: dict[str, Any]) -> float | None:
    """Seconds to wait: Calendar documents no Retry-After, but live answers name a moment in the message."""
    header = retry_after(error.resp.get("retry-after"))
    told = re.search(r"[Rr]etry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", str(body.get("message") or ""))
    if header is not None or told is None:
        return header
    until = datetime.fromisoformat(told.group(1)).replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def from_refresh_error(error: google.auth.exceptions.GoogleAuthError) -> ProviderError:
    """The error for a token that could not be had (service account with domain-wide delegation)."""
    if error.retryable or not isinstance(error, google.auth.exceptions.RefreshError):
        return Transient("Google's token service could not answer.")
    answer = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    code, text = _as_code(str(answer.get("error") or "")), str(answer.get("error_description") or "")
    if not answer:
        return _plain_refresh_error(str(error.args[0]) if error.args else "")
    if code == "invalid_grant" and _PERSON.search(text):
        return MailboxUnavailable(
            "Google does not know this person, or the account is disabled.", status=400, code=code
        )
    if code == "unauthorized_client":
        sentence = "The service account has no domain-wide delegation for the scopes that are needed"
        return AuthenticationFailed(f"{sentence} (unauthorized_client).", status=401, code=code)
    said = next((name for name, words in _TOLD.items() if words.search(text)), "")
    return AuthenticationFailed(
        f"Google gave no token ({code or 'unknown reason'}).", status=401, code=code, detail=said
    )


def _plain_refresh_error(text: str) -> ProviderError:
    """A refusal without JSON: a front end's error page is passing trouble, everything else is the credentials."""
    if not text or "<html" in text.lower():
        return Transient("Google's token service gave an answer that could not be read.")
    return AuthenticationFailed("Google gave no token.", status=401)


@contextmanager
def translated() -> Iterator[None]:
    """Turn every exception of the client libraries into one of the family, without its text (it holds addresses)."""
    try:
        yield
    except HttpError as error:
        raise from_http_error(error) from None
    except google.auth.exceptions.GoogleAuthError as error:
        raise from_refresh_error(error) from None
    except (OSError, httplib2.HttpLib2Error, http.client.HTTPException) as error:
        raise Transient(f"The connection to Google failed ({type(error).__name__}).") from None
    except (ClientLibraryError, ValueError, LookupError) as error:
        raise Transient(f"Google's answer could not be read ({type(error).__name__}).") from None
