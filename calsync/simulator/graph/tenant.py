"""The pretend tenant: its users, their mailboxes and calendars, and the one sequence that versions every change."""

from __future__ import annotations

from calsync.simulator.core import Core
from calsync.simulator.graph import ids
from calsync.simulator.graph.errors import folder_not_found, mailbox_not_enabled, user_not_found
from calsync.simulator.graph.records import Calendar, Mailbox
from calsync.simulator.graph.zones import iana_of

TENANT_ID = ids.stable_uuid("tenant")


class Tenant:
    """All users of the pretend organisation. Everything runs under ``core.lock``."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.tenant_id = TENANT_ID
        self.mailboxes: dict[str, Mailbox] = {}  # by lower-case address
        self._by_guid: dict[str, Mailbox] = {}
        self._sequence = 0

    def next_sequence(self) -> int:
        """The number of the next change anywhere in the tenant."""
        self._sequence += 1
        return self._sequence

    def add_mailbox(
        self, address: str, display_name: str, zone: str, department: str = "", *, has_calendar: bool = True
    ) -> Mailbox:
        """Create a user with a default calendar; ``zone`` is an IANA name. Its mail is delivered here.

        Without ``has_calendar`` it is a user whose mailbox Graph cannot reach (no licence).
        """
        if iana_of(zone) is None:
            raise ValueError(f"unknown time zone {zone!r}")
        with self.core.lock:
            key, guid = address.lower(), ids.stable_uuid("user", address.lower())
            mailbox = Mailbox(key, address, guid, display_name, zone, department, has_calendar)
            mailbox.default = self._new_calendar(mailbox, "Calendar", is_default=True)
            mailbox.sequence = self.next_sequence()
            self.mailboxes[key] = self._by_guid[guid] = mailbox
            self.core.domains.setdefault(key, "graph")
            return mailbox

    def rename_mailbox(self, address: str, new: str) -> None:
        """Give a mailbox another address; ids of calendars and events stay, the old address is nobody's."""
        with self.core.lock:
            mailbox = self.mailboxes.pop(address.lower())
            mailbox.address, mailbox.shown = new.lower(), new
            mailbox.sequence = self.next_sequence()
            self.mailboxes[new.lower()] = mailbox
            self.core.domains.pop(address.lower(), None)
            self.core.domains.setdefault(new.lower(), "graph")

    def remove_user(self, address: str) -> None:
        """Take a user out of the directory, mailbox and all."""
        with self.core.lock:
            gone = self.mailboxes.pop(address.lower())
            self._by_guid.pop(gone.guid)
            self.core.domains.pop(address.lower(), None)

    def add_calendar(self, address: str, name: str) -> str:
        """Create a secondary calendar; returns its id."""
        with self.core.lock:
            return self._new_calendar(self.mailbox(address), name, is_default=False).id

    def _new_calendar(self, mailbox: Mailbox, name: str, *, is_default: bool) -> Calendar:
        calendar = Calendar(
            ids.calendar_id(mailbox.guid, len(mailbox.calendars) + 1), name, is_default, self.next_sequence()
        )
        mailbox.calendars[calendar.id] = calendar
        return calendar

    def user(self, name: str) -> Mailbox:
        """The user of that address or object id, with or without a mailbox."""
        found = self._by_guid.get(name) or self.mailboxes.get(name.lower()) or self._by_guid.get(name.lower())
        if found is None:
            raise user_not_found(name)
        return found

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of that address or object id."""
        found = self.user(name)
        if not found.has_calendar:
            raise mailbox_not_enabled()
        return found

    def calendar(self, mailbox: Mailbox, calendar_id: str) -> Calendar:
        """A calendar of the mailbox; '' and 'primary' mean the default one."""
        if calendar_id in ("", "primary"):
            return mailbox.default
        if calendar_id not in mailbox.calendars:
            raise folder_not_found()
        return mailbox.calendars[calendar_id]
