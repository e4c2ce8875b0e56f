"""Very many busy slots in the database, and how long it takes to look something up in them.

What lives here: a company's busy time as rows, made up in a fixed order, and the two questions about it. What does not:
working busy time out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection

from accounts.models import OrgUnit, User
from calendars.models import BusySlot, Event
from calsync_site.bench.crowd import address
from calsync_site.bench.figures import percentile
from conflicts.availability import propose

START = datetime(2026, 11, 30, tzinfo=UTC)  # a Monday
QUARTER = timedelta(minutes=15)
DAYS = 180
GUESTS, WEEKS = 20, 4  # of the meetings for which time is sought
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
_CHUNK = 20_000


def busy(*, people: int, slots: int, lookups: int) -> dict[str, Any]:
    """Milliseconds (p95) of looking up what shares an hour with somebody, of reading one row by its number, and of a
    search for time at which 20 people are free within four weeks.
    """
    made = _people(people)
    _fill(made, slots)
    dice = random.Random(1)  # noqa: S311 - a fixed order
    numbers = list(BusySlot.objects.order_by().values_list("pk", flat=True)[:: max(1, slots // lookups)])

    def overlapping() -> object:
        start = START + dice.randrange(DAYS * 96) * QUARTER
        person = dice.choice(made)
        return list(BusySlot.objects.filter(person=person).between(start, start + 4 * QUARTER).values_list("event_id"))

    def one_row() -> object:
        return BusySlot.objects.values_list("event_id").get(pk=dice.choice(numbers))

    def free() -> object:
        guests = dice.sample(made, min(GUESTS, len(made)))
        return propose(guests, length=2 * QUARTER, start=START, end=START + timedelta(weeks=WEEKS))

    return {
        "slots": BusySlot.objects.count(),
        "database": connection.vendor,
        "lookup": _p95(overlapping, lookups),
        "row": _p95(one_row, lookups),
        "free": _p95(free, max(3, lookups // 50)),
    }


def _people(count: int) -> list[User]:
    unit = OrgUnit.objects.create(name="Bench", path="/Bench")
    return User.objects.bulk_create(
        User(email=address(number), org_unit=unit, time_zone=_ZONES[number % 3], password="!")  # noqa: S106 - unusable
        for number in range(count)
    )


def _fill(people: list[User], slots: int) -> None:
    """Every person's days, half an hour here and there; all slots of one person belong to one event."""
    events = Event.objects.bulk_create(
        Event(owner=person, starts_at=START, ends_at=START + QUARTER, show_as="busy") for person in people
    )
    waiting = _slots(people, events, slots)
    while chunk := list(islice(waiting, _CHUNK)):
        BusySlot.objects.bulk_create(chunk)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _slots(people: list[User], events: list[Event], count: int) -> Iterator[BusySlot]:
    dice = random.Random(2)  # noqa: S311 - a fixed order
    for number in range(count):
        at = number % len(people)
        start = START + dice.randrange(DAYS * 96) * QUARTER
        yield BusySlot(
            person=people[at], event=events[at], starts_at=start, ends_at=start + 2 * QUARTER, show_as="busy"
        )


def _p95(ask: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return percentile(took, 0.95)
