"""Busy time: the instants that an event takes from the day of somebody who attends it.

What lives here: one event, series included, as spans. What does not: whose they are, and which of them collide
(``overlaps``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import chain

from calsync.engine import zones
from calsync.engine.events import AllDay, Content, Event, OccurrenceKey, ShowAs, When
from calsync.engine.expansion import expand, generates
from calsync.engine.occurrences import apply_override, occurrence_when

_EDGE = timedelta(days=2)  # zones and changing clocks move an all-day event by less


@dataclass(frozen=True, slots=True)
class BusySpan:
    """One stretch of time, as instants (aware UTC). ``key`` names the occurrence of a series; '' for a single event."""

    start: datetime
    end: datetime
    show_as: ShowAs
    all_day: bool = False
    key: str = ""


def busy_spans(event: Event, *, zone: str, start: datetime, end: datetime) -> Iterator[BusySpan]:
    """What the event takes of the time from ``start`` to ``end`` (aware); in no order. Raises UnknownZone.

    Free time takes nothing, and neither does an event without length. All-day events last from midnight to midnight in
    ``zone``, the attendee's own. Occurrences that an exception has moved count where they stand now.
    """
    for key, content in _occurrences(event, start, end):
        begins, ends = instants(content.when, zone=zone)
        if content.show_as is not ShowAs.FREE and begins < ends and begins < end and ends > start:
            yield BusySpan(begins, ends, content.show_as, isinstance(content.when, AllDay), key)


def instants(when: When, *, zone: str) -> tuple[datetime, datetime]:
    """Start and end as instants (UTC); whole days are those of ``zone``. Raises UnknownZone."""
    if isinstance(when, AllDay):
        first, last = datetime.combine(when.start, time()), datetime.combine(when.end, time())
        return zones.to_instant(first, zone), zones.to_instant(last, zone)
    return zones.to_instant(when.start, when.zone), zones.to_instant(when.end, when.end_zone or when.zone)


def _occurrences(event: Event, start: datetime, end: datetime) -> Iterator[tuple[OccurrenceKey | str, Content]]:
    content, recurrence = event.content, event.recurrence
    if recurrence is None:
        yield "", content
        return
    begins, ends = instants(content.when, zone="UTC")
    after, before = start - (ends - begins) - _EDGE, end + _EDGE
    regular = expand(content.when, recurrence, after=after, before=before)
    moved = (key for key in event.exceptions if generates(content.when, recurrence, key))
    for key in chain(moved, (key for key in regular if key not in event.exceptions)):
        if key not in event.cancelled:
            yield key, _content_of(event, key)


def _content_of(event: Event, key: OccurrenceKey) -> Content:
    override = event.exceptions.get(key)
    if override is not None:
        return apply_override(event.content, key, override)
    when = occurrence_when(event.content.when, key)
    return Content(when=when, show_as=event.content.show_as)  # time and weight are all that is asked for
