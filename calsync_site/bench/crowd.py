"""The bench's people: mailboxes on either platform or both, with events as their own clients would have made them.

What lives here: pretend data for the simulator. The same numbers make the same data, so that twins stay twins.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from calsync.simulator.server import Simulator

Body = dict[str, Any]  # a JSON document of either provider

ZONE, WINDOWS_ZONE = "Europe/Berlin", "W. Europe Standard Time"
TEXT = "Please bring the figures of the last quarter, and a short word about what is planned. " * 4
DAYS_ABOUT = 380  # how far ahead the events are spread
ALL_DAY_EVERY, SERIES_EVERY = 7, 11  # one event in so many is one of these
OFFSET = {"outlook": 0, "google": 7}  # minutes, so that no event of one side is taken for one of the other


def address(number: int) -> str:
    """The mailbox address of a person."""
    return f"person{number:04d}@meridian.example"


def settle_in(simulator: Simulator, *, people: int, outlook: int | None, google: int | None, series: bool) -> None:
    """Make people, each with so many events on either platform; None means that they have no mailbox there."""
    for number in range(people):
        if outlook is not None:
            simulator.graph.add_mailbox(address(number), f"Person {number}", ZONE)
            for body in _bodies("outlook", outlook, series=series):
                simulator.graph.create_event(address(number), body)
        if google is not None:
            simulator.google.add_mailbox(address(number), f"Person {number}", ZONE)
            for body in _bodies("google", google, series=series):
                simulator.google.create_event(address(number), body)


def title(platform: str, number: int) -> str:
    """The title of a person's event, told apart by where it was made."""
    return f"Event {number} made in {platform}"


def _bodies(platform: str, count: int, *, series: bool) -> Iterator[Body]:
    first = datetime.combine(datetime.now(UTC).date() + timedelta(days=2), time(8), UTC)
    for number in range(count):
        spread = timedelta(days=number * DAYS_ABOUT // max(count, 1), minutes=45 * (number % 12) + OFFSET[platform])
        begin = (first + spread).replace(tzinfo=None)
        repeats = series and number % SERIES_EVERY == 3
        if number % ALL_DAY_EVERY == 2 and not repeats:
            yield _all_day(platform, number, begin.date())
        else:
            yield _timed(platform, number, begin) | (_weekly(platform, begin) if repeats else {})


def _timed(platform: str, number: int, begin: datetime) -> Body:
    zone = WINDOWS_ZONE if platform == "outlook" else ZONE
    span = {
        name: {"dateTime": moment.isoformat(), "timeZone": zone}
        for name, moment in (("start", begin), ("end", begin + timedelta(minutes=30)))
    }
    return _words(platform, number) | span


def _all_day(platform: str, number: int, day: date) -> Body:
    days = {"start": day, "end": day + timedelta(days=1)}
    if platform == "google":
        return _words(platform, number) | {name: {"date": day.isoformat()} for name, day in days.items()}
    span = {name: {"dateTime": f"{day}T00:00:00", "timeZone": WINDOWS_ZONE} for name, day in days.items()}
    return _words(platform, number) | span | {"isAllDay": True}


def _words(platform: str, number: int) -> Body:
    if platform == "google":
        return {"summary": title(platform, number), "description": TEXT, "location": f"Room {number % 40}"}
    return {
        "subject": title(platform, number),
        "body": {"contentType": "text", "content": TEXT},
        "location": {"displayName": f"Room {number % 40}"},
    }


def _weekly(platform: str, begin: datetime) -> Body:
    if platform == "google":
        return {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"]}
    day = begin.strftime("%A").lower()
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": [day], "firstDayOfWeek": "monday"}
    begins = {"type": "numbered", "startDate": begin.date().isoformat(), "numberOfOccurrences": 8}
    return {"recurrence": {"pattern": pattern, "range": begins}}
