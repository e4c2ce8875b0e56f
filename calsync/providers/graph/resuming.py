"""Telling our own half-done update from somebody else's edit, after a guard failed.

What lives here: the comparison. A series is written in several requests; when the line breaks between them, the version
has moved by our own hand. Taken for an edit, the half that is missing would be lost on the other side, too.
"""

from __future__ import annotations

from dataclasses import replace

from calsync.engine.events import Event, OccurrenceKey, Override
from calsync.providers.graph.converge import nudged
from calsync.providers.graph.payload import changed_event, same_when

CANCELLED = "cancelled"


def is_half_done(actual: Event, *, before: Event, wanted: Event) -> bool:
    """Whether ``actual`` is a state that the way from ``before`` to ``wanted`` passes through, its end included.

    The event itself is already as wanted (or nudged, see ``converge``); each occurrence is as before, as wanted, or
    regular, which is what reshaping a series leaves behind. A state that is still as before is none of our doing.
    """
    if changed_event(wanted, _unnudged(actual, wanted)):
        return False
    keys = actual.exceptions.keys() | actual.cancelled | before.exceptions.keys() | before.cancelled
    if not changed_event(actual, before) and all(_state(actual, key) == _state(before, key) for key in keys):
        return False
    return all(_state(actual, key) in (_state(before, key), _state(wanted, key), {}) for key in keys)


def _unnudged(actual: Event, wanted: Event) -> Event:
    aside = nudged(wanted.content.when)
    if aside is None or not same_when(actual.content.when, aside):
        return actual
    return replace(actual, content=replace(actual.content, when=wanted.content.when))


def _state(event: Event, key: OccurrenceKey) -> str | Override:
    return CANCELLED if key in event.cancelled else dict(event.exceptions.get(key, {}))
