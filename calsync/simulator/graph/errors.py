"""What Graph refuses and in which words: status, code and message as documented or observed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]  # a JSON object as it travels


class GraphError(Exception):
    """A refusal. ``extra`` is merged into the error object, ``headers`` into the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra or {}

    def body(self, *, date: str, request_id: str, client_request_id: str) -> Json:
        """The error object on the wire; ``date`` is UTC without an offset."""
        inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        return {"error": {"code": self.code, "message": self.message, **self.extra, "innerError": inner}}


def bad_request(message: str, code: str = "BadRequest") -> GraphError:
    """400: the request is wrong in a way that repeating cannot help."""
    return GraphError(400, code, message)


def invalid_request(message: str) -> GraphError:
    """400 of the Outlook layer."""
    return GraphError(400, "ErrorInvalidRequest", message)


def property_failure() -> GraphError:
    """The opaque 400 for contradicting times, zones and recurrences."""
    return GraphError(400, "ErrorPropertyValidationFailure", "At least one property failed validation.")


def unknown_zone(name: str) -> GraphError:
    """400 for a missing, empty or unknown time zone."""
    return GraphError(
        400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified. Value: '{name}'."
    )


def unreadable_body(message: str) -> GraphError:
    """400: the body does not fit the type."""
    return GraphError(400, "RequestBodyRead", message)


def item_not_found() -> GraphError:
    """404 for an event that is gone or never was."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def folder_not_found() -> GraphError:
    """404 for a calendar that is gone or never was."""
    return GraphError(404, "ErrorFolderNotFound", "The specified folder could not be found in the store.")


def malformed_id() -> GraphError:
    """400 for an id that cannot be an id."""
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def user_not_found(name: str) -> GraphError:
    """404 for an unknown user."""
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", text)


def mailbox_not_enabled() -> GraphError:
    """404 for a user without a mailbox that Graph could reach."""
    return GraphError(
        404,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )


def stale_change_key() -> GraphError:
    """412: If-Match names an older version."""
    return GraphError(
        412,
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request does not "
        "match the current change key for the item.",
    )


def mailbox_concurrency(retry_after: float) -> GraphError:
    """429: more than four requests at a time on one mailbox."""
    return GraphError(
        429,
        "ApplicationThrottled",
        "Application is over its MailboxConcurrency limit.",
        headers={"Retry-After": f"{retry_after:g}"},
    )


def too_many_requests(retry_after: float) -> GraphError:
    """429: the ten-minute budget of the mailbox is used up."""
    return GraphError(
        429, "TooManyRequests", "Please retry again later.", headers={"Retry-After": str(max(1, round(retry_after)))}
    )


def sync_state_gone(fresh_url: str) -> GraphError:
    """410: the delta token is no longer known; ``Location`` leads to a new round."""
    return GraphError(
        410,
        "SyncStateNotFound",
        "The sync state generation is not found; perform a full synchronization.",
        headers={"Location": fresh_url},
    )
