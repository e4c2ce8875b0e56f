"""Recurrence lines of a series: reading, Google's own way of writing them back, and expansion.

Expansion runs on the wall clock of the start's zone (RFC 5545; the duration is constant on the wall clock and
the instants shift with daylight saving time). DTSTART counts as an instance even if the rule does not yield it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby, islice

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, rrule, weekday

from calsync.simulator.google.errors import invalid
from calsync.simulator.google.moments import Moment, known_zone, zone_info

FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
WEEKDAYS = {"MO": MO, "TU": TU, "WE": WE, "TH": TH, "FR": FR, "SA": SA, "SU": SU}
NUMBERS = {"BYMONTHDAY": 31, "BYMONTH": 12, "BYSETPOS": 366, "BYYEARDAY": 366, "BYWEEKNO": 53}
PART_ORDER = ("FREQ", "WKST", "UNTIL", "COUNT", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)\Z")
LINE = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)((?:;[A-Z-]+=[^:;]+)*):(.+)\Z", re.IGNORECASE | re.DOTALL)
ENDLESS = 10_000  # no calendar shows more instances of one series; keeps an endless rule finite


def _refused() -> Exception:
    return invalid("Invalid recurrence rule.")


def parts_of(text: str) -> dict[str, str]:
    """The parts of one RRULE value; refuses what RFC 5545 or Google does not allow."""
    parts: dict[str, str] = {}
    for part in text.strip().rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if not value or name.upper() in parts:
            raise _refused()
        parts[name.upper()] = value.upper()
    unknown = parts.keys() - {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", *NUMBERS}
    if unknown or parts.get("FREQ") not in FREQUENCIES or {"COUNT", "UNTIL"} <= parts.keys():
        raise _refused()
    return parts


def written_back(lines: list[str]) -> list[str]:
    """The lines as Google answers them: dates before rules, parts in its own order, no INTERVAL=1."""
    rules = [line for line in lines if line.upper().startswith(("RRULE", "EXRULE"))]
    dates = [line for line in lines if not line.upper().startswith(("RRULE", "EXRULE"))]
    return dates + [_rule_text(line) for line in rules]


def _rule_text(line: str) -> str:
    name, _, value = line.partition(":")
    parts = parts_of(value)
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    order = [*PART_ORDER, "BYDAY", "BYSETPOS"]
    return f"{name.upper()}:" + ";".join(f"{key}={parts[key]}" for key in order if key in parts)


def _stamp(text: str, zone: str) -> datetime:
    """An iCalendar date or date-time as naive wall clock of ``zone``."""
    utc = text.endswith("Z")
    try:
        if "T" in text:
            read = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - wall clock
        else:
            read = datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a date
    except ValueError:
        raise _refused() from None
    if utc:
        return read.replace(tzinfo=UTC).astimezone(known_zone(zone)).replace(tzinfo=None)
    return read


def _until(text: str, start: Moment) -> datetime:
    """The last wall-clock moment of a rule. All-day series ignore the time that wild data carries."""
    if start.all_day:
        return _stamp(text[:8], "")
    if "T" not in text:
        return _stamp(text, start.zone) + timedelta(days=1, seconds=-1)
    return _stamp(text, start.zone)


def _numbers(text: str, limit: int) -> list[int]:
    try:
        numbers = [int(item) for item in text.split(",")]
    except ValueError:
        raise _refused() from None
    if any(number == 0 or abs(number) > limit for number in numbers):
        raise _refused()
    return numbers


def _by_day(text: str) -> list[weekday]:
    found = [BY_DAY.match(item) for item in text.split(",")]
    if not all(found):
        raise _refused()
    days = [(WEEKDAYS[item.group(2)], item.group(1)) for item in found if item]
    return [day(int(ordinal)) if ordinal and int(ordinal) else day for day, ordinal in days]


def _rule(parts: dict[str, str], start: Moment) -> rrule:
    arguments: dict[str, object] = {key.lower(): _numbers(parts[key], NUMBERS[key]) for key in NUMBERS if key in parts}
    if "BYDAY" in parts:
        arguments["byweekday"] = _by_day(parts["BYDAY"])
    if "WKST" in parts:
        arguments["wkst"] = WEEKDAYS.get(parts["WKST"], MO)
    if "UNTIL" in parts:
        arguments["until"] = _until(parts["UNTIL"], start)
    for key in ("INTERVAL", "COUNT"):
        if key in parts:
            if not parts[key].isdigit() or not 1 <= int(parts[key]) <= 100_000:
                raise _refused()
            arguments[key.lower()] = int(parts[key])
    return rrule(FREQUENCIES[parts["FREQ"]], dtstart=start.wall(), **arguments)  # type: ignore[arg-type]


def _dates(parameters: str, value: str, start: Moment) -> list[datetime]:
    """The wall-clock times of one RDATE or EXDATE line, in the zone of the series."""
    named = re.search(r";TZID=([^;:]+)", parameters, re.IGNORECASE)
    zone = named.group(1) if named else start.zone
    if named and zone_info(zone) is None:
        raise _refused()
    found = []
    for item in value.split(","):
        wall = _stamp(item.strip().upper(), zone)
        if not start.all_day and zone != start.zone and not item.strip().endswith(("Z", "z")):
            wall = wall.replace(tzinfo=known_zone(zone)).astimezone(known_zone(start.zone)).replace(tzinfo=None)
        if not start.all_day and "T" not in item.upper():  # a bare date names the occurrence of that day
            wall = datetime.combine(wall.date(), start.wall().time())
        found.append(datetime.combine(wall.date(), datetime.min.time()) if start.all_day else wall)
    return found


def _counted(rule: rrule, count: int | None, *, less: bool) -> Iterator[datetime]:
    """What one rule yields. ``less``: its COUNT has been used once already."""
    return islice(rule, None if count is None else count - less)


@dataclass
class Series:
    """One expanded series; starts are naive wall clock of the series' zone, computed as far as asked."""

    start: Moment
    rules: list[tuple[rrule, int | None]] = field(default_factory=list)  # each with its own COUNT
    extra: set[datetime] = field(default_factory=set)
    excluded: set[datetime] = field(default_factory=set)
    known: list[datetime] = field(default_factory=list)
    _more: Iterator[datetime] | None = None

    def starts(self) -> Iterator[datetime]:
        """Every start in order, excluded ones left out."""
        position = 0
        while True:
            while position < len(self.known):
                yield self.known[position]
                position += 1
            self._more = self._more or self._generate()
            following = next(self._more, None)
            if following is None:
                return
            self.known.append(following)

    def _generate(self) -> Iterator[datetime]:
        first = self.start.wall()
        every = merge(islice(self._by_rules(first), ENDLESS), sorted(self.extra))
        for wall, _ in groupby(every):
            if wall not in self.excluded and self._shown(wall) not in self.excluded:
                yield wall

    def _by_rules(self, first: datetime) -> Iterator[datetime]:
        """What any rule yields, in order, and DTSTART even when none does: each rule's own COUNT then includes it."""
        odd = all(next(iter(rule), None) != first for rule, _ in self.rules)
        return merge([first], *(_counted(rule, count, less=odd) for rule, count in self.rules))

    def between(self, low: datetime | None, high: datetime | None) -> Iterator[datetime]:
        """Starts with ``low <= start < high`` (wall clock)."""
        for wall in self.starts():
            if high is not None and wall >= high:
                return
            if low is None or wall >= low:
                yield wall

    def yields(self, wall: datetime) -> bool:
        """Whether an occurrence starts at this wall-clock time, as clocks really show it."""
        near = self.between(wall - timedelta(hours=2), wall + timedelta(seconds=1))
        return any(self._shown(found) == wall for found in near)

    def _shown(self, wall: datetime) -> datetime:
        """A start in the hour that the clocks skip is shown as the hour after it."""
        return self.start.at_wall(wall).wall()

    def is_empty(self) -> bool:
        """Whether nothing is left of the series."""
        return next(self.starts(), None) is None


def read(lines: list[str], start: Moment) -> Series:
    """The series of these lines from ``start`` on; raises a 400 refusal for a line that Google would not take."""
    return _read(tuple(lines), start)


@lru_cache(maxsize=8192)
def _read(lines: tuple[str, ...], start: Moment) -> Series:
    series = Series(start)
    for line in lines:
        found = LINE.match(line)
        if not found:
            raise _refused()
        name, parameters, value = found.group(1).upper(), found.group(2), found.group(3)
        if name == "RRULE":
            parts = parts_of(value)
            rule = _rule(parts, start)
            series.rules.append((rule, int(parts["COUNT"]) if "COUNT" in parts else None))
        elif name == "EXRULE":
            series.excluded |= set(islice(_rule(parts_of(value), start), ENDLESS))
        elif name == "RDATE":
            series.extra |= set(_dates(parameters, value, start))
        else:
            series.excluded |= set(_dates(parameters, value, start))
    return series
