"""Graph event JSON as tests need it, and reading it without a provider."""

from __future__ import annotations

from calsync.providers.base import Mailbox
from calsync.providers.graph.mapping import series_item, single_item

ADA = Mailbox("ada@contoso.com", "primary", "Europe/Berlin")


def at(text, zone="UTC"):
    return {"dateTime": text, "timeZone": zone}


def event(**fields):
    return {
        "@odata.etag": 'W/"v1"',
        "id": "E1",
        "type": "singleInstance",
        "subject": "Lunch",
        "body": {"contentType": "text", "content": "Bring\u00a0cake \r\n"},
        "start": at("2026-10-22T07:00:00.0000000"),
        "end": at("2026-10-22T08:00:00.0000000"),
        "originalStartTimeZone": "W. Europe Standard Time",
        "originalEndTimeZone": "W. Europe Standard Time",
        "isAllDay": False,
        "showAs": "busy",
        "sensitivity": "normal",
        "lastModifiedDateTime": "2026-10-01T10:00:00.1234567Z",
        **fields,
    }


def weekly(**fields):
    return event(
        id="S1",
        type="seriesMaster",
        start=at("2026-10-19T07:00:00.0000000"),
        end=at("2026-10-19T08:00:00.0000000"),
        recurrence={
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["Monday"], "firstDayOfWeek": "sunday"},
            "range": {
                "type": "noEnd",
                "startDate": "2026-10-19",
                "endDate": "0001-01-01",
                "recurrenceTimeZone": "W. Europe Standard Time",
                "numberOfOccurrences": 0,
            },
        },
        **fields,
    )


def read(raw):
    item = single_item(raw, mailbox=ADA)
    assert item.problem == ""
    return item.event


def read_series(raw, *, exceptions=(), cancelled=()):
    item = series_item(raw, exceptions=exceptions, cancelled=cancelled, mailbox=ADA)
    assert item.problem == ""
    return item.event
