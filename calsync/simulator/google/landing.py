"""How a meeting arrives on a guest's calendar: a copy of a colleague's event, or a mail from another system.

A copy takes the shared fields from the organizer and keeps what is private to the guest: reminders, colour,
transparency, visibility, private extended properties. Nobody is mailed from here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from calsync.simulator.core import Guest, Invitation
from calsync.simulator.google import fields, ids
from calsync.simulator.google.moments import Moment, known_zone
from calsync.simulator.google.placing import Draft, put
from calsync.simulator.google.records import Calendar, Fields, Record

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore

TRAVELS = (*fields.SHARED, "recurrence", "iCalUID", "creator", "organizer", "eventType")
STAYS = ("reminders", "colorId", "transparency", "visibility")


def land_copy(store: GoogleStore, address: str, record: Record) -> None:
    """Create or refresh the copy of an organizer's event on the calendar of a guest of the domain."""
    calendar = store.calendars[address]
    copy = calendar.records.get(record.id)
    if copy is not None and copy.cancelled and not record.cancelled and _declined(copy, address):
        return  # the guest deleted it: an update does not bring it back
    if record.master is not None:
        master = calendar.records.get(record.master.id)
        if master is None or record.original is None:
            return  # invited to one occurrence only: such lone instances are not simulated
        if copy is None or copy.swept:
            copy = Record(record.id, {}, record.start, record.end, record.created_us, master=master)
            copy.original = record.original
    settle_copy(store, calendar, copy or _blank(record), record)


def _blank(record: Record) -> Record:
    return Record(record.id, {}, record.start, record.end, record.created_us)


def _declined(copy: Record, address: str) -> bool:
    guests = copy.effective.get("attendees", [])
    return any(g["email"].lower() == address and g.get("responseStatus") == "declined" for g in guests)


def settle_copy(store: GoogleStore, calendar: Calendar, copy: Record, source: Record) -> None:
    """Write the shared fields of ``source`` into ``copy``, its own private ones kept."""
    theirs, own = source.effective, copy.effective
    wanted = {key: theirs[key] for key in TRAVELS if key in theirs}
    first = not own
    kept = theirs if first else own
    wanted |= {key: kept[key] for key in STAYS if key in kept and not (first and key in ("reminders", "colorId"))}
    wanted.setdefault("reminders", {"useDefault": True})
    shared = theirs.get("extendedProperties", {}).get("shared")
    private = own.get("extendedProperties", {}).get("private")
    extended = ({"shared": shared} if shared else {}) | ({"private": private} if private else {})
    if extended:
        wanted["extendedProperties"] = extended
    if copy.master is not None:
        wanted.pop("recurrence", None)
    swept = put(calendar, copy, Draft(wanted, source.start, source.end))
    store.touch(calendar, [copy])
    if swept:
        store.touch(calendar, swept, alone=True)


def cancel_copy(store: GoogleStore, address: str, record: Record) -> None:
    """Take the copy off a guest's calendar."""
    calendar = store.calendars.get(address)
    if calendar is None:
        return
    copy = calendar.records.get(record.id) or calendar.virtual(record.id)
    if copy is not None and not copy.cancelled:
        _cancel(store, calendar, copy)


def _cancel(store: GoogleStore, calendar: Calendar, copy: Record) -> None:
    copy.fields = copy.fields | {"status": "cancelled"}
    if calendar.records.get(copy.id) is not copy:
        calendar.add(copy)
    store.touch(calendar, [copy], alone=copy.master is None)


def note_answer(store: GoogleStore, organizer: str, event_id: str, guest: str, answer: Fields) -> None:
    """Write a guest's answer into the organizer's event and the other guests' copies."""
    calendar = store.calendars[organizer]
    record = calendar.records.get(event_id) or calendar.virtual(event_id)
    if record is None or record.cancelled:
        return
    guests = [g | answer if g["email"].lower() == guest else g for g in record.effective.get("attendees", [])]
    wanted = record.effective | {"attendees": guests}
    put(calendar, record, Draft(wanted, record.start, record.end))
    store.touch(calendar, [record])
    for other in sorted({g["email"].lower() for g in guests} - {organizer, guest}):
        if other in store.calendars and record.id in store.calendars[other].records:
            land_copy(store, other, record)


def receive(store: GoogleStore, invitation: Invitation, recipient: str) -> None:
    """Land a meeting mail from another system on the recipient's primary calendar."""
    calendar = store.calendars[recipient]
    known = [record for record in calendar.by_uid.get(invitation.uid, []) if not record.moved_away]
    main = known[0] if known else None
    if invitation.method == "reply":
        target = _occurrence(calendar, main, invitation)
        if target is not None:
            note_answer(store, recipient, target.id, invitation.sender.lower(), {"responseStatus": invitation.response})
        return
    target = _occurrence(calendar, main, invitation)
    if invitation.method == "cancel":
        if target is not None and not target.cancelled:
            _cancel(store, calendar, target)
        return
    if target is None and invitation.original_start is not None:
        return  # one occurrence of a series that never arrived
    _take_in(store, calendar, target, invitation)


def _occurrence(calendar: Calendar, main: Record | None, invitation: Invitation) -> Record | None:
    """The record that a mail speaks of: the event itself, or the occurrence it names."""
    if main is None or invitation.original_start is None:
        return main
    original = _moment(invitation.original_start, invitation.start_zone)
    identifier = f"{main.id}_{original.suffix()}"
    stored = calendar.records.get(identifier)
    return stored if stored is not None and not stored.swept else calendar.virtual(identifier)


def _take_in(store: GoogleStore, calendar: Calendar, known: Record | None, invitation: Invitation) -> None:
    start = _moment(invitation.start, invitation.start_zone)
    end = _moment(invitation.end, invitation.end_zone or invitation.start_zone)
    source = Record("", {}, start, end, store.next_us())
    organizer = {"email": invitation.organizer} | (
        {"displayName": invitation.organizer_name} if invitation.organizer_name else {}
    )
    raw = {
        "status": "confirmed",
        "summary": invitation.subject,
        "description": invitation.body,
        "location": invitation.location,
        "recurrence": list(invitation.recurrence or ()),
        "visibility": "private" if invitation.is_private else "default",
        "attendees": [_entry(guest) for guest in invitation.attendees],
    }
    source.fields = fields.tidy(raw) | {
        "iCalUID": invitation.uid,
        "organizer": organizer,
        "creator": organizer,
        "eventType": "default",
        "sequence": 0 if known is None else int(known.effective.get("sequence", 0)),
    }
    identifier = _free_id(calendar, ids.imported_id(invitation.uid))
    copy = known or Record(identifier, {}, source.start, source.end, source.created_us)
    settle_copy(store, calendar, copy, source)


def _free_id(calendar: Calendar, wanted: str) -> str:
    return ids.event_id() if wanted in calendar.records else wanted


def _entry(guest: Guest) -> Fields:
    entry: Fields = {"email": guest.address, "responseStatus": guest.response}
    return entry | ({"displayName": guest.name} if guest.name else {}) | ({"optional": True} if guest.optional else {})


def _moment(value: datetime | date, zone: str) -> Moment:
    if not isinstance(value, datetime):
        return Moment(day=value)
    return Moment(zone=zone or "UTC", instant=value.replace(tzinfo=known_zone(zone or "UTC")).astimezone(UTC))
