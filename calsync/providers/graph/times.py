"""Times on the wire: ``dateTimeTimeZone`` objects and stamps, from and to wall clock time plus IANA zone.

What lives here: Graph projects start and end to UTC and names the event's own zone beside them; all-day events are
midnights that must be read as dates. What does not: which fields make an event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from calsync.engine import zones
from calsync.engine.events import AllDay, OccurrenceKey, Timed, When
from calsync.engine.recurrence import key_of
from calsync.providers.graph.client import Json

EARLIEST, LATEST = datetime(1601, 1, 2, tzinfo=UTC), datetime(4500, 9, 1, tzinfo=UTC)
"""Exchange's calendar; the sentinels 0001-01-01 (unset) and 9999-12-31 (no end) lie outside."""

STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(?:\.(\d+))?)?\s*(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE
)


class Malformed(ValueError):
    """An event that cannot be understood. The text is for a person and holds nothing of the event's content."""


def parsed(text: object) -> datetime:
    """A date-time with any number of fractional digits; aware when it names an offset, else naive. Raises Malformed."""
    match = STAMP.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise Malformed("A date or time is missing or not in ISO form.")
    day, clock, fraction, offset = match.groups()
    micro = f".{fraction[:6]:0<6}" if fraction else ""
    try:
        return datetime.fromisoformat(f"{day}T{clock or '00:00'}{micro if clock else ''}{(offset or '').upper()}")
    except ValueError as error:
        raise Malformed("A date or time is out of range.") from error


def stamp(text: object) -> datetime | None:
    """An instant such as ``lastModifiedDateTime`` (UTC when it names no offset); None when absent or unset."""
    if not text:
        return None
    value = parsed(text)
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    return value.astimezone(UTC) if value.year > EARLIEST.year else None


def instant(value: object) -> datetime:
    """Aware UTC of a ``dateTimeTimeZone``, to the second; an offset within the time goes before the zone.

    Raises Malformed.
    """
    if not isinstance(value, dict):
        raise Malformed("The start or the end is missing.")
    wall = parsed(value.get("dateTime")).replace(microsecond=0)
    if wall.year <= EARLIEST.year:
        raise Malformed("The start or the end is not set.")
    if wall.year >= LATEST.year:
        return LATEST
    if wall.tzinfo:
        return wall.astimezone(UTC)
    zone = value.get("timeZone") or "UTC"
    try:
        return zones.to_instant(wall, str(zone))
    except zones.UnknownZone as error:
        raise Malformed("The start or the end is in an unknown time zone.") from error


def usable_zone(names: Iterable[object]) -> str | None:
    """The first of several zone names that is known, as an IANA name."""
    return next((iana for name in names if isinstance(name, str) and name and (iana := zones.to_iana(name))), None)


def own_zones(raw: Json, fallback: str) -> tuple[str, str]:
    """The zones that an event's start and end are anchored in. ``fallback`` serves legacy zones without rules.

    A series expands in ``recurrenceTimeZone``, which may be empty or unusable in old series.
    """
    recurrence = raw.get("recurrence") or {}
    bounds = recurrence.get("range") or {} if isinstance(recurrence, dict) else {}
    anchor, start_zone = bounds.get("recurrenceTimeZone"), raw.get("originalStartTimeZone")
    if isinstance(anchor, str) and isinstance(start_zone, str) and zones.same(anchor, start_zone):
        anchor = start_zone  # two spellings of one zone: keep the event's own
    start = usable_zone([anchor, start_zone, raw.get("originalEndTimeZone"), fallback])
    if start is None:
        raise Malformed("The event's time zone is unknown, and so is the calendar's.")
    return start, usable_zone([raw.get("originalEndTimeZone")]) or start


def when_of(raw: Json, *, fallback_zone: str) -> When:
    """The span of an event from start, end, isAllDay and its own zones. Raises Malformed."""
    if raw.get("isAllDay") is True:
        return _whole_days(raw, fallback_zone)
    zone, end_zone = own_zones(raw, fallback_zone)
    begins, ends = instant(raw.get("start")), instant(raw.get("end"))
    end_zone = zone if zones.same(zone, end_zone) else end_zone
    return Timed(
        start=zones.to_wall(begins, zone),
        end=zones.to_wall(max(begins, ends), end_zone),
        zone=zone,
        end_zone=None if end_zone == zone else end_zone,
    )


def _whole_days(raw: Json, fallback_zone: str) -> AllDay:
    """All-day events by date, never by instant: the zone in which both ends are midnights tells the dates.

    Usually that is UTC; work accounts may anchor them in the mailbox's zone.
    """
    begins, ends = instant(raw.get("start")), instant(raw.get("end"))
    names = ["UTC", raw.get("originalStartTimeZone"), raw.get("originalEndTimeZone"), fallback_zone]
    known = [zone for name in names if (zone := usable_zone([name]))]
    for zone in known:
        first, last = zones.to_wall(begins, zone), zones.to_wall(ends, zone)
        if first.time() == last.time() == time():
            return _days(first.date(), last.date())
    return _days(_nearest_day(begins, known[-1]), _nearest_day(ends, known[-1]))


def _days(first: date, last: date) -> AllDay:
    return AllDay(start=first, end=max(last, first + timedelta(days=1)))


def _nearest_day(moment: datetime, zone: str) -> date:
    return (zones.to_wall(moment, zone) + timedelta(hours=12)).date()


def day_of(moment: datetime, series: When, raw: Json) -> date:
    """The date, in the series' zone, of an occurrence's original start given as an instant.

    For an all-day series it is the date of a midnight, in UTC or in the zone of the occurrence ``raw``.
    """
    if isinstance(series, Timed):
        return zones.to_wall(moment, series.zone).date()
    for name in ("UTC", raw.get("originalStartTimeZone")):
        zone = usable_zone([name])
        if zone is not None and (wall := zones.to_wall(moment, zone)).time() == time():
            return wall.date()
    return _nearest_day(moment, "UTC")


def key_on(day: date, series: When) -> OccurrenceKey:
    """The key of the occurrence on ``day``: Graph's rules yield at most one start a day, at the series' time."""
    if not isinstance(series, Timed):
        return key_of(day)
    wall = datetime.combine(day, series.start.time())
    return key_of(zones.to_wall(zones.to_instant(wall, series.zone), series.zone))  # the spring gap moves a start


def on_wire(when: When) -> Json:
    """The fields ``isAllDay``, ``start`` and ``end``, which Graph wants together. All-day: midnights in UTC."""
    if isinstance(when, AllDay):
        return {
            "isAllDay": True,
            "start": {"dateTime": f"{when.start.isoformat()}T00:00:00", "timeZone": "UTC"},
            "end": {"dateTime": f"{when.end.isoformat()}T00:00:00", "timeZone": "UTC"},
        }
    return {
        "isAllDay": False,
        "start": _wall_on_wire(when.start, when.zone),
        "end": _wall_on_wire(when.end, when.end_zone or when.zone),
    }


def _wall_on_wire(wall: datetime, zone: str) -> Json:
    """Windows names where there is one: Graph takes all of those, and IANA names only mostly."""
    return {"dateTime": wall.isoformat(timespec="seconds"), "timeZone": zones.to_windows(zone) or zone}
