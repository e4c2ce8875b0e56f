"""One RRULE value as text, with every part checked.

What lives here: the grammar of RFC 5545 section 3.3.10 in both directions. What does not: content lines, dates of
single occurrences (``recurrence_text``), the canonical form (``canonical_rule``).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from calsync.engine import zones
from calsync.engine.events import Frequency, Rule, Timed, Weekday, When
from calsync.engine.occurrences import midnight_or_time

_DATE_TIME = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_FOREVER = 9000  # a year that calendars write when they mean "no end"

# Which parts RFC 5545 allows with which frequency; the rest of its table holds for every frequency.
_ONLY_WITH: Final[dict[str, frozenset[Frequency]]] = {
    "BYWEEKNO": frozenset({Frequency.YEARLY}),
    "BYYEARDAY": frozenset({Frequency.YEARLY}),
    "BYMONTHDAY": frozenset({Frequency.YEARLY, Frequency.MONTHLY, Frequency.DAILY}),
}


class BadRecurrence(ValueError):
    """Recurrence text that makes no sense or that we do not support; the message names the part, never event text."""


def read_rule(value: str, *, start: When) -> Rule:
    """The value of an RRULE as a rule, not yet canonical. Raises BadRecurrence.

    ``until`` becomes the last local day on which an occurrence at the series' own wall clock time is not after UNTIL.
    Frequencies below a day are refused, and so is BYHOUR, BYMINUTE or BYSECOND unless it repeats the start's own time.
    """
    parts = _split(value)
    frequency = _frequency(parts.pop("FREQ", ""))
    for name, frequencies in _ONLY_WITH.items():
        if name in parts and frequency not in frequencies:
            raise BadRecurrence(f"{name} is not allowed with FREQ={frequency}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRecurrence("COUNT and UNTIL exclude each other")
    _check_time_parts(parts, start)
    rule = Rule(
        frequency=frequency,
        interval=_number(parts.pop("INTERVAL", "1"), 1, 9999, "INTERVAL"),
        by_day=_days(parts.pop("BYDAY", ""), frequency),
        by_month_day=_numbers(parts, "BYMONTHDAY", 31, signed=True),
        by_month=_numbers(parts, "BYMONTH", 12),
        by_set_pos=_numbers(parts, "BYSETPOS", 366, signed=True),
        by_year_day=_numbers(parts, "BYYEARDAY", 366, signed=True),
        by_week_no=_numbers(parts, "BYWEEKNO", 53, signed=True),
        week_start=_week_start(parts.pop("WKST", "MO")),
        count=_number(parts.pop("COUNT"), 1, 99_999, "COUNT") if "COUNT" in parts else None,
        until=_until(parts.pop("UNTIL"), start) if "UNTIL" in parts else None,
    )
    _check_positions(rule)
    if unknown := [name for name in parts if not name.startswith("X-")]:
        raise BadRecurrence(f"unknown part {unknown[0][:20]!r} in RRULE")
    return rule


def write_rule(rule: Rule, *, until: str | None = None) -> str:
    """The value of an RRULE. ``until`` is the text for UNTIL; without it, the local date itself is written."""
    parts = [f"FREQ={rule.frequency}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.week_start is not Weekday.MO or (rule.frequency is Frequency.WEEKLY and rule.interval > 1):
        parts.append(f"WKST={rule.week_start}")  # told even when it is RFC's default: Graph's default is Sunday
    lists = {
        "BYMONTH": rule.by_month,
        "BYWEEKNO": rule.by_week_no,
        "BYYEARDAY": rule.by_year_day,
        "BYMONTHDAY": rule.by_month_day,
        "BYDAY": tuple(f"{ordinal or ''}{day}" for ordinal, day in rule.by_day),
        "BYSETPOS": rule.by_set_pos,
    }
    parts += [f"{name}={','.join(str(value) for value in values)}" for name, values in lists.items() if values]
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.until is not None:
        parts.append(f"UNTIL={until or rule.until.strftime('%Y%m%d')}")
    return ";".join(parts)


def read_moment(text: str, *, zone: str | None = None) -> datetime | date:
    """A DATE as date, a DATE-TIME with Z as aware UTC, and one without Z as aware in ``zone`` or naive when None."""
    match = _DATE_TIME.fullmatch(text.strip().upper())
    if match is None:
        raise BadRecurrence("a date or time in a recurrence line is malformed")
    try:
        day = datetime.strptime(match[1], "%Y%m%d")  # noqa: DTZ007 - the zone follows below
        if match[2] is None:
            return day.date()
        moment = datetime.combine(day, datetime.strptime(match[2], "%H%M%S").time())  # noqa: DTZ007
    except ValueError:
        raise BadRecurrence("a date or time in a recurrence line does not exist") from None
    if match[3]:
        return moment.replace(tzinfo=UTC)
    return zones.to_instant(moment, zone) if zone else moment


# --- inside -----------------------------------------------------------------------------------------------


def _split(value: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in value.strip().strip(";").upper().split(";"):
        name, equals, content = (text.strip() for text in piece.partition("="))
        if not name or not equals or not content:
            raise BadRecurrence("RRULE is not a list of NAME=VALUE parts")
        if name in parts:
            raise BadRecurrence(f"{name[:20]} appears twice in RRULE")
        parts[name] = content
    return parts


def _frequency(text: str) -> Frequency:
    try:
        return Frequency(text)
    except ValueError:
        raise BadRecurrence(f"FREQ={text[:20]} is not supported" if text else "RRULE has no FREQ") from None


def _check_time_parts(parts: dict[str, str], start: When) -> None:
    wall = midnight_or_time(start)
    for name, own in (("BYHOUR", wall.hour), ("BYMINUTE", wall.minute), ("BYSECOND", wall.second)):
        text = parts.pop(name, None)
        if text is not None and (not text.isdecimal() or int(text) != own):
            raise BadRecurrence(f"{name} other than the start's own time is not supported")


def _check_positions(rule: Rule) -> None:
    others = rule.by_day or rule.by_month_day or rule.by_month or rule.by_year_day or rule.by_week_no
    if rule.by_set_pos and not others and not {1, -1} & set(rule.by_set_pos):
        raise BadRecurrence("BYSETPOS needs another BY part")
    if rule.by_week_no and any(ordinal for ordinal, _ in rule.by_day):
        raise BadRecurrence("BYDAY has no positions beside BYWEEKNO")


def _number(text: str, least: int, most: int, name: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise BadRecurrence(f"{name} is not a number") from None
    if not least <= number <= most:
        raise BadRecurrence(f"{name} is out of range")
    return number


def _numbers(parts: dict[str, str], name: str, most: int, *, signed: bool = False) -> tuple[int, ...]:
    text = parts.pop(name, "")
    numbers = tuple(_number(item, -most if signed else 1, most, name) for item in text.split(",") if item)
    if 0 in numbers:
        raise BadRecurrence(f"{name} is out of range")
    return numbers


def _days(text: str, frequency: Frequency) -> tuple[tuple[int | None, Weekday], ...]:
    days: list[tuple[int | None, Weekday]] = []
    farthest = 53 if frequency is Frequency.YEARLY else 5
    for item in filter(None, text.split(",")):
        match = _BY_DAY.fullmatch(item.strip())
        if match is None:
            raise BadRecurrence("BYDAY is malformed")
        ordinal = _number(match[1], -farthest, farthest, "BYDAY") if match[1] else None
        if ordinal == 0:
            raise BadRecurrence("BYDAY is out of range")
        days.append((ordinal, Weekday(match[2])))
    return tuple(days)


def _week_start(text: str) -> Weekday:
    try:
        return Weekday(text)
    except ValueError:
        raise BadRecurrence("WKST is malformed") from None


def _until(text: str, start: When) -> date | None:
    if text[:4].isdecimal() and int(text[:4]) >= _FOREVER:
        return None
    moment = read_moment(text)
    if not isinstance(moment, datetime):
        return moment
    if not isinstance(start, Timed):
        return moment.date()  # an all-day series with a time in UNTIL: its date is meant, whatever the zone
    if moment.tzinfo is None:
        moment = zones.to_instant(moment, start.zone)
    day = zones.to_wall(moment, start.zone).date()
    on_that_day = zones.to_instant(datetime.combine(day, start.start.time()), start.zone)
    return day if on_that_day <= moment else day - timedelta(days=1)
