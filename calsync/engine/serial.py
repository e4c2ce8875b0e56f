"""Events and their values as JSON-safe data and back, for storage. The round trip is exact.

What lives here: the stored form, with a version field. What does not: sealing it, or any provider's format.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    Frequency,
    Guest,
    OccurrenceKey,
    Override,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    Weekday,
    When,
)

VERSION: Final = 1

Json = Any  # what json.dumps takes: the shapes below are checked by the round trip, not by types


class UnknownForm(ValueError):
    """Stored data that this version of the program cannot read."""


def dump(event: Event) -> dict[str, Json]:
    """The event as JSON-safe data."""
    return {
        "version": VERSION,
        "content": _dump_content(event.content),
        "recurrence": None if event.recurrence is None else _dump_recurrence(event.recurrence),
        "exceptions": {key: _dump_override(event.exceptions[key]) for key in sorted(event.exceptions)},
        "cancelled": sorted(event.cancelled),
        "uid": event.uid,
        "organizer": event.organizer,
        "organizes": event.organizes,
        "guests": [_dump_guest(guest) for guest in event.guests],
        "pinned": sorted(field.value for field in event.pinned),
        "join": event.join,
        **({"categories": list(event.categories)} if event.categories else {}),
        "kind": event.kind,
    }


def load(data: Mapping[str, Json]) -> Event:
    """The event that ``dump`` stored. Raises UnknownForm when a newer program stored it."""
    if data.get("version") != VERSION:
        raise UnknownForm(f"stored event has form {data.get('version')!r}, this program reads {VERSION}")
    return Event(
        content=_load_content(data["content"]),
        recurrence=None if data["recurrence"] is None else _load_recurrence(data["recurrence"]),
        exceptions={OccurrenceKey(key): _load_override(override) for key, override in data["exceptions"].items()},
        cancelled=frozenset(OccurrenceKey(key) for key in data["cancelled"]),
        uid=data["uid"],
        organizer=data["organizer"],
        organizes=data["organizes"],
        guests=tuple(Guest(**guest) for guest in data["guests"]),
        pinned=frozenset(Field(name) for name in data["pinned"]),
        join=data.get("join", ""),  # not in what older programs stored
        categories=tuple(data.get("categories", ())),
        kind=data["kind"],
    )


def dump_value(value: object) -> Json:
    """One value of a field path (see ``fingerprint.flatten``), as findings hold it, as JSON-safe data."""
    match value:
        case None:
            return None
        case Timed() | AllDay():
            return {"when": _dump_when(value)}
        case Recurrence():
            return {"recurrence": _dump_recurrence(value)}
        case ShowAs():
            return {"show_as": value.value}
        case Sensitivity():
            return {"sensitivity": value.value}
        case str():
            return {"text": value}
    raise TypeError(f"not a synced value: {type(value).__name__}")


def load_value(data: Json) -> object:
    """The value that ``dump_value`` stored. Raises UnknownForm for any other shape."""
    match data:
        case None:
            return None
        case {"when": when}:
            return _load_when(when)
        case {"recurrence": recurrence}:
            return _load_recurrence(recurrence)
        case {"show_as": level}:
            return ShowAs(level)
        case {"sensitivity": level}:
            return Sensitivity(level)
        case {"text": str(text)}:
            return text
    raise UnknownForm("not a stored value")


def _dump_content(content: Content) -> dict[str, Json]:
    fields = {field.value: _dump_field(getattr(content, field.value)) for field in _CONTENT}
    return {**fields, "markup": content.markup} if content.markup else fields


def _load_content(data: Mapping[str, Json]) -> Content:
    fields = {field.value: _load_field(field, data[field.value]) for field in _CONTENT}
    return Content(**fields, markup=data.get("markup", ""))


def _dump_override(override: Override) -> dict[str, Json]:
    return {field.value: _dump_field(override[field]) for field in sorted(override)}


def _load_override(data: Mapping[str, Json]) -> Override:
    return {Field(name): _load_field(Field(name), value) for name, value in data.items()}


def _dump_field(value: Any) -> Json:  # any synced value of a content field
    return _dump_when(value) if isinstance(value, Timed | AllDay) else str(value)


def _load_field(field: Field, value: Json) -> Any:  # the type depends on the field
    match field:
        case Field.WHEN:
            return _load_when(value)
        case Field.SHOW_AS:
            return ShowAs(value)
        case Field.SENSITIVITY:
            return Sensitivity(value)
    return str(value)


def _dump_when(when: When) -> dict[str, Json]:
    span: dict[str, Json] = {"start": when.start.isoformat(), "end": when.end.isoformat()}
    if isinstance(when, Timed):
        span |= {"zone": when.zone, "end_zone": when.end_zone}
    return span


def _load_when(data: Mapping[str, Json]) -> When:
    if "zone" not in data:
        return AllDay(start=date.fromisoformat(data["start"]), end=date.fromisoformat(data["end"]))
    start, end = datetime.fromisoformat(data["start"]), datetime.fromisoformat(data["end"])
    return Timed(start=start, end=end, zone=data["zone"], end_zone=data["end_zone"])


def _dump_recurrence(recurrence: Recurrence) -> dict[str, Json]:
    return {"rules": [_dump_rule(rule) for rule in recurrence.rules], "extra_starts": list(recurrence.extra_starts)}


def _load_recurrence(data: Mapping[str, Json]) -> Recurrence:
    extra = tuple(OccurrenceKey(key) for key in data["extra_starts"])
    return Recurrence(rules=tuple(_load_rule(rule) for rule in data["rules"]), extra_starts=extra)


def _dump_rule(rule: Rule) -> dict[str, Json]:
    return {
        "frequency": rule.frequency.value,
        "interval": rule.interval,
        "by_day": [[ordinal, day.value] for ordinal, day in rule.by_day],
        **{name: list(getattr(rule, name)) for name in _NUMBER_LISTS},
        "week_start": rule.week_start.value,
        "count": rule.count,
        "until": None if rule.until is None else rule.until.isoformat(),
    }


def _load_rule(data: Mapping[str, Json]) -> Rule:
    return Rule(
        frequency=Frequency(data["frequency"]),
        interval=data["interval"],
        by_day=tuple((ordinal, Weekday(day)) for ordinal, day in data["by_day"]),
        **{name: tuple(data[name]) for name in _NUMBER_LISTS},
        week_start=Weekday(data["week_start"]),
        count=data["count"],
        until=None if data["until"] is None else date.fromisoformat(data["until"]),
    )


def _dump_guest(guest: Guest) -> dict[str, Json]:
    return {
        "address": guest.address,
        "name": guest.name,
        "response": guest.response,
        "optional": guest.optional,
        "resource": guest.resource,
        "partial": guest.partial,
    }


_CONTENT = tuple(field for field in Field if field is not Field.RECURRENCE)
_NUMBER_LISTS = ("by_month_day", "by_month", "by_set_pos", "by_year_day", "by_week_no")
