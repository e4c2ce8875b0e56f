"""What a rule lets happen to one event on its way to one place.

What lives here: the value that rules give out and that planning, projecting and pushing obey. What does not: how rules
are chosen (``rules``), how an event is masked (``transform``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from calsync.engine.events import Field
from calsync.engine.policy import ConflictPolicy, DeletePolicy


class Passage(StrEnum):
    """Whether an event may travel."""

    SYNC = "sync"
    SKIP = "skip"
    HOLD = "hold"  # waits for an approval


class Detail(StrEnum):
    """How much of an event the other side shows. Times always travel."""

    FULL = "full"
    TITLE = "title"  # the title, nothing of body, place and guests
    BUSY = "busy"  # "Busy", and nothing else
    CHOSEN = "chosen"  # the fields that are named


class Leaving(StrEnum):
    """What becomes of a copy whose event no longer falls under a rule that lets it travel. Never a cancellation."""

    KEEP = "keep"  # it stays, and is no longer kept in step
    MASK = "mask"  # it stays in step, as "Busy"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Details:
    """What of the content travels. ``fields`` counts for CHOSEN only.

    ``title`` replaces the title unless it is empty; in it ``{title}``, ``{organizer}`` and ``{show_as}`` stand for the
    event's own, as far as ``level`` lets them travel (else they are blank).
    """

    level: Detail = Detail.FULL
    fields: frozenset[Field] = frozenset()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """Everything that the deciding rule says about one event in one place.

    ``rule`` names that rule and its version, such as ``17v3``; it is blank where no rule has spoken yet.
    """

    passage: Passage = Passage.SYNC
    details: Details = field(default_factory=Details)
    conflict: ConflictPolicy | None = None  # None: the installation's
    on_delete: DeletePolicy | None = None
    leaving: Leaving = Leaving.KEEP
    approver: str = ""  # who decides when it is held: "guest", "manager", "unit", or an e-mail address
    priority: int = 0  # for double bookings: the higher one stays
    horizon_days: int | None = None  # events that start later than this do not travel yet
    pinned_zone: str = ""  # IANA zone that a series is written in, whatever zone it was made in
    rule: str = ""


FULL = Treatment()
"""Everything travels: what holds where there are no rules."""
