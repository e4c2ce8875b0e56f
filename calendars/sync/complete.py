"""Complete: plan the copies that are missing between a person's calendars.

Needed when a second mailbox joins events that the hub holds already (activation, a newly mapped mailbox) and when an
event that could not be represented has changed.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from calendars.models import Calendar, Event, Finding, Link, LinkState
from calendars.sync.latecomers import complete_copies
from calendars.sync.locks import lock_person
from calendars.sync.scene import Scene
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.tally import Tally
from calsync.engine.plan import EventPlan, FindingKind, HubState, wanted_writes
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.policy import Role

PORTION = 200  # events of one transaction


def complete_links(*, calendar: Calendar, now: datetime, tally: Tally) -> None:
    """Plan every copy that is missing in ``calendar``. Both sides must have been read completely."""
    while _complete_some(calendar=calendar, now=now, tally=tally) == PORTION:
        pass
    complete_copies(calendar=calendar, now=now, tally=tally)


def lonely_events(calendar: Calendar, partners: list[Calendar]) -> QuerySet[Event]:
    """Living hub events that are in a partner calendar, belong into this one and have no link here."""
    held = Finding.objects.filter(kind=FindingKind.CANNOT_REPRESENT, calendar=calendar, settled_at__isnull=True)
    sources = Link.objects.filter(calendar__in=partners, state=LinkState.ACTIVE)
    settled = Link.objects.filter(calendar=calendar)
    if not calendar.leaves_existing_alone:
        settled = settled.exclude(state=LinkState.GONE, key="")  # taken out by an operator, and wanted again
    return (
        Event.objects.filter(owner_id=calendar.account.person_id, deleted_at__isnull=True, left_alone=False)
        .filter(whole__isnull=True)
        .filter(pk__in=sources.values("event_id"))
        .exclude(pk__in=settled.values("event_id"))
        .exclude(pk__in=held.exclude(event=None).values("event_id"))
        .order_by("pk")
    )


def _complete_some(*, calendar: Calendar, now: datetime, tally: Tally) -> int:
    with transaction.atomic():
        lock_person(calendar.account.person_id)
        scene = Scene.load(calendar, (), now=now)
        sources = [partner for partner in scene.partners.values() if partner.imported_at]
        lonely = list(lonely_events(calendar, sources)[:PORTION]) if sources else []
        side = Link.objects.filter(event__in=lonely, calendar__account__person=calendar.account.person_id)
        for link in side.prefetch_related("calendar__account").order_by("calendar_id"):
            scene.links_of.setdefault(link.event_id, []).append(link)
        stamps = Stamps(noticed_at=None, pulled_at=now, planned_at=now)
        # The copies are planned into ``calendar`` itself: it is the partner of the calendars that hold the events.
        store = Store(calendar=calendar, partners={calendar.pk: calendar}, stamps=stamps, tally=tally)
        store.verdicts = scene.verdicts
        for event in lonely:
            _add_copy(scene, store, event)
        store.save()
    return len(lonely)


def _add_copy(scene: Scene, store: Store, event: Event) -> None:
    hub = scene.hub_state(event)
    wanted = HubState(hub.event, (*hub.links, EngineLink(place=scene.here, role=Role.TWIN)), hub.changed_at)
    writes = tuple(write for write in wanted_writes(wanted, key=scene.key) if write.calendar_id == scene.calendar.pk)
    plan = EventPlan(event=hub.event, links=wanted.links, writes=writes, findings=(), changed=False)
    store.add_change(event, scene.links_of.get(event.pk, []), plan, read=None, changed_at=None)
