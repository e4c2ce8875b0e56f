"""Stored records as Google answers them: key order, omitted defaults, ``self`` flags, tombstone shapes."""

from __future__ import annotations

from typing import Any

from calsync.simulator.google import ids
from calsync.simulator.google.moments import known_zone
from calsync.simulator.google.records import Calendar, Fields, Record

BEFORE_TIMES = ("summary", "description", "location", "colorId")
AFTER_TIMES = (
    "endTimeUnspecified", "recurrence", "transparency", "visibility", "iCalUID", "sequence", "attendeesOmitted",
    "extendedProperties", "hangoutLink", "conferenceData", "anyoneCanAddSelf", "guestsCanInviteOthers",
    "guestsCanModify", "guestsCanSeeOtherGuests", "privateCopy", "locked", "reminders", "source", "attachments",
    "workingLocationProperties", "outOfOfficeProperties", "focusTimeProperties", "birthdayProperties", "eventType",
)  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanInviteOthers": True,
    "guestsCanModify": False,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "endTimeUnspecified": False,
    "privateCopy": False,
    "locked": False,
    "attendeesOmitted": False,
}


def event(calendar: Calendar, record: Record, *, zone: str = "", max_attendees: int = 0) -> Fields:
    """The full resource; times in ``zone`` (default: the calendar's). The caller must not change the answer."""
    zone = zone or calendar.zone_name
    found = record.rendered.get(zone)
    if found is None:
        found = record.rendered[zone] = _event(calendar, record, zone)
    guests = found.get("attendees", [])
    if max_attendees and len(guests) > max_attendees:
        own = [guest for guest in guests if guest.get("self")]
        return found | {"attendees": own, "attendeesOmitted": True}
    return found


def _event(calendar: Calendar, record: Record, zone: str) -> Fields:
    fields = record.effective
    body: Fields = {
        "kind": "calendar#event",
        "etag": ids.etag(record.updated_us),
        "id": record.id,
        "status": "cancelled" if record.cancelled else fields.get("status", "confirmed"),
        "htmlLink": ids.html_link(record.id, calendar.id),
        "created": ids.created_text(record.created_us),
        "updated": ids.stamp_text(record.updated_us),
    }
    body |= {key: fields[key] for key in BEFORE_TIMES if fields.get(key)}
    body["creator"] = _person(fields["creator"], calendar)
    body["organizer"] = _person(fields["organizer"], calendar)
    body |= _times(record, zone)
    for key in AFTER_TIMES:
        value = fields.get(key)
        if value is not None and value != DEFAULTS.get(key, ""):
            body[key] = value
    if fields.get("attendees"):
        body["attendees"] = [_attendee(guest, record.organizer, calendar) for guest in fields["attendees"]]
    return body


def _times(record: Record, zone: str) -> Fields:
    place = known_zone(zone)
    times: Fields = {"start": record.start.wire(place), "end": record.end.wire(place)}
    if record.master is not None and record.original is not None:
        times |= {"recurringEventId": record.master.id, "originalStartTime": record.original.wire(place)}
    return times


def _person(person: Fields, calendar: Calendar) -> Fields:
    """Creator or organizer: ``self`` means this copy's calendar."""
    return person | {"self": True} if person.get("email") == calendar.id else dict(person)


def _attendee(guest: Fields, organizer: str, calendar: Calendar) -> Fields:
    """One guest; a secondary calendar's caller gets no ``self`` mark."""
    marks: Fields = {}
    if guest["email"].lower() == organizer.lower():
        marks["organizer"] = True
    if calendar.primary and guest["email"].lower() == calendar.id.lower():
        marks["self"] = True
    return (
        {key: value for key, value in guest.items() if key != "responseStatus"}
        | marks
        | {"responseStatus": guest.get("responseStatus", "needsAction")}
    )


def listed(calendar: Calendar, record: Record, *, zone: str = "", max_attendees: int = 0) -> Fields:
    """The form in a list or a delta: tombstones are bare."""
    if not record.cancelled:
        return event(calendar, record, zone=zone, max_attendees=max_attendees)
    return tombstone(calendar, record, zone=zone)


def tombstone(calendar: Calendar, record: Record, *, zone: str = "") -> Fields:
    """What is left of a deleted event in a delta.

    A cancelled occurrence of a living series says which; a deleted event, a deleted series and an exception
    that its series swept away are told by their id alone (recorded answers).
    """
    bare: Fields = {"kind": "calendar#event", "etag": ids.etag(record.updated_us), "id": record.id}
    bare["status"] = "cancelled"
    if record.master is not None and record.original is not None and not record.swept and not record.master.cancelled:
        place = known_zone(zone or calendar.zone_name)
        bare |= {"recurringEventId": record.master.id, "originalStartTime": record.original.wire(place)}
    return bare
