"""Graph's event JSON to neutral values. Pure; the way back is ``payload``.

What lives here: the names of the fields that we read, and singles, masters and whole series as Items. What does not:
requests, and which of them are needed for a whole series (``series``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from calsync.engine.events import (
    Content,
    Event,
    Field,
    Guest,
    OccurrenceKey,
    Override,
    Sensitivity,
    ShowAs,
    Timed,
    When,
)
from calsync.engine.recurrence import aligned, apply_override, generates, override_of
from calsync.providers.base import Item, Mailbox
from calsync.providers.graph import recurrence as rules
from calsync.providers.graph.client import Json
from calsync.providers.graph.identity import clean_uid, original_day
from calsync.providers.graph.times import Malformed, day_of, key_on, stamp, when_of
from calsync.providers.markup import Body, read_html
from calsync.providers.text import normalised, one_line

OCCURRENCE_FIELDS = (
    "id,type,seriesMasterId,subject,body,start,end,isAllDay,originalStart,originalStartTimeZone,originalEndTimeZone,"
    "location,locations,showAs,sensitivity,isCancelled,lastModifiedDateTime,attendees,organizer"
)
EVENT_FIELDS = (
    "id,type,seriesMasterId,subject,body,start,end,isAllDay,originalStartTimeZone,originalEndTimeZone,location,locations,"
    "showAs,sensitivity,isCancelled,changeKey,iCalUId,recurrence,attendees,organizer,isOrganizer,responseStatus,"
    "isOnlineMeeting,onlineMeeting,categories,lastModifiedDateTime,transactionId,cancelledOccurrences"
)
"""Asked for by name: ``cancelledOccurrences`` and ``originalStart`` are not sent otherwise. ``uid`` and
``occurrenceId`` are read when they come, but not asked for: they are not in the v1.0 schema."""

SHOW_AS = {
    "free": ShowAs.FREE,
    "tentative": ShowAs.TENTATIVE,
    "busy": ShowAs.BUSY,
    "oof": ShowAs.OUT_OF_OFFICE,
    "workingelsewhere": ShowAs.ELSEWHERE,
}
RESPONSES = {"accepted": "accepted", "tentativelyaccepted": "tentative", "declined": "declined"}


def is_series(raw: Json) -> bool:
    """Whether this is a series' master."""
    return kind_of(raw) == "seriesmaster" or bool(raw.get("recurrence"))


def kind_of(raw: Json) -> str:
    """The event's type in lower case; enums vary in casing, and the type may be missing."""
    return str(raw.get("type") or "").lower()


def version_of(raw: Json) -> str:
    """The etag; the change key is the same value in other clothes."""
    key = raw.get("changeKey")
    return str(raw.get("@odata.etag") or (f'W/"{key}"' if key else ""))


def tombstone(remote_id: str) -> Item:
    """A proven deletion."""
    return Item(remote_id=remote_id, version="", event=None)


def single_item(raw: Json, *, mailbox: Mailbox) -> Item:
    """One single event as an Item: a tombstone when it is cancelled, a problem when it cannot be understood."""
    return _guarded(raw, lambda: _single(raw, mailbox))


def series_item(raw: Json, *, exceptions: Iterable[Json], cancelled: Iterable[object], mailbox: Mailbox) -> Item:
    """A whole series from its master, the full exceptions and the ``cancelledOccurrences`` (dated ids, or dates)."""
    own = [_tidy(exception) for exception in exceptions if isinstance(exception, dict)]
    return _guarded(raw, lambda: _series(raw, own, list(cancelled), mailbox), within=own)


def bare_series(raw: Json, *, mailbox: Mailbox) -> Event:
    """The series of a master without its exceptions; raises ValueError when it cannot be understood.

    It starts where its pattern first does, as in Exchange: elsewhere a start off the pattern is one occurrence more.
    """
    event = _single(raw, mailbox)
    recurrence = rules.from_graph(raw["recurrence"], start=event.content.when)
    start = aligned(event.content.when, recurrence)
    return replace(event, content=replace(event.content, when=start), recurrence=recurrence)


def day_of_occurrence(raw: Json, series: When) -> date:
    """The original date of an occurrence or exception, from the best witness that came along."""
    if original := stamp(raw.get("originalStart")):
        return day_of(original, series, raw)
    day = original_day(raw.get("occurrenceId")) or original_day(raw.get("id"))
    if day is not None:
        return day
    own = when_of(raw, fallback_zone=series.zone if isinstance(series, Timed) else "UTC")
    return own.start.date() if isinstance(own, Timed) else own.start


def _guarded(raw: Json, read: Callable[[], Event], *, within: Iterable[Json] = ()) -> Item:
    remote_id = str(raw.get("id") or "")
    if raw.get("isCancelled") is True:
        return tombstone(remote_id)
    try:
        changed_at = _last_change([raw, *within])
        event = read()
    except Malformed as error:
        return Item(remote_id=remote_id, version=version_of(raw), event=None, problem=str(error))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Shapes that no document knows; the exception's own text could quote the event, so it is left out.
        problem = f"The event has a form that is not understood ({type(error).__name__})."
        return Item(remote_id=remote_id, version=version_of(raw), event=None, problem=problem)
    key = str(raw.get("transactionId") or "")
    return Item(remote_id=remote_id, version=version_of(raw), event=event, changed_at=changed_at, key=key)


def _last_change(raws: Iterable[Json]) -> datetime | None:
    """The time of the last change of an event or series: an edited occurrence need not move its master's stamp."""
    return max((at for raw in raws if (at := stamp(raw.get("lastModifiedDateTime")))), default=None)


def _single(raw: Json, mailbox: Mailbox) -> Event:
    guests = _guests(raw, mailbox)
    organizer = _address(raw.get("organizer"))
    return Event(
        content=_content(raw, when_of(raw, fallback_zone=mailbox.zone)),
        uid=clean_uid(str(raw.get("iCalUId") or raw.get("uid") or "")),
        organizer=organizer if guests or raw.get("isOrganizer") is False else "",
        organizes=raw.get("isOrganizer") is not False or not guests,
        guests=guests,
        # The join block of an online meeting is part of its body: writing the body over would cut the link.
        pinned=frozenset({Field.BODY}) if raw.get("isOnlineMeeting") is True else frozenset(),
        join=_join(raw),
        categories=tuple(sorted({str(name) for name in raw.get("categories") or ()})),
    )


def _series(raw: Json, exceptions: list[Json], cancelled: list[object], mailbox: Mailbox) -> Event:
    event = bare_series(raw, mailbox=mailbox)
    when = event.content.when
    gone = _cancelled_keys(event, cancelled)
    overrides: dict[OccurrenceKey, Override] = {}
    for own in exceptions:
        key = key_on(day_of_occurrence(own, when), when)
        if own.get("isCancelled") is True:
            gone.add(key)
        elif override := override_of(event.content, key, _exception_content(own, event.content, key)):
            overrides[key] = override
    return replace(
        event,
        guests=_with_guests_of(exceptions, event.guests, mailbox),
        exceptions={key: value for key, value in sorted(overrides.items()) if key not in gone},
        cancelled=frozenset(gone),
    )


def _with_guests_of(exceptions: Iterable[Json], guests: tuple[Guest, ...], mailbox: Mailbox) -> tuple[Guest, ...]:
    """The guests of the series and of single occurrences: a write to either would mail them."""
    everybody = {guest.address: guest for own in exceptions for guest in _guests(own, mailbox)}
    known = {guest.address for guest in guests}
    some = (replace(guest, partial=True) for address, guest in sorted(everybody.items()) if address not in known)
    return (*guests, *some)


def _cancelled_keys(event: Event, cancelled: Iterable[object]) -> set[OccurrenceKey]:
    """The keys behind the dates of cancelled occurrences; entries that name no date are left out."""
    return {_cancelled_key(event, day) for entry in cancelled if (day := original_day(entry)) is not None}


def _cancelled_key(event: Event, day: date) -> OccurrenceKey:
    """The occurrence on a date. Should that be the date in UTC, the series' own date is a neighbour of it."""
    when, recurrence = event.content.when, event.recurrence
    around = [key_on(day + timedelta(days=offset), when) for offset in (0, -1, 1)]
    if recurrence is None:
        return around[0]
    return next((key for key in around if generates(when, recurrence, key)), around[0])


def _exception_content(raw: Json, master: Content, key: OccurrenceKey) -> Content:
    """An exception's own content; what did not come along is inherited."""
    inherited = apply_override(master, key, {})
    if not (raw.get("start") and raw.get("end")):
        return _content(raw, inherited.when, like=inherited)
    zone = master.when.zone if isinstance(master.when, Timed) else "UTC"
    complete = {"isAllDay": not isinstance(master.when, Timed), "originalStartTimeZone": zone, **raw}
    complete = {**complete, "originalEndTimeZone": raw.get("originalEndTimeZone") or complete["originalStartTimeZone"]}
    return _content(raw, when_of(complete, fallback_zone=zone), like=inherited)


def _content(raw: Json, when: When, *, like: Content | None = None) -> Content:
    base = like or Content(when=when)
    body = _body(raw["body"]) if "body" in raw else Body(base.body, base.markup)
    return Content(
        when=when,
        title=one_line(str(raw.get("subject") or "")) if "subject" in raw else base.title,
        body=body.text,
        location=_location(raw) if "location" in raw or "locations" in raw else base.location,
        show_as=_show_as(raw["showAs"]) if "showAs" in raw else base.show_as,
        sensitivity=_sensitivity(raw["sensitivity"]) if "sensitivity" in raw else base.sensitivity,
        markup=body.markup,
    )


def _body(body: object) -> Body:
    """An itemBody; plain text may come although HTML was preferred."""
    if not isinstance(body, dict):
        return Body("")
    content = str(body.get("content") or "")
    return read_html(content) if str(body.get("contentType") or "").lower() == "html" else Body(normalised(content))


def _join(raw: Json) -> str:
    """The address of the online meeting, which stands in the body as well, but not in every form of it."""
    meeting = raw.get("onlineMeeting")
    return str(meeting.get("joinUrl") or "") if isinstance(meeting, dict) else ""


def _location(raw: Json) -> str:
    """The places by name; several are one line, since the other side has one field for them."""
    places = [place for place in raw.get("locations") or [] if isinstance(place, dict)]
    names = [name for place in places if (name := str(place.get("displayName") or "").strip())]
    if len(names) > 1:
        return one_line("; ".join(names))
    main = raw.get("location")
    shown = str(main.get("displayName") or "").strip() if isinstance(main, dict) else ""
    return one_line(shown or "".join(names))


def _show_as(value: object) -> ShowAs:
    return SHOW_AS.get(str(value).lower(), ShowAs.BUSY)


def _sensitivity(value: object) -> Sensitivity:
    try:
        return Sensitivity(str(value).lower())
    except ValueError:
        return Sensitivity.NORMAL


def _address(recipient: object) -> str:
    mail = recipient.get("emailAddress") if isinstance(recipient, dict) else None
    return str(mail.get("address") or "").strip().lower() if isinstance(mail, dict) else ""


def _guests(raw: Json, mailbox: Mailbox) -> tuple[Guest, ...]:
    """The attendees without the organiser; this mailbox's own answer is told beside them, fresher than in the list."""
    organizer = _address(raw.get("organizer"))
    own = raw.get("responseStatus")
    mine = _response(own) if isinstance(own, dict) else "none"
    guests = [_guest(attendee) for attendee in raw.get("attendees") or [] if isinstance(attendee, dict)]
    return tuple(
        replace(guest, response=mine) if guest.address == mailbox.address.lower() and mine != "none" else guest
        for guest in guests
        if guest.address and guest.address != organizer
    )


def _guest(attendee: Mapping[str, object]) -> Guest:
    mail = attendee.get("emailAddress")
    kind = str(attendee.get("type") or "").lower()
    return Guest(
        address=_address(attendee),
        name=str(mail.get("name") or "") if isinstance(mail, dict) else "",
        response=_response(attendee.get("status")),
        optional=kind == "optional",
        resource=kind == "resource",
    )


def _response(status: object) -> str:
    value = status.get("response") if isinstance(status, dict) else None
    return RESPONSES.get(str(value).lower(), "none")


def _tidy(raw: Json) -> Json:
    """Stray PascalCase names (an open type may carry them) under the names that we know."""
    strays = {name: value for name, value in raw.items() if name[:1].isupper()}
    return {**{name[:1].lower() + name[1:]: value for name, value in strays.items()}, **raw} if strays else raw
