"""Finding the counterpart of an event that exists on both sides before they were ever connected.

What lives here: who is the same meeting. What does not: merging the two (``plan_adoption``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calsync.engine.events import Event
from calsync.engine.recurrence import equivalent, same_span


def find_match(event: Event, candidates: Sequence[Event]) -> int | None:
    """The index of the one candidate that is the same meeting; None when there is none, or no telling which.

    First by cleaned uid: both series or both single, the same organiser where both name one; several (single
    occurrences of one series share its uid) are told apart by their start. Else by title, start and end, and rule.
    """
    alike = [index for index, other in enumerate(candidates) if other.is_series == event.is_series]
    by_uid = [index for index in alike if _same_uid(event, candidates[index])]
    if len(by_uid) == 1:
        return by_uid[0]
    if by_uid:
        return _only(by_uid, lambda index: same_span(event.content.when, candidates[index].content.when))
    return _only(alike, lambda index: _looks_the_same(event, candidates[index]))


def _only(indexes: Sequence[int], holds: Callable[[int], bool]) -> int | None:
    found = [index for index in indexes if holds(index)]
    return found[0] if len(found) == 1 else None


def _same_uid(one: Event, other: Event) -> bool:
    if not one.uid or one.uid != other.uid:
        return False
    return not (one.organizer and other.organizer) or one.organizer == other.organizer


def _looks_the_same(one: Event, other: Event) -> bool:
    if _folded(one.content.title) != _folded(other.content.title):
        return False
    if not same_span(one.content.when, other.content.when):
        return False
    if one.recurrence is None or other.recurrence is None:
        return one.recurrence is other.recurrence
    return equivalent(one.recurrence, other.recurrence, start_a=one.content.when, start_b=other.content.when)


def _folded(title: str) -> str:
    return " ".join(title.split()).casefold()
