"""Looking again at events that nobody has changed: colleagues have joined, rules say something else, time has come.

What lives here: the way from the ids of events through colleagues and rules to planned writes. No provider is asked.
What does not: which events (``latecomers``, ``admission``, policy changes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.secrets import fingerprint_key
from calendars import rows
from calendars.models import Calendar, Event, Link, LinkState
from calendars.sync.colleagues import Colleagues
from calendars.sync.locks import lock_people
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.tally import Tally
from calendars.sync.verdicts import Verdicts
from calsync.engine import serial
from calsync.engine.plan import EventPlan
from calsync.engine.policy import Role

PORTION = 100  # events of one transaction


def reconsider(event_ids: Sequence[int], *, now: datetime, tally: Tally) -> None:
    """Plan what these events want now, whoever is invited and whatever the rules say. Safe to repeat."""
    for position in range(0, len(event_ids), PORTION):
        for calendar_id, found in _by_origin(event_ids[position : position + PORTION]).items():
            _look_again(calendar_id, found, now=now, tally=tally)


def _by_origin(event_ids: Sequence[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    origins = Link.objects.filter(event_id__in=event_ids, role=Role.ORIGIN, calendar__account__person=F("event__owner"))
    standing = origins.exclude(state=LinkState.GONE).filter(calendar__is_active=True)
    for calendar_id, event_id in standing.order_by("pk").values_list("calendar_id", "event_id"):
        found[calendar_id].append(event_id)
    return found


def _look_again(calendar_id: int, event_ids: Sequence[int], *, now: datetime, tally: Tally) -> None:
    """Plan the copies of these events, all of which have their origin in one calendar."""
    calendar = Calendar.objects.select_related("account__person").get(pk=calendar_id)
    people = frozenset({calendar.account.person_id})
    stamps = Stamps(noticed_at=None, pulled_at=now, planned_at=now)
    while True:
        with transaction.atomic():
            lock_people(people)
            events = list(Event.objects.filter(pk__in=event_ids, deleted_at__isnull=True).order_by("pk"))
            links = _links_of(events)
            hubs = [serial.load(event.content) for event in events]
            theirs = {event.pk: _of_others(links[event.pk], event) for event in events}
            colleagues = Colleagues.load(
                calendar,
                links_of={pk: found for pk, found in theirs.items() if found},
                events=hubs,
                key=fingerprint_key(),
            )
            if colleagues.people <= people:
                store = Store(calendar, {}, stamps, tally, colleagues)
                store.verdicts = Verdicts.load(
                    people=people, events=hubs, links=_all(links), key=fingerprint_key(), now=now
                )
                for event in events:
                    _add(store, event, [link for link in links[event.pk] if link not in theirs[event.pk]])
                store.save()
                return
        people |= colleagues.people


def _add(store: Store, event: Event, side: list[Link]) -> None:
    standing = rows.hub_state(event, [link for link in side if link.state != LinkState.GONE])
    plan = EventPlan(event=standing.event, links=standing.links)
    store.add_change(event, side, plan, read=None, changed_at=None)


def _links_of(events: Sequence[Event]) -> dict[int, list[Link]]:
    by_pk = {event.pk: event for event in events}
    found: dict[int, list[Link]] = defaultdict(list)
    links = Link.objects.filter(event_id__in=by_pk).prefetch_related("calendar__account").order_by("calendar_id")
    for link in links:
        link.event = by_pk[link.event_id]
        found[link.event_id].append(link)
    return found


def _all(links: dict[int, list[Link]]) -> Iterator[Link]:
    return (link for found in links.values() for link in found)


def _of_others(links: Sequence[Link], event: Event) -> list[Link]:
    return [link for link in links if link.calendar.account.person_id != event.owner_id]
