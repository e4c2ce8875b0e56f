"""What the store keeps: mailboxes, calendars, events (singles and series), exceptions, the log of changes."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from calsync.simulator.graph import ids
from calsync.simulator.graph.errors import Json
from calsync.simulator.graph.moments import Moment, in_zone, to_utc
from calsync.simulator.graph.recurrence import Series


@dataclass(slots=True)
class Exceptional:
    """One occurrence's own values; what it does not name it inherits from the master."""

    props: Json = field(default_factory=dict)
    start: Moment | None = None
    end: Moment | None = None
    extended: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Event:
    """A single event or a whole series in one mailbox.

    ``props`` are the writable simple properties in their canonical wire form, except ``body`` (stored HTML text).
    ``cancelled`` and the keys of ``exceptions`` are original dates in the wall clock of ``start.zone``.
    ``uid`` is the cleaned GlobalObjectId, or the foreign UID for an invitation from elsewhere.
    """

    mailbox: Mailbox
    calendar: Calendar
    frame: ids.Frame
    immutable_frame: ids.Frame
    id: str
    immutable_id: str
    uid: str
    created_at: datetime
    modified_at: datetime
    start: Moment
    end: Moment
    props: Json
    recurrence: Json | None = None
    series: Series | None = None
    exceptions: dict[date, Exceptional] = field(default_factory=dict)
    cancelled: set[date] = field(default_factory=set)
    extended: dict[str, str] = field(default_factory=dict)
    transaction_id: str | None = None
    sequence: int = 0
    deleted: bool = False

    @property
    def change_key(self) -> str:
        """The version; every instance of a series shares it."""
        return ids.change_key(self.mailbox.guid, self.sequence)

    @property
    def etag(self) -> str:
        """The version as an entity tag."""
        return f'W/"{self.change_key}"'

    def reference(self, on: date | None, *, immutable: bool) -> str:
        """The id of the event, or of its instance born on ``on``."""
        if on is None:
            return self.immutable_id if immutable else self.id
        return (self.immutable_frame if immutable else self.frame).instance(on)

    def is_organizer(self) -> bool:
        """Whether the mailbox's owner organizes it (true for every plain appointment)."""
        return bool(self.props["isOrganizer"])

    def has_occurrence(self, on: date) -> bool:
        """Whether an occurrence was born on this date and is still there."""
        return self.series is not None and on not in self.cancelled and self.series.on(on) is not None

    def original_start(self, on: date) -> datetime:
        """Where the pattern puts this occurrence, wall clock in ``start.zone``."""
        found = self.series.on(on) if self.series else None
        return found if found is not None else datetime.combine(on, self.start.wall.time())

    def span(self, on: date | None) -> tuple[Moment, Moment]:
        """Start and end of the event, or of one instance."""
        if on is None:
            return self.start, self.end
        own = self.exceptions.get(on)
        if own is not None and own.start is not None and own.end is not None:
            return own.start, own.end
        # An hour that the clocks skip is shown as the hour after it; the length counts from there.
        begins = in_zone(to_utc(self.original_start(on), self.start.zone), self.start.zone)
        return self.start.at(begins), self.end.at(begins + (self.end.wall - self.start.wall))

    def values(self, on: date | None) -> Json:
        """The simple properties of the event, or of one instance."""
        own = self.exceptions.get(on) if on is not None else None
        return self.props if own is None else self.props | own.props

    def kind(self, on: date | None) -> str:
        """The ``type`` on the wire."""
        if on is not None:
            return "exception" if on in self.exceptions else "occurrence"
        return "singleInstance" if self.recurrence is None else "seriesMaster"

    def instances(self, low: datetime, high: datetime) -> list[date]:
        """Original dates of the instances that overlap [low, high), naive UTC, in order of their original start."""
        if self.series is None:
            return []
        length = self.end.wall - self.start.wall
        margin = timedelta(days=1)  # no zone is farther from UTC
        found = [
            start.date()
            for start in self.series.between(low - length - margin, high + margin)
            if start.date() not in self.exceptions and start.date() not in self.cancelled
        ]
        found = [on for on in found if self.overlaps(on, low, high)]
        moved = [on for on in self.exceptions if self.overlaps(on, low, high)]
        return sorted(found + moved) if moved else found

    def overlaps(self, on: date | None, low: datetime, high: datetime) -> bool:
        """Whether the event or instance lies in the window; one without length counts where it begins."""
        start, end = self.span(on)
        begins, ends = start.utc, end.utc
        return begins < high and (ends > low or begins == ends == low)


@dataclass(slots=True)
class LogEntry:
    """One change; void when the event has changed again since."""

    sequence: int
    event: Event

    @property
    def is_latest(self) -> bool:
        """Whether nothing newer is known of the event."""
        return self.event.sequence == self.sequence


@dataclass(slots=True, eq=False)
class Calendar:
    """One calendar folder. ``log`` is in order of ``sequence``; ``epoch`` changes when old delta tokens are dropped."""

    id: str
    name: str
    is_default: bool
    sequence: int = 0
    epoch: int = 0
    can_edit: bool = True
    events: dict[str, Event] = field(default_factory=dict)  # by default id, in order of creation
    log: list[LogEntry] = field(default_factory=list)
    view_key: object = None  # what ``view_items`` was computed for
    view_items: list[tuple[Event, date | None]] = field(default_factory=list)
    list_sequence: int = -1  # the same for the list of all events
    list_items: list[tuple[Event, date | None]] = field(default_factory=list)

    def append(self, event: Event) -> None:
        """Log a change of the event, and forget void entries when they have become many."""
        self.log.append(LogEntry(event.sequence, event))
        if len(self.log) > 4 * len(self.events) + 1000:
            self.log = [entry for entry in self.log if entry.is_latest]

    def changed_since(self, sequence: int) -> list[Event]:
        """Events (deleted ones too) whose latest change is newer; costs what has changed."""
        at = bisect.bisect_right(self.log, sequence, key=lambda entry: entry.sequence)
        return [entry.event for entry in self.log[at:] if entry.is_latest]


@dataclass(slots=True, eq=False)
class Mailbox:
    """One person's mailbox. ``address`` is lower-case; ``shown`` as it was given."""

    address: str
    shown: str
    guid: str  # the user's object id
    display_name: str
    zone: str  # IANA
    department: str = ""
    has_calendar: bool = True
    denied: bool = False  # an access policy keeps applications out
    calendars: dict[str, Calendar] = field(default_factory=dict)
    default: Calendar = field(init=False)
    items: dict[str, Event] = field(default_factory=dict)  # by default and by immutable id
    by_uid: dict[str, Event] = field(default_factory=dict)
    by_extended: dict[tuple[str, str], dict[str, Event]] = field(default_factory=dict)
    by_transaction: dict[str, Event] = field(default_factory=dict)
    next_number: int = 1
    sequence: int = 0  # of the user object
    aliases: list[str] = field(default_factory=list)  # further SMTP addresses
    manager: str = ""  # another user's address
    office: str = ""
    enabled: bool = True
    user_type: str = "Member"
    purpose: str = "user"  # of the mailbox: user, shared, room, equipment
    created_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
