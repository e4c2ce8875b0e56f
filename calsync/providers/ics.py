"""One event out of an iCalendar file, for trying rules on it. Nothing is synced by way of such files.

What lives here: the first event of a file as the engine's value, with the changed and cancelled occurrences of its
series, which stand in the file as events of their own. What does not: any other event of the file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar

from calsync.engine import recurrence, zones
from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Guest,
    OccurrenceKey,
    Override,
    Recurrence,
    Sensitivity,
    ShowAs,
    Timed,
    When,
)
from calsync.providers.text import normalised, one_line

_BUSY = {
    "FREE": ShowAs.FREE,
    "TENTATIVE": ShowAs.TENTATIVE,
    "BUSY": ShowAs.BUSY,
    "OOF": ShowAs.OUT_OF_OFFICE,
    "WORKINGELSEWHERE": ShowAs.ELSEWHERE,
}
_CLASSES = {"PRIVATE": Sensitivity.PRIVATE, "CONFIDENTIAL": Sensitivity.CONFIDENTIAL}
_ANSWERS = {"ACCEPTED": "accepted", "TENTATIVE": "tentative", "DECLINED": "declined"}
_RULES = ("RRULE", "RDATE", "EXDATE")
_OF = "RECURRENCE-ID"  # names the occurrence that an event of the file stands for


class NotAnEvent(ValueError):
    """The text holds no event that can be read; the message tells a person why."""


def read_event(text: str, *, address: str, zone: str) -> Event:
    """The first event of a file, seen by the owner of ``address``; times without a zone are in ``zone``.

    A file that holds nothing but a changed occurrence, as in an invitation to it, is read as that single event.
    """
    try:
        found: list[Any] = Calendar.from_ical(text).walk("VEVENT")  # Any: its properties are of many types
        if not found:
            raise NotAnEvent("The file holds no VEVENT.")
        raw = next((one for one in found if _OF not in one), found[0])
        event = _event(raw, address=address.lower(), zone=zone)
        if event.recurrence is None:
            return event
        own = [one for one in found if _OF in one and str(one.get("UID", "")) == event.uid]
        return _with_occurrences(event, own, zone=zone)
    except NotAnEvent:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        # The text of the error could quote the event.
        raise NotAnEvent(f"The iCalendar text cannot be read ({type(error).__name__}).") from None


def _event(raw: Any, *, address: str, zone: str) -> Event:
    when = _when(raw, zone=zone)
    series, cancelled = _recurrence(raw, when)
    organizer = _address(raw.get("ORGANIZER"))
    guests = tuple(_guest(one) for one in _listed(raw.get("ATTENDEE")) if _address(one) and _address(one) != organizer)
    organizes = organizer in ("", address) or not guests
    return Event(
        content=_content(raw, when),
        recurrence=series,
        cancelled=cancelled,
        uid=str(raw.get("UID", "")),
        organizer=organizer if guests or not organizes else "",
        organizes=organizes,
        guests=guests,
        categories=_categories(raw),
    )


def _content(raw: Any, when: When) -> Content:
    return Content(
        when=when,
        title=one_line(str(raw.get("SUMMARY", ""))),
        body=normalised(str(raw.get("DESCRIPTION", ""))),
        location=one_line(str(raw.get("LOCATION", ""))),
        show_as=_show_as(raw),
        sensitivity=_CLASSES.get(str(raw.get("CLASS", "")).upper(), Sensitivity.NORMAL),
    )


def _with_occurrences(event: Event, changed: list[Any], *, zone: str) -> Event:
    """The series with what the file changes or cancels about occurrences of it; of two changes, the later one."""
    exceptions: dict[OccurrenceKey, Override] = {}
    cancelled = set(event.cancelled)
    for raw in changed:
        if "RANGE" in raw[_OF].params:
            raise NotAnEvent("The file changes an occurrence and all that follow at once, which cannot be tried here.")
        key = _key(raw[_OF], event.content.when, zone=zone)
        exceptions.pop(key, None)
        if str(raw.get("STATUS", "")).upper() == "CANCELLED":
            cancelled.add(key)
            continue
        cancelled.discard(key)
        if override := recurrence.override_of(event.content, key, _content(raw, _when(raw, zone=zone))):
            exceptions[key] = override
    return replace(event, exceptions=exceptions, cancelled=frozenset(cancelled))


def _key(stamp: Any, series: When, *, zone: str) -> OccurrenceKey:  # Any: a property of the library
    """Which occurrence is meant. Some programs write the day alone, or a time for a series of whole days."""
    at = stamp.dt
    if isinstance(series, AllDay):
        return recurrence.key_of(at.date() if isinstance(at, datetime) else at)
    if not isinstance(at, datetime):
        return recurrence.key_of(datetime.combine(at, series.start.time()))
    return recurrence.key_at(zones.to_instant(at.replace(tzinfo=None), _zone_of(stamp, zone)), start=series)


def _when(raw: Any, *, zone: str) -> When:
    if "DTSTART" not in raw:
        raise NotAnEvent("The event has no DTSTART.")
    start = raw["DTSTART"].dt
    length = raw["DURATION"].dt if "DURATION" in raw else None
    end = raw["DTEND"].dt if "DTEND" in raw else None
    if not isinstance(start, datetime):
        return AllDay(start, end if isinstance(end, date) else start + (length or timedelta(days=1)))
    place = _zone_of(raw["DTSTART"], zone)
    end = end if isinstance(end, datetime) else start + (length or timedelta())
    end_zone = _zone_of(raw["DTEND"], zone) if "DTEND" in raw else place
    return Timed(start.replace(tzinfo=None), end.replace(tzinfo=None), place, None if end_zone == place else end_zone)


def _zone_of(stamp: Any, zone: str) -> str:  # Any: a property of the library, which carries its parameters
    if "TZID" in stamp.params:
        name = zones.to_iana(str(stamp.params["TZID"]))
        if name is None:
            raise NotAnEvent("The event is in a time zone that nobody knows.")
        return name
    return zone if stamp.dt.tzinfo is None else "UTC"


def _recurrence(raw: Any, when: When) -> tuple[Recurrence | None, frozenset[Any]]:
    folded = raw.to_ical().decode().replace("\r\n ", "")
    lines = [line for line in folded.split("\r\n") if line.split(":")[0].split(";")[0].upper() in _RULES]
    if not lines:
        return None, frozenset()
    read = recurrence.parse(lines, start=when)
    return read.recurrence, read.cancelled


def _show_as(raw: Any) -> ShowAs:
    if (busy := str(raw.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()) in _BUSY:
        return _BUSY[busy]
    if str(raw.get("TRANSP", "")).upper() == "TRANSPARENT":
        return ShowAs.FREE
    return ShowAs.TENTATIVE if str(raw.get("STATUS", "")).upper() == "TENTATIVE" else ShowAs.BUSY


def _guest(one: Any) -> Guest:  # Any: an address property of the library
    kind = str(one.params.get("CUTYPE", "")).upper()
    return Guest(
        address=_address(one),
        name=str(one.params.get("CN", "")),
        response=_ANSWERS.get(str(one.params.get("PARTSTAT", "")).upper(), "none"),
        optional=str(one.params.get("ROLE", "")).upper() == "OPT-PARTICIPANT",
        resource=kind in ("ROOM", "RESOURCE"),
    )


def _address(value: object) -> str:
    return str(value or "").lower().removeprefix("mailto:")


def _listed(value: Any) -> list[Any]:  # Any: the library gives one property or several
    return value if isinstance(value, list) else [] if value is None else [value]


def _categories(raw: Any) -> tuple[str, ...]:
    names = {str(name) for group in _listed(raw.get("CATEGORIES")) for name in group.cats}
    return tuple(sorted(names))
