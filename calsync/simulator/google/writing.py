"""Insert, patch, update and delete: what a write does to the records of one calendar.

Guests' copies and mails follow from ``guests``; import and move live in ``imports``. All of it runs under the
simulator's lock and raises ``Refusal`` with Google's own error bodies before anything has changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from calsync.simulator.google import conference, fields, guests, ids, kinds, moments, recurrence
from calsync.simulator.google.errors import (
    Refusal,
    condition_not_met,
    deleted,
    duplicate,
    invalid,
    invalid_id,
    not_found,
)
from calsync.simulator.google.moments import Moment
from calsync.simulator.google.placing import Draft, Options, put
from calsync.simulator.google.records import Calendar, Fields, Record

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore

AT_INSERT = fields.WRITABLE | {"eventType", "birthdayProperties"}
BY_GOOGLE = {"locked", "endTimeUnspecified"}  # only events that Google itself makes carry these


def find(calendar: Calendar, event_id: str) -> Record:
    """The stored event or an unchanged occurrence (not stored); 404 when there is neither."""
    record = calendar.records.get(event_id)
    if record is None or record.swept:
        record = calendar.virtual(event_id) or record
    if record is None or record.moved_away:
        raise not_found()
    return record


def insert(store: GoogleStore, calendar: Calendar, asked: Fields, options: Options) -> Record:
    """Make a new event; the calendar becomes its organizer. 409 when the id was ever used."""
    event_id = str(asked.get("id") or ids.event_id())
    if not ids.CLIENT_ID.match(event_id):
        raise invalid_id()
    if event_id in calendar.records:
        raise duplicate()
    allowed = AT_INSERT | (BY_GOOGLE if options.by_person else set())
    wanted = {key: value for key, value in asked.items() if key in allowed and value is not None}
    person = {"email": calendar.id} | ({} if calendar.primary else {"displayName": calendar.summary})
    wanted |= {"creator": {"email": calendar.owner}, "organizer": person, "iCalUID": f"{event_id}@google.com"}
    kinds.check_creatable(wanted, by_person=options.by_person)
    draft = _draft(calendar, asked, wanted, options)
    record = Record(event_id, draft.fields, draft.start, draft.end, store.next_us())
    calendar.add(record)
    store.touch(calendar, [record])
    guests.announce(store, calendar, record, before=[], options=options)
    return record


def _draft(calendar: Calendar, asked: Fields, wanted: Fields, options: Options) -> Draft:
    """A checked draft of a new or fully replaced event."""
    recurring = bool(asked.get("recurrence"))
    zone = calendar.zone_name
    start = moments.parse(asked.get("start"), which="start", calendar_zone=zone, recurring=recurring)
    end = moments.parse(asked.get("end"), which="end", calendar_zone=zone, recurring=recurring)
    wanted = {"status": "confirmed", "eventType": "default", "sequence": 0, "reminders": {"useDefault": True}} | wanted
    if options.by_person:
        wanted = guests.with_organizer(wanted)
    return checked(calendar, Draft(wanted, start, end), options)


def checked(calendar: Calendar, draft: Draft, options: Options) -> Draft:
    """Apply every rule that does not depend on what was there before."""
    kinds.check_times(draft.start, draft.end)
    wanted = conference.settle(dict(draft.fields), options.conference_version)
    if not options.supports_attachments:
        wanted.pop("attachments", None)
    wanted = fields.tidy(wanted)
    wanted.setdefault("sequence", 0)
    if "recurrence" in wanted:
        wanted["recurrence"] = recurrence.written_back([str(line) for line in wanted["recurrence"]])
        if recurrence.read(wanted["recurrence"], draft.start).is_empty():
            raise invalid("Invalid recurrence rule.")
    kinds.check_kind(calendar, wanted, draft.start, draft.end)
    return Draft(wanted, draft.start, draft.end)


def check_match(record: Record, options: Options) -> None:
    """412 unless If-Match is absent, ``*`` or the present version."""
    if options.if_match not in ("", "*", ids.etag(record.updated_us)):
        raise condition_not_met()


def patch(store: GoogleStore, calendar: Calendar, event_id: str, asked: Fields, options: Options) -> Record:
    """Merge objects, replace arrays, remove what is null; read-only and unknown fields are ignored."""
    record = find(calendar, event_id)
    check_match(record, options)
    kinds.check_unchanged(record.effective, asked)
    wanted = {key: value for key, value in asked.items() if key in fields.WRITABLE}
    if not options.conference_version:
        wanted.pop("conferenceData", None)
    if not options.supports_attachments:
        wanted.pop("attachments", None)
    guests.check_rights(calendar, record, wanted)
    after = fields.merged(record.effective, guests.allowed(calendar, record, wanted))
    zone = calendar.zone_name
    recurring = bool(asked.get("recurrence"))
    start = _patched(record.start, asked.get("start"), which="start", zone=zone, recurring=recurring)
    end = _patched(record.end, asked.get("end"), which="end", zone=zone, recurring=recurring)
    return _save(store, calendar, record, Draft(after, start, end), asked, options)


def _patched(moment: Moment, asked: dict[str, Any] | None, *, which: str, zone: str, recurring: bool) -> Moment:
    if asked is None:
        return moment
    whole = fields.merged(moment.wire(moments.known_zone(moment.zone)), asked)
    return moments.parse(whole, which=which, calendar_zone=zone, recurring=recurring)


def update(store: GoogleStore, calendar: Calendar, event_id: str, asked: Fields, options: Options) -> Record:
    """Replace everything that a client may write; what is left out is removed."""
    record = find(calendar, event_id)
    check_match(record, options)
    before = record.effective
    kinds.check_unchanged(before, asked)
    wanted = {key: value for key, value in asked.items() if key in fields.WRITABLE and value is not None}
    guests.check_rights(calendar, record, {flag: asked.get(flag) for flag in fields.GUEST_FLAGS})
    if not options.conference_version:
        wanted["conferenceData"] = before.get("conferenceData")
    if not options.supports_attachments:
        wanted["attachments"] = before.get("attachments")
    if not guests.is_organizer(calendar, record):
        wanted.setdefault("attendees", before.get("attendees"))
    kept = {key: value for key, value in before.items() if key not in fields.WRITABLE or key == "sequence"}
    after = {"status": "confirmed", "reminders": {"useDefault": True}} | kept
    after |= guests.allowed(calendar, record, wanted)
    if record.master is not None:
        asked = {key: value for key, value in asked.items() if key != "recurrence"}
    zone, recurring = calendar.zone_name, bool(asked.get("recurrence"))
    start = moments.parse(asked.get("start"), which="start", calendar_zone=zone, recurring=recurring)
    end = moments.parse(asked.get("end"), which="end", calendar_zone=zone, recurring=recurring)
    return _save(store, calendar, record, Draft(after, start, end), asked, options)


def _save(
    store: GoogleStore, calendar: Calendar, record: Record, draft: Draft, asked: Fields, options: Options
) -> Record:
    """Put a changed draft in place of a record, with everything that follows from it."""
    if record.master is not None:
        draft.fields.pop("recurrence", None)
    draft.fields["sequence"] = _sequence(record, draft, asked)
    draft = checked(calendar, draft, replace(options, conference_version=1, supports_attachments=True))
    before = record.effective
    if record.effective.get("locked") and not options.by_person and _touches_main_fields(record, draft, before):
        raise Refusal(403, "forbidden", "Forbidden")
    if draft.fields.get("status") == "cancelled" and not record.cancelled:
        delete(store, calendar, record.id, options)
        return calendar.records[record.id]
    if _only_reminders_changed(record, draft, before):
        record.fields["reminders"] = draft.fields.get("reminders")
        record.rendered = {}
        return record
    if store.core.switches.google_idle_patch_keeps_version and _is_idle(record, draft, before):
        return record
    swept = put(calendar, record, draft)
    store.touch(calendar, [record])
    if swept:
        store.touch(calendar, swept, alone=True)
    if not record.cancelled:
        guests.announce(store, calendar, record, before=before.get("attendees", []), options=options)
    return record


def _touches_main_fields(record: Record, draft: Draft, before: Fields) -> bool:
    """Whether fields change that a locked event (one made from a mail) keeps."""
    main = ("summary", "description", "location", "recurrence", "attendees")
    changed = any(draft.fields.get(key) != before.get(key) for key in main)
    return changed or (draft.start, draft.end) != (record.start, record.end)


def _sequence(record: Record, draft: Draft, asked: Fields) -> int:
    """Moving start or end raises it; a lower number than the present one is refused."""
    present = int(record.effective.get("sequence", 0))
    given = asked.get("sequence")
    if given is not None and int(given) < present:
        raise invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of the "
            "resource. Re-fetch the resource and use its sequence number on the following request."
        )
    moved = (draft.start, draft.end) != (record.start, record.end)
    return max(present, int(given or 0)) + (1 if moved else 0)


def _is_idle(record: Record, draft: Draft, before: Fields) -> bool:
    return draft.fields == before and (draft.start, draft.end) == (record.start, record.end)


def _only_reminders_changed(record: Record, draft: Draft, before: Fields) -> bool:
    """Whether nothing but reminders changed, which moves no version (reference page of ``updated``)."""
    changed = {key for key in draft.fields.keys() | before.keys() if draft.fields.get(key) != before.get(key)}
    same_times = (draft.start, draft.end) == (record.start, record.end)
    return changed == {"reminders"} and same_times and record.updated_us > 0 and record.master is None


def delete(store: GoogleStore, calendar: Calendar, event_id: str, options: Options) -> None:
    """Delete an event, a whole series or one occurrence. 410 the second time, 412 first when guarded."""
    record = find(calendar, event_id)
    check_match(record, options)
    if record.cancelled:
        raise deleted()
    attendees = list(record.effective.get("attendees", []))
    record.fields = record.fields | {"status": "cancelled"}
    if calendar.records.get(record.id) is not record:
        calendar.add(record)
    store.touch(calendar, [record], alone=record.master is None)
    guests.withdraw(store, calendar, record, attendees, options=options)
