"""The normal form of events: the values that every other room of the engine works on.

What lives here: frozen values and nothing that decides. Times are wall clock plus an IANA zone; all-day
events are dates with an exclusive end; a series is one aggregate of a master, its exceptions and its
cancelled occurrences. What does not: provider field names, identifiers of rows, comparison rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

OccurrenceKey = NewType("OccurrenceKey", str)
"""Original start of one occurrence in the series' own zone: ``2026-11-22T09:00``, or ``2026-11-22`` for all-day."""


class Platform(StrEnum):
    """The two platforms that are kept in step."""

    OUTLOOK = "outlook"
    GOOGLE = "google"


class ShowAs(StrEnum):
    """How an event weighs on its owner's free/busy time (the richer, Outlook-like scale)."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OUT_OF_OFFICE = "oof"
    ELSEWHERE = "elsewhere"


class Sensitivity(StrEnum):
    """Who may look into an event, by its owner's wish."""

    NORMAL = "normal"
    PERSONAL = "personal"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True)
class Timed:
    """A span of wall-clock time. ``start`` and ``end`` are naive; ``end`` is read in ``end_zone or zone``."""

    start: datetime
    end: datetime
    zone: str
    end_zone: str | None = None


@dataclass(frozen=True, slots=True)
class AllDay:
    """Whole days without a zone; ``end`` is exclusive."""

    start: date
    end: date


When = Timed | AllDay


@dataclass(frozen=True, slots=True)
class Content:
    """The synced fields of one event or of one occurrence. ``body`` is normalised plain text.

    ``markup`` is the same body with its formatting, as clean HTML; '' when there is none. It is no synced field: it is
    never compared, and it counts only while its words are those of ``body``.
    """

    when: When
    title: str = ""
    body: str = ""
    location: str = ""
    show_as: ShowAs = ShowAs.BUSY
    sensitivity: Sensitivity = Sensitivity.NORMAL
    markup: str = field(default="", compare=False)


class Weekday(StrEnum):
    """RFC 5545 weekday names."""

    MO = "MO"
    TU = "TU"
    WE = "WE"
    TH = "TH"
    FR = "FR"
    SA = "SA"
    SU = "SU"


class Frequency(StrEnum):
    """RFC 5545 FREQ values that calendars use."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Rule:
    """One RRULE (RFC 5545 section 3.3.10) in canonical form; see ``recurrence.canonical``.

    ``until`` is the last local day (inclusive) in the zone of the series. ``by_day`` holds (ordinal or None, weekday).
    """

    frequency: Frequency
    interval: int = 1
    by_day: tuple[tuple[int | None, Weekday], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    week_start: Weekday = Weekday.MO
    count: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What makes a series: its rules and its extra starts. Cancelled occurrences live on the Event, not here.

    Nearly always one rule and no extra starts; more is kept so that nothing is lost, and may not be representable
    everywhere. ``extra_starts`` are RDATEs as occurrence keys.
    """

    rules: tuple[Rule, ...]
    extra_starts: tuple[OccurrenceKey, ...] = ()


class Field(StrEnum):
    """The names of the synced fields, as used in fingerprint maps, merge policies and findings."""

    TITLE = "title"
    BODY = "body"
    LOCATION = "location"
    WHEN = "when"
    SHOW_AS = "show_as"
    SENSITIVITY = "sensitivity"
    RECURRENCE = "recurrence"


FieldValue = str | When | ShowAs | Sensitivity
Override = Mapping[Field, FieldValue]
"""The fields of one exception that differ from what the occurrence would inherit from its master. Never empty."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody invited to a meeting, the organiser left out. Addresses are lower-case."""

    address: str
    name: str = ""
    response: str = "none"  # none, accepted, tentative, declined
    optional: bool = False
    resource: bool = False
    partial: bool = False  # invited to single occurrences of the series only


@dataclass(frozen=True, slots=True)
class Event:
    """One appointment, meeting or whole series, as one mailbox shows it or as the hub keeps it."""

    content: Content
    recurrence: Recurrence | None = None
    exceptions: Mapping[OccurrenceKey, Override] = field(default_factory=dict)
    cancelled: frozenset[OccurrenceKey] = frozenset()
    uid: str = ""  # cleaned iCalendar UID: equal for all occurrences and all mailboxes of one meeting
    organizer: str = ""  # lower-case address; empty when the mailbox's owner made it alone
    organizes: bool = True  # the owner of this mailbox is the organiser (or there are no guests)
    guests: tuple[Guest, ...] = ()
    pinned: frozenset[Field] = frozenset()  # must not be written over in this mailbox (a meeting's join block)
    join: str = ""  # the address of its online meeting
    categories: tuple[str, ...] = ()  # of the mailbox that was read; rules ask for them, nothing carries them over
    kind: str = "default"  # default, or the provider's special type that we still sync (out_of_office)

    @property
    def is_series(self) -> bool:
        """Whether the event recurs."""
        return self.recurrence is not None
