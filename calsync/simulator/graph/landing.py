"""Incoming meeting mails: the native copy at an attendee, its updates and its end, and answers to the organizer."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from calsync.simulator.core import Guest, Invitation
from calsync.simulator.graph import ids, rrules
from calsync.simulator.graph.errors import GraphError, Json
from calsync.simulator.graph.mail import TO_GRAPH
from calsync.simulator.graph.moments import UNSET, Moment, in_zone, stamp, to_utc
from calsync.simulator.graph.records import Event, Exceptional, Mailbox
from calsync.simulator.graph.writing import Change, apply_update, read_change
from calsync.simulator.graph.zones import iana_of

if TYPE_CHECKING:
    from calsync.simulator.graph.store import GraphStore

PENDING: Json = {"response": "notResponded", "time": UNSET}


def land(store: GraphStore, letter: Invitation, recipient: str) -> None:
    """Do with an incoming meeting mail what Exchange does by itself; mails to unknown mailboxes are dropped."""
    with store.core.lock:
        mailbox = store.mailboxes.get(recipient.lower())
        if mailbox is None or not mailbox.has_calendar:
            return
        event = mailbox.by_uid.get(ids.cleaned(letter.uid))
        if letter.method == "reply":
            _land_answer(store, event, letter)
        elif event is not None and event.is_organizer():
            return  # nobody else's mail changes the organizer's own meeting
        elif letter.method == "cancel":
            _land_cancellation(store, event, letter)
        else:
            _land_request(store, mailbox, event, letter)


def _land_request(store: GraphStore, mailbox: Mailbox, event: Event | None, letter: Invitation) -> None:
    if event is not None and letter.original_start is not None and event.series is not None:
        _land_exception(store, event, letter, {})
        return
    change = _as_change(letter)
    if event is None:
        event = store.insert(mailbox, mailbox.default, change, uid=ids.cleaned(letter.uid), props=_copy_props(letter))
        _drop_exdates(event, letter)
        store.touch(event, "created")
        return
    times = (event.start, event.end)
    apply_update(event, change, store.core.switches)
    event.props = event.props | {"isCancelled": False}
    if times != (event.start, event.end):
        event.props = event.props | {"responseStatus": PENDING}
    _drop_exdates(event, letter)
    store.touch(event, "updated")


def _land_exception(store: GraphStore, event: Event, letter: Invitation, extra: Json) -> None:
    on = _original_date(event, letter)
    if event.series is None or event.series.on(on) is None:
        return
    change = _as_change(letter)
    props = change.props | {"isAllDay": letter.is_all_day, "responseStatus": PENDING} | extra
    event.cancelled.discard(on)
    event.exceptions[on] = Exceptional(props=props, start=change.start, end=change.end)
    store.touch(event, "updated")


def _land_cancellation(store: GraphStore, event: Event | None, letter: Invitation) -> None:
    """A cancelled meeting stays as a marked copy until its owner removes it."""
    if event is None:
        return
    marks: Json = {"isCancelled": True, "showAs": "free"}
    if letter.original_start is not None and event.series is not None:
        _land_exception(store, event, letter, marks | {"subject": f"Canceled: {letter.subject}"})
        return
    event.props = event.props | marks | {"subject": f"Canceled: {letter.subject}"}
    store.touch(event, "updated")


def _land_answer(store: GraphStore, event: Event | None, letter: Invitation) -> None:
    if event is None or not event.is_organizer():
        return
    on = _original_date(event, letter) if letter.original_start is not None and event.series is not None else None
    status = {"response": TO_GRAPH.get(letter.response, "none"), "time": stamp(store.core.clock.now())}
    attendees = [
        one | {"status": status} if one["emailAddress"]["address"].lower() == letter.sender.lower() else one
        for one in event.values(on)["attendees"]
    ]
    if on is None:
        event.props = event.props | {"attendees": attendees}
    else:
        own = event.exceptions.setdefault(on, Exceptional())
        own.props = own.props | {"attendees": attendees}
    store.touch(event, "updated")


def _copy_props(letter: Invitation) -> Json:
    """What only the attendee's copy of a meeting says."""
    return {
        "isOrganizer": False,
        "organizer": {"emailAddress": {"name": letter.organizer_name or letter.organizer, "address": letter.organizer}},
        "responseStatus": PENDING,
        "showAs": "tentative",
    }


def _as_change(letter: Invitation) -> Change:
    """The invitation as if a client had written it; a rule that Exchange lacks lands as its first instance only."""
    body: Json = {
        "subject": letter.subject,
        "body": {"contentType": "html" if letter.body_is_html else "text", "content": letter.body},
        "location": {"displayName": letter.location},
        "start": _wire(letter.start, letter.start_zone),
        "end": _wire(letter.end, letter.end_zone or letter.start_zone),
        "isAllDay": letter.is_all_day,
        "attendees": [_attendee(guest) for guest in letter.attendees],
        "sensitivity": "private" if letter.is_private else "normal",
    }
    if letter.original_start is None:
        body["recurrence"] = _recurrence(letter)
    try:
        return read_change(body)
    except GraphError:
        return read_change(body | {"attendees": []})


def _recurrence(letter: Invitation) -> Json | None:
    if letter.recurrence is None:
        return None
    return rrules.from_lines(letter.recurrence, _moment(letter.start, letter.start_zone))


def _attendee(guest: Guest) -> Json:
    kind = "optional" if guest.optional else "required"
    return {"type": kind, "emailAddress": {"name": guest.name or guest.address, "address": guest.address}}


def _moment(value: datetime | date, zone: str) -> Moment:
    known = iana_of(zone) if zone else "UTC"
    wall = value if isinstance(value, datetime) else datetime.combine(value, time())
    return Moment(wall, known or "UTC", zone if known else "UTC")


def _wire(value: datetime | date, zone: str) -> Json:
    moment = _moment(value, zone)
    return {"dateTime": moment.wall.isoformat(), "timeZone": moment.named or "UTC"}


def _original_date(event: Event, letter: Invitation) -> date:
    born = letter.original_start
    if isinstance(born, datetime):
        zone = iana_of(letter.start_zone) or event.start.zone
        return in_zone(to_utc(born, zone), event.start.zone).date()
    return born or event.start.wall.date()


def _drop_exdates(event: Event, letter: Invitation) -> None:
    """Deleted occurrences travel as EXDATE lines: wall clock of the series, UTC with a Z, or dates."""
    for line in letter.recurrence or ():
        if line.upper().startswith("EXDATE") and event.series is not None:
            for text in line.partition(":")[2].split(","):
                on = _date_of(text.strip(), event.start.zone)
                if event.series.on(on) is not None:
                    event.cancelled.add(on)


def _date_of(text: str, zone: str) -> date:
    if text.endswith("Z"):
        return in_zone(datetime.fromisoformat(text[:-1]), zone).date()
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
