"""What an event looks like on the wire: the default property set, what needs naming, delta stubs, the stored form."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from calsync.simulator.core import Switches
from calsync.simulator.graph import bodies, ids
from calsync.simulator.graph.errors import Json, bad_request
from calsync.simulator.graph.moments import Moment, stamp, written
from calsync.simulator.graph.prefer import DEFAULT, Prefer
from calsync.simulator.graph.records import Event
from calsync.simulator.graph.zones import windows_of

PLAIN = (
    "categories", "reminderMinutesBeforeStart", "isReminderOn", "hasAttachments", "hideAttendees", "subject",
    "importance", "sensitivity", "isAllDay", "isCancelled", "isDraft", "isOrganizer", "responseRequested", "showAs",
    "onlineMeetingUrl", "isOnlineMeeting", "onlineMeetingProvider", "onlineMeeting", "allowNewTimeProposals",
    "responseStatus", "location", "locations", "attendees", "organizer",
)  # fmt: skip
NEEDS_NAMING = frozenset({"originalStart", "cancelledOccurrences", "uid"})
NAVIGATION = frozenset(
    {"exceptionOccurrences", "singleValueExtendedProperties", "multiValueExtendedProperties", "instances",
     "attachments", "extensions", "calendar"}
)  # fmt: skip


class View:
    """One event (or instance, by its original date) seen through one request's preferences."""

    def __init__(self, event: Event, on: date | None, prefer: Prefer, switches: Switches) -> None:
        self.event, self.on, self.prefer, self.switches = event, on, prefer, switches
        self.props = event.values(on)

    def whole(self) -> Json:
        """The default property set, in the order of Microsoft's answers."""
        event, on = self.event, self.on
        found: Json = {"@odata.etag": event.etag, "id": event.reference(on, immutable=self.prefer.immutable)}
        found |= {name: self.one(name) for name in LEADING}
        found |= {name: self.props[name] for name in PLAIN}
        return found | {name: self.one(name) for name in TRAILING}

    def some(self, names: Collection[str]) -> Json:
        """The named properties; the tag and the id come along always."""
        event, on = self.event, self.on
        found: Json = {"@odata.etag": event.etag, "id": event.reference(on, immutable=self.prefer.immutable)}
        for name in names:
            if name != "id" and name not in NAVIGATION and not self._is_hidden(name):
                found[name] = self.one(name)
        return found

    def one(self, name: str) -> Any:
        """A single property's value."""
        reader = DERIVED.get(name)
        return reader(self) if reader is not None else self.props[name]

    def stub(self) -> Json:
        """The seven properties that an occurrence has in calendarView/delta."""
        return {
            "@odata.type": "#microsoft.graph.event",
            "@odata.etag": self.event.etag,
            "seriesMasterId": self.series_master_id(),
            "type": self.event.kind(self.on),
            "start": self.start(),
            "end": self.end(),
            "id": self.event.reference(self.on, immutable=self.prefer.immutable),
        }

    def _is_hidden(self, name: str) -> bool:
        """Properties that only a master has."""
        return name == "cancelledOccurrences" and (self.on is not None or self.event.recurrence is None)

    def series_master_id(self) -> str | None:
        """The master's id, for an instance."""
        return None if self.on is None else self.event.reference(None, immutable=self.prefer.immutable)

    def occurrence_id(self, on: date | None) -> str | None:
        """``OID.{seriesMasterId}.{original date}``, for an instance."""
        return f"OID.{self.event.reference(None, immutable=self.prefer.immutable)}.{on}" if on else None

    def start(self) -> Json:
        """The start in the preferred zone."""
        return self._moment(self.event.span(self.on)[0])

    def end(self) -> Json:
        """The end in the preferred zone."""
        return self._moment(self.event.span(self.on)[1])

    def _moment(self, moment: Moment) -> Json:
        return written(moment, zone=self.prefer.zone, named=self.prefer.zone_named)

    def zone(self, which: int) -> str:
        """The zone in which the start (0) or the end (1) is anchored."""
        named = self.event.span(self.on)[which].named
        return windows_of(named) if self.switches.graph_projects_windows_names else named

    def object_id(self) -> str:
        """``iCalUId``: differs per instance."""
        uid = self.event.uid
        if not ids.is_object_id(uid):
            if self.switches.graph_foreign_uids_are_plain:
                return uid
            uid = ids.foreign_object_id(uid)
        return uid if self.on is None else ids.dated(uid, self.on)

    def original_start(self) -> str | None:
        """Where the pattern had put this instance, UTC."""
        if self.on is None:
            return None
        return self.event.start.at(self.event.original_start(self.on)).utc.isoformat() + "Z"

    def recurrence(self) -> Json | None:
        """The recurrence of a master, with the zone spelled like the event's."""
        recurrence = self.event.recurrence
        if recurrence is None or self.on is not None:
            return None
        return {
            "pattern": recurrence["pattern"],
            "range": {**recurrence["range"], "recurrenceTimeZone": self.zone(0)},
        }

    def web_link(self) -> str:
        """The deep link into Outlook on the web."""
        item = quote(self.event.reference(self.on, immutable=False), safe="")
        return f"https://outlook.office365.com/owa/?itemid={item}&exvsurl=1&path=/calendar/item"

    def cancelled(self) -> list[str | None]:
        """The deleted occurrences of a master."""
        return [self.occurrence_id(on) for on in sorted(self.event.cancelled)]


@lru_cache(maxsize=32_768)
def _preview(stored: str) -> str:
    return bodies.preview(stored)


DERIVED: dict[str, Callable[[View], Any]] = {
    "id": lambda view: view.event.reference(view.on, immutable=view.prefer.immutable),
    "createdDateTime": lambda view: stamp(view.event.created_at),
    "lastModifiedDateTime": lambda view: stamp(view.event.modified_at),
    "changeKey": lambda view: view.event.change_key,
    "transactionId": lambda view: view.event.transaction_id,
    "originalStartTimeZone": lambda view: view.zone(0),
    "originalEndTimeZone": lambda view: view.zone(1),
    "iCalUId": View.object_id,
    "uid": lambda view: view.event.uid,
    "bodyPreview": lambda view: _preview(view.props["body"]),
    "seriesMasterId": View.series_master_id,
    "type": lambda view: view.event.kind(view.on),
    "webLink": View.web_link,
    "occurrenceId": lambda view: view.occurrence_id(view.on),
    "originalStart": View.original_start,
    "cancelledOccurrences": View.cancelled,
    "body": lambda view: bodies.written_body(view.props["body"], as_text=view.prefer.text_body),
    "start": View.start,
    "end": View.end,
    "recurrence": View.recurrence,
}
LEADING = (
    "createdDateTime", "lastModifiedDateTime", "changeKey", "transactionId", "originalStartTimeZone",
    "originalEndTimeZone", "iCalUId", "bodyPreview", "seriesMasterId", "type", "webLink", "occurrenceId",
)  # fmt: skip
TRAILING = ("body", "start", "end", "recurrence")
SELECTABLE = frozenset({*PLAIN, *DERIVED, *NAVIGATION})


def check_select(names: Collection[str]) -> None:
    """Refuse a property that an event does not have."""
    for name in names:
        if name not in SELECTABLE:
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.event'.")


def removed(event: Event, *, immutable: bool) -> Json:
    """The mark that an event is gone from the window of a delta."""
    return {
        "@odata.type": "#microsoft.graph.event",
        "id": event.reference(None, immutable=immutable),
        "@removed": {"reason": "deleted"},
    }


def stored_form(event: Event, switches: Switches) -> Json:
    """The whole aggregate for tests and audits: the wire form with start and end in the event's own IANA zones.

    Besides the wire's keys: ``uid`` (cleaned), ``singleValueExtendedProperties`` (name to value), ``cancelled`` (sorted
    original dates, ISO) and ``exceptions`` (original date to the instance's wire form, zones likewise its own).
    """
    return _own_zones(event, None, switches) | {
        "uid": event.uid,
        "calendarId": event.calendar.id,
        "immutableId": event.immutable_id,
        "singleValueExtendedProperties": dict(event.extended),
        "cancelled": [on.isoformat() for on in sorted(event.cancelled)],
        "exceptions": {on.isoformat(): _own_zones(event, on, switches) for on in sorted(event.exceptions)},
    }


def _own_zones(event: Event, on: date | None, switches: Switches) -> Json:
    start, end = event.span(on)
    own = {
        "start": written(start, zone=start.zone, named=start.zone),
        "end": written(end, zone=end.zone, named=end.zone),
    }
    return View(event, on, DEFAULT, switches).whole() | own
