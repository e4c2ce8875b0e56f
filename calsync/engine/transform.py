"""What a copy of an event should look like in one place.

What lives here: projecting an event onto a platform's traits and a role. What does not: wire formats (each provider's
mapping), the guest note's text (``note``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from calsync.engine import zones
from calsync.engine.events import Event, Field, FieldValue, Sensitivity, ShowAs, Timed
from calsync.engine.fingerprint import field_of_path, flatten, instants
from calsync.engine.inherit import map_fields
from calsync.engine.masking import masked
from calsync.engine.note import guest_note, note_for, strip_note, with_note, without_note
from calsync.engine.parts import without_crossing
from calsync.engine.pinning import pinned
from calsync.engine.policy import Role
from calsync.engine.traits import Traits
from calsync.engine.treatment import FULL, Treatment

__all__ = ["carries_guests", "guest_note", "note_for", "project", "shortened", "shown", "strip_note"]

_TEXTS = frozenset({Field.TITLE, Field.BODY, Field.LOCATION})


def carries_guests(role: Role) -> bool:
    """Whether a copy in this role is a real meeting; twins and copies have the guest list as text only."""
    return role in (Role.ORIGIN, Role.NATIVE)


def shown(event: Event, *, role: Role, treatment: Treatment) -> Event:
    """The event as far as it may travel into a copy of this role. Its own place and an invitation's show it whole."""
    if carries_guests(role):
        return event
    return pinned(masked(event, treatment.details), treatment.pinned_zone)


def project(event: Event, *, traits: Traits, role: Role, treatment: Treatment = FULL) -> Event:
    """The event as the copy in that place should be.

    What must not travel by ``treatment`` is masked before anything else.
    Levels that the platform lacks are mapped, spans brought to its shortest length and texts to its longest, for
    exceptions too; overrides that thereby say nothing are dropped. A twin or copy carries no guests, no organiser and
    no online meeting: those stand in its body.
    Occurrences that the platform wants detached from their series are cancelled in it: they stand beside it as parts.
    """
    bare = not carries_guests(role)
    event = shown(event, role=role, treatment=treatment)
    note = note_for(event) if bare else ""
    if traits.neighbour_bound:
        event = without_crossing(event)

    def convert(field: Field, value: FieldValue) -> FieldValue:
        if field in _TEXTS:
            fitted = _fitted(field, str(value), traits, note)
            return with_note(fitted, note) if bare and field is Field.BODY else fitted
        if field is Field.SHOW_AS and event.kind != "default" and not bare:
            return value  # an event of a special kind (out of office) keeps in its own place what that kind means
        return _held(value, traits)

    projected = map_fields(event, convert)
    if bare:
        return replace(projected, guests=(), organizer="", organizes=True, pinned=frozenset(), join="", categories=())
    return projected


def shortened(event: Event, *, traits: Traits, role: Role, treatment: Treatment = FULL) -> frozenset[str]:
    """The paths of texts that are longer than the place holds: a copy in this role shows their beginnings only."""
    event = shown(event, role=role, treatment=treatment)
    note = "" if carries_guests(role) else note_for(event)

    def is_cut(path: str, value: object) -> bool:
        field = field_of_path(path)
        if field not in _TEXTS or not isinstance(value, str):
            return False
        return _fitted(Field(field), value, traits, note) not in {value, without_note(value)}

    return frozenset(path for path, value in flatten(event).items() if is_cut(path, value))


def _fitted(field: Field, words: str, traits: Traits, note: str) -> str:
    if field is not Field.BODY:
        return traits.fit(field, words, "")
    return traits.fit(field, without_note(words) if note else words, f"\n\n{note}" if note else "")


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
