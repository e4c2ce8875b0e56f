"""Graph's ``patternedRecurrence`` to and from the engine's recurrences.

What lives here: the wire shape and what it can and cannot say. What does not: exceptions and cancelled occurrences
(separate calls at Graph), the event around it.

Exchange clamps a month day that a month lacks to its last day, where RFC 5545 skips the month: the 29th to 31st are
read in the engine's clamp form, and a rule that skips cannot be written. Several weekdays with an index mean one
occurrence a month (BYSETPOS), not one for each weekday. The week begins on Sunday unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from calsync.engine.days_of_month import clamped
from calsync.engine.events import Frequency, Recurrence, Rule, Timed, Weekday, When
from calsync.engine.recurrence import BadRecurrence, normal_form
from calsync.providers.base import CannotRepresent

Json = Mapping[str, Any]  # decoded JSON: shapes are checked where they are read

_DAY_NAMES: Final[dict[str, Weekday]] = {
    "monday": Weekday.MO,
    "tuesday": Weekday.TU,
    "wednesday": Weekday.WE,
    "thursday": Weekday.TH,
    "friday": Weekday.FR,
    "saturday": Weekday.SA,
    "sunday": Weekday.SU,
}
_NAMES: Final = {day: name for name, day in _DAY_NAMES.items()}
_INDEXES: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_INDEX_NAMES: Final = {position: name for name, position in _INDEXES.items()}

# Limits of Exchange; beyond them the server refuses.
_MOST_OCCURRENCES: Final = 999
_LONGEST_INTERVAL: Final = {Frequency.DAILY: 999, Frequency.WEEKLY: 99, Frequency.MONTHLY: 99, Frequency.YEARLY: 99}
_LATEST_END: Final = date(4500, 9, 1)
_FOREVER: Final = 9000  # an endDate in such a year means "no end"
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # month days that every year has


def from_graph(recurrence: Json, *, start: When) -> Recurrence:
    """A ``patternedRecurrence`` as a canonical recurrence of a series that begins at ``start``.

    Every read fills all fields, so only those of the pattern's ``type`` count; enums are read in any case. The time
    zone inside ``range`` is passed over: it is the event's own, or unusable. Raises BadRecurrence.
    """
    pattern, bounds = recurrence.get("pattern"), recurrence.get("range")
    if not isinstance(pattern, Mapping) or not isinstance(bounds, Mapping):
        raise BadRecurrence("the recurrence lacks its pattern or its range")
    rule = _within(_rule(pattern, start), bounds)
    return normal_form(Recurrence(rules=(rule,)), start=start)


def to_graph(recurrence: Recurrence, *, start: When) -> dict[str, Any]:
    """The ``patternedRecurrence`` to write for a series that begins at ``start``; only the fields of its type.

    ``start`` must be the first occurrence (``recurrence.aligned``): Graph refuses a ``startDate`` that is not the local
    date of the event's start. The zone is left out, as one that differs from the event's fails. Raises CannotRepresent.
    """
    recurrence = normal_form(recurrence, start=start)
    first = start.start.date() if isinstance(start, Timed) else start.start
    if reason := obstacle(recurrence):
        raise CannotRepresent(reason)
    rule = recurrence.rules[0]
    if rule.until is not None and rule.until < first:
        raise CannotRepresent("The series ends before it begins, which Outlook cannot hold.")
    return {"pattern": _pattern(rule), "range": _range(rule, first)}


def expressible(recurrence: Recurrence) -> bool:
    """Whether Graph has a form for a canonical recurrence."""
    return not obstacle(recurrence)


def obstacle(recurrence: Recurrence) -> str:
    """Why Graph has no form for a canonical recurrence, as a sentence for a person; '' when it has one."""
    if recurrence.extra_starts:
        return "Outlook cannot hold a series with additional single dates."
    if len(recurrence.rules) != 1:
        return "Outlook cannot hold a series that combines several rules."
    rule = recurrence.rules[0]
    if rule.count is not None and rule.count > _MOST_OCCURRENCES:
        return f"Outlook cannot hold a series with more than {_MOST_OCCURRENCES} occurrences."
    if rule.until is not None and rule.until > _LATEST_END:
        return "Outlook cannot hold a series that ends so far in the future."
    if rule.interval > _LONGEST_INTERVAL[rule.frequency]:
        return "Outlook cannot hold a series with so long an interval."
    return "" if _pattern(rule) is not None else "Outlook has no form for this repetition rule."


# --- reading ----------------------------------------------------------------------------------------------


def _rule(pattern: Json, start: When) -> Rule:
    interval = _number(pattern, "interval", least=1, default=1)
    match _word(pattern, "type", ""):
        case "daily":
            return Rule(frequency=Frequency.DAILY, interval=interval)
        case "weekly":
            week_start = _weekday(_word(pattern, "firstDayOfWeek", "sunday"))
            days = tuple((None, day) for day in _days(pattern))
            return Rule(frequency=Frequency.WEEKLY, interval=interval, by_day=days, week_start=week_start)
        case "absolutemonthly":
            return _absolute(Rule(frequency=Frequency.MONTHLY, interval=interval), pattern, start)
        case "relativemonthly":
            return _relative(Rule(frequency=Frequency.MONTHLY, interval=interval), pattern)
        case "absoluteyearly":
            return _absolute(_yearly(interval, pattern, start), pattern, start)
        case "relativeyearly":
            return _relative(_yearly(interval, pattern, start), pattern)
    raise BadRecurrence("the recurrence pattern has an unknown type")


def _yearly(interval: int, pattern: Json, start: When) -> Rule:
    month = _number(pattern, "month", least=0, most=12, default=0) or start.start.month
    return Rule(frequency=Frequency.YEARLY, interval=interval, by_month=(month,))


def _absolute(rule: Rule, pattern: Json, start: When) -> Rule:
    days, positions = clamped(_number(pattern, "dayOfMonth", least=0, most=31, default=0) or start.start.day)
    return replace(rule, by_month_day=days, by_set_pos=positions)


def _relative(rule: Rule, pattern: Json) -> Rule:
    position = _INDEXES.get(_word(pattern, "index", "first"))
    days = tuple((None, day) for day in _days(pattern))
    if position is None or not days:
        raise BadRecurrence("a relative recurrence pattern lacks its days or its index")
    return replace(rule, by_day=days, by_set_pos=(position,))


def _within(rule: Rule, bounds: Json) -> Rule:
    match _word(bounds, "type", ""):
        case "noend":
            return rule
        case "numbered":
            return replace(rule, count=_number(bounds, "numberOfOccurrences", least=1, most=99_999))
        case "enddate":
            last = _date(bounds, "endDate")
            return rule if last.year >= _FOREVER else replace(rule, until=last)
    raise BadRecurrence("the recurrence range has an unknown type")


def _word(found: Json, name: str, default: str) -> str:
    value = found.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadRecurrence(f"{name} of the recurrence is not a word")
    return value.casefold()


def _number(found: Json, name: str, *, least: int, most: int = 9999, default: int | None = None) -> int:
    value = found.get(name, default)
    if value is None:
        value = default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadRecurrence(f"{name} of the recurrence is missing or out of range")
    return value


def _date(found: Json, name: str) -> date:
    try:
        day = date.fromisoformat(str(found.get(name))[:10])
    except ValueError:
        raise BadRecurrence(f"{name} of the recurrence is not a date") from None
    if day.year == 1:  # the filler 0001-01-01
        raise BadRecurrence(f"{name} of the recurrence is missing")
    return day


def _days(pattern: Json) -> list[Weekday]:
    days = pattern.get("daysOfWeek") or []
    if not isinstance(days, list) or not all(isinstance(day, str) for day in days):
        raise BadRecurrence("daysOfWeek of the recurrence is not a list of days")
    return [_weekday(day.casefold()) for day in days]


def _weekday(name: str) -> Weekday:
    if (day := _DAY_NAMES.get(name)) is None:
        raise BadRecurrence("the recurrence names an unknown weekday")
    return day


# --- writing ----------------------------------------------------------------------------------------------


def _pattern(rule: Rule) -> dict[str, Any] | None:
    """The pattern for a canonical rule; None when Graph has no form for it."""
    if rule.by_year_day or rule.by_week_no:
        return None
    match rule.frequency:
        case Frequency.DAILY:
            is_plain = not (rule.by_day or rule.by_month_day or rule.by_month or rule.by_set_pos)
            return {"type": "daily", "interval": rule.interval} if is_plain else None
        case Frequency.WEEKLY:
            return _weekly(rule)
        case Frequency.MONTHLY:
            return None if rule.by_month else _within_month(rule)
        case Frequency.YEARLY:
            return _within_month(rule) if len(rule.by_month) == 1 else None


def _weekly(rule: Rule) -> dict[str, Any] | None:
    if rule.by_month or rule.by_set_pos:
        return None
    return {
        "type": "weekly",
        "interval": rule.interval,
        "daysOfWeek": [_NAMES[day] for _, day in rule.by_day],
        "firstDayOfWeek": _NAMES[rule.week_start],
    }


def _within_month(rule: Rule) -> dict[str, Any] | None:
    """Absolute or relative, monthly or yearly: the four patterns that name one day within a month."""
    kind = rule.frequency.value.capitalize()
    common = {"interval": rule.interval} | ({"month": rule.by_month[0]} if rule.by_month else {})
    if (day := _day_of_month(rule)) is not None:
        return {"type": f"absolute{kind}", "dayOfMonth": day} | common
    if (position := _position(rule)) is not None:
        days = [_NAMES[day] for _, day in rule.by_day]
        return {"type": f"relative{kind}", "index": _INDEX_NAMES[position], "daysOfWeek": days} | common
    return None


def _day_of_month(rule: Rule) -> int | None:
    """The one day that Exchange's clamping reads as the rule means it; None when the rule is of another kind."""
    if rule.by_day or not rule.by_month_day:
        return None
    day = rule.by_month_day[-1]
    if day == -1:
        day = 29 if rule.by_month == (2,) else 31
    never_missing = _LENGTHS[rule.by_month[0] - 1] if rule.by_month else 28
    is_plain = (rule.by_month_day, rule.by_set_pos) == ((day,), ()) and 1 <= day <= never_missing
    is_clamped = day > 28 and (rule.by_month_day, rule.by_set_pos) == clamped(day if not rule.by_month else 31)
    return day if is_plain or is_clamped else None


def _position(rule: Rule) -> int | None:
    """The index of a relative pattern: the ordinal of one weekday, or BYSETPOS over several."""
    if rule.by_month_day or not rule.by_day:
        return None
    ordinals = [ordinal for ordinal, _ in rule.by_day]
    if len(ordinals) == 1 and not rule.by_set_pos:
        return ordinals[0] if ordinals[0] in _INDEX_NAMES else None
    is_set = not any(ordinals) and len(rule.by_set_pos) == 1
    return rule.by_set_pos[0] if is_set and rule.by_set_pos[0] in _INDEX_NAMES else None


def _range(rule: Rule, first: date) -> dict[str, Any]:
    if rule.count is not None:
        return {"type": "numbered", "startDate": first.isoformat(), "numberOfOccurrences": rule.count}
    if rule.until is not None:
        return {"type": "endDate", "startDate": first.isoformat(), "endDate": rule.until.isoformat()}
    return {"type": "noEnd", "startDate": first.isoformat()}
