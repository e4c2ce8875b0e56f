"""Free time: when several people can meet, the best proposals first.

What lives here: the search and its order of preference. What does not: where busy time comes from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calsync.engine.rules.facts import Hours
from calsync.engine.shifts import shifts

STEP = timedelta(minutes=15)
"""Proposals begin at full quarters of an hour, which are the same in every zone."""

Span = tuple[datetime, datetime]

_AROUND = timedelta(days=7)  # every week has a shift, for whoever works at all


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who is to come: when they are busy (instants, in any order) and when they work."""

    busy: Sequence[Span]
    hours: Hours


@dataclass(frozen=True, slots=True)
class Proposal:
    """A time at which everybody is free. ``outside`` is how far it reaches out of the nearest shift of each."""

    start: datetime
    end: datetime
    outside: tuple[timedelta, ...]

    @property
    def burden(self) -> tuple[int, timedelta, timedelta]:
        """How many have to leave their working hours, how far at most, and all together: less is fairer."""
        late = [one for one in self.outside if one]
        return len(late), max(late, default=timedelta()), sum(late, timedelta())


def free_slots(
    attendees: Sequence[Attendee],
    *,
    start: datetime,
    end: datetime,
    length: timedelta,
    near: datetime | None = None,
    most: int = 3,
) -> list[Proposal]:
    """At most ``most`` times of ``length`` between ``start`` and ``end`` (aware) at which all attendees are free.

    Inside everybody's working hours first, then what burdens the fewest, the least; among equals what lies nearest to
    ``near`` (by default the start). Proposals do not overlap each other.
    """
    if length <= timedelta():
        raise ValueError("a meeting has a length")
    near = near or start
    free = _gaps(_union(span for one in attendees for span in one.busy), start, end)
    working = [_union(shifts(one.hours, start=start - _AROUND, end=end + _AROUND)) for one in attendees]
    comfortable = free
    for spans in working:
        comfortable = _common(comfortable, spans)
    best = _chosen((_inside(at, length, attendees) for at in _starts(comfortable, length)), near, most)
    if len(best) == most:
        return best
    return _chosen((_weighed(at, length, working) for at in _starts(free, length)), near, most)


def _chosen(proposals: Iterable[Proposal], near: datetime, most: int) -> list[Proposal]:
    ranked = sorted(proposals, key=lambda one: (one.burden, abs(one.start - near), one.start))
    chosen: list[Proposal] = []
    for proposal in ranked:
        if len(chosen) == most:
            break
        if all(proposal.end <= one.start or proposal.start >= one.end for one in chosen):
            chosen.append(proposal)
    return chosen


def _inside(at: datetime, length: timedelta, attendees: Sequence[Attendee]) -> Proposal:
    return Proposal(at, at + length, (timedelta(),) * len(attendees))


def _weighed(at: datetime, length: timedelta, working: Sequence[Sequence[Span]]) -> Proposal:
    end = at + length
    return Proposal(at, end, tuple(_reach(at, end, spans) for spans in working))


def _reach(start: datetime, end: datetime, spans: Sequence[Span]) -> timedelta:
    """How far a time reaches out of the nearest of the spans, which are in order and apart."""
    place = bisect_right(spans, (start,))
    near = spans[max(place - 1, 0) : place + 1]
    return min((max(opens - start, end - closes, timedelta()) for opens, closes in near), default=_AROUND)


def _starts(spans: Iterable[Span], length: timedelta) -> Iterator[datetime]:
    for opens, closes in spans:
        at = _rounded_up(opens)
        while at + length <= closes:
            yield at
            at += STEP


def _rounded_up(instant: datetime) -> datetime:
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return instant + (-since % STEP)


def _union(spans: Iterable[Span]) -> list[Span]:
    """The same time in order, without overlaps."""
    joined: list[Span] = []
    for opens, closes in sorted(spans):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        elif opens < closes:
            joined.append((opens, closes))
    return joined


def _gaps(busy: Sequence[Span], start: datetime, end: datetime) -> list[Span]:
    edges = [start]
    for opens, closes in busy:
        edges += [min(max(opens, start), end), min(max(closes, start), end)]
    edges.append(end)
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(opens, closes) for opens, closes in pairs if opens < closes]


def _common(a: Sequence[Span], b: Sequence[Span]) -> list[Span]:
    """The time that lies in both; both are in order and apart."""
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        opens, closes = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if opens < closes:
            found.append((opens, closes))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return found
