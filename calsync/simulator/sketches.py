"""An event in neither provider's words, and how a person's client would send it to each of them.

Only for making pretend data: the wording of each provider's body is written out here on purpose, so that the
simulator's company does not depend on the code under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, rrule

Body = dict[str, Any]  # a JSON document of either provider
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = (MO, TU, WE, TH, FR, SA, SU)
INDEXES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
FREQUENCIES: dict[str, Literal[0, 1, 2, 3]] = {"daily": DAILY, "weekly": WEEKLY, "monthly": MONTHLY, "yearly": YEARLY}


@dataclass(frozen=True, slots=True)
class Repeat:
    """A rule that both platforms can hold. ``days`` are weekday numbers, Monday 0; ``ordinal`` 1-4 or -1 (last)."""

    frequency: str  # daily, weekly, monthly, yearly
    interval: int = 1
    days: tuple[int, ...] = ()
    ordinal: int = 0
    count: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Sketch:
    """One event. All-day ones carry midnights and mean dates (end exclusive). ``show_as``: busy, free, tentative, oof.

    ``google`` holds fields that only Google's body has.
    """

    title: str
    start: datetime
    end: datetime
    zone: str
    all_day: bool = False
    body: str = ""
    is_html: bool = False
    location: str = ""
    show_as: str = "busy"
    is_private: bool = False
    repeat: Repeat | None = None
    guests: tuple[str, ...] = ()
    end_zone: str = ""
    google: Body = field(default_factory=dict)

    def starts(self, limit: int = 30) -> list[datetime]:
        """The first wall-clock starts."""
        return [self.start] if self.repeat is None else list(islice(self._rule(self.repeat), limit))

    def _rule(self, repeat: Repeat) -> Iterator[datetime]:
        options: dict[str, Any] = {"interval": repeat.interval, "count": repeat.count}
        if repeat.until:
            options["until"] = datetime.combine(repeat.until, time(23, 59, 59))
        if repeat.ordinal:
            options["byweekday"] = WEEKDAYS[repeat.days[0]](repeat.ordinal)
        elif repeat.days:
            options["byweekday"] = [WEEKDAYS[day] for day in repeat.days]
        return iter(rrule(FREQUENCIES[repeat.frequency], dtstart=self.start, wkst=MO, **options))


def google_body(sketch: Sketch) -> Body:
    """The event as an insert at Google."""
    body: Body = {
        "summary": sketch.title,
        "description": sketch.body,
        "location": sketch.location,
        "start": _google_time(sketch.start, sketch.zone, sketch),
        "end": _google_time(sketch.end, sketch.end_zone or sketch.zone, sketch),
        "transparency": "transparent" if sketch.show_as == "free" else "opaque",
        "visibility": "private" if sketch.is_private else "default",
        "status": "tentative" if sketch.show_as == "tentative" else "confirmed",
        "attendees": [{"email": guest} for guest in sketch.guests],
    }
    if sketch.show_as == "oof" and not sketch.all_day and sketch.repeat is None:
        body["eventType"] = "outOfOffice"
    if sketch.repeat:
        body["recurrence"] = [rule_line(sketch.repeat, zone=sketch.zone, all_day=sketch.all_day)]
    return body | sketch.google


def _google_time(wall: datetime, zone: str, sketch: Sketch) -> Body:
    return {"date": f"{wall:%Y-%m-%d}"} if sketch.all_day else {"dateTime": wall.isoformat(), "timeZone": zone}


def rule_line(repeat: Repeat, *, zone: str, all_day: bool) -> str:
    """The RRULE line; UNTIL is the last second of the local day in UTC, or a date for all-day series."""
    parts = [f"FREQ={repeat.frequency.upper()}"]
    if repeat.interval > 1:
        parts.append(f"INTERVAL={repeat.interval}")
    if repeat.days:
        ordinal = str(repeat.ordinal) if repeat.ordinal else ""
        parts.append("BYDAY=" + ",".join(ordinal + CODES[day] for day in repeat.days))
    if repeat.count:
        parts.append(f"COUNT={repeat.count}")
    if repeat.until:
        parts.append("UNTIL=" + until_text(repeat.until, zone=zone, all_day=all_day))
    return "RRULE:" + ";".join(parts)


def until_text(last: date, *, zone: str, all_day: bool) -> str:
    """The UNTIL value for a last local day."""
    if all_day:
        return f"{last:%Y%m%d}"
    end = datetime.combine(last, time(23, 59, 59), ZoneInfo(zone))
    return f"{end.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def graph_body(sketch: Sketch) -> Body:
    """The event as a POST to Graph."""
    zone = "UTC" if sketch.all_day else sketch.zone
    body: Body = {
        "subject": sketch.title,
        "body": {"contentType": "html" if sketch.is_html else "text", "content": sketch.body},
        "start": {"dateTime": sketch.start.isoformat(), "timeZone": zone},
        "end": {"dateTime": sketch.end.isoformat(), "timeZone": zone if sketch.all_day else sketch.end_zone or zone},
        "isAllDay": sketch.all_day,
        "showAs": sketch.show_as,
        "sensitivity": "private" if sketch.is_private else "normal",
        "attendees": [{"emailAddress": {"address": guest}, "type": "required"} for guest in sketch.guests],
    }
    if sketch.location:
        body["location"] = {"displayName": sketch.location}
    if sketch.repeat:
        body["recurrence"] = {"pattern": _pattern(sketch, sketch.repeat), "range": _range(sketch, sketch.repeat)}
    return body


def _pattern(sketch: Sketch, repeat: Repeat) -> Body:
    days = [DAYS[day] for day in repeat.days]
    start = sketch.start
    if repeat.frequency == "daily":
        return {"type": "daily", "interval": repeat.interval}
    if repeat.frequency == "weekly":
        week = {"type": "weekly", "firstDayOfWeek": "monday", "interval": repeat.interval}
        return week | {"daysOfWeek": days or [DAYS[start.weekday()]]}
    if repeat.frequency == "yearly":
        return {"type": "absoluteYearly", "interval": repeat.interval, "month": start.month, "dayOfMonth": start.day}
    if repeat.ordinal:
        index = INDEXES[repeat.ordinal]
        return {"type": "relativeMonthly", "interval": repeat.interval, "daysOfWeek": days, "index": index}
    return {"type": "absoluteMonthly", "interval": repeat.interval, "dayOfMonth": start.day}


def _range(sketch: Sketch, repeat: Repeat) -> Body:
    begins = f"{sketch.start:%Y-%m-%d}"
    if repeat.count:
        return {"type": "numbered", "startDate": begins, "numberOfOccurrences": repeat.count}
    if repeat.until:
        return {"type": "endDate", "startDate": begins, "endDate": repeat.until.isoformat()}
    return {"type": "noEnd", "startDate": begins}


def nth_weekday(year: int, month: int, weekday: int, ordinal: int) -> date:
    """The first, second, ... or last weekday of a month."""
    if ordinal > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (ordinal - 1))
    following = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return following - timedelta(days=(following.weekday() - weekday) % 7)
