"""Pacing: what a switch held back goes out in portions once sync is on again, so many a minute for each calendar.

What lives here: giving what waits its turn, and keeping to the pace at the door. What does not: whether a door is open
(``syncrules.selectors``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings

from calendars.models import HELD_BY_SWITCH, IN_ITS_TURN, Calendar, CalendarQuerySet, Operation, OperationState
from syncrules.selectors import doors_for

BATCH = 50
"""Writes that are carried out together: one full batch of Google's; small enough to end well within a lease."""
EARLY = timedelta(seconds=5)
"""The minutes of a schedule are not exact: a portion may go so much before its time; the next one keeps its own."""
REASON = "Sync was off: what waited is written in portions, and this one has not had its turn yet."


def pace() -> tuple[int, timedelta]:
    """How many writes go out at once, and how far apart: together the setting's number a minute, never more."""
    a_minute = settings.CALSYNC_CATCH_UP_PER_MINUTE
    portions = ceil(a_minute / BATCH)
    return a_minute // portions, timedelta(minutes=1) / portions


def let_go(*, calendars: CalendarQuerySet, now: datetime) -> int:
    """Give their turns to writes that a switch held back and no switch holds any more; returns how many."""
    held = Operation.objects.filter(state=OperationState.PLANNED, error_code=HELD_BY_SWITCH, calendar__in=calendars)
    places = held.order_by("calendar_id").values_list(
        "calendar_id", "calendar__account__person", "calendar__account__platform"
    )
    by_platform: dict[str, dict[int, int]] = defaultdict(dict)
    for calendar_id, person_id, platform in places.distinct():
        by_platform[platform][calendar_id] = person_id
    given = 0
    for platform, people in by_platform.items():
        doors = doors_for(set(people.values()), now=now, platform=platform)
        given += sum(_give_turns(calendar_id, now) for calendar_id in people if doors[people[calendar_id]].open)
    return given


def _give_turns(calendar_id: int, now: datetime) -> int:
    """All that waits in one calendar, oldest first; what has its turn already keeps its place in the order."""
    next_at = Calendar.objects.values_list("catch_up_at", flat=True).get(pk=calendar_id)
    begin = max(now, next_at) if next_at else now
    waiting = Operation.objects.filter(calendar=calendar_id, state=OperationState.PLANNED)
    waiting = waiting.filter(error_code__in=(HELD_BY_SWITCH, IN_ITS_TURN)).order_by("pk")
    pks = list(waiting.values_list("pk", flat=True))
    for due_at, portion in _turns(pks, begin):
        waiting.filter(pk__in=portion).order_by().update(
            due_at=due_at, error_code=IN_ITS_TURN, reason=REASON, remedy=""
        )
    return len(pks)


def _turns(pks: Sequence[int], begin: datetime) -> Iterator[tuple[datetime, Sequence[int]]]:
    size, apart = pace()
    for number, start in enumerate(range(0, len(pks), size)):
        yield begin + number * apart, pks[start : start + size]


def in_their_turn(*, calendar: Calendar, operations: Sequence[Operation], now: datetime) -> dict[Operation, datetime]:
    """Those of these due operations that must wait for a later turn, and until when: a worker that was away must not
    send in one minute what came due in many.
    """
    paced = [operation for operation in operations if operation.error_code in (HELD_BY_SWITCH, IN_ITS_TURN)]
    if not paced:
        return {}
    size, apart = pace()
    next_at = calendar.catch_up_at or now
    if next_at <= now + EARLY:
        next_at = max(next_at, now) + apart
        Calendar.objects.filter(pk=calendar.pk).update(catch_up_at=next_at)
        paced = paced[size:]
    return {operation: next_at + (number // size) * apart for number, operation in enumerate(paced)}
