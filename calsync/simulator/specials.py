"""Google's special event types as they stand in a pretend diary: no meetings, and not for the other platform."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from calsync.simulator.sketches import Body


def special(number: int, zone: str, today: date) -> Body:
    """The next special event: working location, focus time, birthday, and one that came out of a mail."""
    day = today + timedelta(days=number % 97 - 5)
    return (_working_location, _focus_time, _birthday, _from_mail)[number % 4](day, zone)


def _working_location(day: date, _zone: str) -> Body:
    return _days(day) | {
        "summary": "Home",
        "eventType": "workingLocation",
        "visibility": "public",
        "transparency": "transparent",
        "workingLocationProperties": {"type": "homeOffice", "homeOffice": {}},
    }


def _focus_time(day: date, zone: str) -> Body:
    properties = {"chatStatus": "doNotDisturb", "autoDeclineMode": "declineNone"}
    return _hours(day, zone) | {"summary": "Focus", "eventType": "focusTime", "focusTimeProperties": properties}


def _birthday(day: date, _zone: str) -> Body:
    rule = {"eventType": "birthday", "recurrence": ["RRULE:FREQ=YEARLY"], "birthdayProperties": {"type": "birthday"}}
    return _days(day.replace(day=min(day.day, 28))) | {"summary": "Birthday of a friend"} | rule


def _from_mail(day: date, zone: str) -> Body:
    source = {"url": "https://mail.google.com/mail/u/0/#inbox/17abc123def456ab", "title": "Your booking"}
    return _hours(day, zone) | {
        "summary": "Train to the coast",
        "eventType": "fromGmail",
        "locked": True,
        "source": source,
    }


def _days(day: date) -> Body:
    return {"start": {"date": day.isoformat()}, "end": {"date": (day + timedelta(days=1)).isoformat()}}


def _hours(day: date, zone: str) -> Body:
    start = datetime.combine(day, time(13))
    times = {"start": start, "end": start + timedelta(hours=2)}
    return {name: {"dateTime": wall.isoformat(), "timeZone": zone} for name, wall in times.items()}
