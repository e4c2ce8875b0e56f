"""Google's start and end objects as spans, occurrence keys and instance ids, and back.

What lives here: ``EventDateTime`` (``date`` xor ``dateTime`` with ``timeZone``). What does not: other fields of events.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from calsync.engine import recurrence, zones
from calsync.engine.events import AllDay, OccurrenceKey, Timed, When

_INSTANCE = re.compile(r"(.+)_(\d{8}(?:T\d{6}Z)?)")


class Unreadable(ValueError):
    """An event that cannot be understood. The text is for a person and holds nothing of the event."""


def span_of(raw: Mapping[str, Any], *, zone: str) -> When:
    """Start and end of an event. ``zone`` (IANA) stands in where the event names none, as in the API's own reading.

    ``end`` is exclusive; in old data it may be missing or, for whole days, equal to the start. Raises Unreadable.
    """
    start, end = _object(raw, "start"), _object(raw, "end")
    if start.get("date"):
        return _days(_date(start["date"]), _date(end.get("date") or start["date"]))
    begins, own_zone = _moment(start, zone)
    ends, end_zone = _moment(end, own_zone) if end.get("dateTime") else (begins, own_zone)
    if zones.to_instant(ends, end_zone) < zones.to_instant(begins, own_zone):
        return _across_the_doubled_hour(start, end)
    if zones.same(own_zone, end_zone):
        return Timed(begins, zones.to_wall(zones.to_instant(ends, end_zone), own_zone), own_zone)
    return Timed(begins, ends, own_zone, end_zone)


def _across_the_doubled_hour(start: Mapping[str, Any], end: Mapping[str, Any]) -> Timed:
    """A span whose wall clock runs backwards because the clocks went back within it: told in UTC."""
    begins, ends = parsed(start.get("dateTime")), parsed(end.get("dateTime"))
    if begins is None or ends is None or begins.tzinfo is None or ends.tzinfo is None or ends < begins:
        raise Unreadable("The event ends before it starts.")
    return Timed(zones.to_wall(begins, "Etc/UTC"), zones.to_wall(ends, "Etc/UTC"), "Etc/UTC")


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def _days(start: date, end: date) -> AllDay:
    return AllDay(start, end if end > start else start + timedelta(days=1))


def _date(text: Any) -> date:  # Any: whatever the wire holds
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        raise Unreadable("The event has a date that cannot be read.") from None


def _moment(value: Mapping[str, Any], fallback: str) -> tuple[datetime, str]:
    """Wall clock time in the zone that the event names, else in ``fallback``; and that zone.

    The offset of a read is that of the calendar's zone, not of the event's: only the instant counts.
    """
    at = parsed(value.get("dateTime"))
    if at is None:
        raise Unreadable("The event has a time that cannot be read.")
    named = str(value.get("timeZone") or "")
    zone = zones.to_iana(named) if named else fallback
    if zone is None and at.tzinfo is None:
        raise Unreadable("The event names a time zone that is not known.")
    zone = zone or fallback
    return (zones.to_wall(at, zone) if at.tzinfo else at).replace(microsecond=0, fold=0), zone


def parsed(text: Any) -> datetime | None:  # Any: whatever the wire holds
    """An RFC 3339 time, aware when it has an offset; None when there is none or it cannot be read."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def stamp(text: Any) -> datetime | None:  # Any: whatever the wire holds
    """A stamp such as ``updated`` as aware UTC."""
    at = parsed(text)
    return at.astimezone(UTC) if at is not None and at.tzinfo else None


def to_wire(when: When, *, was: When | None = None) -> dict[str, dict[str, str | None]]:
    """``start`` and ``end`` for a write. ``was`` is what is there now, as far as the caller knows; given for a PATCH.

    A PATCH merges objects, and start and end with both forms set are refused: the other form's keys are always cleared,
    since the caller may know only that the time differs, not of which kind it is. ``timeZone`` always goes along:
    recurring events need it.
    """
    patches = was is not None
    if isinstance(when, AllDay):
        none: dict[str, str | None] = {"dateTime": None, "timeZone": None} if patches else {}
        return {"start": {"date": when.start.isoformat(), **none}, "end": {"date": when.end.isoformat(), **none}}
    none = {"date": None} if patches else {}
    return {
        "start": {"dateTime": when.start.isoformat(timespec="seconds"), "timeZone": _iana(when.zone), **none},
        "end": {
            "dateTime": when.end.isoformat(timespec="seconds"),
            "timeZone": _iana(when.end_zone or when.zone),
            **none,
        },
    }


def _iana(zone: str) -> str:
    return zones.to_iana(zone) or zone


def instants(when: When, *, zone: str) -> tuple[datetime, datetime]:
    """Start and end as aware UTC; whole days are read in ``zone``."""
    if isinstance(when, Timed):
        return zones.to_instant(when.start, when.zone), zones.to_instant(when.end, when.end_zone or when.zone)
    start, end = (datetime(day.year, day.month, day.day) for day in (when.start, when.end))  # noqa: DTZ001  (wall time)
    return zones.to_instant(start, zone), zones.to_instant(end, zone)


def at_least(when: When, *, minutes: int) -> When:
    """A span that is not shorter than ``minutes``: Google refuses empty ones (``timeRangeEmpty``)."""
    if isinstance(when, AllDay):
        return _days(when.start, when.end)
    start, end = instants(when, zone="UTC")
    if end - start >= timedelta(minutes=minutes):
        return when
    return replace(when, end=when.start + timedelta(minutes=minutes), end_zone=None)


# --- occurrences ------------------------------------------------------------------------------------------


def key_of_original(original: Mapping[str, Any], *, series: When) -> OccurrenceKey | None:
    """The key of an instance by its ``originalStartTime``, told in the zone of its series; None when it cannot be one.

    A date in a timed series, or a time in one of whole days, is left from before the series changed its kind.
    """
    if bool(original.get("date")) != isinstance(series, AllDay):
        return None
    try:
        if original.get("date"):
            return recurrence.key_of(_date(original["date"]))
        at, zone = _moment(original, series.zone if isinstance(series, Timed) else "UTC")
    except Unreadable:
        return None
    return recurrence.key_at(zones.to_instant(at, zone), start=series)


def split_instance_id(remote_id: str) -> tuple[str, str] | None:
    """``<master>_<original start>`` taken apart; None for ids of another form. A fallback for bare tombstones."""
    found = _INSTANCE.fullmatch(remote_id)
    return (found.group(1), found.group(2)) if found else None


def original_of_suffix(suffix: str) -> dict[str, str]:
    """The suffix of an instance id as an ``originalStartTime`` (timed ones are UTC)."""
    day = f"{suffix[:4]}-{suffix[4:6]}-{suffix[6:8]}"
    if len(suffix) == 8:
        return {"date": day}
    return {"dateTime": f"{day}T{suffix[9:11]}:{suffix[11:13]}:{suffix[13:15]}+00:00"}


def instance_id(master_id: str, key: OccurrenceKey, *, series: When) -> str:
    """The id of one occurrence: the original start in UTC, or its date. (Tails of a split in Google's own screens
    may use another base: see ``series.Located``.)"""
    start = recurrence.occurrence_when(series, key)
    if isinstance(start, AllDay):
        return f"{master_id}_{start.start:%Y%m%d}"
    return f"{master_id}_{zones.to_instant(start.start, start.zone):%Y%m%dT%H%M%SZ}"


def original_start(key: OccurrenceKey, *, series: When) -> str:
    """``originalStart`` of ``events.instances``: a date, or RFC 3339 with an offset."""
    start = recurrence.occurrence_when(series, key)
    if isinstance(start, AllDay):
        return start.start.isoformat()
    return zones.to_instant(start.start, start.zone).isoformat(timespec="seconds")
