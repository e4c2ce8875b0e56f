"""What a copy of an event should look like in one place, and whether that place can hold it at all.

What lives here: projecting an event onto a platform's traits and a role. What does not: wire formats (each provider's
mapping), the guest note's text (``note``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from calsync.engine import zones
from calsync.engine.events import Event, Field, FieldValue, Sensitivity, ShowAs, Timed
from calsync.engine.fingerprint import instants
from calsync.engine.inherit import map_fields
from calsync.engine.note import guest_note, strip_note, with_note
from calsync.engine.policy import Role
from calsync.engine.traits import Traits

__all__ = ["carries_guests", "guest_note", "obstacle", "project", "strip_note"]


def carries_guests(role: Role) -> bool:
    """Whether a copy in this role is a real meeting; twins and copies have the guest list as text only."""
    return role in (Role.ORIGIN, Role.NATIVE)


def project(event: Event, *, traits: Traits, role: Role) -> Event:
    """The event as the copy in that place should be.

    Levels that the platform lacks are mapped, spans brought to its shortest length, for exceptions too; overrides that
    thereby say nothing are dropped. A twin or copy carries no guests and no organiser: those stand in its body.
    """
    note = guest_note(event)
    bare = not carries_guests(role)

    def convert(field: Field, value: FieldValue) -> FieldValue:
        if bare and field is Field.BODY and isinstance(value, str):
            return with_note(value, note)
        if field is Field.SHOW_AS and event.kind != "default" and not bare:
            return value  # an event of a special kind (out of office) keeps in its own place what that kind means
        return _held(value, traits)

    projected = map_fields(event, convert)
    if bare:
        return replace(projected, guests=(), organizer="", organizes=True, pinned=frozenset())
    return projected


def obstacle(event: Event, traits: Traits) -> str:
    """'' when the place can hold the event, else one sentence for a person."""
    if event.recurrence is None or traits.expressible(event.recurrence):
        return ""
    name = traits.platform.value.capitalize()
    if event.recurrence.extra_starts:
        return f"{name} cannot hold a series with extra dates beside its rule."
    if len(event.recurrence.rules) != 1:
        return f"{name} cannot hold a series with {len(event.recurrence.rules)} rules."
    return f"{name} has no form for this recurrence rule."


def _held(value: FieldValue, traits: Traits) -> FieldValue:
    match value:
        case ShowAs():
            return traits.show_as.get(value, value)
        case Sensitivity():
            return traits.sensitivities.get(value, value)
        case Timed():
            return _lengthened(value, minutes=traits.shortest_minutes)
    return value


def _lengthened(when: Timed, *, minutes: int) -> Timed:
    start, end = instants(when)
    shortest = timedelta(minutes=minutes)
    if not minutes or end - start >= shortest:
        return when
    return replace(when, end=zones.to_wall(start + shortest, when.zone), end_zone=None)
