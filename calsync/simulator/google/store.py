"""The pretend Workspace domain: its users, their calendars, and the one clock that versions every change.

Holds the state and the Python face that tests, benchmarks and pretend people use. Everything here runs under
``core.lock``. How events change lives in ``writing``, who is invited in ``guests``.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from calsync.simulator.core import Core, Invitation
from calsync.simulator.google import ids, imports, landing, splitting, wire, writing
from calsync.simulator.google.channels import Channels
from calsync.simulator.google.errors import not_found
from calsync.simulator.google.oauth import Tokens
from calsync.simulator.google.placing import Options
from calsync.simulator.google.quota import Quota
from calsync.simulator.google.records import Calendar, Fields, Record


@dataclass(slots=True)
class User:
    """One account of the domain. ``user_id`` is stable, the address is not."""

    address: str
    name: str
    zone: str
    org_unit: str
    user_id: str
    admin: bool = False
    suspended: bool = False
    archived: bool = False
    aliases: list[str] = field(default_factory=list)
    manager: str = ""  # another user's address


@dataclass(slots=True)
class GoogleStore:
    """All users and calendars of the pretend domain."""

    core: Core
    users: dict[str, User] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)  # org units that need no user to be there
    last_us: int = 0
    channels: Channels = field(init=False)
    tokens: Tokens = field(init=False)
    quota: Quota = field(init=False)

    def __post_init__(self) -> None:
        self.channels = Channels(self.core)
        self.tokens = Tokens(self.core)
        self.quota = Quota(self.core)
        self.core.deliver["google"] = self.receive

    # -- users and calendars ------------------------------------------------------------------------------------

    def add_mailbox(
        self, address: str, display_name: str, zone: str, org_unit: str = "/", *, admin: bool = False
    ) -> Calendar:
        """Create a user with a primary calendar in ``zone`` (IANA). The address receives Google's own mail."""
        address = address.lower()
        with self.core.lock:
            number = str(10**20 + random.Random(address).randrange(10**20))  # noqa: S311 - a stable id, no secret
            self.users[address] = User(address, display_name, zone, org_unit, number, admin)
            self.core.domains.setdefault(address, "google")
            return self._add_calendar(Calendar(address, address, zone, address))

    def rename_mailbox(self, address: str, new: str) -> None:
        """Give a user another address, which is also the primary calendar's id; the events keep theirs."""
        old, new = address.lower(), new.lower()
        with self.core.lock:
            self.users[new] = user = self.users.pop(old)
            user.address = new
            self.calendars[new] = self.calendars.pop(old)
            self.calendars[new].id = new
            for calendar in self.of_user(old):
                calendar.owner = new
                for record in calendar.rows:
                    _rename_person(record, old, new)
            self.tokens.revoke(old)
            self.core.domains.pop(old, None)
            self.core.domains.setdefault(new, "google")

    def remove_user(self, address: str) -> None:
        """Delete a user with everything in their calendars."""
        old = address.lower()
        with self.core.lock:
            del self.users[old]
            for calendar in self.of_user(old):
                del self.calendars[calendar.id]
            self.tokens.revoke(old)
            self.core.domains.pop(old, None)

    def add_calendar(
        self, owner: str, summary: str, zone: str, *, identifier: str = "", read_only: bool = False
    ) -> str:
        """Create a secondary calendar, or a holiday one with ``read_only``; returns its id."""
        identifier = identifier or f"c_{ids.event_id()}@group.calendar.google.com"
        with self.core.lock:
            self._add_calendar(Calendar(identifier, owner.lower(), zone, summary, primary=False, read_only=read_only))
        return identifier

    def _add_calendar(self, calendar: Calendar) -> Calendar:
        calendar.created_us = calendar.updated_us = self.next_us()
        self.calendars[calendar.id] = calendar
        return calendar

    def calendar(self, identifier: str, *, caller: str = "") -> Calendar:
        """The calendar of that id (``primary`` means the caller's); 404 when absent or not the caller's own."""
        found = self.calendars.get(caller if identifier == "primary" else identifier)
        found = found or self.calendars.get(identifier.lower())
        if found is None or (caller and found.owner != caller):
            raise not_found()
        return found

    def of_user(self, address: str) -> list[Calendar]:
        """The calendars on a user's list, the primary one first."""
        own = [calendar for calendar in self.calendars.values() if calendar.owner == address]
        return sorted(own, key=lambda calendar: not calendar.primary)

    # -- versions -----------------------------------------------------------------------------------------------

    def next_us(self) -> int:
        """A new version time, later than every one before."""
        self.last_us = max(ids.microseconds(self.core.clock.now()), self.last_us + 1)
        return self.last_us

    def touch(self, calendar: Calendar, records: Iterable[Record], *, alone: bool = False) -> None:
        """Give the records one new version and log them; a series is versioned as one thing unless ``alone``."""
        stamp = self.next_us()
        chosen = list(dict.fromkeys(records))
        if self.core.switches.google_series_share_one_version and not alone:
            chosen = list(dict.fromkeys(kin for record in chosen for kin in _family(calendar, record)))
        for record in chosen:
            record.updated_us = stamp
            record.rendered = {}
            calendar.log.append((stamp, record))
        for child in (child for record in chosen for child in calendar.children.get(record.id, {}).values()):
            child.rendered = {}  # inherits from what changed
        calendar.updated_us = stamp
        self.channels.ring(calendar)
        self.core.changed("google", calendar.owner, calendar.id)

    def expire_sync_tokens(self, address: str = "") -> None:
        """Make every sync token handed out so far answer 410, as changes of access rules do (one user, or all)."""
        with self.core.lock:
            for calendar in self.calendars.values():
                if not address or calendar.owner == address.lower():
                    calendar.generation += 1

    # -- the Python face ----------------------------------------------------------------------------------------

    def create_event(
        self, address: str, body: dict[str, Any], *, by_person: bool = True, send_updates: str = "none"
    ) -> dict[str, Any]:
        """Insert an event on a primary calendar, by default as its owner would by hand; returns the resource."""
        with self.core.lock:
            calendar = self.calendar(address.lower())
            return self._answer(calendar, writing.insert(self, calendar, body, _options(by_person, send_updates)))

    def import_event(self, address: str, body: dict[str, Any]) -> dict[str, Any]:
        """Import an event with its own iCalUID, as a migration tool would; mails nobody."""
        with self.core.lock:
            calendar = self.calendar(address.lower())
            return self._answer(calendar, imports.import_event(self, calendar, body, _options(False, "none")))

    def patch_event(
        self, address: str, event_id: str, body: dict[str, Any], *, by_person: bool = True, send_updates: str = "none"
    ) -> dict[str, Any]:
        """Patch an event or one occurrence; returns the resource."""
        with self.core.lock:
            calendar = self.calendar(address.lower())
            options = _options(by_person, send_updates)
            return self._answer(calendar, writing.patch(self, calendar, event_id, body, options))

    def delete_event(self, address: str, event_id: str, *, by_person: bool = True, send_updates: str = "none") -> None:
        """Delete an event, a series (by its master's id) or one occurrence."""
        with self.core.lock:
            writing.delete(self, self.calendar(address.lower()), event_id, _options(by_person, send_updates))

    def split_series(self, address: str, master_id: str, at: date, **changes: Any) -> dict[str, Any]:
        """Split a series as a person does: it ends before the occurrence that starts ``at`` (its own wall clock), and a
        copy of it with ``changes`` goes on from there; returns the copy.
        """
        with self.core.lock:
            calendar = self.calendar(address.lower())
            tail = splitting.split(self, calendar, master_id, at, changes, _options(True, "none"))
            return self._answer(calendar, tail)

    def get_event(self, address: str, event_id: str) -> dict[str, Any]:
        """One event or occurrence, in full."""
        with self.core.lock:
            calendar = self.calendar(address.lower())
            return self._answer(calendar, writing.find(calendar, event_id))

    def events(self, address: str) -> list[dict[str, Any]]:
        """What lives on a primary calendar: singles, masters, exceptions and cancelled occurrences of living series."""
        with self.core.lock:
            calendar = self.calendar(address.lower())
            living = [record for record in calendar.rows if not _gone(record)]
            return [dict(wire.listed(calendar, record)) for record in living]

    def receive(self, invitation: Invitation, recipient: str) -> None:
        """Land a meeting mail from outside as a native attendee copy (``core.deliver["google"]``)."""
        with self.core.lock:
            landing.receive(self, invitation, recipient.lower())

    def _answer(self, calendar: Calendar, record: Record) -> Fields:
        return dict(wire.event(calendar, record))


def _rename_person(record: Record, old: str, new: str) -> None:
    record.rendered.clear()
    for role in ("organizer", "creator"):
        if str(record.fields.get(role, {}).get("email", "")).lower() == old:
            record.fields[role] = record.fields[role] | {"email": new}


def _family(calendar: Calendar, record: Record) -> list[Record]:
    """The whole series a record belongs to, the record included, in the order of a delta."""
    master = record.master or record
    kin = [master, *calendar.exceptions(master)]
    return kin if record in kin else [*kin, record]


def _gone(record: Record) -> bool:
    if record.master is None:
        return record.cancelled
    return record.swept or record.master.cancelled


def _options(by_person: bool, send_updates: str) -> Options:
    return Options(by_person=by_person, send_updates=send_updates, conference_version=1, supports_attachments=True)
