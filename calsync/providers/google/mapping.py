"""Google's event resource read into the engine's values. Pure.

What lives here: reading one resource: a single event, a master, or an instance of a series. What does not: putting a
series together (``series``), writing (``bodies``). Fields that are at their default are absent from reads.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from calsync.engine import recurrence
from calsync.engine.events import Content, Event, Field, Guest, Recurrence, Rule, Sensitivity, ShowAs, When
from calsync.providers import text
from calsync.providers.google.times import Unreadable, original_of_suffix, span_of, split_instance_id, stamp
from calsync.providers.google.transport import Raw
from calsync.providers.markup import Body, looks_like_html, read_html

MARKER = "calsyncKey"
"""Private extended property with the idempotency key (names over 44 characters would be dropped silently)."""

SYNCED_TYPES = frozenset({"default", "outOfOffice"})
"""``fromGmail``, ``birthday``, ``workingLocation`` and ``focusTime`` are no meetings: left out."""

OUT_OF_OFFICE = "out_of_office"

_REFERENCE = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]+\d*);")
"""Character references as Google's screens write them; without the semicolon it is a part of some address."""

_RESPONSES = {"accepted": "accepted", "declined": "declined", "tentative": "tentative"}


@dataclass(frozen=True, slots=True)
class Single:
    """A single event, or a series' master (``event.recurrence`` set; ``event.cancelled`` from its EXDATE lines)."""

    remote_id: str
    version: str
    uid: str
    event: Event
    changed_at: datetime | None
    created_at: datetime | None
    key: str = ""  # of our create, proven


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance that was changed (``content``) or cancelled (``content`` None). ``original`` is its identity."""

    remote_id: str
    series_id: str
    original: Mapping[str, Any]
    version: str
    uid: str
    content: Content | None
    alone: Event | None = None  # the same as an event of its own, for a guest of this one occurrence only
    changed_at: datetime | None = None
    is_bare: bool = False  # a tombstone that names no series: it may be older than the master's present rule
    is_own: bool = False  # the calendar's owner organizes it: then its master must be on this calendar


# --- which kind of resource -------------------------------------------------------------------------------


def is_cancelled(raw: Raw) -> bool:
    """Deleted, or a cancelled instance. Such a resource may hold nothing else: ask this first."""
    return raw.get("status") == "cancelled"


def is_instance(raw: Raw) -> bool:
    """Whether it is an instance of a series. Bare tombstones of instances cannot be told from others."""
    return bool(raw.get("recurringEventId"))


def is_synced(raw: Raw) -> bool:
    """Whether its type is one that we sync; tombstones tell no type."""
    return is_cancelled(raw) or raw.get("eventType", "default") in SYNCED_TYPES


def identity(raw: Raw) -> tuple[str, str]:
    """Id and etag; '' for what is missing."""
    return str(raw.get("id") or ""), str(raw.get("etag") or "")


def event_id(key: str) -> str:
    """The id for a create: base32hex (``0-9a-v``) of a hash of the idempotency key, so that a repeat meets itself.

    Ids are never free again after a delete: a new life needs a new key.
    """
    digest = hashlib.sha256(key.encode()).digest()[:20]
    return "cals" + base64.b32hexencode(digest).decode().lower()


def proven_key(raw: Raw) -> str:
    """The idempotency key that made this very event: its marker counts only with the id that follows from it."""
    key = marker(raw)
    return key if key and event_id(key) == raw.get("id") else ""


def marker(raw: Raw) -> str:
    """The idempotency key that the event was created with; '' when there is none."""
    properties = raw.get("extendedProperties")
    private = properties.get("private") if isinstance(properties, Mapping) else None
    return str(private.get(MARKER) or "") if isinstance(private, Mapping) else ""


# --- reading ----------------------------------------------------------------------------------------------


def single(raw: Raw, *, zone: str, address: str) -> Single:
    """A live resource that is no instance. ``zone`` is the calendar's, ``address`` its owner's. Raises Unreadable."""
    remote_id, version = identity(raw)
    return Single(
        remote_id=remote_id,
        version=version,
        uid=str(raw.get("iCalUID") or ""),
        key=proven_key(raw),
        event=event_of(raw, zone=zone, address=address),
        changed_at=stamp(raw.get("updated")),
        created_at=stamp(raw.get("created")),
    )


def instance(raw: Raw, *, zone: str, address: str) -> Instance:
    """An instance of a series. Raises Unreadable."""
    remote_id, version = identity(raw)
    original = raw.get("originalStartTime")
    alone = None if is_cancelled(raw) else event_of(raw, zone=zone, address=address)
    organizer = raw.get("organizer")
    return Instance(
        remote_id=remote_id,
        series_id=str(raw["recurringEventId"]),
        original=original if isinstance(original, Mapping) and original else _original_by_id(remote_id),
        version=version,
        uid=str(raw.get("iCalUID") or ""),
        content=alone.content if alone else None,
        alone=alone,
        changed_at=stamp(raw.get("updated")),
        is_own=isinstance(organizer, Mapping) and bool(organizer.get("self")),
    )


def _original_by_id(remote_id: str) -> dict[str, str]:
    split = split_instance_id(remote_id)
    return original_of_suffix(split[1]) if split else {}


def event_of(raw: Raw, *, zone: str, address: str) -> Event:
    """The resource as an event without exceptions. Raises Unreadable."""
    when = span_of(raw, zone=zone)
    rules, cancelled = _recurrence(raw, when)
    organizer, organizes, guests = _people(raw, address)
    body = body_of(raw.get("description"))
    is_away = raw.get("eventType") == "outOfOffice"
    return Event(
        content=Content(
            when=when,
            title=text.one_line(str(raw.get("summary") or "")),
            body=body.text,
            location=text.one_line(str(raw.get("location") or "")),
            show_as=_show_as(raw, declined=not organizes and _has_declined(raw)),
            sensitivity=_sensitivity(raw),
            markup=body.markup,
        ),
        recurrence=rules,
        cancelled=cancelled,
        uid=str(raw.get("iCalUID") or ""),
        organizer=organizer,
        organizes=organizes,
        guests=guests,
        # An out-of-office event is refused with another weight: what it shows as is its kind.
        pinned=frozenset({Field.SHOW_AS}) if is_away else frozenset(),
        join=_join(raw),
        kind=OUT_OF_OFFICE if is_away else "default",
    )


def _recurrence(raw: Raw, when: Any) -> tuple[Any, frozenset[Any]]:
    lines = raw.get("recurrence")
    if not lines or is_instance(raw):
        return None, frozenset()
    try:
        read = recurrence.parse([str(line) for line in lines], start=when)
    except ValueError as error:  # BadRecurrence, or a date that cannot be read
        raise Unreadable("The event's recurrence cannot be read.") from error
    return _with_start(read.recurrence, when) if read.recurrence else None, read.cancelled


def _with_start(rules: Recurrence, when: When) -> Recurrence:
    """Google counts the start as an occurrence even where no rule makes it: then it is one more date."""
    start = recurrence.key_of(when.start)
    if recurrence.generates(when, rules, start):
        return rules
    others = tuple(_one_less(rule, when) for rule in rules.rules if rule.count != 1)
    return replace(rules, rules=others, extra_starts=(start, *rules.extra_starts))


def _one_less(rule: Rule, when: When) -> Rule:
    if rule.count is None:
        return rule
    shorter = replace(rule, count=rule.count - 1)
    return replace(shorter, count=None, until=recurrence.last_day(when, Recurrence((shorter,))))


def body_of(description: Any) -> Body:  # Any: whatever the wire holds
    """A description as a body. Google shows HTML in it, and line ends beside the tags."""
    source = str(description or "")
    if looks_like_html(source):
        return read_html(source, keep_line_ends=True)
    return Body(text.normalised(_REFERENCE.sub(lambda found: html.unescape(found.group()), source)))


def _join(raw: Raw) -> str:
    """The address of the conference; it stands beside the description, not in it."""
    if link := raw.get("hangoutLink"):
        return str(link)
    data = raw.get("conferenceData")
    points = data.get("entryPoints") if isinstance(data, Mapping) else None
    links = (one for one in points or () if isinstance(one, Mapping) and one.get("entryPointType") == "video")
    return next((str(one["uri"]) for one in links if one.get("uri")), "")


def _show_as(raw: Raw, *, declined: bool) -> ShowAs:
    """Google's free/busy ignores transparent events and those that the person has declined."""
    if raw.get("eventType") == "outOfOffice":
        return ShowAs.OUT_OF_OFFICE
    if raw.get("transparency") == "transparent" or declined:
        return ShowAs.FREE
    return ShowAs.TENTATIVE if raw.get("status") == "tentative" else ShowAs.BUSY


def _sensitivity(raw: Raw) -> Sensitivity:
    return Sensitivity.PRIVATE if raw.get("visibility") in {"private", "confidential"} else Sensitivity.NORMAL


# --- people -----------------------------------------------------------------------------------------------


def _people(raw: Raw, address: str) -> tuple[str, bool, tuple[Guest, ...]]:
    """Organiser ('' when the owner made it alone), whether the owner organises, and the guests."""
    organizer = raw.get("organizer")
    organizer = organizer if isinstance(organizer, Mapping) else {}
    mail = str(organizer.get("email") or "").lower()
    attendees = [one for one in raw.get("attendees") or () if isinstance(one, Mapping) and one.get("email")]
    guests = tuple(sorted((_guest(one) for one in attendees if not _is_organizer(one, mail)), key=_by_address))
    own = bool(organizer.get("self")) or not mail or mail == address.lower()
    organizes = own or not (attendees or raw.get("attendeesOmitted"))
    return ("" if organizes and not guests else mail), organizes, guests


def _is_organizer(attendee: Mapping[str, Any], mail: str) -> bool:
    return bool(attendee.get("organizer")) or str(attendee["email"]).lower() == mail


def _guest(attendee: Mapping[str, Any]) -> Guest:
    return Guest(
        address=str(attendee["email"]).lower(),
        name=str(attendee.get("displayName") or ""),
        response=_RESPONSES.get(str(attendee.get("responseStatus")), "none"),
        optional=bool(attendee.get("optional")),
        resource=bool(attendee.get("resource")),
    )


def _by_address(guest: Guest) -> str:
    return guest.address


def _has_declined(raw: Raw) -> bool:
    return any(
        isinstance(one, Mapping) and one.get("self") and one.get("responseStatus") == "declined"
        for one in raw.get("attendees") or ()
    )
