"""The values that planning takes and gives. Only shapes; what decides is in the ``plan_*`` modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calsync.engine.events import Event, Platform
from calsync.engine.fingerprint import FingerprintMap
from calsync.engine.policy import Role
from calsync.engine.traits import Traits
from calsync.engine.treatment import FULL, Treatment


@dataclass(frozen=True, slots=True)
class Place:
    """One calendar as planning sees it. ``writable`` is whether its owner's account may be written to at all."""

    calendar_id: int
    platform: Platform
    traits: Traits
    writable: bool = True


@dataclass(frozen=True, slots=True)
class LinkState:
    """One event in one calendar: what was last agreed. Without ``remote_id`` it is wanted there but not yet created.

    ``hub_map`` holds the fingerprints of what was wanted there at the last agreement, ``remote_map`` those of what the
    provider echoed. A blank value ("") in ``hub_map`` forces a put-back of that path. ``generation`` belongs to the
    create's idempotency key: it counts the creates that can no longer be repeated. ``treatment`` is what the rules let
    the copy show. ``asked`` is the mark for which an approval was last asked, and ``answer`` what came of it.
    """

    place: Place
    role: Role
    remote_id: str = ""
    version: str = ""
    hub_map: FingerprintMap = field(default_factory=dict)
    remote_map: FingerprintMap = field(default_factory=dict)
    generation: int = 0
    treatment: Treatment = FULL
    asked: str = ""
    answer: str = ""

    @property
    def calendar_id(self) -> int:
        """The calendar of this link."""
        return self.place.calendar_id


@dataclass(frozen=True, slots=True)
class HubState:
    """The hub's record of one event with all its links. ``changed_at`` (aware UTC) is when its content last changed."""

    event: Event
    links: tuple[LinkState, ...]
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one calendar was read to hold under one id; ``event`` None is a proven tombstone."""

    remote_id: str
    version: str
    event: Event | None
    changed_at: datetime | None = None


class WriteWish(StrEnum):
    """What one planned write does; the values are those of the provider protocol's write kinds."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One wanted write. ``why`` is for a person and holds no event text."""

    calendar_id: int
    kind: WriteWish
    paths: frozenset[str]
    why: str


class FindingKind(StrEnum):
    """What a person must see or decide."""

    BOTH_EDITED = "both_edited"
    COPY_EDITED = "copy_edited"
    COPY_DELETED = "copy_deleted"
    DELETE_AGAINST_EDIT = "delete_against_edit"
    CANNOT_REPRESENT = "cannot_represent"
    MALFORMED = "malformed"
    MASS_DELETE = "mass_delete"
    STORM = "storm"
    EMPTY_SIDE = "empty_side"
    RESURRECTION = "resurrection"
    PART_EDITED = "part_edited"
    APPROVAL = "approval"
    DOUBLE_BOOKING = "double_booking"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell. ``values`` holds what lost, by path (None: absent in the losing version); seal it."""

    kind: FindingKind
    calendar_id: int
    paths: frozenset[str]
    values: Mapping[str, object]
    text: str


@dataclass(frozen=True, slots=True)
class EventPlan:
    """The outcome for one event.

    ``event`` None: the hub's event is deleted. ``links`` is the new state of every link whose copy exists or is wanted
    (those with a DELETE among ``writes`` included); an absent one is gone. ``changed``: the hub's event differs from
    before.
    """

    event: Event | None
    links: tuple[LinkState, ...]
    writes: tuple[PlannedWrite, ...] = ()
    findings: tuple[Finding, ...] = ()
    changed: bool = False
