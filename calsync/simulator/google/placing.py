"""Putting a checked draft in the place of a record: what an occurrence keeps, which exceptions a series sweeps away."""

from __future__ import annotations

from dataclasses import dataclass

from calsync.simulator.google.moments import Moment
from calsync.simulator.google.records import Calendar, Fields, Record

STRICTNESS = {"public": 0, "default": 1, "private": 2, "confidential": 3}


@dataclass(frozen=True, slots=True)
class Options:
    """How a write was asked for. ``by_person``: by hand in the web pages; ``send_updates``: all, externalOnly, none."""

    by_person: bool = False
    send_updates: str = "none"
    conference_version: int = 0
    supports_attachments: bool = False
    if_match: str = ""


@dataclass(slots=True)
class Draft:
    """What a record shall become."""

    fields: Fields
    start: Moment
    end: Moment


def put(calendar: Calendar, record: Record, draft: Draft) -> list[Record]:
    """Store the draft; an occurrence keeps only what differs. Returns exceptions that the series swept away."""
    reshaped = record.master is None and (
        draft.start != record.start or draft.fields.get("recurrence") != record.fields.get("recurrence")
    )
    if record.master is not None:
        draft.fields = _spread_visibility(record, draft.fields)
    record.start, record.end = draft.start, draft.end
    record.fields = draft.fields if record.master is None else differing(record.master, draft.fields)
    if calendar.records.get(record.id) is not record:
        calendar.add(record)
    return sweep(calendar, record) if reshaped else []


def differing(master: Record, wanted: Fields) -> Fields:
    """The fields of an occurrence that its master does not have in the same way; None marks an absence."""
    inherited = {key: value for key, value in master.fields.items() if key != "recurrence"}
    keys = inherited.keys() | wanted.keys()
    return {key: wanted.get(key) for key in keys if wanted.get(key) != inherited.get(key)}


def _spread_visibility(record: Record, wanted: Fields) -> Fields:
    """A stricter visibility on one occurrence holds for all of them; a laxer one is ignored (reference page)."""
    if record.master is None:
        return wanted
    asked = wanted.get("visibility", "default")
    if STRICTNESS[asked] > STRICTNESS[record.master.fields.get("visibility", "default")]:
        record.master.fields["visibility"] = asked
    spread = record.master.fields.get("visibility")
    rest = {key: value for key, value in wanted.items() if key != "visibility"}
    return rest | ({"visibility": spread} if spread else {})


def sweep(calendar: Calendar, master: Record) -> list[Record]:
    """Drop the exceptions whose original start the series no longer has."""
    series = master.series() if master.recurring else None
    swept = []
    for child in calendar.exceptions(master):
        original = child.original
        kept = series is not None and original is not None and original.all_day == master.start.all_day
        if original is None or not kept or not series or not series.yields(original.in_zone(master.start.zone).wall()):
            child.swept = True
            swept.append(child)
    return swept
