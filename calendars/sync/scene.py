"""Everything that one page of changes touches, read from the rows at once.

What lives here: loading, with a fixed number of queries per page. What does not: decisions and saving.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from accounts.secrets import fingerprint_key
from calendars import rows, selectors
from calendars.models import Calendar, Event, Link, LinkState
from calendars.sync.colleagues import Colleagues
from calendars.sync.lookalikes import Lookalikes
from calendars.sync.meetings import Meetings
from calendars.sync.verdicts import Verdicts
from calsync.engine import serial
from calsync.engine.adopt import find_match
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import HubState, Place
from calsync.engine.policy import Policy
from calsync.providers.base import Item
from syncrules.compile import policy_for


@dataclass(slots=True)
class Scene:
    """One calendar, its partners, and the rows that a page's items belong to."""

    calendar: Calendar
    here: Place
    targets: tuple[Place, ...]
    partners: dict[int, Calendar]
    policy: Policy
    key: bytes
    by_remote: dict[str, Link] = field(default_factory=dict)
    by_key: dict[str, Link] = field(default_factory=dict)
    links_of: dict[int, list[Link]] = field(default_factory=dict)
    lookalikes: Lookalikes = field(default_factory=Lookalikes)
    wholes: dict[int, Event] = field(default_factory=dict)  # the series whose parts are among the links
    unlinked: dict[int, tuple[Event, HubEvent]] = field(default_factory=dict)  # hub events without a copy here
    meetings: Meetings = field(default_factory=Meetings)
    colleagues: Colleagues | None = None
    verdicts: Verdicts | None = None

    @classmethod
    def load(cls, calendar: Calendar, items: Sequence[Item], *, now: datetime) -> Scene:
        """Read what the items touch. All of ``people`` must be locked; who they are, only the loaded scene can tell."""
        partners = {partner.pk: partner for partner in selectors.partners_of(calendar)}
        scene = cls(
            calendar=calendar,
            here=rows.place_of(calendar),
            targets=tuple(rows.place_of(partner) for partner in partners.values() if partner.imported_at),
            partners=partners,
            policy=policy_for(calendar.account.person),
            key=fingerprint_key(),
        )
        scene._load_links(items)
        scene._load_unlinked(items)
        scene._load_meetings(items)
        scene._load_siblings()
        scene._part_colleagues(items)
        read = [item.event for item in items if item.event is not None]
        known = [link for links in scene.links_of.values() for link in links]
        if scene.colleagues is not None:
            known += [link for links in scene.colleagues.links_of.values() for link in links]
        scene.verdicts = Verdicts.load(people=scene.people, events=read, links=known, key=scene.key, now=now)
        return scene

    @property
    def people(self) -> frozenset[int]:
        """Whose rows may be changed by deciding about this."""
        owners = {links[0].event.owner_id for links in self.links_of.values() if links}
        others = self.colleagues.people if self.colleagues else frozenset()
        return frozenset(owners) | self.meetings.owners | others | {self.calendar.account.person_id}

    def look_for_lookalikes(self, items: Sequence[Item], *, now: datetime) -> None:
        """Find what new events are like, except in the first read of a calendar: then everything is new."""
        if self.calendar.imported_at is not None:
            new = [item.event for item in items if item.event is not None and self.link_for(item) is None]
            self.lookalikes = Lookalikes.load(owner_id=self.calendar.account.person_id, new=new, now=now)

    def link_for(self, item: Item) -> Link | None:
        """The link that an item belongs to: by remote id, or by the idempotency key of a create not yet recorded."""
        return self.by_remote.get(item.remote_id) or (self.by_key.get(item.key) if item.key else None)

    def match(self, event: HubEvent) -> Event | None:
        """The one hub event without a copy here that is the same meeting, taken out of the candidates."""
        candidates = list(self.unlinked.values())
        found = find_match(event, [hub for _, hub in candidates])
        if found is None:
            return None
        row, _ = candidates[found]
        del self.unlinked[row.pk]
        return row

    def hub_state(self, event: Event, *, without_here: bool = False) -> HubState:
        """The engine's view of one hub event and its standing links."""
        links = [link for link in self.links_of.get(event.pk, []) if link.state != LinkState.GONE]
        if without_here:
            links = [link for link in links if link.calendar_id != self.calendar.pk]
        return rows.hub_state(event, links)

    def _load_links(self, items: Sequence[Item]) -> None:
        ids = [item.remote_id for item in items]
        keys = [item.key for item in items if item.key]
        found = Link.objects.filter(Q(remote_id__in=ids) | Q(remote_id="", key__in=keys), calendar=self.calendar)
        for link in found.select_related("event").order_by("pk"):
            if link.remote_id:
                self.by_remote[link.remote_id] = link
            else:
                self.by_key[link.key] = link

    def _load_unlinked(self, items: Sequence[Item]) -> None:
        new = [item.event for item in items if item.event is not None and self.link_for(item) is None]
        if not new:
            return
        uids = {event.uid for event in new if event.uid}
        starts = {rows.span_of(event.content.when)[0] for event in new}
        present = Link.objects.filter(calendar=self.calendar).exclude(remote_id="")
        present = present.exclude(state=LinkState.GONE, withheld="")  # a copy that a rule left as it is stands there
        candidates = (
            Event.objects.filter(Q(uid__in=uids) | Q(starts_at__in=starts), owner_id=self.calendar.account.person_id)
            .filter(deleted_at__isnull=True, whole__isnull=True)
            .exclude(pk__in=present.values("event_id"))
            .order_by("pk")
        )
        self.unlinked = {row.pk: (row, serial.load(row.content)) for row in candidates}

    def _load_meetings(self, items: Sequence[Item]) -> None:
        new = [item.event for item in items if item.event is not None and self.link_for(item) is None]
        foreign = [event for event in new if event.uid and not event.organizes]
        if foreign and self.calendar.is_primary:
            self.meetings = Meetings.load(self.calendar, foreign, has_partners=bool(self.partners), known=self.unlinked)

    def _part_colleagues(self, items: Sequence[Item]) -> None:
        """Planning sees the calendars of an event's owner, and this one; what stands at colleagues is joined to it."""
        theirs: dict[int, list[Link]] = {}
        me = self.calendar.account.person_id
        for event_id, links in self.links_of.items():
            owner = links[0].event.owner_id
            here = self.calendar.pk
            side = [link for link in links if link.calendar.account.person_id == owner or link.calendar_id == here]
            if len(side) == len(links):
                continue
            self.links_of[event_id] = side
            if owner == me:
                theirs[event_id] = [link for link in links if link not in side]
        read = [item.event for item in items if item.event is not None]
        self.colleagues = Colleagues.load(self.calendar, links_of=theirs, events=read, key=self.key)

    def _load_siblings(self) -> None:
        events = {link.event_id: link.event for link in [*self.by_remote.values(), *self.by_key.values()]}
        events |= {pk: row for pk, (row, _) in self.unlinked.items()}
        events |= {row.pk: row for row in self.meetings.rows}
        self.wholes = Event.objects.in_bulk({event.whole_id for event in events.values() if event.whole_id})
        events |= self.wholes
        siblings = defaultdict(list)
        mine = {link.pk: link for link in [*self.by_remote.values(), *self.by_key.values()]}
        found = Link.objects.filter(event_id__in=events).prefetch_related("calendar__account").order_by("calendar_id")
        for link in found:
            kept = mine.get(link.pk, link)
            kept.calendar = link.calendar
            kept.event = events[link.event_id]
            siblings[link.event_id].append(kept)
        self.links_of = dict(siblings)
