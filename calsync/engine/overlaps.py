"""Double bookings: which of somebody's meetings collide, and when.

What lives here: the sweep over one person's busy time. What does not: what is done about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """Time that one meeting takes from somebody, as instants. ``meeting`` is a number of the caller's."""

    start: datetime
    end: datetime
    meeting: int
    uid: str = ""  # equal for all copies of one meeting; '' when it is not known


@dataclass(frozen=True, slots=True, order=True)
class Overlap:
    """Two meetings at one time, or closer to each other than the gap that is wanted between them.

    ``first`` is the smaller number. With ``apart`` the span is the gap between the two, else the time that both take.
    """

    first: int
    second: int
    start: datetime
    end: datetime
    apart: bool = False


def overlaps(slots: Iterable[Slot], *, gap: timedelta = timedelta()) -> Iterator[Overlap]:
    """Every two slots of different meetings that share time, or lie closer together than ``gap``; in order of time.

    Meetings that merely touch share nothing. Slots without length are nowhere.
    """
    running: list[Slot] = []
    for slot in sorted(one for one in slots if one.start < one.end):
        running = [one for one in running if one.end + gap > slot.start]
        for other in running:
            if not _are_one(other, slot):
                yield _between(other, slot)
        running.append(slot)


def _are_one(a: Slot, b: Slot) -> bool:
    return a.meeting == b.meeting or (a.uid != "" and a.uid == b.uid)


def _between(earlier: Slot, later: Slot) -> Overlap:
    first, second = sorted((earlier.meeting, later.meeting))
    if earlier.end <= later.start:
        return Overlap(first, second, earlier.end, later.start, apart=True)
    return Overlap(first, second, later.start, min(earlier.end, later.end))
