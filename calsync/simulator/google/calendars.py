"""calendarList, calendars, settings and colors: the small resources around events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calsync.simulator.google import ids
from calsync.simulator.google.errors import full_sync_required, invalid, not_found
from calsync.simulator.google.records import Calendar, Fields

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore

MAILS = ("eventCreation", "eventChange", "eventCancellation", "eventResponse")
PALETTE = {"background": "#9fe1e7", "foreground": "#1d1d1d"}


def resource(calendar: Calendar) -> Fields:
    """The ``calendar#calendar`` resource."""
    return {
        "kind": "calendar#calendar",
        "etag": f'"{calendar.created_us}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone_name,
        "dataOwner": calendar.owner,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }


def entry(calendar: Calendar) -> Fields:
    """The ``calendar#calendarListEntry`` resource on the owner's list."""
    body: Fields = {
        "kind": "calendar#calendarListEntry",
        "etag": f'"{calendar.created_us}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.zone_name,
        "dataOwner": calendar.owner,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": True,
        "accessRole": "reader" if calendar.read_only else "owner",
        "defaultReminders": [{"method": "popup", "minutes": 30}] if calendar.primary else [],
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    if calendar.primary:
        body["notificationSettings"] = {"notifications": [{"type": kind, "method": "email"} for kind in MAILS]}
        body["primary"] = True
    return body


def calendar_list(store: GoogleStore, raw: Fields, *, caller: str) -> Fields:
    """One page of calendarList.list; a sync token gets only calendars added since."""
    found = store.of_user(caller)
    if "syncToken" in raw:
        since = _read_token(raw["syncToken"])
        found = [calendar for calendar in found if calendar.created_us > since]
    start = _offset(raw)
    size = min(raw.get("maxResults", 100), 250)
    page = found[start : start + size]
    newest = max((calendar.created_us for calendar in store.of_user(caller)), default=0)
    answer: Fields = {"kind": "calendar#calendarList", "etag": ids.collection_etag(newest)}
    if start + size < len(found):
        answer["nextPageToken"] = ids.PageToken(start + size, len(found), newest).text()
    else:
        answer["nextSyncToken"] = ids.SyncToken(newest, 1, 1).text()
    return answer | {"items": [entry(calendar) for calendar in page]}


def _read_token(text: str) -> int:
    try:
        return ids.SyncToken.parse(text).updated_us
    except ValueError:
        raise full_sync_required() from None


def _offset(raw: Fields) -> int:
    if "pageToken" not in raw:
        return 0
    try:
        return ids.PageToken.parse(raw["pageToken"]).position
    except ValueError:
        raise invalid("Invalid page token value.", parameter="pageToken") from None


def _settings(store: GoogleStore, caller: str) -> dict[str, str]:
    """All values are strings; the settings nobody changed are absent, as on the real service."""
    return {
        "timezone": store.users[caller].zone,
        "dateFieldOrder": "DMY",
        "format24HourTime": "true",
        "weekStart": "1",
        "locale": "en",
        "defaultEventLength": "60",
    }


def settings_list(store: GoogleStore, raw: Fields, *, caller: str) -> Fields:
    """settings.list on one page; incremental answers are empty, for settings never change here."""
    values = {} if "syncToken" in raw else _settings(store, caller)
    return {
        "kind": "calendar#settings",
        "etag": '"1607450260123000"',
        "nextSyncToken": ids.SyncToken(1_607_450_260_123_000, 1, 1).text(),
        "items": [_setting(name, value) for name, value in values.items()],
    }


def setting(store: GoogleStore, name: str, *, caller: str) -> Fields:
    """settings.get; 404 for a setting that does not exist."""
    values = _settings(store, caller)
    if name not in values:
        raise not_found()
    return _setting(name, values[name])


def _setting(name: str, value: str) -> Fields:
    return {"kind": "calendar#setting", "etag": '"1607450260123001"', "id": name, "value": value}


def colors() -> Fields:
    """colors.get; every number has a colour, the real shades do not matter."""
    return {
        "kind": "calendar#colors",
        "updated": "2012-02-14T00:00:00.000Z",
        "calendar": {str(number): PALETTE for number in range(1, 25)},
        "event": {str(number): PALETTE for number in range(1, 12)},
    }
