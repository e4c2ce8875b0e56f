"""The wire fields of an event apart from its times: merging a patch, limits, and what is dropped without a word.

Limits of extended properties (key 44, value 1024 characters, 300 properties, 32 kB) and of reminders are those of
the guides; over-long keys vanish and over-long values are cut silently, as documented.
"""

from __future__ import annotations

from typing import Any

from calsync.simulator.google.errors import Refusal, invalid, required
from calsync.simulator.google.records import Fields
from calsync.simulator.google.wire import DEFAULTS

SHARED = (
    "summary", "description", "location", "attendees", "anyoneCanAddSelf", "guestsCanInviteOthers", "guestsCanModify",
    "guestsCanSeeOtherGuests", "conferenceData", "hangoutLink", "attachments", "source", "sequence", "status",
)  # fmt: skip
WRITABLE = frozenset(SHARED) - {"hangoutLink"} | {
    "colorId", "eventLabelId", "transparency", "visibility", "reminders", "extendedProperties", "recurrence",
    "outOfOfficeProperties", "focusTimeProperties", "workingLocationProperties",
}  # fmt: skip
ENUMS = {
    "status": {"confirmed", "tentative", "cancelled"},
    "transparency": {"opaque", "transparent"},
    "visibility": {"default", "public", "private", "confidential"},
    "eventType": {"birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"},
}
RESPONSES = {"needsAction", "declined", "tentative", "accepted"}
MAX_TEXT = {"summary": 1024, "description": 8192}  # UTF-16 units; unpublished, and the refusal is a choice
MAX_KEY, MAX_VALUE, MAX_PROPERTIES, MAX_BYTES = 44, 1024, 300, 32_768
GUEST_FLAGS = ("anyoneCanAddSelf", "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests")


def merged(old: Any, patch: Any) -> Any:
    """Patch semantics: objects merge key by key, arrays are replaced, null removes."""
    if not isinstance(old, dict) or not isinstance(patch, dict):
        return patch
    result = dict(old)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key, {}) if isinstance(value, dict) else None, value)
    return result


def tidy(fields: Fields) -> Fields:
    """Check values, cut to the limits, drop defaults and empties. Raises 400 refusals."""
    for key, allowed in ENUMS.items():
        if key in fields and fields[key] not in allowed:
            raise invalid(f"Invalid value for: {key}")
    for key, limit in MAX_TEXT.items():
        if len(str(fields.get(key) or "").encode("utf-16-le")) > 2 * limit:
            raise invalid(f"Invalid value for: {key}")
    tidied = {key: value for key, value in fields.items() if value not in (None, "", [], {})}
    tidied = {key: value for key, value in tidied.items() if value != DEFAULTS.get(key, object())}
    if "attendees" in tidied:
        tidied["attendees"] = _attendees(tidied["attendees"])
    if "extendedProperties" in tidied:
        tidied["extendedProperties"] = _extended(tidied["extendedProperties"])
    if "reminders" in tidied:
        tidied["reminders"] = _reminders(tidied["reminders"])
    return {key: value for key, value in tidied.items() if value not in ([], {})}


def _attendees(guests: list[Fields]) -> list[Fields]:
    """Guests by address, the first of each; the flags that Google computes are not kept."""
    kept: dict[str, Fields] = {}
    for guest in guests:
        address = str(guest.get("email") or "")
        if "@" not in address:
            raise required("Missing attendee email.") if not address else invalid("Invalid attendee email.")
        if guest.get("responseStatus", "needsAction") not in RESPONSES:
            raise invalid("Invalid value for: responseStatus")
        dropped = {"self", "organizer", "id", "asyncOperation"}
        entry = {key: value for key, value in guest.items() if key not in dropped and value not in (None, "", False, 0)}
        kept.setdefault(address.lower(), {"responseStatus": "needsAction"} | entry)
    return list(kept.values())


def _extended(properties: Fields) -> Fields:
    kept = {
        scope: {key: str(value)[:MAX_VALUE] for key, value in (properties.get(scope) or {}).items() if _fits(key)}
        for scope in ("private", "shared")
    }
    pairs = [(key, value) for values in kept.values() for key, value in values.items()]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in pairs)
    if len(pairs) > MAX_PROPERTIES or size > MAX_BYTES:
        raise invalid("Extended properties limit exceeded.")
    return {scope: values for scope, values in kept.items() if values}


def _fits(key: str) -> bool:
    return 0 < len(key) <= MAX_KEY


def _reminders(reminders: Fields) -> Fields:
    """``useDefault`` and at most five overrides, never both."""
    overrides = reminders.get("overrides") or []
    if reminders.get("useDefault") and overrides:
        raise Refusal(400, "cannotUseDefaultRemindersAndSpecifyOverride", "Cannot specify both default reminders and "
                      "overrides at the same time.", domain="calendar")  # fmt: skip
    bad = [item for item in overrides if item.get("method") not in {"email", "popup"}]
    bad += [item for item in overrides if not 0 <= int(item.get("minutes", -1)) <= 40_320]
    if len(overrides) > 5 or bad:
        raise invalid("Invalid reminders.")
    answer: Fields = {"useDefault": bool(reminders.get("useDefault", False))}
    return answer | ({"overrides": overrides} if overrides else {})
