"""dateTimeTimeZone: reading what a client sends, keeping wall clock plus zone, answering in the zone asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from calsync.simulator.graph.errors import GraphError, property_failure, unknown_zone, unreadable_body
from calsync.simulator.graph.zones import iana_of, zone_info

UNSET = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Moment:
    """Naive wall clock in ``zone`` (IANA); ``named`` is the zone's name as the client spelled it."""

    wall: datetime
    zone: str
    named: str

    @property
    def utc(self) -> datetime:
        """The instant as naive UTC."""
        return to_utc(self.wall, self.zone)

    def at(self, wall: datetime) -> Moment:
        """Another wall clock time in the same zone."""
        return Moment(wall, self.zone, self.named)

    @property
    def is_midnight(self) -> bool:
        """Whether the wall clock shows midnight."""
        return self.wall.time() == time()


@lru_cache(maxsize=100_000)
def to_utc(wall: datetime, zone: str) -> datetime:
    """The instant of a wall clock time, naive UTC. In a gap the clock before the change counts."""
    if zone == "UTC":
        return wall
    return wall.replace(tzinfo=zone_info(zone)).astimezone(UTC).replace(tzinfo=None)


def in_zone(utc: datetime, zone: str) -> datetime:
    """Naive UTC to the wall clock of a zone."""
    if zone == "UTC":
        return utc
    return utc.replace(tzinfo=UTC).astimezone(zone_info(zone)).replace(tzinfo=None)


def read_moment(value: Any, field: str) -> Moment:
    """A dateTimeTimeZone of a request. An offset inside ``dateTime`` pins the instant and wins over ``timeZone``."""
    if not isinstance(value, dict) or not isinstance(value.get("dateTime"), str):
        raise unreadable_body(f"Cannot read the value of '{field}': a dateTime text and a timeZone are expected.")
    named = value.get("timeZone")
    zone = iana_of(named) if isinstance(named, str) and named else None
    if zone is None:
        raise unknown_zone(str(named or ""))
    parsed = parse_date_time(value["dateTime"])
    if parsed is None:
        raise unreadable_body(f"Cannot convert the literal of '{field}' to the expected type 'Edm.String'.")
    if parsed.tzinfo is not None:
        parsed = in_zone(parsed.astimezone(UTC).replace(tzinfo=None), zone)
    return Moment(parsed, zone, str(named))


def parse_date_time(text: str) -> datetime | None:
    """ISO date and time with up to seven fractional digits; None when it is none."""
    head, dot, rest = text.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{head}.{rest[: min(digits, 6)]}{rest[digits:]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def seven_digits(wall: datetime) -> str:
    """Wall clock as Graph writes it: always seven fractional digits."""
    return wall.isoformat(timespec="microseconds") + "0"


def stamp(instant: datetime) -> str:
    """A DateTimeOffset (aware UTC in) as Graph writes it."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "0Z"


def written(moment: Moment, *, zone: str, named: str) -> dict[str, str]:
    """A dateTimeTimeZone of an answer, in the zone that the request prefers."""
    wall = moment.wall if moment.zone == zone else in_zone(moment.utc, zone)
    return {"dateTime": seven_digits(wall), "timeZone": named}


def check_span(start: Moment, end: Moment, *, all_day: bool) -> None:
    """Refuse an end before the start, all-day ends off midnight and more than five years."""
    if all_day:
        if not start.is_midnight:
            raise _not_midnight("Start")
        if not end.is_midnight:
            raise _not_midnight("End")
        if start.zone != end.zone or end.wall <= start.wall:
            raise property_failure()
    if end.utc < start.utc:
        raise property_failure()
    if end.utc - start.utc > timedelta(days=5 * 366):
        raise GraphError(400, "ErrorCalendarDurationIsTooLong", "The calendar item duration is too long.")


def _not_midnight(which: str) -> GraphError:
    text = f"The Event.{which} property for an all-day event needs to be set to midnight."
    return GraphError(400, "ErrorInvalidRequest", text)
