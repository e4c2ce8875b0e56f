"""Whether two events mean the same: the comparison of audits and of first contact.

Unlike fingerprints it needs no earlier agreement and looks at effects: instants instead of zone names, occurrences
instead of rules, the content of an occurrence instead of what is written as an exception.
What lives here: differences by path. What does not: what to do about them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from calsync.engine import zones
from calsync.engine.events import AllDay, Content, Event, Field, FieldValue, OccurrenceKey, Timed, When
from calsync.engine.fingerprint import CONTENT_FIELDS, instants, text_of
from calsync.engine.inherit import inherited
from calsync.engine.recurrence import equivalent, generates, key_of, same_span, start_of


def differences(wanted: Event, found: Event) -> frozenset[str]:
    """The paths in which ``found`` really differs from ``wanted``; empty when they agree.

    Occurrence keys are those of the zone of ``wanted``. Guests, organiser and uid are not compared.
    """
    own = _content_differences(wanted.content, found.content)
    if wanted.recurrence is None and found.recurrence is None:
        return own
    if wanted.recurrence is None or found.recurrence is None:
        return own | {Field.RECURRENCE.value}
    same_rule = equivalent(wanted.recurrence, found.recurrence, start_a=wanted.content.when, start_b=found.content.when)
    if same_rule:
        found = _keyed_like(found, wanted.content.when)
    return own | _occurrence_differences(wanted, found) | (frozenset() if same_rule else {Field.RECURRENCE.value})


def _content_differences(wanted: Content, found: Content) -> frozenset[str]:
    pairs = ((name, getattr(wanted, name.value), getattr(found, name.value)) for name in CONTENT_FIELDS)
    return frozenset(name.value for name, one, other in pairs if not _same(one, other, start=wanted.when))


def _same(one: FieldValue, other: FieldValue, *, start: When) -> bool:
    if isinstance(one, Timed | AllDay) and isinstance(other, Timed | AllDay):
        return same_span(one, other)
    return text_of(one, start=start) == text_of(other, start=start)


def _occurrence_differences(wanted: Event, found: Event) -> frozenset[str]:
    cancelled = {key for key in wanted.cancelled ^ found.cancelled if _occurs(wanted, key) or _occurs(found, key)}
    paths = {f"@{key}" for key in cancelled}
    for key in wanted.exceptions.keys() | found.exceptions.keys():
        if key not in wanted.cancelled | found.cancelled:
            overridden = {*wanted.exceptions.get(key, ()), *found.exceptions.get(key, ())}
            paths |= {f"@{key}/{name.value}" for name in overridden if not _same_effect(wanted, found, key, name)}
    return frozenset(paths)


def _same_effect(wanted: Event, found: Event, key: OccurrenceKey, field: Field) -> bool:
    one, other = _effective(wanted, key, field), _effective(found, key, field)
    if one is None or other is None:
        return False
    return _same(one, other, start=wanted.content.when)


def _effective(event: Event, key: OccurrenceKey, field: Field) -> FieldValue | None:
    override = event.exceptions.get(key, {})
    return override[field] if field in override else inherited(event.content, key, field)


def _occurs(event: Event, key: OccurrenceKey) -> bool:
    """Whether the rule makes this occurrence at all; cancelling one that it does not make has no effect."""
    return event.recurrence is not None and generates(event.content.when, event.recurrence, key)


def _keyed_like(event: Event, start: When) -> Event:
    """The series with its keys told in the zone of ``start``."""
    when = event.content.when
    if not (isinstance(when, Timed) and isinstance(start, Timed)) or zones.same(when.zone, start.zone):
        return event
    rekey = _rekeying(when.zone, start.zone)
    exceptions = {rekey(key): override for key, override in event.exceptions.items()}
    return replace(
        event,
        content=_shown_in(event.content, start.zone),
        exceptions=exceptions,
        cancelled=frozenset(map(rekey, event.cancelled)),
    )


def _rekeying(zone: str, into: str) -> Callable[[OccurrenceKey], OccurrenceKey]:
    def rekey(key: OccurrenceKey) -> OccurrenceKey:
        wall = start_of(key)
        return key_of(zones.to_wall(zones.to_instant(wall, zone), into)) if isinstance(wall, datetime) else key

    return rekey


def _shown_in(content: Content, zone: str) -> Content:
    assert isinstance(content.when, Timed)
    start, end = (zones.to_wall(instant, zone) for instant in instants(content.when))
    return replace(content, when=Timed(start=start, end=end, zone=zone))
