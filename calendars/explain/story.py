"""The whole explanation of one event: itself, its places, its history, its findings, and what happens next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.timezones import iana_names
from calendars.choices import Decision
from calendars.explain.places import BEHIND, HELD, MISSING, PlaceStory, tell_places
from calendars.explain.scene import Scene
from calendars.models import Event, EventEntry, Finding
from calendars.sync.history import told
from calsync.engine.events import AllDay, Timed, When
from calsync.engine.findings import named
from calsync.engine.plan import FindingKind
from calsync.engine.recurrence_text import to_text

MASKED = "Its title, text, place and guests are masked."
WHAT_HELPS = {
    FindingKind.BOTH_EDITED: "The version that lost is kept: choose it in the case, or edit the event again.",
    FindingKind.COPY_EDITED: "Ask the organiser, or make the change where the meeting was made.",
    FindingKind.COPY_DELETED: "Delete the meeting where it was made, or leave it.",
    FindingKind.DELETE_AGAINST_EDIT: "Delete the event again, or leave it.",
    FindingKind.CANNOT_REPRESENT: "Change the event so that both platforms can hold it, or leave it on one side.",
    FindingKind.PART_EDITED: "Make the change in the series itself.",
}
MOST_LISTED = 20  # relatives named in one sentence
DECIDE = "Decide the case in the console."


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, or that was put before a person."""

    at: datetime
    kind: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to tell about one event. ``content`` is None unless the reader is cleared for it."""

    event: Event
    zone: str
    what: tuple[str, ...]
    content: dict[str, object] | None
    places: tuple[PlaceStory, ...]
    history: tuple[Line, ...]
    findings: tuple[Line, ...]
    coming: tuple[str, ...]

    def told(self, at: datetime) -> str:
        """A moment in the zone of the explanation."""
        return _moment(at, self.zone)


def explain_event(event: Event, *, now: datetime, cleared: bool) -> Explanation:
    """Explain one event; ``cleared`` (see ``selectors.may_see_content``) shows its content."""
    scene = Scene.load(event, now=now)
    zone = event.owner.time_zone if event.owner.time_zone in iana_names() else settings.TIME_ZONE
    places = tell_places(scene, lambda at: _moment(at, zone))
    return Explanation(
        event=event,
        zone=zone,
        what=tuple(_what(scene, zone, cleared=cleared)),
        content=_content(scene) if cleared else None,
        places=tuple(places),
        history=tuple(_history(event)),
        findings=tuple(_findings(scene)),
        coming=tuple(_coming(scene, places, zone)),
    )


def _moment(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def _what(scene: Scene, zone: str, *, cleared: bool) -> Iterator[str]:
    event, hub = scene.event, scene.hub
    what = "A series" if hub.recurrence else "A single event"
    yield f"{what}, {_span(hub.content.when)}, shown as {hub.content.show_as}."
    if hub.recurrence:
        other = f"{len(hub.exceptions)} changed and {len(hub.cancelled)} cancelled occurrences"
        yield f"It repeats by {to_text(hub.recurrence)}, with {other}."
    if hub.guests and cleared:
        whose = "its owner" if hub.organizes else "somebody else"
        yield f"A meeting, organised by {whose}; guests: {len(hub.guests)}."
    if event.whole_id is not None:
        yield f"It is a part ({event.part}) of event {event.whole_id}, which one platform cannot hold as a whole."
    parts = event.parts.filter(deleted_at__isnull=True)
    if numbers := list(parts.order_by("pk").values_list("pk", flat=True)[: MOST_LISTED + 1]):
        yield f"One platform cannot hold it as a whole; its parts are the events {_listed(numbers)}."
    if event.predecessor_id is not None:
        yield f"It goes on from event {event.predecessor_id}, by a change of this and the following occurrences."
    if successors := list(event.successors.order_by("pk").values_list("pk", flat=True)):
        yield f"Its later occurrences were split off into {_listed(successors)}."
    if event.left_alone:
        yield "It is left alone: it was there before sync was switched on with --from-now."
    if event.deleted_at is not None:
        yield f"It was deleted; noticed {_moment(event.deleted_at, zone)}."


def _listed(numbers: list[int]) -> str:
    more = ", and more" if len(numbers) > MOST_LISTED else ""
    return ", ".join(str(number) for number in numbers[:MOST_LISTED]) + more


def _span(when: When) -> str:
    match when:
        case AllDay():
            return f"all day from {when.start} to before {when.end}"
        case Timed():
            same_day = when.start.date() == when.end.date() and not when.end_zone
            end = f"{when.end:%H:%M}" if same_day else f"{when.end:%Y-%m-%d %H:%M}"
            return f"{when.start:%Y-%m-%d %H:%M} to {end} ({when.zone})"


def _content(scene: Scene) -> dict[str, object]:
    content, hub = scene.hub.content, scene.hub
    return {
        "title": content.title,
        "location": content.location,
        "body": content.body,
        "sensitivity": str(content.sensitivity),
        "organizer": hub.organizer,
        "guests": [guest.address for guest in hub.guests],
    }


def _history(event: Event) -> Iterator[Line]:
    for entry in EventEntry.objects.filter(event=event).select_related("calendar__account").order_by("at", "pk"):
        where = f" - {entry.calendar}" if entry.calendar else ""
        fields = f": {named(entry.paths)}" if entry.paths else ""
        text = f"{told(entry)}{where}{fields}. {entry.text}".strip()
        yield Line(entry.at, entry.kind, text[0].upper() + text[1:])


def _findings(scene: Scene) -> Iterator[Line]:
    held = [brake.pk for calendar_id, brake in scene.braked.items() if _is_held(scene, calendar_id)]
    concerning = Finding.objects.filter(event=scene.event) | Finding.objects.filter(pk__in=held)
    for finding in concerning.defer("values").order_by("created_at", "pk"):
        if finding.settled_at is None:
            remedy = WHAT_HELPS.get(FindingKind(finding.kind), DECIDE)
            yield Line(finding.created_at, finding.kind, f"Finding {finding.pk}, open: {finding.text}", remedy)
        else:
            how = f' by the decision "{Decision(finding.decision).label}"' if finding.decision else ""
            settled = finding.settled_at.astimezone(UTC)
            ending = f"settled{how} on {settled:%Y-%m-%d %H:%M} UTC"
            yield Line(finding.created_at, finding.kind, f"Finding {finding.pk}, {ending}: {finding.text}")


def _is_held(scene: Scene, calendar_id: int) -> bool:
    link = scene.links.get(calendar_id)
    return link is not None and link.state == "held"


def _coming(scene: Scene, places: list[PlaceStory], zone: str) -> Iterator[str]:
    for place in places:
        link = scene.standing(place.calendar) if place.calendar else None
        operation = scene.operations.get(link.pk) if link else None
        if operation is not None and operation.state != "parked":
            due = f"at {_moment(operation.due_at, zone)}" if operation.due_at > scene.now else "at its next turn"
            blocked = [reason for reason in place.reasons if reason.code in ("not_active", "switched_off", "trouble")]
            but = " - once what stands in the way is gone" if blocked else ""
            yield f"{operation.kind.capitalize()} in the {place.name}, {due}{but}."
        elif place.state == HELD:
            held = any(reason.code == "approval" for reason in place.reasons)
            yield f"The {'copy' if held else 'deletion'} in the {place.name} waits for a person. {DECIDE}"
        elif place.state in (MISSING, BEHIND):
            helps = next((reason.remedy for reason in place.reasons if reason.remedy), "")
            yield f"Nothing by itself in {_with_the(place.name)}. {helps}".strip()


def _with_the(name: str) -> str:
    return name if name.startswith("the ") else f"the {name}"
