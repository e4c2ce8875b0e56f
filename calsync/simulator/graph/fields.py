"""Which properties an event has, which of them a client may write, and how each written value is checked and kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from calsync.simulator.graph.bodies import read_body
from calsync.simulator.graph.errors import (
    GraphError,
    Json,
    bad_request,
    invalid_request,
    property_failure,
    unreadable_body,
)
from calsync.simulator.graph.moments import UNSET

MAX_ATTENDEES = 500
MAX_SUBJECT = 255  # UTF-16 units, as Outlook takes them; the refusal is a choice
IMPORTANCE = ("low", "normal", "high")
SENSITIVITY = ("normal", "personal", "private", "confidential")
SHOW_AS = ("unknown", "free", "tentative", "busy", "oof", "workingElsewhere")
PROVIDERS = ("unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer")
ATTENDEE_TYPES = ("required", "optional", "resource")

READ_ONLY = frozenset(
    {
        "id", "changeKey", "iCalUId", "uid", "type", "seriesMasterId", "occurrenceId", "cancelledOccurrences",
        "exceptionOccurrences", "originalStart", "originalStartTimeZone", "originalEndTimeZone", "bodyPreview",
        "organizer", "isOrganizer", "responseStatus", "isCancelled", "isDraft", "hasAttachments", "onlineMeeting",
        "onlineMeetingUrl", "createdDateTime", "lastModifiedDateTime", "webLink",
    }
)  # fmt: skip
STRUCTURAL = frozenset({"start", "end", "isAllDay", "recurrence", "transactionId", "singleValueExtendedProperties"})
UNSUPPORTED = frozenset({"attachments", "extensions", "multiValueExtendedProperties", "calendar", "instances"})
QUIET = frozenset({"categories", "isReminderOn", "reminderMinutesBeforeStart", "showAs"})  # a change mails nobody

DEFAULTS: Json = {
    "subject": "",
    "body": "",
    "importance": "normal",
    "sensitivity": "normal",
    "showAs": "busy",
    "categories": [],
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "hideAttendees": False,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "attendees": [],
    "isAllDay": False,
    "isCancelled": False,
    "isDraft": False,
    "hasAttachments": False,
    "onlineMeeting": None,
    "onlineMeetingUrl": None,
}


def no_location() -> Json:
    """``location`` of an event that has none."""
    return {
        "displayName": "",
        "locationType": "default",
        "uniqueIdType": "unknown",
        "address": {},
        "coordinates": {},
    }


def read_properties(body: Json) -> Json:
    """The simple properties among a request's body, checked and in canonical form. Unknown names are refused."""
    found: Json = {}
    for name, value in body.items():
        if name in READERS:
            found |= READERS[name](name, value)
        elif name in UNSUPPORTED:
            raise GraphError(501, "NotImplemented", "This operation target is not yet supported.")
        elif name not in READ_ONLY and name not in STRUCTURAL and "@odata." not in name:
            raise unreadable_body(
                f"The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use "
                "property names that are defined by the type."
            )
    return found


def _keep(kind: type, *, nullable: bool = True) -> Callable[[str, Any], Json]:
    def read(name: str, value: Any) -> Json:
        if value is None and nullable:
            return {name: None if kind is str else DEFAULTS[name]}
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise unreadable_body(f"Cannot convert a value of '{name}' to the expected type.")
        return {name: value}

    return read


def _choice(*allowed: str) -> Callable[[str, Any], Json]:
    def read(name: str, value: Any) -> Json:
        return {name: DEFAULTS[name] if value is None else pick(name, value, allowed)}

    return read


def pick(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    """An enum value in the server's spelling; enums are read case-insensitively."""
    folded = value.lower() if isinstance(value, str) else ""
    for word in allowed:
        if word.lower() == folded:
            return word
    raise unreadable_body(f"Requested value '{value}' was not found for '{name}'.")


def _categories(name: str, value: Any) -> Json:
    if not isinstance(value or [], list) or not all(isinstance(word, str) for word in value or ()):
        raise unreadable_body("Cannot read the value of 'categories'.")
    return {name: list(value or ())}


def _subject(name: str, value: Any) -> Json:
    found = _keep(str)(name, value)
    if len((found[name] or "").encode("utf-16-le")) > 2 * MAX_SUBJECT:
        raise property_failure()
    return found


def _body(name: str, value: Any) -> Json:
    return {name: read_body(value)}


def _location(_: str, value: Any) -> Json:
    if value is None or not (isinstance(value, dict) and value.get("displayName")):
        return {"location": no_location(), "locations": []}
    text = str(value["displayName"])
    extra = {key: value[key] for key in ("address", "coordinates", "locationUri") if value.get(key)}
    kind = value.get("locationType") or "default"
    shown = {"displayName": text, "locationType": kind, "uniqueId": text, "uniqueIdType": "private", **extra}
    bare = {"displayName": text, "locationType": kind, "uniqueIdType": "unknown"}
    return {"location": shown, "locations": [shown if extra else bare]}  # only places with an address have an id


def _locations(_: str, value: Any) -> Json:
    if not isinstance(value or [], list):
        raise unreadable_body("Cannot read the value of 'locations'.")
    each = [_location("location", one)["locations"] for one in value or ()]
    flat = [one[0] for one in each if one]
    whole = _location("location", {"displayName": "; ".join(one["displayName"] for one in flat)})
    return {"location": whole["location"], "locations": flat}


def _attendees(name: str, value: Any) -> Json:
    if not isinstance(value or [], list):
        raise unreadable_body("Cannot read the value of 'attendees'.")
    if len(value or ()) > MAX_ATTENDEES:
        raise invalid_request(f"An event can have at most {MAX_ATTENDEES} attendees.")
    return {name: [_attendee(one) for one in value or ()]}


def _attendee(value: Any) -> Json:
    person = value.get("emailAddress") if isinstance(value, dict) else None
    address = person.get("address") if isinstance(person, dict) else None
    if person is None or not isinstance(address, str) or "@" not in address:
        raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
    return {
        "type": pick("type", value.get("type") or "required", ATTENDEE_TYPES),
        "status": {"response": "none", "time": UNSET},
        "emailAddress": {"name": person.get("name") or address, "address": address},
    }


READERS: dict[str, Callable[[str, Any], Json]] = {
    "subject": _subject,
    "body": _body,
    "importance": _choice(*IMPORTANCE),
    "sensitivity": _choice(*SENSITIVITY),
    "showAs": _choice(*SHOW_AS),
    "categories": _categories,
    "isReminderOn": _keep(bool),
    "reminderMinutesBeforeStart": _keep(int),
    "responseRequested": _keep(bool),
    "allowNewTimeProposals": _keep(bool),
    "hideAttendees": _keep(bool),
    "isOnlineMeeting": _keep(bool),
    "onlineMeetingProvider": _choice(*PROVIDERS),
    "location": _location,
    "locations": _locations,
    "attendees": _attendees,
}

EXTENDED_ID = re.compile(
    r"(String|Integer|Boolean|Binary|SystemTime|Double|Float|Guid|Long|Short|Currency|CLSID)\s+"
    r"(?:\{?[0-9a-f-]{36}\}?\s+(?:Name\s+.+|Id\s+0x[0-9a-f]+)|0x[0-9a-f]+)",
    re.IGNORECASE,
)


def read_extended(value: Any) -> dict[str, str]:
    """singleValueExtendedProperties of a request, by id."""
    if not isinstance(value, list):
        raise unreadable_body("Cannot read the value of 'singleValueExtendedProperties'.")
    found: dict[str, str] = {}
    for one in value:
        name, text = (one.get("id"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not EXTENDED_ID.fullmatch(name) or not isinstance(text, str):
            raise bad_request("The property id or value of an extended property is not valid.", "ErrorInvalidProperty")
        found[extended_key(name)] = text
    return found


def extended_key(name: str) -> str:
    """An extended property's id for comparison: type and GUID fold, the name's case counts."""
    kind, _, rest = " ".join(name.split()).partition(" ")
    guid, blank, tail = rest.partition(" ")
    word, gap, own = tail.partition(" ")
    return f"{kind.capitalize()} {guid.lower()}{blank}{word.capitalize()}{gap}{own}"
