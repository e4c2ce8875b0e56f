"""Free time of several people, from what is known of both platforms.

What lives here: who is asked, and their busy time and hours from rows. What does not: the search (``engine.slots``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from accounts.models import User
from calendars.models import BusySlot, Calendar
from calsync.engine.events import ShowAs
from calsync.engine.rules.facts import Hours
from calsync.engine.slots import Attendee, Proposal, Span, free_slots
from conflicts.detection import counting_of

_IN_THE_WAY = frozenset({ShowAs.BUSY, ShowAs.OUT_OF_OFFICE, ShowAs.TENTATIVE})
"""Whoever is merely working elsewhere can meet."""


def unknown_of(people: Collection[User]) -> list[User]:
    """Those of whose time nothing is known: they have no active calendar that has been read to its end."""
    read = Calendar.objects.active().filter(imported_at__isnull=False, account__person__in=people)
    known = set(read.order_by().values_list("account__person_id", flat=True))
    return [person for person in people if person.pk not in known]


def propose(
    people: Sequence[User],
    *,
    length: timedelta,
    start: datetime,
    end: datetime,
    near: datetime | None = None,
    most: int = 3,
) -> list[Proposal]:
    """Times at which all of them are free, the best first; ``outside`` of a proposal is in the order of the people."""
    busy = _busy(people, start=start, end=end)
    attendees = [Attendee(busy[person.pk], hours_of(person)) for person in people]
    return free_slots(attendees, start=start, end=end, length=length, near=near, most=most)


def hours_of(person: User) -> Hours:
    """Somebody's working hours in the engine's terms."""
    return Hours(person.time_zone, person.work_starts_at, person.work_ends_at, frozenset(person.work_days))


def _busy(people: Sequence[User], *, start: datetime, end: datetime) -> dict[int, list[Span]]:
    """What is in the way of each, with the gap that their unit wants around it."""
    counting = counting_of([person.pk for person in people])
    slots = BusySlot.objects.filter(person__in=people, show_as__in=_IN_THE_WAY).between(start, end).order_by()
    found: dict[int, list[Span]] = defaultdict(list)
    for person, begins, ends in slots.values_list("person_id", "starts_at", "ends_at"):
        gap = counting[person].gap
        found[person].append((begins - gap, ends + gap))
    return found
