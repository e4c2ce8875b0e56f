"""Start and end of events: reading Google's EventDateTime, keeping the instant, writing it in any zone.

A timed moment keeps the instant and the event's own zone; the offset of an answer is that of the zone asked for
(default: the calendar's), while ``timeZone`` stays the event's own. All-day moments are dates without a zone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from calsync.simulator.google.errors import bad_request, invalid, required

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?\Z")


@cache
def zone_info(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, None for anything else (Windows names are refused by Google)."""
    return ZoneInfo(name) if name in available_timezones() else None


def known_zone(name: str) -> ZoneInfo:
    """The zone of a name that was checked before."""
    return zone_info(name) or ZoneInfo("UTC")


def instant_text(instant: datetime, zone: ZoneInfo) -> str:
    """An instant in a zone, whole seconds, ``Z`` for offset zero as Google writes it."""
    text = instant.astimezone(zone).isoformat(timespec="seconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


@dataclass(frozen=True, slots=True)
class Moment:
    """A start or an end: ``day`` for all-day events, else ``instant`` (UTC) and the event's own ``zone``."""

    day: date | None = None
    instant: datetime | None = None
    zone: str = ""

    @property
    def all_day(self) -> bool:
        """Whether this is a date."""
        return self.day is not None

    def at(self, zone: ZoneInfo) -> datetime:
        """The instant, reading an all-day date as midnight of the calendar's ``zone``."""
        if self.instant is not None:
            return self.instant
        return datetime.combine(self.day or date.min, time(), zone).astimezone(UTC)

    def wall(self) -> datetime:
        """Naive wall clock in the moment's own zone; midnight for all-day."""
        if self.instant is not None:
            return self.instant.astimezone(known_zone(self.zone)).replace(tzinfo=None)
        return datetime.combine(self.day or date.min, time())

    def at_wall(self, wall: datetime) -> Moment:
        """The same kind of moment at another wall-clock time of its own zone."""
        if self.day is not None:
            return Moment(day=wall.date())
        return Moment(instant=wall.replace(tzinfo=known_zone(self.zone)).astimezone(UTC), zone=self.zone)

    def in_zone(self, zone: str) -> Moment:
        """The same instant, owned by another zone."""
        return self if self.day is not None else Moment(instant=self.instant, zone=zone)

    def wire(self, zone: ZoneInfo) -> dict[str, str]:
        """The EventDateTime of an answer in ``zone``."""
        if self.instant is None:
            return {"date": (self.day or date.min).isoformat()}
        return {"dateTime": instant_text(self.instant, zone), "timeZone": self.zone}

    def suffix(self) -> str:
        """What follows ``<master>_`` in an instance id that starts here."""
        if self.instant is None:
            return f"{self.day:%Y%m%d}"
        return f"{self.instant:%Y%m%dT%H%M%SZ}"


def from_suffix(suffix: str, like: Moment) -> Moment | None:
    """The original start that an instance id's suffix names, None when it is of the other kind."""
    try:
        if like.all_day:
            return Moment(day=datetime.strptime(suffix, "%Y%m%d").date())  # noqa: DTZ007 - a date has no zone
        instant = datetime.strptime(suffix, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Moment(instant=instant, zone=like.zone)


def parse_instant(text: str, *, parameter: str) -> datetime:
    """A query parameter with a mandatory offset as UTC, milliseconds cut; 400 otherwise."""
    found = RFC3339.match(text)
    if not found or not found.group(2):
        raise bad_request("Bad Request", parameter=parameter)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise bad_request("Bad Request", parameter=parameter) from None


def parse(value: dict[str, Any] | None, *, which: str, calendar_zone: str, recurring: bool) -> Moment:
    """Read ``start`` or ``end`` (``which``) of a request.

    ``date`` xor ``dateTime``; a ``dateTime`` needs an offset or a ``timeZone``; recurring events always need the
    ``timeZone``. Refuses with 400.
    """
    given = {key: item for key, item in (value or {}).items() if item not in (None, "")}
    if ("date" in given) == ("dateTime" in given):
        raise invalid(f"Invalid {which} time.") if given else required(f"Missing {which} time.")
    if "date" in given:
        return Moment(day=_day(str(given["date"]), which))
    zone = str(given.get("timeZone", ""))
    if zone and zone_info(zone) is None:
        raise invalid(f"Invalid time zone definition for {which} time.")
    if recurring and not zone:
        raise required(f"Missing time zone definition for {which} time.")
    return Moment(instant=_instant(str(given["dateTime"]), zone, which), zone=zone or calendar_zone)


def _day(text: str, which: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise invalid(f"Invalid value for: {which} date") from None


def _instant(text: str, zone: str, which: str) -> datetime:
    found = RFC3339.match(text)
    if not found:
        raise invalid(f"Invalid value for: {which} dateTime")
    try:
        read = datetime.fromisoformat(text.upper()).replace(microsecond=0)
    except ValueError:
        raise invalid(f"Invalid value for: {which} dateTime") from None
    if read.tzinfo is None:
        if not zone:
            raise required(f"Missing time zone definition for {which} time.")
        read = read.replace(tzinfo=known_zone(zone))
    return read.astimezone(UTC)


def shifted(moment: Moment, by: timedelta) -> Moment:
    """The moment moved by a wall-clock distance."""
    return moment.at_wall(moment.wall() + by)
