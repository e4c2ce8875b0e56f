"""From what Graph answers to the error family (codes: Graph's own and the EWS response codes that show through).

What lives here: one table and the function that reads it. Messages name status, code and request id, never event text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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

Body = Any  # decoded JSON of unknown shape

BY_CODE: dict[type[ProviderError], frozenset[str]] = {
    CursorExpired: frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired", "fullsyncrequired"}),
    AlreadyExists: frozenset({"errorduplicatetransactionid"}),
    QuotaPaused: frozenset({"errorquotaexceeded"}),
    RateLimited: frozenset(
        {
            "toomanyrequests",
            "applicationthrottled",
            "errorserverbusy",
            "activitylimitreached",
            "errorexceededconnectioncount",
        }
    ),
    Transient: frozenset(
        {
            "errorinternalservertransienterror",
            "errormailboxmoveinprogress",
            "errormailboxstoreunavailable",
            "errormailboxfailover",
            "errortimeoutexpired",
        }
    ),
    MailboxUnavailable: frozenset(
        {
            "mailboxnotenabledforrestapi",
            "mailboxnotsupportedforrestapi",
            "errornonexistentmailbox",
            "errorinvaliduser",
            "request_resourcenotfound",
        }
    ),
    VersionMismatch: frozenset({"errorirresolvableconflict", "errorstaleobject"}),
}

BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    403: AccessDenied,
    404: NotFound,
    408: Transient,
    409: VersionMismatch,
    410: NotFound,
    412: VersionMismatch,
    423: Transient,
    424: Transient,
    429: RateLimited,
    507: QuotaPaused,
    509: RateLimited,
}

SENTENCES: dict[type[ProviderError], str] = {
    CursorExpired: "Microsoft no longer knows the position in the calendar's changes",
    AlreadyExists: "Microsoft has already used the key of this new event",
    QuotaPaused: "The mailbox is full or over a long-lasting quota",
    RateLimited: "Microsoft asks for fewer requests to this mailbox",
    Transient: "Microsoft could not serve the request for the moment",
    MailboxUnavailable: "The mailbox has no usable Exchange Online calendar",
    VersionMismatch: "The event was changed in Outlook in the meantime",
    AuthenticationFailed: "Microsoft does not accept the connection's credentials",
    AccessDenied: "Microsoft does not allow access to this mailbox or calendar",
    NotFound: "The event or calendar is not in Outlook any more",
    Rejected: "Microsoft does not accept the event in this form",
}


def error_from(status: int, headers: Mapping[str, str], body: Body) -> ProviderError:
    """The error of one unsuccessful answer. ``headers`` in any casing; ``body`` is decoded JSON or anything else."""
    lowered = {name.lower(): value for name, value in headers.items()}
    codes = codes_in(body)
    kind = _kind(status, {code.lower() for code in codes})
    code = codes[0] if codes else ""
    message = f"{SENTENCES[kind]} (status {status}{', ' + code if code else ''}{_request_id(lowered)})."
    if kind is AlreadyExists:
        return AlreadyExists(message, status=status, code=code, existing_id=_existing_id(body))
    return kind(message, status=status, code=code, retry_after=retry_after(lowered.get("retry-after")))


def codes_in(body: Body) -> list[str]:
    """All error codes of a body, outermost first; nested ones are more specific, and casing varies."""
    found: list[str] = []
    level = body.get("error") if isinstance(body, dict) else None
    while isinstance(level, dict):
        code = level.get("code")
        if isinstance(code, str) and re.fullmatch(r"[\w.]{1,80}", code):
            found.append(code)
        level = next((level[name] for name in level if name.lower() == "innererror"), None)
    return found


def _kind(status: int, codes: set[str]) -> type[ProviderError]:
    """A telling code goes before the status; without one the status decides."""
    for kind, names in BY_CODE.items():
        if codes & names:
            return kind
    if status in BY_STATUS:
        return BY_STATUS[status]
    return Transient if status >= 500 else Rejected


def _existing_id(body: Body) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    value = error.get("@event.existingEventId") if isinstance(error, dict) else None
    return value if isinstance(value, str) else ""


def _request_id(headers: Mapping[str, str]) -> str:
    value = headers.get("request-id", "")
    return f", request {value}" if re.fullmatch(r"[\w-]{1,64}", value) else ""
