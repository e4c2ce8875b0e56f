"""Neutral values to Graph's event JSON. Pure; the way here is ``mapping``.

What lives here: what is sent and what never is. Attendees are never written (any attendee write mails people, and Graph
has no switch against it), nor is the reminder, which stays the mailbox owner's.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from calsync.engine import zones
from calsync.engine.events import Content, Event, Field, Platform, Sensitivity, ShowAs, Timed, When
from calsync.engine.recurrence import aligned, equivalent
from calsync.engine.traits import Traits
from calsync.providers import markup
from calsync.providers.graph import recurrence as rules
from calsync.providers.graph.client import Json
from calsync.providers.graph.times import on_wire
from calsync.providers.text import normalised, one_line, shortened, units

MARKER = "String {6f0a1c52-93d7-4b0e-a6a8-5c1f5f2a7b90} Name CalSyncKey"
"""Our named property: it holds the idempotency key of the create, so that the event can be found again by it."""

SHOW_AS = {
    ShowAs.FREE: "free",
    ShowAs.TENTATIVE: "tentative",
    ShowAs.BUSY: "busy",
    ShowAs.OUT_OF_OFFICE: "oof",
    ShowAs.ELSEWHERE: "workingElsewhere",
}

NAMES = {
    Field.TITLE: "subject",
    Field.BODY: "body",
    Field.LOCATION: "location",
    Field.SHOW_AS: "showAs",
    Field.SENSITIVITY: "sensitivity",
}

LONGEST_TITLE = 255
"""UTF-16 units. Bodies have no limit that matters."""


def _fitted(field: Field, words: str, _: str) -> str:
    """As much of a text as an Outlook event holds."""
    return shortened(words, fits=lambda part: units(part) <= LONGEST_TITLE) if field is Field.TITLE else words


TRAITS = Traits(
    platform=Platform.OUTLOOK,
    show_as={level: level for level in ShowAs},
    sensitivities={level: level for level in Sensitivity},
    expressible=rules.expressible,
    shortest_minutes=0,
    neighbour_bound=True,
    wipes_on_reshape=True,
    fit=_fitted,
)


def new_event(event: Event, *, key: str) -> Json:
    """The body of a create. Raises CannotRepresent."""
    return {
        **content_fields(event.content),
        **on_wire(event.content.when),
        **({"recurrence": recurrence_on_wire(event)} if event.recurrence else {}),
        "transactionId": key,
        "singleValueExtendedProperties": [{"id": MARKER, "value": key}],
    }


def changed_event(event: Event, before: Event | None) -> Json:
    """The body of a PATCH that turns ``before`` into ``event`` (everything when None); empty when nothing differs.

    Exceptions and cancelled occurrences are not in it. Raises CannotRepresent.
    """
    fields = content_changes(event.content, before.content if before else None)
    if Field.BODY in event.pinned | (before.pinned if before else frozenset()):
        fields.pop("body", None)
    if before is None or reshapes(event, before):
        fields |= on_wire(event.content.when)
        if event.recurrence or (before and before.recurrence):
            fields["recurrence"] = recurrence_on_wire(event)
    return fields


def reshapes(event: Event, before: Event) -> bool:
    """Whether the span or the rule changes: a series then needs both sent, and loses exceptions and deletions."""
    if not same_when(event.content.when, before.content.when):
        return True
    if event.recurrence is None or before.recurrence is None:
        return event.recurrence != before.recurrence
    return event.recurrence != before.recurrence and not equivalent(
        event.recurrence, before.recurrence, start_a=event.content.when, start_b=before.content.when
    )


def same_when(a: When, b: When) -> bool:
    """Whether two spans are one to Graph: the same wall clock in zones that it does not tell apart."""
    if isinstance(a, Timed) and isinstance(b, Timed):
        zones_agree = zones.same(a.zone, b.zone) and zones.same(a.end_zone or a.zone, b.end_zone or b.zone)
        return (a.start, a.end) == (b.start, b.end) and zones_agree
    return a == b


def content_changes(content: Content, before: Content | None) -> Json:
    """The plain fields that differ, without the span."""
    wanted = content_fields(content)
    if before is None:
        return wanted
    there = content_fields(before)
    if normalised(before.body) == normalised(content.body):  # equal words: whatever formatting stands there stays
        there["body"] = wanted["body"]
    return {name: value for name, value in wanted.items() if value != there[name]}


def occurrence_changes(content: Content, before: Content, *, only: Set[Field]) -> Json:
    """The body of a PATCH of one occurrence, as far as these fields differ."""
    names = {NAMES[field] for field in only if field in NAMES}
    fields = {name: value for name, value in content_changes(content, before).items() if name in names}
    has_moved = Field.WHEN in only and not same_when(content.when, before.when)
    return fields | on_wire(content.when) if has_moved else fields


def content_fields(content: Content) -> Json:
    """The plain fields of an event or occurrence. ``location`` replaces ``locations`` at Graph."""
    return {
        "subject": one_line(content.title),
        "body": {"contentType": "html", "content": markup.written(normalised(content.body), content.markup)},
        "location": {"displayName": one_line(content.location)},
        "showAs": SHOW_AS[content.show_as],
        "sensitivity": content.sensitivity.value,
    }


def recurrence_on_wire(event: Event) -> Json | None:
    """The rule, anchored in the event's own zone; None clears it. Raises CannotRepresent."""
    if event.recurrence is None:
        return None
    return rules.to_graph(event.recurrence, start=event.content.when)


def begun_at_first_occurrence(event: Event) -> Event:
    """A series whose start is the first start that its rule yields: Exchange has no other notion of a start.

    Everything else here expects events of this form.
    """
    if event.recurrence is None:
        return event
    return replace(event, content=replace(event.content, when=aligned(event.content.when, event.recurrence)))
