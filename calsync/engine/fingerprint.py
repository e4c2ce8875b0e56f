"""An event as a flat map of field paths, and one keyed hash for each of them.

Paths: ``title``, ``body``, ``location``, ``when``, ``show_as``, ``sensitivity``; ``recurrence`` for a series;
``@<occurrence key>`` (value ``cancelled``) for a cancelled occurrence; ``@<occurrence key>/<field>`` for every field
that an exception overrides. Guests, organiser and uid are not synced fields and have no path.

What lives here: flattening, canonical text, hashing. What does not: what a copy should look like (``transform``).
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from calsync.engine import recurrence as recurrences
from calsync.engine import zones
from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    FieldValue,
    OccurrenceKey,
    Recurrence,
    Sensitivity,
    ShowAs,
    Timed,
    When,
)

FingerprintMap = Mapping[str, str]

CANCELLED = "cancelled"
CONTENT_FIELDS = (Field.TITLE, Field.BODY, Field.LOCATION, Field.WHEN, Field.SHOW_AS, Field.SENSITIVITY)
CONTENT_PATHS = tuple(name.value for name in CONTENT_FIELDS)
FINGERPRINT_CHARS = 16


def key_of_path(path: str) -> OccurrenceKey | None:
    """The occurrence that a path speaks of; None for the fields of the event or master itself."""
    return OccurrenceKey(path[1:].partition("/")[0]) if path.startswith("@") else None


def field_of_path(path: str) -> str:
    """The field that a path speaks of: ``title`` for ``title`` and for ``@2026-11-22T09:00/title`` alike.

    '' for the path of a cancelled occurrence, which is no field.
    """
    return path.partition("/")[2] if path.startswith("@") else path


def flatten(event: Event) -> dict[str, object]:
    """The synced fields as path -> value. A cancelled occurrence hides an exception of the same key."""
    paths: dict[str, object] = {name: getattr(event.content, name) for name in CONTENT_PATHS}
    if event.recurrence is None:
        return paths
    paths[Field.RECURRENCE.value] = event.recurrence
    for key, override in event.exceptions.items():
        if key not in event.cancelled:
            paths.update({f"@{key}/{name.value}": value for name, value in override.items()})
    paths.update({f"@{key}": CANCELLED for key in event.cancelled})
    return paths


def unflatten(paths: Mapping[str, object], *, like: Event) -> Event:
    """The event that ``paths`` describe, with the uid, organiser, guests, pinned fields and kind of ``like``.

    A missing content field keeps the value of ``like``; without ``recurrence`` the result is a single event.
    """
    fields = {name: paths[name] for name in CONTENT_PATHS if name in paths}
    content: Content = replace(like.content, **fields)  # type: ignore[arg-type]  # own types each
    rule = paths.get(Field.RECURRENCE.value)
    if not isinstance(rule, Recurrence):
        return replace(like, content=content, recurrence=None, exceptions={}, cancelled=frozenset())
    cancelled = frozenset(key for path in paths if (key := key_of_path(path)) and not field_of_path(path))
    exceptions = _exceptions(paths, without=cancelled)
    return replace(like, content=content, recurrence=rule, exceptions=exceptions, cancelled=cancelled)


def _exceptions(
    paths: Mapping[str, object], *, without: frozenset[OccurrenceKey]
) -> dict[OccurrenceKey, dict[Field, FieldValue]]:
    found: dict[OccurrenceKey, dict[Field, FieldValue]] = {}
    for path in sorted(paths):
        key, name = key_of_path(path), field_of_path(path)
        if key is not None and name and key not in without:
            found.setdefault(key, {})[Field(name)] = paths[path]  # type: ignore[assignment]  # by the path
    return found


def texts(event: Event) -> dict[str, str]:
    """The canonical text of every path: equal texts mean that no person would see a difference.

    The span of an exception is told in the zone of its series, because providers differ in the zone they tell it in.
    """
    start = event.content.when
    return {
        path: text_of(value, start=start, told_in_series_zone=path[0] == "@") for path, value in flatten(event).items()
    }


def fingerprints(event: Event, *, key: bytes) -> dict[str, str]:
    """A keyed hash of every path (HMAC-SHA256, first 16 hex digits): tells changes without giving a title away."""
    return {path: digest(path, text, key=key) for path, text in texts(event).items()}


def digest(path: str, text: str, *, key: bytes) -> str:
    """The fingerprint of one canonical text under its path."""
    message = f"{path}\0{text}".encode()
    return hmac.digest(key, message, "sha256").hex()[:FINGERPRINT_CHARS]


def changed(now: FingerprintMap, then: FingerprintMap) -> frozenset[str]:
    """The paths that differ, appeared or vanished between two maps."""
    return frozenset(path for path in {*now, *then} if now.get(path) != then.get(path))


def alike(paths: Iterable[str], one: Mapping[str, str], other: Mapping[str, str]) -> frozenset[str]:
    """Those of ``paths`` in which two maps agree. Of an occurrence that only one of them cancels, nothing is alike."""

    def same(path: str) -> bool:
        whole = path.partition("/")[0]  # an exception's occurrence; a master's field is its own whole
        return one.get(path) == other.get(path) and one.get(whole) == other.get(whole)

    return frozenset(path for path in paths if same(path))


def normal_text(text: str) -> str:
    """Text as compared: Unicode NFC, plain line ends, no trailing blanks, no outer blank lines."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def text_of(value: object, *, start: When, told_in_series_zone: bool = False) -> str:
    """The canonical text of one value in an event or series that begins at ``start``."""
    match value:
        case Timed() if told_in_series_zone and isinstance(start, Timed):
            return when_text(_told_in(value, start.zone))
        case Timed() | AllDay():
            return when_text(value)
        case Recurrence():
            return _recurrence_text(value, start)
        case ShowAs() | Sensitivity():
            return value.value
        case str():
            return normal_text(value).strip()
    raise TypeError(f"not a synced value: {type(value).__name__}")


@lru_cache(maxsize=4096)
def _recurrence_text(recurrence: Recurrence, start: When) -> str:
    return recurrences.to_text(recurrences.normal_form(recurrence, start=start))


def when_text(when: When) -> str:
    """A span as canonical text: wall clock in one representative zone; the end is told in the start's zone."""
    if isinstance(when, AllDay):
        return f"days {when.start.isoformat()} {when.end.isoformat()}"
    return f"timed {when.start.isoformat()} {_end_in_start_zone(when).isoformat()} {zones.canonical(when.zone)}"


def _end_in_start_zone(when: Timed) -> datetime:
    if when.end_zone is None or zones.same(when.end_zone, when.zone):
        return when.end
    return zones.to_wall(zones.to_instant(when.end, when.end_zone), when.zone)


def _told_in(when: Timed, zone: str) -> Timed:
    if zones.same(when.zone, zone):
        return when
    start, end = instants(when)
    return Timed(start=zones.to_wall(start, zone), end=zones.to_wall(end, zone), zone=zone)


def instants(when: Timed) -> tuple[datetime, datetime]:
    """Start and end as aware UTC."""
    return zones.to_instant(when.start, when.zone), zones.to_instant(when.end, when.end_zone or when.zone)
