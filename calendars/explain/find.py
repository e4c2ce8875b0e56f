"""Which event is meant by a word: the hub's number, a provider's event id, or an iCalendar UID."""

from __future__ import annotations

import re
from dataclasses import dataclass

from calendars.models import Event, Finding, Link
from calsync.engine.plan import FindingKind
from calsync.providers.graph.identity import clean_uid

_INSTANCE = re.compile(r"_(R?)\d{8}(T\d{6}Z?)?$")  # Google's ids of one occurrence end with its original start
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """One event and by what it was found."""

    event: Event
    matched: str


def find_events(reference: str) -> list[Found]:
    """The events that a reference names. A number of the hub stands for that event alone."""
    events = Event.objects.select_related("owner", "whole", "predecessor")
    if reference.isascii() and reference.isdigit() and int(reference) <= _LARGEST:
        numbered = events.filter(pk=int(reference)).first()
        if numbered is not None:
            return [Found(numbered, "its number")]
    found: dict[int, Found] = {}
    for remote_id, occurrence in ((reference, ""), (_INSTANCE.sub("", reference), "an occurrence of ")):
        links = Link.objects.filter(remote_id=remote_id).select_related("event__owner", "calendar__account")
        for link in links.order_by("event_id"):
            found.setdefault(link.event_id, Found(link.event, f"{occurrence}its id in the {link.calendar}"))
    for event in events.filter(uid__in={reference, clean_uid(reference)}).exclude(uid="").order_by("pk"):
        found.setdefault(event.pk, Found(event, "its iCalendar UID"))
    return list(found.values())


def unreadable(reference: str) -> list[Finding]:
    """What was noted about a provider's event that has no place in the hub, because it could not be understood."""
    noted = Finding.objects.filter(remote_id=reference, kind=FindingKind.MALFORMED)
    return list(noted.select_related("calendar__account").order_by("pk"))
