"""Meetings that a mailbox shows because an invitation brought them, and that the hub knows already from elsewhere.

What lives here: finding such a meeting by its uid and organiser, linking the mailbox's own copy to it, and what that
copy tells later. What does not: copies that we make (``colleagues``), first contact of one person's pairs (``scene``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from accounts.models import LinkedAccount
from calendars import rows
from calendars.models import Calendar, Event, Link, LinkState
from calendars.sync.retire import retire_copy, retire_parts
from calendars.sync.store import Store
from calsync.engine import serial
from calsync.engine.colleagues import answered, plan_native, same_meeting
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import Sighting, plan_adoption
from calsync.engine.policy import Role

if TYPE_CHECKING:
    from calendars.sync.scene import Scene

NATIVE_CAME = "The invitation has brought the meeting itself."


@dataclass(slots=True)
class Meetings:
    """Hub events that may be the same meetings as some new items of a page."""

    candidates: list[tuple[Event, HubEvent]] = field(default_factory=list)
    organizers: dict[int, set[str]] = field(default_factory=dict)  # by person: addresses that sent the invitations

    @classmethod
    def load(
        cls, calendar: Calendar, read: Sequence[HubEvent], *, has_partners: bool, known: Collection[int]
    ) -> Meetings:
        """Read the candidates: of the organisers, and the person's own when there is another mailbox."""
        me = calendar.account.person_id
        organizers: dict[int, set[str]] = defaultdict(set)
        senders = LinkedAccount.objects.filter(address__in={event.organizer for event in read}).exclude(person_id=me)
        for address, person_id in senders.order_by("pk").values_list("address", "person_id"):
            organizers[person_id].add(address)
        owners = [*organizers, *([me] if has_partners else [])]
        if not owners:
            return cls()
        found = (
            Event.objects.filter(owner_id__in=owners, uid__in={event.uid for event in read})
            .filter(deleted_at__isnull=True, whole__isnull=True, left_alone=False)
            .exclude(pk__in=known)
            .order_by("pk")
        )
        return cls([(row, serial.load(row.content)) for row in found], dict(organizers))

    @property
    def rows(self) -> list[Event]:
        """The candidates' rows."""
        return [row for row, _ in self.candidates]

    @property
    def owners(self) -> frozenset[int]:
        """Whose events they are."""
        return frozenset(row.owner_id for row, _ in self.candidates)

    def find(self, scene: Scene, read: HubEvent) -> Event | None:
        """The meeting that an unlinked item is, if the item has its place there."""
        for row, hub in self.candidates:
            organizers = self.organizers.get(row.owner_id, set())
            if same_meeting(hub, read, organizers=organizers) and _has_place(scene, row):
                return row
        return None


def _has_place(scene: Scene, event: Event) -> bool:
    """Whether a native copy here belongs to the event: as a guest's, whom the organiser's own platform does not reach;
    or as the owner's, where a copy that we made stands in its stead.
    """
    links = scene.links_of.get(event.pk, [])
    here = next((link for link in links if link.calendar_id == scene.calendar.pk), None)
    if here is not None and here.role not in (Role.TWIN, Role.COPY) and here.state != LinkState.GONE:
        return False
    origin = next((link for link in links if link.role == Role.ORIGIN and link.state != LinkState.GONE), None)
    if origin is None:
        return False
    if event.owner_id == scene.calendar.account.person_id:
        return here is not None
    return origin.calendar.platform != scene.calendar.platform and not scene.partners


def meet(scene: Scene, store: Store, event: Event, sighting: Sighting, read: HubEvent) -> None:
    """Link the copy that an invitation made to the meeting; a copy of ours that stands in its place goes."""
    make_room(scene, store, event)
    hub = scene.hub_state(event, without_here=True)
    plan = plan_adoption(sighting, here=scene.here, hub=hub, policy=scene.policy, key=scene.key)
    store.tally.adopted += 1
    store.history.adopted(event, changed_at=sighting.changed_at)
    if plan.event is not None:
        known = answered(plan.event, read, addresses=_addresses(scene))
        if known != plan.event:
            store.note_answers(event, known)
        plan = replace(plan, event=known)
    store.add_change(event, scene.links_of[event.pk], plan, read=read, changed_at=None)


def make_room(scene: Scene, store: Store, event: Event) -> None:
    """Retire the copy of ours that stands here in the native's place, or that may yet come out of a write under way."""
    links = scene.links_of.get(event.pk, [])
    here = next((link for link in links if link.calendar_id == scene.calendar.pk), None)
    if here is None or here.state == LinkState.GONE:
        return
    if here.remote_id or here.operations.filter(attempts__gt=0).exists():
        retire_copy(store, here, why=NATIVE_CAME)
        scene.links_of[event.pk] = [link for link in links if link is not here]
    else:
        retire_parts(store, here, why=NATIVE_CAME)


def is_guests_native(scene: Scene, link: Link) -> bool:
    """Whether a link is this calendar's own copy of a colleague's meeting."""
    return link.role == Role.NATIVE and link.event.owner_id != scene.calendar.account.person_id


def hear_native(scene: Scene, store: Store, link: Link, sighting: Sighting) -> None:
    """Take note of what a guest's own copy of a colleague's meeting shows."""
    hub = scene.hub_state(link.event)
    mine = rows.link_state(link, scene.calendar)
    plan = plan_native(sighting, hub=hub, link=mine, addresses=_addresses(scene), key=scene.key)
    store.tally.echoes += sighting.event is not None and not plan.changed
    if plan.changed and plan.event is not None:
        store.note_answers(link.event, plan.event)
    plan = replace(plan, changed=False)
    store.add_change(link.event, scene.links_of[link.event_id], plan, read=sighting.event, changed_at=None)


def _addresses(scene: Scene) -> set[str]:
    """The addresses of the calendar's person, in lower case."""
    accounts = LinkedAccount.objects.filter(person_id=scene.calendar.account.person_id)
    return set(accounts.order_by("pk").values_list("address", flat=True))
