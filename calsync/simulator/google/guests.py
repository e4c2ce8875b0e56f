"""Invitations as the organizer's calendar sends them: copies on Google guests' calendars, mails, responses.

Rules of the "Invite users" guide: copies carry the same id and iCalUID; a change by the organizer reaches Google
guests whatever ``sendUpdates`` says, only mails depend on it; a delete without mails leaves the copies where they are;
a guest's own edit stays on the copy and only the response flows back. How a copy lands: ``landing``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from calsync.simulator.core import Guest, Invitation, Mail
from calsync.simulator.google import landing
from calsync.simulator.google.errors import not_the_organizer
from calsync.simulator.google.fields import GUEST_FLAGS
from calsync.simulator.google.moments import Moment
from calsync.simulator.google.placing import Options
from calsync.simulator.google.records import Calendar, Fields, Record
from calsync.simulator.google.wire import DEFAULTS

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore

OWN_ANSWER = ("responseStatus", "comment", "additionalGuests")


def with_organizer(fields: Fields) -> Fields:
    """Google's own pages put the organizer on the guest list, accepted; the API does not."""
    organizer = fields["organizer"]["email"]
    attendees = fields.get("attendees") or []
    if not attendees or any(guest.get("email", "").lower() == organizer.lower() for guest in attendees):
        return fields
    return fields | {"attendees": [{"email": organizer, "responseStatus": "accepted"}, *attendees]}


def is_organizer(calendar: Calendar, record: Record) -> bool:
    """Whether this copy is the one that rules."""
    return record.organizer.lower() == calendar.id.lower()


def check_rights(calendar: Calendar, record: Record, wanted: Fields) -> None:
    """403 when a guest touches the guest flags; leaving one out of a full replacement asks for its default."""
    before = record.effective
    if is_organizer(calendar, record) or before.get("privateCopy"):
        return
    for flag in set(GUEST_FLAGS) & wanted.keys():
        asked = DEFAULTS[flag] if wanted[flag] is None else wanted[flag]
        if asked != before.get(flag, DEFAULTS[flag]):
            raise not_the_organizer()


def allowed(calendar: Calendar, record: Record, wanted: Fields) -> Fields:
    """What of a write takes effect: of the guest list, a guest changes only the own entry."""
    if "attendees" not in wanted:
        return wanted
    present: list[Fields] = record.effective.get("attendees", [])
    asked: list[Fields] = wanted["attendees"] or []
    if is_organizer(calendar, record):
        return wanted | {"attendees": [_with_known_response(guest, present) for guest in asked]}
    own = next((guest for guest in asked if _address(guest) == calendar.id.lower()), {})
    answer = {key: own[key] for key in OWN_ANSWER if key in own}
    return wanted | {"attendees": [_with_answer(guest, calendar, answer) for guest in present]}


def _with_answer(guest: Fields, calendar: Calendar, answer: Fields) -> Fields:
    return guest | answer if _address(guest) == calendar.id.lower() else guest


def _with_known_response(guest: Fields, present: list[Fields]) -> Fields:
    known = next((entry for entry in present if _address(entry) == _address(guest)), None)
    return {"responseStatus": known["responseStatus"]} | guest if known else guest


def _address(guest: Fields) -> str:
    return str(guest.get("email", "")).lower()


def announce(store: GoogleStore, calendar: Calendar, record: Record, *, before: list[Fields], options: Options) -> None:
    """After an insert or a change: copies, mails, or the response of a guest."""
    after = record.effective.get("attendees", [])
    if not is_organizer(calendar, record):
        _answer_if_changed(store, calendar, record, before, options)
        return
    old, new = {_address(guest) for guest in before}, {_address(guest) for guest in after}
    for address in sorted(new - {calendar.id.lower()}):
        if address in store.calendars:
            landing.land_copy(store, address, record)
        _mail(store, record, address, "update" if address in old else "invitation", options)
    for address in sorted(old - new - {calendar.id.lower()}):
        landing.cancel_copy(store, address, record)
        _mail(store, record, address, "cancellation", options)


def withdraw(
    store: GoogleStore, calendar: Calendar, record: Record, attendees: list[Fields], *, options: Options
) -> None:
    """After a delete: the organizer cancels (only with mails do the copies go), a guest declines."""
    if not is_organizer(calendar, record):
        if not record.effective.get("privateCopy"):
            declined = [_with_answer(guest, calendar, {"responseStatus": "declined"}) for guest in attendees]
            record.fields = record.fields | {"attendees": declined}
            _respond(store, calendar, record, {"responseStatus": "declined"}, options)
        return
    if options.send_updates == "none":
        return
    for address in sorted({_address(guest) for guest in attendees} - {calendar.id.lower()}):
        landing.cancel_copy(store, address, record)
        _mail(store, record, address, "cancellation", options)


def _answer_if_changed(
    store: GoogleStore, calendar: Calendar, record: Record, before: list[Fields], options: Options
) -> None:
    fields = record.effective
    own = next((g for g in fields.get("attendees", []) if _address(g) == calendar.id.lower()), None)
    was = next((g for g in before if _address(g) == calendar.id.lower()), None)
    if own is not None and own != was and not fields.get("privateCopy"):
        _respond(store, calendar, record, {key: own[key] for key in OWN_ANSWER if key in own}, options)


def _respond(store: GoogleStore, calendar: Calendar, record: Record, answer: Fields, options: Options) -> None:
    """Carry a guest's answer to the organizer: straight inside the domain, else by mail if mails are wanted."""
    if record.organizer.lower() in store.calendars:
        landing.note_answer(store, record.organizer.lower(), record.id, calendar.id.lower(), answer)
    if options.send_updates == "none":
        return
    _log_mail(store, record, "response", calendar.id, record.organizer, options)
    if record.organizer.lower() not in store.calendars:
        reply = invitation(record, "reply", sender=calendar.id, response=str(answer.get("responseStatus", "")))
        store.core.send_invitation(reply, record.organizer)


def _mail(store: GoogleStore, record: Record, recipient: str, kind: str, options: Options) -> None:
    """Mail one guest if the write asked for it; a guest without a Google calendar learns of it only this way."""
    domain = record.organizer.rpartition("@")[2].lower()
    inside = recipient.rpartition("@")[2] == domain
    if options.send_updates == "none" or (options.send_updates == "externalOnly" and inside):
        return
    _log_mail(store, record, kind, record.organizer, recipient, options)
    if recipient not in store.calendars:
        method = "cancel" if kind == "cancellation" else "request"
        store.core.send_invitation(invitation(record, method, sender=record.organizer), recipient)


def _log_mail(store: GoogleStore, record: Record, kind: str, sender: str, recipient: str, options: Options) -> None:
    now = store.core.clock.now()
    store.core.outbox.append(Mail(now, kind, sender, recipient, record.id, options.by_person))


def invitation(record: Record, method: str, *, sender: str, response: str = "") -> Invitation:
    """The event as a meeting mail says it."""
    fields = record.effective
    start, end = record.start, record.end
    return Invitation(
        method=method,
        uid=fields["iCalUID"],
        organizer=record.organizer,
        organizer_name=str(fields["organizer"].get("displayName", "")),
        attendees=tuple(_guest(guest) for guest in fields.get("attendees", [])),
        subject=fields.get("summary", ""),
        body=fields.get("description", ""),
        body_is_html="<" in fields.get("description", ""),
        location=fields.get("location", ""),
        start=_plain(start),
        end=_plain(end),
        start_zone=start.zone,
        end_zone=end.zone,
        recurrence=tuple(fields["recurrence"]) if fields.get("recurrence") else None,
        original_start=None if record.original is None else _plain(record.original),
        sender=sender,
        response=response,
        is_private=fields.get("visibility") in {"private", "confidential"},
    )


def _plain(moment: Moment) -> datetime | date:
    return moment.day if moment.day is not None else moment.wall()


def _guest(guest: Fields) -> Guest:
    return Guest(
        address=guest["email"],
        name=guest.get("displayName", ""),
        optional=bool(guest.get("optional", False)),
        response=guest.get("responseStatus", "needsAction"),
    )
