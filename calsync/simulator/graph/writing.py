"""How events change: create, update and delete of singles, series and single occurrences, with Exchange's refusals.

Works on records only. Sequence numbers, indexes, mails and notifications are the store's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from calsync.simulator.core import Switches
from calsync.simulator.graph import fields
from calsync.simulator.graph.errors import GraphError, Json, invalid_request, property_failure, unreadable_body
from calsync.simulator.graph.moments import Moment, check_span, in_zone, read_moment
from calsync.simulator.graph.records import Event, Exceptional
from calsync.simulator.graph.recurrence import Series, canonical, no_occurrence
from calsync.simulator.graph.zones import same_zone


@dataclass(frozen=True, slots=True)
class Change:
    """What a request's body asks for. ``recurrence`` counts only when ``names_recurrence``."""

    props: Json
    start: Moment | None
    end: Moment | None
    all_day: bool | None
    names_recurrence: bool
    recurrence: Any  # the client's word, checked once the start is known
    extended: dict[str, str]
    transaction_id: str | None

    @property
    def moves(self) -> bool:
        """Whether times are part of it."""
        return self.start is not None or self.end is not None or self.all_day is not None


@dataclass(frozen=True, slots=True)
class Shape:
    """When an event happens."""

    start: Moment
    end: Moment
    all_day: bool
    recurrence: Json | None
    series: Series | None


def read_change(body: Any) -> Change:
    """The body of a create or update; raises GraphError when a property is unknown or malformed."""
    if not isinstance(body, dict):
        raise unreadable_body("The request body is not a JSON object.")
    all_day, key = body.get("isAllDay"), body.get("transactionId")
    if all_day is not None and not isinstance(all_day, bool):
        raise unreadable_body("Cannot convert a value of 'isAllDay' to the expected type 'Edm.Boolean'.")
    if key is not None and not isinstance(key, str):
        raise unreadable_body("Cannot convert a value of 'transactionId' to the expected type 'Edm.String'.")
    extended = body.get("singleValueExtendedProperties")
    return Change(
        props=fields.read_properties(body),
        start=read_moment(body["start"], "start") if body.get("start") is not None else None,
        end=read_moment(body["end"], "end") if body.get("end") is not None else None,
        all_day=all_day,
        names_recurrence="recurrence" in body,
        recurrence=body.get("recurrence"),
        extended=fields.read_extended(extended) if extended is not None else {},
        transaction_id=key,
    )


# --- shapes -----------------------------------------------------------------------------------------------


def shape_of_new(change: Change, switches: Switches) -> Shape:
    """The shape of an event that is created."""
    if change.start is None or change.end is None:
        raise invalid_request(f"Missing parameters: Event.{'Start' if change.start is None else 'End'}")
    start, end = _anchored(change.start, change.end, all_day=bool(change.all_day), switches=switches)
    return _shaped(start, end, all_day=bool(change.all_day), recurrence=change.recurrence)


def shape_of_update(event: Event, change: Change, switches: Switches) -> Shape:
    """The shape of an event after an update; the same one when nothing in it changes."""
    if not change.moves and not change.names_recurrence:
        return Shape(event.start, event.end, event.props["isAllDay"], event.recurrence, event.series)
    _check_all_day_has_times(event.props, change)
    all_day = event.props["isAllDay"] if change.all_day is None else change.all_day
    start, end = change.start or event.start, change.end or event.end
    start, end = _anchored(start, end, all_day=all_day, switches=switches)
    if change.names_recurrence:
        return _shaped(start, end, all_day=all_day, recurrence=change.recurrence)
    if event.recurrence is not None and not same_zone(start.named, event.start.named):
        raise property_failure()  # a master's zone moves only together with its recurrence
    return _shaped(start, end, all_day=all_day, recurrence=_rebased(event.recurrence, start))


def _rebased(recurrence: Json | None, start: Moment) -> Json | None:
    """The recurrence for a series whose start is patched alone: its range begins on the new day."""
    if recurrence is None:
        return None
    span = {**recurrence["range"], "startDate": start.wall.date().isoformat(), "recurrenceTimeZone": start.named}
    return {"pattern": recurrence["pattern"], "range": span}


def _anchored(start: Moment, end: Moment, *, all_day: bool, switches: Switches) -> tuple[Moment, Moment]:
    check_span(start, end, all_day=all_day)
    if all_day and not switches.graph_all_day_keeps_zone:  # whatever zone was sent, Exchange stores UTC midnights
        return Moment(start.wall, "UTC", "UTC"), Moment(end.wall, "UTC", "UTC")
    return start, end


def _shaped(start: Moment, end: Moment, *, all_day: bool, recurrence: Any) -> Shape:
    if recurrence is None:
        return Shape(start, end, all_day, None, None)
    if all_day:
        recurrence = _without_zone(recurrence)
    filled = canonical(recurrence, start)
    series = Series(filled, start.wall)
    first = series.first()
    if first is None:
        raise no_occurrence()
    gap, length = series.smallest_gap(), end.utc - start.utc
    if gap is not None and length > gap:
        raise GraphError(400, "ErrorOccurrenceTimeSpanTooBig", "The duration of an occurrence is longer than the gap.")
    if first != start.wall:  # Exchange begins at the first match of the pattern
        filled["range"]["startDate"] = first.date().isoformat()
        start, end = start.at(first), end.at(first + (end.wall - start.wall))
    return Shape(start, end, all_day, filled, series)


def _without_zone(recurrence: Any) -> Any:
    """An all-day series is re-anchored in UTC, so the zone that came with it no longer binds."""
    if isinstance(recurrence, dict) and isinstance(recurrence.get("range"), dict):
        return {**recurrence, "range": {**recurrence["range"], "recurrenceTimeZone": ""}}
    return recurrence


def _check_all_day_has_times(props: Json, change: Change) -> None:
    if change.all_day is None or change.all_day == props["isAllDay"]:
        return
    for name, moment in (("Start", change.start), ("End", change.end)):
        if moment is None:
            raise invalid_request(f"Missing parameters: Event.{name}")


# --- applying ---------------------------------------------------------------------------------------------


def apply_update(event: Event, change: Change, switches: Switches) -> None:
    """Update a single event or a master. A new shape drops every exception and restores deleted occurrences."""
    shape = shape_of_update(event, change, switches)
    reshaped = _differs(event, shape)
    props = _kept_statuses(event.props, change.props)
    event.props = _with_meeting(event.props | props | {"isAllDay": shape.all_day}, event.id, wrote_body="body" in props)
    event.extended = event.extended | change.extended
    if reshaped:
        event.start, event.end = shape.start, shape.end
        event.recurrence, event.series = shape.recurrence, shape.series
        _settle_exceptions(event, switches)


def _differs(event: Event, shape: Shape) -> bool:
    was = (event.start.wall, event.end.wall, event.props["isAllDay"], _bare(event.recurrence))
    now = (shape.start.wall, shape.end.wall, shape.all_day, _bare(shape.recurrence))
    zones = (event.start.named, event.end.named) == (shape.start.named, shape.end.named)
    alike = same_zone(event.start.named, shape.start.named) and same_zone(event.end.named, shape.end.named)
    return was != now or not (zones or alike)


def _bare(recurrence: Json | None) -> Any:
    if recurrence is None:
        return None
    span = {name: value for name, value in recurrence["range"].items() if name != "recurrenceTimeZone"}
    return recurrence["pattern"], span


def _settle_exceptions(event: Event, switches: Switches) -> None:
    if switches.graph_reshape_wipes_exceptions or event.series is None:
        event.exceptions, event.cancelled = {}, set()
        return
    alive = {on for on in (*event.exceptions, *event.cancelled) if event.series.on(on) is not None}
    event.exceptions = {on: own for on, own in event.exceptions.items() if on in alive}
    event.cancelled &= alive


def _kept_statuses(props: Json, wanted: Json) -> Json:
    """Attendees who stay keep their answers: a status that a client writes is ignored."""
    if "attendees" not in wanted:
        return wanted
    known = {one["emailAddress"]["address"].lower(): one["status"] for one in props["attendees"]}
    kept = [
        one | {"status": known.get(one["emailAddress"]["address"].lower(), one["status"])}
        for one in wanted["attendees"]
    ]
    return wanted | {"attendees": kept}


def _with_meeting(props: Json, seed: str, *, wrote_body: bool) -> Json:
    """The join block lives in the body: asking for a meeting adds it, a body written without it ends the meeting."""
    link = props["onlineMeeting"]["joinUrl"] if props["onlineMeeting"] else ""
    if link and wrote_body and link not in props["body"]:
        return props | {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
    if link or not props["isOnlineMeeting"]:
        return props | {"isOnlineMeeting": bool(link)}
    link = f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{seed[-16:].strip('=')}%40thread.v2/0"
    block = f'<div class="me-email-text"><a href="{link}">Join the meeting now</a></div>'
    online = {"joinUrl": link}
    return props | {"onlineMeetingProvider": "teamsForBusiness", "onlineMeeting": online, "body": props["body"] + block}


def apply_create(props: Json, change: Change, *, seed: str) -> Json:
    """The simple properties of a new event."""
    return _with_meeting(props | change.props | {"isAllDay": bool(change.all_day)}, seed, wrote_body=False)


def apply_to_instance(event: Event, on: date, change: Change, switches: Switches) -> None:
    """Update one occurrence: it becomes (or stays) an exception."""
    if change.names_recurrence and change.recurrence is not None:
        raise invalid_request("The Recurrence property cannot be set on an occurrence of a series.")
    values, own = event.values(on), event.exceptions.get(on, Exceptional())
    start, end = own.start, own.end
    props = own.props | _kept_statuses(values, change.props)
    if change.moves:
        _check_all_day_has_times(values, change)
        all_day = values["isAllDay"] if change.all_day is None else change.all_day
        current = event.span(on)
        start, end = change.start or current[0], change.end or current[1]
        start, end = _anchored(start, end, all_day=all_day, switches=switches)
        if (start.utc, end.utc) != (current[0].utc, current[1].utc):
            _check_neighbours(event, on, start, end)
        props = props | {"isAllDay": all_day}
    event.exceptions[on] = replace(own, props=props, start=start, end=end, extended=own.extended | change.extended)


def _check_neighbours(event: Event, on: date, start: Moment, end: Moment) -> None:
    """An exception may not reach the day of the occurrence before or after it."""
    zone = event.start.zone
    day, ends = in_zone(start.utc, zone).date(), in_zone(end.utc, zone)
    before, after = _neighbour(event, on, -1), _neighbour(event, on, +1)
    crosses = (
        (before is not None and day <= before.date())
        or (after is not None and day >= after.date())
        or (after is not None and ends > after)
    )
    if crosses:
        message = "Modified occurrence is crossing or overlapping adjacent occurrence."
        raise GraphError(400, "ErrorOccurrenceCrossingBoundary", message)


def _neighbour(event: Event, on: date, step: int) -> datetime | None:
    """Where the next remaining occurrence in one direction begins, wall clock of the series."""
    if event.series is None:
        return None
    before, after = event.series.neighbours(event.original_start(on))
    for start in reversed(before) if step < 0 else after:
        if start.date() not in event.cancelled:
            return in_zone(event.span(start.date())[0].utc, event.start.zone)
    return None


def cancel_occurrence(event: Event, on: date) -> None:
    """Delete one occurrence; whatever it had of its own goes with it."""
    event.exceptions.pop(on, None)
    event.cancelled.add(on)
