"""Graph recurrences as RFC 5545 lines and back, for invitations that cross to a mailbox elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from calsync.simulator.graph.errors import Json
from calsync.simulator.graph.moments import Moment, in_zone, to_utc
from calsync.simulator.graph.recurrence import DAYS, INDEXES

CODES = {"monday": "MO", "tuesday": "TU", "wednesday": "WE", "thursday": "TH", "friday": "FR", "saturday": "SA"}
CODES["sunday"] = "SU"
NAMES = {code: day for day, code in CODES.items()}
ORDINALS = {value: name for name, value in INDEXES.items()}


def to_lines(recurrence: Json, start: Moment, *, all_day: bool, cancelled: Iterable[datetime]) -> tuple[str, ...]:
    """The RRULE line, and EXDATE lines for deleted occurrences (wall clock starts in the series' zone)."""
    parts = [*_pattern_parts(recurrence["pattern"]), *_range_parts(recurrence["range"], start, all_day=all_day)]
    lines = ["RRULE:" + ";".join(parts)]
    for gone in sorted(cancelled):
        if all_day:
            lines.append(f"EXDATE;VALUE=DATE:{gone:%Y%m%d}")
        else:
            lines.append(f"EXDATE;TZID={start.zone}:{gone:%Y%m%dT%H%M%S}")
    return tuple(lines)


def _pattern_parts(pattern: Json) -> list[str]:
    kind, every = pattern["type"], f"INTERVAL={pattern['interval']}"
    days = ",".join(CODES[day] for day in pattern.get("daysOfWeek", ()))
    if kind == "daily":
        return ["FREQ=DAILY", every]
    if kind == "weekly":
        return ["FREQ=WEEKLY", every, f"WKST={CODES[pattern['firstDayOfWeek']]}", f"BYDAY={days}"]
    head = ["FREQ=YEARLY", every, f"BYMONTH={pattern['month']}"] if "Yearly" in kind else ["FREQ=MONTHLY", every]
    if kind.startswith("relative"):
        return [*head, f"BYDAY={days}", f"BYSETPOS={INDEXES[pattern['index']]}"]
    day = pattern["dayOfMonth"]
    if day <= 28:
        return [*head, f"BYMONTHDAY={day}"]
    return [*head, "BYMONTHDAY=" + ",".join(str(one) for one in range(28, day + 1)), "BYSETPOS=-1"]


def _range_parts(span: Json, start: Moment, *, all_day: bool) -> list[str]:
    if span["type"] == "numbered":
        return [f"COUNT={span['numberOfOccurrences']}"]
    if span["type"] == "noEnd":
        return []
    last = date.fromisoformat(span["endDate"])
    if all_day:
        return [f"UNTIL={last:%Y%m%d}"]
    until = to_utc(datetime.combine(last, time(23, 59, 59)), start.zone)
    return [f"UNTIL={until:%Y%m%dT%H%M%SZ}"]


def from_lines(lines: Iterable[str], start: Moment) -> Json | None:
    """The recurrence of an invitation; None when Exchange has no form for it (then only one instance lands)."""
    rules = [line.partition(":")[2] for line in lines if line.upper().startswith("RRULE")]
    if len(rules) != 1:
        return None
    rule = dict(part.split("=", 1) for part in rules[0].upper().split(";") if "=" in part)
    pattern = _pattern(rule, start)
    return None if pattern is None else {"pattern": pattern, "range": _span(rule, start)}


def _span(rule: dict[str, str], start: Moment) -> Json:
    span: Json = {"type": "noEnd", "startDate": start.wall.date().isoformat()}
    if "COUNT" in rule:
        return span | {"type": "numbered", "numberOfOccurrences": int(rule["COUNT"])}
    if "UNTIL" not in rule:
        return span
    until = datetime.strptime(rule["UNTIL"][:8], "%Y%m%d").replace(tzinfo=UTC)
    last = until.date()
    if rule["UNTIL"].endswith("Z"):
        exact = datetime.strptime(rule["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        local = in_zone(exact.replace(tzinfo=None), start.zone)
        last = date.fromordinal(local.date().toordinal() - (local.time() < start.wall.time()))
    return span | {"type": "endDate", "endDate": last.isoformat()}


def _pattern(rule: dict[str, str], start: Moment) -> Json | None:
    if set(rule) & {"BYWEEKNO", "BYYEARDAY", "BYHOUR", "BYMINUTE", "BYSECOND"}:
        return None
    kind, every = rule.get("FREQ"), int(rule.get("INTERVAL", "1"))
    if kind == "DAILY" and "BYDAY" not in rule:
        return {"type": "daily", "interval": every}
    if kind in ("DAILY", "WEEKLY"):
        days = _days(rule.get("BYDAY", _code(start)))
        if days is None or (kind == "DAILY" and every > 1):
            return None
        week = NAMES[rule.get("WKST", "MO")]
        return {"type": "weekly", "interval": every, "daysOfWeek": days, "firstDayOfWeek": week}
    if kind == "MONTHLY":
        return _in_month(rule, start, every, "Monthly", {})
    month = rule.get("BYMONTH", str(start.wall.month))
    return _in_month(rule, start, every, "Yearly", {"month": int(month)}) if month.isdigit() else None


def _in_month(rule: dict[str, str], start: Moment, every: int, suffix: str, extra: Json) -> Json | None:
    place = rule.get("BYSETPOS", "")
    if "BYDAY" in rule:
        codes = rule["BYDAY"].split(",")
        if len(codes) == 1 and not place:
            place, codes = codes[0][:-2], [codes[0][-2:]]
        days = _days(",".join(codes))
        if days is None or not place or int(place) not in ORDINALS:
            return None
        index = ORDINALS[int(place)]
        return {"type": f"relative{suffix}", "interval": every, "daysOfWeek": days, "index": index, **extra}
    day = _month_day(rule.get("BYMONTHDAY", str(start.wall.day)), place)
    return None if day is None else {"type": f"absolute{suffix}", "interval": every, "dayOfMonth": day, **extra}


def _month_day(days: str, place: str) -> int | None:
    if days == "-1":
        return 31
    if place == "-1" and days.split(",") == [str(one) for one in range(28, 28 + len(days.split(",")))]:
        return int(days.split(",")[-1])
    return int(days) if days.isdigit() and not place and int(days) <= 28 else None


def _days(codes: str) -> list[str] | None:
    days = [NAMES[code] for code in codes.split(",") if code in NAMES]
    return days if len(days) == len(codes.split(",")) else None


def _code(start: Moment) -> str:
    return CODES[DAYS[start.wall.weekday()]]
