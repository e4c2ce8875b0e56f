"""Whether an event may stand in a place now: what an approval was given for, and how far ahead events travel.

What lives here: the fingerprint that binds an approval to what was approved, and the horizon. What does not: which rule
decides (``rules``), who approves.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from calsync.engine.events import AllDay, Event, Field
from calsync.engine.fingerprint import digest, field_of_path, instants, texts
from calsync.engine.treatment import Treatment

_BINDING = frozenset({Field.WHEN.value, Field.LOCATION.value, Field.RECURRENCE.value, ""})
"""When and where: the fields on which an approval rests. "" is the path of a cancelled occurrence."""


def approval_mark(event: Event, *, key: bytes) -> str:
    """A keyed fingerprint of when, where and with whom: an approval of one mark says nothing about another.

    Neither the title nor an answer is in it, so that these do not ask again. A series is approved as a whole.
    """
    told = [f"{path}\0{text}" for path, text in sorted(texts(event).items()) if field_of_path(path) in _BINDING]
    guests = sorted({guest.address for guest in event.guests})
    return digest("approval", "\0".join([*told, "guests", *guests]), key=key)


def is_beyond(event: Event, treatment: Treatment, *, now: datetime) -> bool:
    """Whether the event begins later than its rule lets events travel. A series begins with its first occurrence."""
    if treatment.horizon_days is None:
        return False
    return begins_at(event) > now + timedelta(days=treatment.horizon_days)


def begins_at(event: Event) -> datetime:
    """The first start as aware UTC; all-day: midnight UTC of the day."""
    when = event.content.when
    return datetime.combine(when.start, time(), UTC) if isinstance(when, AllDay) else instants(when)[0]
