"""Masking: what of an event a copy shows under its treatment, occurrence by occurrence.

What lives here: which fields travel, what stands in place of those that do not, and the stored form of a treatment.
What does not: which treatment holds (``rules``), what a platform can show (``transform``).

It fails closed: whatever is not understood is shown as "Busy". An exception is masked by itself, so that its own
title, text or place never shows through a masked series.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calsync.engine.events import Content, Event, Field, FieldValue, OccurrenceKey, ShowAs
from calsync.engine.inherit import without_redundant
from calsync.engine.policy import ConflictPolicy, DeletePolicy
from calsync.engine.treatment import Detail, Details, Leaving, Passage, Treatment

BUSY_TITLE = "Busy"
BUSY_ONLY = Details(level=Detail.BUSY)

_ALWAYS = frozenset({Field.WHEN, Field.RECURRENCE, Field.SENSITIVITY})
"""Times, and the wish for privacy: a copy of a private event stays private."""

_EVERYTHING = frozenset(Field)
_PLACEHOLDER = re.compile(r"\{(title|organizer|show_as)\}")

Json = Any  # what json.dumps takes: ``load`` trusts nothing of it


def fields_sent(details: Details) -> frozenset[Field]:
    """The fields that a copy shows as the event has them; what is edited in others never comes back."""
    sent = _allowed(details)
    return sent - {Field.TITLE} if details.title else sent


def is_masked(details: Details) -> bool:
    """Whether anything of an event does not travel."""
    return _level(details) is not Detail.FULL or bool(details.title)


def masked(event: Event, details: Details) -> Event:
    """The event as far as it travels. Guests, organiser and online meeting travel with full details only."""
    if not is_masked(details):
        return event
    exceptions = {key: _masked_override(event, key, details) for key in event.exceptions}
    shown = replace(event, content=_masked_content(event, details), exceptions=exceptions)
    if _level(details) is not Detail.FULL:
        shown = replace(shown, guests=(), organizer="", organizes=True, join="", kind="default", pinned=frozenset())
    return without_redundant(shown)


def dump(treatment: Treatment) -> dict[str, Json]:
    """A treatment as JSON-safe data; empty for the one that lets everything travel."""
    if treatment == Treatment():
        return {}
    return {
        "passage": treatment.passage.value,
        "level": treatment.details.level.value,
        "fields": sorted(name.value for name in treatment.details.fields),
        "title": treatment.details.title,
        "conflict": treatment.conflict.value if treatment.conflict else None,
        "on_delete": treatment.on_delete.value if treatment.on_delete else None,
        "leaving": treatment.leaving.value,
        "approver": treatment.approver,
        "priority": treatment.priority,
        "horizon_days": treatment.horizon_days,
        "pinned_zone": treatment.pinned_zone,
        "rule": treatment.rule,
    }


def load(data: object) -> Treatment:
    """The treatment that ``dump`` stored; one that shows "Busy" only where the data cannot be read."""
    if data == {}:
        return Treatment()
    try:
        return _load(data)  # type: ignore[arg-type]  # whatever it is: what does not fit is refused
    except (KeyError, TypeError, ValueError, AttributeError):
        return Treatment(details=BUSY_ONLY)


# --- inside -----------------------------------------------------------------------------------------------


def _load(data: Mapping[str, Json]) -> Treatment:
    return Treatment(
        passage=Passage(data["passage"]),
        details=Details(Detail(data["level"]), frozenset(map(Field, data["fields"])), str(data["title"])),
        conflict=ConflictPolicy(data["conflict"]) if data["conflict"] else None,
        on_delete=DeletePolicy(data["on_delete"]) if data["on_delete"] else None,
        leaving=Leaving(data["leaving"]),
        approver=str(data["approver"]),
        priority=int(data["priority"]),
        horizon_days=None if data["horizon_days"] is None else int(data["horizon_days"]),
        pinned_zone=str(data["pinned_zone"]),
        rule=str(data["rule"]),
    )


def _level(details: Details) -> Detail:
    """The level, or the closest one where it is none that we know."""
    return details.level if details.level in set(Detail) else Detail.BUSY


def _allowed(details: Details) -> frozenset[Field]:
    """The fields whose values may travel, before a title template takes the title's place."""
    match _level(details):
        case Detail.FULL:
            return _EVERYTHING
        case Detail.TITLE:
            return _ALWAYS | {Field.TITLE, Field.SHOW_AS}
        case Detail.CHOSEN:
            return _ALWAYS | (details.fields & _EVERYTHING)
    return _ALWAYS


def _masked_content(event: Event, details: Details) -> Content:
    content, allowed = event.content, _allowed(details)
    return replace(
        content,
        title=_title(content.title, content.show_as, event, details),
        body=content.body if Field.BODY in allowed else "",
        markup=content.markup if Field.BODY in allowed else "",
        location=content.location if Field.LOCATION in allowed else "",
        show_as=_show_as(content.show_as, details),
    )


def _masked_override(event: Event, key: OccurrenceKey, details: Details) -> dict[Field, FieldValue]:
    """One exception. Its title is made anew even if only its weight is its own, because a template may name that."""
    own, sent = event.exceptions[key], fields_sent(details)
    title = str(own.get(Field.TITLE, event.content.title))
    weight = own.get(Field.SHOW_AS)
    show_as = weight if isinstance(weight, ShowAs) else event.content.show_as
    kept: dict[Field, FieldValue] = {field: value for field, value in own.items() if field in sent}
    if Field.SHOW_AS in own:
        kept[Field.SHOW_AS] = _show_as(show_as, details)
    return {**kept, Field.TITLE: _title(title, show_as, event, details)}


def _show_as(level: ShowAs, details: Details) -> ShowAs:
    """Where the weight does not travel, whether somebody is free still does."""
    if Field.SHOW_AS in _allowed(details):
        return level
    return ShowAs.FREE if level is ShowAs.FREE else ShowAs.BUSY


def _title(title: str, show_as: ShowAs, event: Event, details: Details) -> str:
    allowed = _allowed(details)
    own = title if Field.TITLE in allowed else ""
    if not details.title:
        return own if Field.TITLE in allowed else BUSY_TITLE
    named = {
        "title": own,
        "organizer": event.organizer if _level(details) is Detail.FULL else "",
        "show_as": show_as.value if Field.SHOW_AS in allowed else "",
    }
    return _PLACEHOLDER.sub(lambda found: named[found[1]], details.title).strip() or BUSY_TITLE
