"""Recurrences as iCalendar lines: lines read into canonical values, and values written as lines.

What lives here: the properties RRULE, RDATE, EXDATE and EXRULE, read with patience for what calendars really send
(see ``parse``). What does not: the parts of one RRULE (``rule_text``), event fields, Graph's JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import islice
from typing import Final

from calsync.engine import zones
from calsync.engine.canonical_rule import canonical
from calsync.engine.events import AllDay, OccurrenceKey, Recurrence, Rule, Timed, When
from calsync.engine.expansion import all_keys, generates
from calsync.engine.occurrences import key_at, key_of, midnight_or_time, occurrence_when
from calsync.engine.rule_text import BadRecurrence, read_moment, read_rule, write_rule

_IGNORED: Final = frozenset({"DTSTART", "DTEND"})  # some exports repeat them; the event's own start and end count
_READ: Final = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
_MOST_EXCLUDED: Final = 2000  # occurrences of one EXRULE


@dataclass(frozen=True, slots=True)
class Parsed:
    """What recurrence lines say: the recurrence (None when nothing recurs) and the occurrences taken out of it."""

    recurrence: Recurrence | None
    cancelled: frozenset[OccurrenceKey] = frozenset()


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    parameters: dict[str, str]
    value: str


def parse(lines: Sequence[str], *, start: When) -> Parsed:
    """Read recurrence lines of a series that begins at ``start``. Raises BadRecurrence, and nothing else.

    Taken in stride (all seen in the wild): any order and case, folded lines, UNTIL as a date in a timed series (that
    day included) or in UTC in an all-day series (its date), EXDATE and RDATE with TZID, in UTC or as bare dates in
    either kind of series, an end in the year 9999. An EXRULE with an end becomes cancelled occurrences. EXDATEs that
    no occurrence has are dropped, and so are RDATEs that the rule generates anyway.
    Refused: unknown properties and parts, frequencies below a day, periods, an unknown TZID, an EXRULE without an end.
    """
    try:
        return _parsed([_read_line(line) for line in lines if line.strip()], start)
    except (zones.UnknownZone, OverflowError) as error:
        raise BadRecurrence("a recurrence line names a time or time zone that does not exist") from error


def to_lines(recurrence: Recurrence, *, start: When, cancelled: Iterable[OccurrenceKey] = frozenset()) -> list[str]:
    """The lines of a recurrence, ``parse``'s reverse: RRULE first, then RDATE and EXDATE in order of time.

    UNTIL is the last second of the last local day in UTC for a timed series, as Google's own editor writes it, and a
    date for an all-day series. Raises UnknownZone.
    """
    lines = [f"RRULE:{write_rule(rule, until=_until_text(rule, start))}" for rule in recurrence.rules]
    for name, keys in (("RDATE", recurrence.extra_starts), ("EXDATE", cancelled)):
        if values := ",".join(_moment_text(key, start) for key in sorted(keys)):
            parameter = f"TZID={start.zone}" if isinstance(start, Timed) else "VALUE=DATE"
            lines.append(f"{name};{parameter}:{values}")
    return lines


def to_text(recurrence: Recurrence) -> str:
    """A canonical recurrence as one line of text for fingerprints: the same text exactly when the values are equal."""
    texts = sorted(write_rule(rule) for rule in recurrence.rules)
    return "|".join([*texts, *(f"RDATE={key}" for key in sorted(recurrence.extra_starts))])


def normal_form(recurrence: Recurrence, *, start: When) -> Recurrence:
    """A recurrence with its rules canonical, sorted and each once, and without extra starts that a rule generates."""
    rules = tuple(sorted({canonical(rule, start) for rule in recurrence.rules}, key=write_rule))
    by_rules = Recurrence(rules=rules)
    extra = sorted(key for key in set(recurrence.extra_starts) if not generates(start, by_rules, key))
    return Recurrence(rules=rules, extra_starts=tuple(extra))


# --- reading ----------------------------------------------------------------------------------------------


def _parsed(lines: Sequence[_Line], start: When) -> Parsed:
    rules = tuple(read_rule(line.value, start=start) for line in lines if line.name == "RRULE")
    extra = _keys(lines, "RDATE", start)
    taken_out = _keys(lines, "EXDATE", start)
    for line in lines:
        if line.name == "EXRULE":
            taken_out |= _excluded(read_rule(line.value, start=start), start)
    # An extra start that is taken out again was never there.
    whole = normal_form(Recurrence(rules=rules, extra_starts=tuple(extra - taken_out)), start=start)
    if not whole.rules and not whole.extra_starts:
        return Parsed(recurrence=None)
    cancelled = frozenset(key for key in taken_out if generates(start, whole, key))
    return Parsed(recurrence=whole, cancelled=cancelled)


def _read_line(line: str) -> _Line:
    unfolded = line.replace("\r\n ", "").replace("\n ", "").strip()
    head, colon, value = unfolded.partition(":")
    if not colon and head.upper().startswith("FREQ="):
        return _Line(name="RRULE", parameters={}, value=head)
    name, *pieces = head.split(";")
    name = name.upper()
    if name not in _READ | _IGNORED or not colon:
        raise BadRecurrence("an unknown kind of recurrence line")
    if name in {"RRULE", "EXRULE"} and any(not piece.upper().startswith("X-") for piece in pieces):
        raise BadRecurrence(f"{name} has parameters")
    parameters = {key.upper(): text.strip('"') for key, _, text in (piece.partition("=") for piece in pieces)}
    return _Line(name=name, parameters=parameters, value=value)


def _keys(lines: Sequence[_Line], name: str, start: When) -> set[OccurrenceKey]:
    return {
        _key(text, line.parameters.get("TZID"), start)
        for line in lines
        if line.name == name
        for text in line.value.split(",")
        if text.strip()
    }


def _key(text: str, zone: str | None, start: When) -> OccurrenceKey:
    """The key that a moment means in this series: an all-day series takes its date, a bare date the series' time."""
    if isinstance(start, AllDay):
        moment = read_moment(text)
        return key_of(moment.date() if isinstance(moment, datetime) else moment)
    moment = read_moment(text, zone=zone or start.zone)
    if isinstance(moment, datetime):
        return key_at(moment, start=start)
    return key_of(datetime.combine(moment, midnight_or_time(start)))


def _excluded(rule: Rule, start: When) -> set[OccurrenceKey]:
    if rule.count is None and rule.until is None:
        raise BadRecurrence("EXRULE without an end is not supported")
    keys = set(islice(all_keys(start, Recurrence(rules=(rule,))), _MOST_EXCLUDED + 1))
    if len(keys) > _MOST_EXCLUDED:
        raise BadRecurrence("EXRULE takes out too many occurrences")
    return keys


# --- writing ----------------------------------------------------------------------------------------------


def _until_text(rule: Rule, start: When) -> str | None:
    if rule.until is None or isinstance(start, AllDay):
        return None
    last_second = datetime.combine(rule.until, time(23, 59, 59))
    return zones.to_instant(last_second, start.zone).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _moment_text(key: OccurrenceKey, start: When) -> str:
    original = occurrence_when(start, key).start
    return original.strftime("%Y%m%dT%H%M%S" if isinstance(original, datetime) else "%Y%m%d")
