"""Rules of the event types: what each may look like, and that a type never changes.

Source: the discovery document's texts and the status-events guide; the text of most refusals is a choice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from calsync.simulator.google.errors import Refusal, invalid, required, time_range_empty
from calsync.simulator.google.moments import Moment
from calsync.simulator.google.records import Calendar, Fields

PROPERTIES = {
    "outOfOffice": "outOfOfficeProperties",
    "focusTime": "focusTimeProperties",
    "workingLocation": "workingLocationProperties",
    "birthday": "birthdayProperties",
}


def check_times(start: Moment, end: Moment) -> None:
    """Both dates or both instants, and the end after the start."""
    if start.all_day != end.all_day:
        raise invalid("Start and end times must either both be date or both be dateTime.")
    if start.day is not None and end.day is not None and end.day <= start.day:
        raise time_range_empty()
    if start.instant is not None and end.instant is not None and end.instant <= start.instant:
        raise time_range_empty()


def check_creatable(fields: Fields, *, by_person: bool) -> None:
    """Google alone makes events from mails."""
    if fields.get("eventType") == "fromGmail" and not by_person:
        raise _restricted("Events of type fromGmail cannot be created.")


def check_kind(calendar: Calendar, fields: Fields, start: Moment, end: Moment) -> None:
    """Refuse what an event of this type may not be; fills in what the type fixes."""
    kind = fields.get("eventType", "default")
    if kind == "default":
        return
    if not calendar.primary:
        raise _restricted("Only default events can be created on secondary calendars.")
    check = {"outOfOffice": _away, "focusTime": _away, "workingLocation": _working, "birthday": _birthday}.get(kind)
    if check:
        check(fields, start, end)


def _away(fields: Fields, start: Moment, _end: Moment) -> None:
    if start.all_day or fields.get("transparency", "opaque") != "opaque":
        raise _restricted("Out of office and focus time events must be timed and opaque.")
    fields.setdefault(PROPERTIES[fields["eventType"]], {"autoDeclineMode": "declineNone"})


def _working(fields: Fields, start: Moment, end: Moment) -> None:
    whole_day = start.day is not None and end.day is not None and end.day - start.day == timedelta(days=1)
    properties: dict[str, Any] = fields.get("workingLocationProperties") or {}
    kinds = {"homeOffice", "officeLocation", "customLocation"}
    plain = fields.get("visibility") == "public" and fields.get("transparency") == "transparent"
    if not plain or properties.get("type") not in kinds or (start.all_day and not whole_day):
        message = "Malformed working location event."
        raise Refusal(400, "malformedWorkingLocationEvent", message, domain="calendar")


def _birthday(fields: Fields, start: Moment, end: Moment) -> None:
    whole_day = start.day is not None and end.day is not None and end.day - start.day == timedelta(days=1)
    if not whole_day or not any("FREQ=YEARLY" in line for line in fields.get("recurrence", [])):
        raise _restricted("Birthday events must be all-day and recur every year.")
    if not fields.get("summary"):
        raise required("Missing summary.")
    fields |= {"visibility": "private", "transparency": "transparent"}
    fields.setdefault("birthdayProperties", {"type": "birthday"})


def _restricted(message: str) -> Refusal:
    return Refusal(400, "eventTypeRestriction", message, domain="calendar")


def check_unchanged(before: Fields, asked: Fields) -> None:
    """The type is set at insert and never changes."""
    wanted = asked.get("eventType")
    if wanted and wanted != before.get("eventType", "default"):
        raise _restricted("Event type cannot be changed.")
