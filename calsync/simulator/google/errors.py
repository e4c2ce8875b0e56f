"""What the pretend Google answers when it refuses: one exception that carries the documented error body.

Body shape: ``{"error": {"errors": [{domain, reason, message[, locationType, location]}], "code", "message"}}``;
newer front ends add ``status`` with the RPC code. Texts are those of the Calendar "Handle API errors" guide
or of recorded answers. Which request earns which refusal is decided where the request is handled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

RPC_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


@dataclass(eq=False)
class Refusal(Exception):
    """One refused request. ``location`` names a parameter or header, ``location_type`` says which of them."""

    code: int
    reason: str
    message: str
    domain: str = "global"
    location: str = ""
    location_type: str = ""
    outer_message: str = ""

    def body(self) -> dict[str, Any]:
        """The JSON document of the answer."""
        detail: dict[str, Any] = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location:
            detail |= {"locationType": self.location_type, "location": self.location}
        error: dict[str, Any] = {"errors": [detail], "code": self.code, "message": self.outer_message or self.message}
        if self.code in {401} or self.reason == "insufficientPermissions":
            error["status"] = RPC_STATUS[self.code]
        if self.reason == "fullSyncRequired":
            error["status"] = "ABORTED"
        return {"error": error}


def bad_request(message: str = "Bad Request", *, parameter: str = "") -> Refusal:
    """400 badRequest: the request does not parse or breaks a documented rule without a reason of its own."""
    return Refusal(400, "badRequest", message, location=parameter, location_type="parameter" if parameter else "")


def invalid(message: str = "Invalid Value", *, parameter: str = "") -> Refusal:
    """400 invalid: a value outside of what the discovery document or the reference page allows."""
    return Refusal(400, "invalid", message, location=parameter, location_type="parameter" if parameter else "")


def invalid_id() -> Refusal:
    """400 for an event id outside base32hex, and for ``import`` with an id. Names no field."""
    return invalid("Invalid resource id value.")


def required(message: str) -> Refusal:
    """400 required: something that the method needs is missing."""
    return Refusal(400, "required", message)


def time_range_empty(*, parameter: str = "timeMax") -> Refusal:
    """400 timeRangeEmpty: the end does not lie after the start."""
    message = "The specified time range is empty."
    return Refusal(400, "timeRangeEmpty", message, domain="calendar", location=parameter, location_type="parameter")


def ordering_not_available() -> Refusal:
    """400: ``orderBy=startTime`` without ``singleEvents=true``."""
    return invalid("The requested ordering is not available for the particular query.", parameter="orderBy")


def neither_organizer_nor_attendee() -> Refusal:
    """400: an import whose calendar owner takes no part in the event."""
    message = "The owner of the calendar must either be the organizer or an attendee of an event that is imported."
    return Refusal(400, "participantIsNeitherOrganizerNorAttendee", message)


def login_required() -> Refusal:
    """401 without an Authorization header."""
    outer = (
        "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    return Refusal(401, "required", "Login Required.", "global", "Authorization", "header", outer)


def invalid_credentials() -> Refusal:
    """401 for an unknown or expired access token."""
    outer = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential."
    )
    return Refusal(401, "authError", "Invalid Credentials", "global", "Authorization", "header", outer)


def insufficient_scopes() -> Refusal:
    """403 for a token whose scopes do not cover the method."""
    outer = "Request had insufficient authentication scopes."
    return Refusal(403, "insufficientPermissions", "Insufficient Permission", outer_message=outer)


def not_the_organizer() -> Refusal:
    """403 for a guest who changes what only the organizer may change."""
    message = "Shared properties can only be changed by the organizer of the event."
    return Refusal(403, "forbiddenForNonOrganizer", message, domain="calendar")


def user_rate_limit_exceeded() -> Refusal:
    """403 for more requests per minute and user than the project's quota allows."""
    return Refusal(403, "userRateLimitExceeded", "User Rate Limit Exceeded", domain="usageLimits")


def directory_forbidden() -> Refusal:
    """403 of the Directory API for a subject who is no administrator."""
    return Refusal(403, "forbidden", "Not Authorized to access this resource/api")


def not_found() -> Refusal:
    """404: gone, never there, or not visible to the caller; Google does not tell which."""
    return Refusal(404, "notFound", "Not Found")


def duplicate() -> Refusal:
    """409: the id was used before, also by an event that is deleted by now."""
    return Refusal(409, "duplicate", "The requested identifier already exists.")


def deleted() -> Refusal:
    """410 for a second delete."""
    return Refusal(410, "deleted", "Resource has been deleted")


def full_sync_required() -> Refusal:
    """410 for a sync token that expired or was invalidated."""
    message = "Sync token is no longer valid, a full sync is required."
    return Refusal(410, "fullSyncRequired", message, domain="calendar", location="syncToken", location_type="parameter")


def updated_min_too_long_ago() -> Refusal:
    """410 for an ``updatedMin`` more than about a month back."""
    message = "The requested minimum modification time lies too far in the past."
    return Refusal(410, "updatedMinTooLongAgo", message, "calendar", "updatedMin", "parameter")


def condition_not_met() -> Refusal:
    """412 for a stale If-Match."""
    return Refusal(412, "conditionNotMet", "Precondition Failed", location="If-Match", location_type="header")


def channel_not_unique(channel_id: str) -> Refusal:
    """400 for a channel id that was used before, even by a stopped channel."""
    return Refusal(400, "channelIdNotUnique", f"Channel id {channel_id} not unique")


def channel_not_found(channel_id: str) -> Refusal:
    """404 for stopping a channel that is unknown."""
    return Refusal(404, "notFound", f"Channel '{channel_id}' not found for project '0'")


def push_not_supported() -> Refusal:
    """400 for watching a holiday, birthday or imported calendar."""
    message = "Push notifications are not supported by this resource."
    return Refusal(400, "pushNotSupportedForRequestedResource", message)
