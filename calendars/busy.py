"""Busy time of people: worked out anew for the events that have changed, and rolled forward with time.

What lives here: rows of events to rows of busy slots. What does not: what collides with what (``conflicts``), which
calls this inside the transaction in which it looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings

from accounts.models import LinkedAccount, User
from calendars.models import BusySlot, Event, Link, LinkState
from calendars.sync.saving import update_rows
from calsync.engine import serial
from calsync.engine.busy import BusySpan, busy_spans
from calsync.engine.events import Event as HubEvent
from calsync.engine.policy import Role

BATCH = 200
KEPT = timedelta(days=31)
"""How long busy time is kept when it is over."""

ROLLED = timedelta(days=7)
"""How far the horizon moves on before the series are worked out anew."""

_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)  # of events that do not recur


def horizon(now: datetime) -> datetime:
    """Up to when the occurrences of series are looked at."""
    return now + timedelta(days=settings.CALSYNC_BUSY_AHEAD_DAYS)


def due_events(*, now: datetime) -> list[int]:
    """Events whose busy time waits to be worked out, the longest waiting first: some of them."""
    due = Event.objects.filter(busy_due_at__lte=now).order_by("busy_due_at", "pk")
    return list(due.values_list("pk", flat=True)[:BATCH])


def attendees_of(event_ids: Collection[int]) -> dict[int, set[int]]:
    """By event the people who own it or have a place in it through a standing copy in one of their calendars."""
    people: dict[int, set[int]] = {pk: set() for pk in event_ids}
    for pk, owner in Event.objects.filter(pk__in=event_ids).order_by().values_list("pk", "owner_id"):
        people[pk].add(owner)
    seats = Link.objects.filter(event__in=event_ids, role__in=(Role.COPY, Role.NATIVE), calendar__is_active=True)
    standing = seats.exclude(state=LinkState.GONE).order_by()
    for pk, person in standing.values_list("event_id", "calendar__account__person_id"):
        people[pk].add(person)
    return people


def work_out(event_ids: Collection[int], *, now: datetime) -> set[int]:
    """Put the busy time of these events in the place of what was known; returns whose days it concerns.

    To be called in a transaction in which everybody concerned is locked (``lock_people``).
    """
    events = list(Event.objects.filter(pk__in=event_ids, busy_due_at__isnull=False).order_by("pk"))
    if not events:
        return set()
    numbers = [event.pk for event in events]
    seats = attendees_of(numbers)
    known = User.objects.in_bulk(set().union(*seats.values()))
    addresses = _addresses(known)
    old = BusySlot.objects.filter(event__in=numbers)
    concerned = set(old.order_by().values_list("person_id", flat=True).distinct()) | known.keys()
    old.delete()
    slots = [slot for event in events for slot in _slots(event, seats[event.pk], known, addresses, now)]
    BusySlot.objects.bulk_create(slots, batch_size=500)
    for event in events:
        event.busy_due_at = None
        event.busy_until = horizon(now) if event.is_series and event.deleted_at is None else None
    update_rows(events, ["busy_due_at", "busy_until"])
    return concerned


def roll_forward(*, now: datetime) -> int:
    """Have series looked at again whose horizon has come nearer, and forget what is long over; returns how many."""
    BusySlot.objects.filter(ends_at__lt=now - KEPT).delete()
    near = Event.objects.filter(busy_until__lt=horizon(now) - ROLLED, busy_due_at=None, deleted_at=None)
    return near.update(busy_due_at=now)


def _addresses(people: Collection[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    accounts = LinkedAccount.objects.filter(person__in=people).order_by()
    for person, address in accounts.values_list("person_id", "address"):
        found[person].add(address)
    return found


def _slots(
    event: Event, seats: Collection[int], known: dict[int, User], addresses: dict[int, set[str]], now: datetime
) -> Iterator[BusySlot]:
    if event.deleted_at is not None or event.whole_id is not None:
        return
    hub = serial.load(event.content)
    spans: dict[str, Sequence[BusySpan]] = {}  # by zone, in which whole days begin and end
    for person_id in sorted(seats):
        person = known.get(person_id)
        if person is None or _has_declined(hub, addresses[person_id]):
            continue
        zone = person.time_zone if event.is_all_day else "UTC"
        if zone not in spans:
            start, end = (now - KEPT, horizon(now)) if hub.is_series else _EVER
            spans[zone] = list(busy_spans(hub, zone=zone, start=start, end=end))
        yield from (_slot(event, person_id, span) for span in spans[zone])


def _has_declined(event: HubEvent, addresses: Collection[str]) -> bool:
    return any(guest.response == "declined" and guest.address in addresses for guest in event.guests)


def _slot(event: Event, person_id: int, span: BusySpan) -> BusySlot:
    return BusySlot(
        person_id=person_id,
        event=event,
        starts_at=span.start,
        ends_at=span.end,
        show_as=span.show_as,
        is_all_day=span.all_day,
        key=span.key,
    )
