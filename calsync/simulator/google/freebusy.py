"""freeBusy.query: merged busy times; free, declined and deleted events do not count. Partial failure inside 200."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from calsync.simulator.google import expansion
from calsync.simulator.google.errors import Refusal, invalid, required, time_range_empty
from calsync.simulator.google.moments import instant_text, parse_instant, zone_info
from calsync.simulator.google.records import Calendar, Fields, Record

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore

LARGEST_EXPANSION = 50


def answer(store: GoogleStore, asked: Fields, *, caller: str) -> Fields:
    """The busy times of the calendars asked for, keyed by the id as asked."""
    if not asked.get("timeMin") or not asked.get("timeMax"):
        raise required("Missing timeMin parameter." if not asked.get("timeMin") else "Missing timeMax parameter.")
    low, high = (parse_instant(asked[name], parameter=name) for name in ("timeMin", "timeMax"))
    if low >= high:
        raise time_range_empty()
    zone = zone_info(asked.get("timeZone") or "UTC")
    if zone is None:
        raise invalid("Invalid time zone.")
    wanted = [str(item.get("id", "")) for item in asked.get("items") or []]
    if len(wanted) > int(asked.get("calendarExpansionMax") or len(wanted) or 1):
        raise Refusal(400, "tooManyCalendarsRequested", "Too many calendars requested.", domain="calendar")
    return {
        "kind": "calendar#freeBusy",
        "timeMin": f"{low.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
        "timeMax": f"{high.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
        "calendars": {name: _calendar(store, name, caller, low, high, zone) for name in wanted},
    }


def _calendar(
    store: GoogleStore, name: str, caller: str, low: datetime, high: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """One calendar's part: the whole domain may see anybody's busy times."""
    calendar = store.calendars.get(caller if name == "primary" else name) or store.calendars.get(name.lower())
    if calendar is None:
        return {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
    spans = [{"start": instant_text(a, zone), "end": instant_text(b, zone)} for a, b in busy(calendar, low, high)]
    return {"busy": spans}


def busy(calendar: Calendar, low: datetime, high: datetime) -> list[tuple[datetime, datetime]]:
    """Merged busy spans inside the window, in order."""
    spans = sorted(_clipped(calendar, record, low, high) for record in _weighing(calendar, low, high))
    merged: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _clipped(calendar: Calendar, record: Record, low: datetime, high: datetime) -> tuple[datetime, datetime]:
    return max(record.start.at(calendar.zone), low), min(record.end.at(calendar.zone), high)


def _weighing(calendar: Calendar, low: datetime, high: datetime) -> Iterator[Record]:
    for record in calendar.rows:
        if record.cancelled or record.master is not None:
            continue
        if record.recurring:
            found = expansion.occurrences(calendar, record, low, high)
            yield from (item for item in found if _weighs(calendar, item))
        elif expansion.meets(record, low, high, calendar.zone) and _weighs(calendar, record):
            yield record


def _weighs(calendar: Calendar, record: Record) -> bool:
    fields = record.effective
    own = [g for g in fields.get("attendees", []) if g["email"].lower() == calendar.id.lower()]
    declined = bool(own) and own[0].get("responseStatus") == "declined"
    return fields.get("transparency", "opaque") == "opaque" and not declined
