"""patternedRecurrence: checking it, filling it as the server does, expanding it in the wall clock of the series.

Exchange clamps day 29 to 31 to the end of a short month (RFC 5545 would skip it), and several days in a relative
pattern mean one occurrence a month: the i-th of the set.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from dateutil import rrule

from calsync.simulator.graph.errors import GraphError, Json, property_failure, unreadable_body
from calsync.simulator.graph.moments import Moment
from calsync.simulator.graph.zones import iana_of, same_zone

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
PATTERNS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
RANGES = ("endDate", "noEnd", "numbered")
MAX_INTERVAL = {"daily": 999}
LAST_END = date(4500, 9, 1)
UNSET_DATE = "0001-01-01"


def canonical(recurrence: Any, start: Moment) -> Json:
    """The recurrence as the server keeps it, with every field filled; raises GraphError when it is wrong."""
    if not isinstance(recurrence, dict):
        raise unreadable_body("Cannot read the value of 'recurrence'.")
    pattern, span = recurrence.get("pattern"), recurrence.get("range")
    if not isinstance(pattern, dict) or not isinstance(span, dict):
        raise invalid_recurrence("A recurrence needs a pattern and a range.")
    return {"pattern": _pattern(pattern), "range": _range(span, start)}


def invalid_recurrence(why: str) -> GraphError:
    """400 for a pattern that Exchange has no form for."""
    return GraphError(400, "ErrorCalendarInvalidRecurrence", f"The recurrence pattern is invalid. {why}")


def _pattern(sent: Json) -> Json:
    kind = _word(sent.get("type"), PATTERNS, "type")
    filled = {
        "type": kind,
        "interval": _number(sent, "interval", 1, MAX_INTERVAL.get(kind, 99), default=1),
        "month": _number(sent, "month", 0, 12, default=0),
        "dayOfMonth": _number(sent, "dayOfMonth", 0, 31, default=0),
        "daysOfWeek": [_word(day, DAYS, "daysOfWeek") for day in sent.get("daysOfWeek") or ()],
        "firstDayOfWeek": _word(sent.get("firstDayOfWeek") or "sunday", DAYS, "firstDayOfWeek"),
        "index": _word(sent.get("index") or "first", tuple(INDEXES), "index"),
    }
    if kind in ("weekly", "relativeMonthly", "relativeYearly") and not filled["daysOfWeek"]:
        raise invalid_recurrence("daysOfWeek is required.")
    if kind.startswith("absolute") and not filled["dayOfMonth"]:
        raise invalid_recurrence("dayOfMonth is required.")
    if kind.endswith("Yearly") and not filled["month"]:
        raise invalid_recurrence("month is required.")
    return _only_what_counts(filled)


def _only_what_counts(filled: Json) -> Json:
    """Fields that the type does not use go back to their fillers."""
    kind = filled["type"]
    if kind in ("daily", "absoluteMonthly", "absoluteYearly"):
        filled.pop("daysOfWeek")  # docs' answers leave the list out where the type has none
    if not kind.endswith("Yearly"):
        filled["month"] = 0
    if not kind.startswith("absolute"):
        filled["dayOfMonth"] = 0
    if kind != "weekly":
        filled["firstDayOfWeek"] = "sunday"
    if not kind.startswith("relative"):
        filled["index"] = "first"
    return filled


def _range(sent: Json, start: Moment) -> Json:
    kind = _word(sent.get("type"), RANGES, "range type")
    begins = _date(sent.get("startDate"))
    if begins is None:
        raise GraphError(400, "ErrorRecurrenceEndDateTooBig", "The recurrence start or end date is out of range.")
    if begins != start.wall.date():
        raise GraphError(400, "ErrorInvalidRecurrenceRange", "The start date of the recurrence is not the event's.")
    named = sent.get("recurrenceTimeZone") or start.named
    if iana_of(named) is None or not same_zone(named, start.named):
        raise property_failure()
    return {
        "type": kind,
        "startDate": begins.isoformat(),
        "endDate": _end_date(sent, begins) if kind == "endDate" else UNSET_DATE,
        "recurrenceTimeZone": start.named,
        "numberOfOccurrences": _number(sent, "numberOfOccurrences", 1, 999) if kind == "numbered" else 0,
    }


def _end_date(sent: Json, begins: date) -> str:
    ends = _date(sent.get("endDate"))
    if ends is None or ends > LAST_END:
        raise GraphError(400, "ErrorRecurrenceEndDateTooBig", "The recurrence start or end date is out of range.")
    if ends < begins:
        raise no_occurrence()
    return ends.isoformat()


def no_occurrence() -> GraphError:
    """400 for a series without a single instance."""
    return GraphError(400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence.")


def _word(value: Any, allowed: tuple[str, ...], field: str) -> str:
    folded = value.lower() if isinstance(value, str) else ""
    for word in allowed:
        if word.lower() == folded:
            return word
    raise unreadable_body(f"Requested value '{value}' was not found for '{field}'.")


def _number(sent: Json, field: str, low: int, high: int, default: int | None = None) -> int:
    value = sent.get(field, default)
    if value is None:
        value = default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise invalid_recurrence(f"{field} must be between {low} and {high}.")
    return value


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def rule_of(recurrence: Json, begins: datetime) -> rrule.rrule:
    """The dateutil rule over naive wall clock time."""
    pattern, span = recurrence["pattern"], recurrence["range"]
    options: Json = {"dtstart": begins, "interval": pattern["interval"]}
    if span["type"] == "numbered":
        options["count"] = span["numberOfOccurrences"]
    elif span["type"] == "endDate":
        options["until"] = datetime.combine(date.fromisoformat(span["endDate"]), time.max)
    kind = pattern["type"]
    if kind == "daily":
        return rrule.rrule(rrule.DAILY, **options)
    if kind == "weekly":
        week_start = DAYS.index(pattern["firstDayOfWeek"])
        return rrule.rrule(rrule.WEEKLY, byweekday=_weekdays(pattern), wkst=week_start, **options)
    if kind.endswith("Yearly"):
        options["bymonth"] = pattern["month"]
        return rrule.rrule(rrule.YEARLY, **options, **_place_in_month(pattern))
    return rrule.rrule(rrule.MONTHLY, **options, **_place_in_month(pattern))


def _place_in_month(pattern: Json) -> Json:
    if pattern["type"].startswith("relative"):
        return {"byweekday": _weekdays(pattern), "bysetpos": INDEXES[pattern["index"]]}
    day = pattern["dayOfMonth"]
    if day <= 28:
        return {"bymonthday": day}
    return {"bymonthday": tuple(range(28, day + 1)), "bysetpos": -1}  # clamps: the last of these that the month has


def _weekdays(pattern: Json) -> tuple[int, ...]:
    return tuple(DAYS.index(day) for day in pattern["daysOfWeek"])


class Series:
    """The wall clock starts of a series, expanded as far as asked for and kept."""

    def __init__(self, recurrence: Json, begins: datetime) -> None:
        self._coming: Iterator[datetime] = iter(rule_of(recurrence, begins))
        self._starts: list[datetime] = []
        self._done = False

    def first(self) -> datetime | None:
        """The first occurrence; None when there is none."""
        if not self._starts:
            self._draw()
        return self._starts[0] if self._starts else None

    def between(self, low: datetime, high: datetime) -> list[datetime]:
        """Starts with low <= start < high."""
        self._reach(high)
        return self._starts[bisect.bisect_left(self._starts, low) : bisect.bisect_left(self._starts, high)]

    def on(self, day: date) -> datetime | None:
        """The occurrence that was born on this date."""
        midnight = datetime.combine(day, time())
        found = self.between(midnight, midnight + timedelta(days=1))
        return found[0] if found else None

    def neighbours(self, start: datetime) -> tuple[list[datetime], list[datetime]]:
        """The starts just before and just after an occurrence, at most 60 each, in order."""
        self._reach(start + timedelta(days=1))
        at = bisect.bisect_left(self._starts, start)
        while len(self._starts) < at + 61 and self._draw():
            pass
        return self._starts[max(0, at - 60) : at], self._starts[at + 1 : at + 61]

    def smallest_gap(self) -> timedelta | None:
        """The least distance between two of the first occurrences; None for fewer than two."""
        while len(self._starts) < 60 and self._draw():
            pass
        some = self._starts[:60]
        return min((after - before for before, after in pairwise(some)), default=None)

    def last(self) -> datetime | None:
        """The last occurrence of a finite series drawn to its end; callers must know that it is finite."""
        while self._draw():
            pass
        return self._starts[-1] if self._starts else None

    def _reach(self, high: datetime) -> None:
        while not self._done and (not self._starts or self._starts[-1] < high):
            self._draw()

    def _draw(self) -> bool:
        start = next(self._coming, None)
        if start is None:
            self._done = True
            return False
        self._starts.append(start)
        return True
