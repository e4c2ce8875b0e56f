"""Import (an upsert by iCalUID, mailing nobody) and move (a new organizer for the same event)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calsync.simulator.google import fields, ids, moments, writing
from calsync.simulator.google.errors import (
    Refusal,
    duplicate,
    invalid_id,
    neither_organizer_nor_attendee,
    not_the_organizer,
    required,
)
from calsync.simulator.google.placing import Draft, Options, put
from calsync.simulator.google.records import Calendar, Fields, Record

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore


def import_event(store: GoogleStore, calendar: Calendar, asked: Fields, options: Options) -> Record:
    """Create or fully replace the event of that iCalUID. A foreign organizer makes it a private copy."""
    if asked.get("id"):
        raise invalid_id()
    uid = str(asked.get("iCalUID") or "")
    if not uid:
        raise required("Missing iCalUID.")
    if asked.get("eventType", "default") != "default":
        raise Refusal(400, "eventTypeRestriction", "Only default events can be imported.", domain="calendar")
    organizer = _organizer(calendar, asked)
    draft = writing.checked(calendar, _imported(calendar, asked, organizer), options)
    known = _known(calendar, uid, asked)
    record = known or Record(_new_id(calendar, uid), {}, draft.start, draft.end, store.next_us())
    swept = put(calendar, record, draft)
    store.touch(calendar, [record])
    if swept:
        store.touch(calendar, swept, alone=True)
    return record


def _organizer(calendar: Calendar, asked: Fields) -> Fields:
    """The organizer as sent, the owner by default; 400 when the owner takes no part in the event."""
    sent = asked.get("organizer") or {}
    organizer = {key: sent[key] for key in ("email", "displayName") if sent.get(key)} or {"email": calendar.id}
    part = {str(guest.get("email", "")).lower() for guest in asked.get("attendees") or []}
    part.add(str(organizer.get("email", "")).lower())
    if calendar.id.lower() not in part and calendar.owner.lower() not in part:
        raise neither_organizer_nor_attendee()
    return organizer


def _imported(calendar: Calendar, asked: Fields, organizer: Fields) -> Draft:
    recurring, zone = bool(asked.get("recurrence")), calendar.zone_name
    wanted = {key: value for key, value in asked.items() if key in fields.WRITABLE and value is not None}
    wanted = {"status": "confirmed", "reminders": {"useDefault": True}, "sequence": 0} | wanted
    wanted |= {"iCalUID": asked["iCalUID"], "eventType": "default", "creator": {"email": calendar.owner}}
    wanted["organizer"] = organizer
    if organizer["email"].lower() != calendar.id.lower():
        wanted["privateCopy"] = True
    start = moments.parse(asked.get("start"), which="start", calendar_zone=zone, recurring=recurring)
    end = moments.parse(asked.get("end"), which="end", calendar_zone=zone, recurring=recurring)
    return Draft(wanted, start, end)


def _known(calendar: Calendar, uid: str, asked: Fields) -> Record | None:
    """The event of that UID, or its occurrence when ``originalStartTime`` names one."""
    known = [record for record in calendar.by_uid.get(uid, []) if not record.moved_away]
    if not known or not asked.get("originalStartTime"):
        return known[0] if known else None
    original = moments.parse(
        asked["originalStartTime"], which="original start", calendar_zone=calendar.zone_name, recurring=False
    )
    return writing.find(calendar, f"{known[0].id}_{original.suffix()}")


def _new_id(calendar: Calendar, uid: str) -> str:
    base = uid.removesuffix("@google.com")
    wanted = base if base != uid and ids.CLIENT_ID.match(base) else ids.imported_id(uid)
    return ids.event_id() if wanted in calendar.records else wanted


def move(store: GoogleStore, source: Calendar, target: Calendar, event_id: str, options: Options) -> Record:
    """Give an event to another calendar, which becomes its organizer. Keeps id and iCalUID; If-Match is honoured."""
    record = writing.find(source, event_id)
    writing.check_match(record, options)
    kind = record.effective.get("eventType", "default")
    if record.master is not None or kind != "default":
        raise Refusal(400, "cannotMoveEvent", "This event cannot be moved.", domain="calendar")
    if record.organizer.lower() != source.id.lower():
        raise not_the_organizer()
    if event_id in target.records:
        raise duplicate()
    moved = _rehome(record, target, None)
    family = [moved, *(_rehome(child, target, moved) for child in source.exceptions(record))]
    for kin in family:
        target.add(kin)
    store.touch(target, family)
    record.moved_away = True
    store.touch(source, [record], alone=True)
    return moved


def _rehome(record: Record, target: Calendar, master: Record | None) -> Record:
    moved = Record(record.id, dict(record.fields), record.start, record.end, record.created_us, master=master)
    moved.original = record.original
    if master is None:
        moved.fields["organizer"] = {"email": target.id} | ({} if target.primary else {"displayName": target.summary})
    return moved
