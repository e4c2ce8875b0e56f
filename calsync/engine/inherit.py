"""What an exception inherits from its master, and the normal form in which it overrides only what differs.

What lives here: inherited values, and dropping overrides that say nothing new. What does not: reading occurrences from
a provider (``occurrences``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from calsync.engine.events import Content, Event, Field, FieldValue, OccurrenceKey, Override, When
from calsync.engine.fingerprint import CONTENT_FIELDS, CONTENT_PATHS, text_of
from calsync.engine.recurrence import occurrence_when

FieldMap = Callable[[Field, FieldValue], FieldValue]


def inherited(master: Content, key: OccurrenceKey, field: Field) -> FieldValue | None:
    """The value that a regular occurrence has; None for the span of a key that does not fit the series' kind."""
    if field is not Field.WHEN:
        value: FieldValue = getattr(master, field.value)
        return value
    try:
        return occurrence_when(master.when, key)
    except ValueError:
        return None


def says_nothing(master: Content, key: OccurrenceKey, field: Field, value: FieldValue) -> bool:
    """Whether an overridden field has the value that the occurrence would inherit anyway."""
    regular = inherited(master, key, field)
    return regular is not None and _told(regular, master.when) == _told(value, master.when)


def without_redundant(event: Event) -> Event:
    """The event without overrides that say nothing, and without exceptions that are empty or cancelled."""
    exceptions = {
        key: kept
        for key, override in event.exceptions.items()
        if key not in event.cancelled and (kept := _telling(event.content, key, override))
    }
    return event if exceptions == event.exceptions else replace(event, exceptions=exceptions)


def map_fields(event: Event, convert: FieldMap) -> Event:
    """The event with ``convert`` applied to every synced field of the master and of its exceptions, in normal form."""
    exceptions: Mapping[OccurrenceKey, Override] = {
        key: {field: convert(field, value) for field, value in override.items()}
        for key, override in event.exceptions.items()
    }
    return without_redundant(replace(event, content=_map_content(event.content, convert), exceptions=exceptions))


def _map_content(content: Content, convert: FieldMap) -> Content:
    values = {name: getattr(content, name) for name in CONTENT_PATHS}
    converted = {name: convert(field, values[name]) for name, field in zip(CONTENT_PATHS, CONTENT_FIELDS, strict=True)}
    return content if converted == values else replace(content, **converted)  # type: ignore[arg-type]  # own types each


def _telling(master: Content, key: OccurrenceKey, override: Override) -> dict[Field, FieldValue]:
    return {field: value for field, value in override.items() if not says_nothing(master, key, field, value)}


def _told(value: FieldValue, start: When) -> str:
    return text_of(value, start=start, told_in_series_zone=True)
