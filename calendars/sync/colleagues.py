"""Colleagues on the other platform (topology T2), as far as one page of changes touches them.

What lives here: the rows behind a meeting's guests, put into the engine's words and back. What does not: who gets what
(``calsync.engine.colleagues``), colleagues who join later (``latecomers``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db.models import F

from accounts.models import User
from calendars import rows
from calendars.models import Calendar, Event, Link, LinkState
from calendars.sync.retire import retire_copy
from calendars.sync.store import Store
from calsync.engine import serial
from calsync.engine.colleagues import Attendance, Seat, answered, asked_to, invited, join, same_meeting
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import EventPlan
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.policy import Role
from syncrules.compile import policy_for

UNINVITED = "Its person is no longer invited to the meeting."


@dataclass(slots=True)
class Colleagues:
    """The guests of the events that one calendar's page touches, with their calendars and links."""

    owner: User
    platform: str
    key: bytes
    links_of: dict[int, list[Link]]  # by event: links in the calendars of others
    seats: list[Seat] = field(default_factory=list)
    calendars: dict[int, Calendar] = field(default_factory=dict)
    before: dict[int, HubEvent] = field(default_factory=dict)  # events with such links, as they were
    rivals: dict[str, list[Rival]] = field(default_factory=dict)  # by uid: what guests' own mailboxes brought

    @classmethod
    def load(
        cls, calendar: Calendar, *, links_of: Mapping[int, list[Link]], events: Iterable[HubEvent], key: bytes
    ) -> Colleagues:
        """Read who the guests of ``events`` are, and of the events that have links of colleagues already."""
        found = cls(calendar.account.person, calendar.account.platform, key, dict(links_of))
        for links in links_of.values():
            found.calendars |= {link.calendar_id: link.calendar for link in links}
            found.before[links[0].event_id] = serial.load(links[0].event.content)
        meetings = [event for event in [*events, *found.before.values()] if event.organizes and event.guests]
        if meetings:
            found._load_seats({guest.address for event in meetings for guest in event.guests})
        if found.seats:
            found._load_rivals({event.uid for event in meetings if event.uid})
        return found

    @property
    def people(self) -> frozenset[int]:
        """Whose rows may change with these events, beside the owner's."""
        linked = {link.calendar.account.person_id for links in self.links_of.values() for link in links}
        # A known meeting may have its origin in the owner's calendar on the other platform.
        reachable = [seat for seat in self.seats if self.before or seat.place.platform != self.platform]
        return frozenset(linked | {seat.person_id for seat in reachable})

    def join(self, store: Store, event: Event, links: list[Link], plan: EventPlan) -> tuple[EventPlan, list[Link]]:
        """The plan and the rows of an event with its colleagues' links added; unchanged for events without any."""
        theirs = self.links_of.get(event.pk, []) if event.pk else []
        if event.owner_id != self.owner.pk or event.left_alone or not (theirs or (plan.event and plan.event.guests)):
            return plan, links
        attendance, taken = self._attendance(event, theirs, plan)
        joined = join(plan, attendance, key=self.key)
        gone = {state.calendar_id for state in joined.retired}
        for link in theirs:
            if link.calendar_id in gone:
                retire_copy(store, link, why=UNINVITED)
        rest = [link for link in theirs if link.calendar_id not in gone]
        self.links_of[event.pk] = rest
        for rival in taken:
            store.take_over(rival.link, event, rival.row)
            self.rivals[rival.hub.uid].remove(rival)
        return self._with_answers(store, event, joined.plan, taken), [*links, *rest, *(rival.link for rival in taken)]

    def _attendance(self, event: Event, theirs: list[Link], plan: EventPlan) -> tuple[Attendance, list[Rival]]:
        origin = next((state for state in plan.links if state.role is Role.ORIGIN), None)
        if plan.event is None or origin is None:
            return Attendance(present=_standing(theirs)), []
        seats = invited(plan.event, origin=origin.place.platform, seats=self.seats)
        closed = self._closed(event, theirs, seats)
        natives: dict[int, EngineLink] = {}
        taken = []
        for seat in seats:
            rival = self._rival(seat, plan.event)
            if rival is None or any(link.calendar_id == seat.place.calendar_id for link in theirs):
                continue
            if rival.is_movable(seat.place.calendar_id):
                state = rows.link_state(rival.link, rival.link.calendar)
                natives[seat.place.calendar_id] = replace(state, role=Role.NATIVE)
                taken.append(rival)
            else:
                closed.add(seat.place.calendar_id)
        attendance = Attendance(
            seats=seats,
            present=_standing(theirs),
            natives=natives,
            closed=closed,
            uncopied={seat.place.calendar_id for seat in seats if not self._may_copy(seat, event)},
            kept=self._kept(event, theirs, plan.event),
        )
        return attendance, taken

    def _kept(self, event: Event, theirs: Iterable[Link], now: HubEvent) -> set[int]:
        """Copies of people of whom no invited address is known any more, though all who were asked still are: their
        mailboxes have new addresses.
        """
        before = self.before.get(event.pk)
        if before is None or not now.organizes or asked_to(before) - asked_to(now):
            return set()
        found = {seat.person_id for seat in self.seats}
        return {link.calendar_id for link in theirs if link.calendar.account.person_id not in found}

    def _closed(self, event: Event, theirs: list[Link], seats: Iterable[Seat]) -> set[int]:
        """Calendars whose person deleted the copy: never again, unless the person was uninvited in between. A copy
        without a key was taken out by an operator: it comes back when the calendar is switched on again.
        """
        gone = {
            link.calendar_id: link for link in theirs if link.state == LinkState.GONE and link.key and not link.withheld
        }
        before = self.before.get(event.pk)
        asked = {guest.address for guest in before.guests} if before else set()
        closed = {seat.place.calendar_id for seat in seats if seat.place.calendar_id in gone and seat.addresses & asked}
        for calendar_id in gone.keys() - closed:
            gone[calendar_id].generation += 1  # should it be made again, then under a new key
        return closed

    def _rival(self, seat: Seat, event: HubEvent) -> Rival | None:
        organizers = {event.organizer}
        return next(
            (
                rival
                for rival in self.rivals.get(event.uid, ())
                if rival.row.owner_id == seat.person_id and same_meeting(event, rival.hub, organizers=organizers)
            ),
            None,
        )

    def _may_copy(self, seat: Seat, event: Event) -> bool:
        """By the rules of both: of the one whose meeting it is, and of the one whose calendar gets it."""
        calendar = self.calendars[seat.place.calendar_id]
        since = calendar.activated_at if calendar.leaves_existing_alone else None
        if since is not None and event.created_at is not None and event.created_at < since:
            return False
        return policy_for(self.owner).colleague_copies and policy_for(calendar.account.person).colleague_copies

    def _with_answers(self, store: Store, event: Event, plan: EventPlan, taken: list[Rival]) -> EventPlan:
        if plan.event is None:
            return plan
        known = plan.event
        addresses = {seat.person_id: seat.addresses for seat in self.seats}
        for rival in taken:
            known = answered(known, rival.hub, addresses=addresses[rival.row.owner_id])
        if known != plan.event:
            store.note_answers(event, known)
        return replace(plan, event=known)

    def _load_seats(self, addresses: set[str]) -> None:
        """Who is invited, also under an address that their mailbox had before it was renamed."""
        found = (
            Calendar.objects.filter(is_primary=True, account__person__linked_accounts__address__in=addresses)
            .exclude(account__person=self.owner)
            .annotate(
                invited=F("account__person__linked_accounts__address"),
                in_use=F("account__person__linked_accounts__is_active"),
            )
            .select_related("account__person")
            .order_by("pk")
        )
        rows_found = list(found)
        taken = {row.invited: row.account.person_id for row in rows_found if row.in_use}
        invited_as: dict[int, set[str]] = defaultdict(set)
        for calendar in rows_found:
            person_id = calendar.account.person_id
            if taken.get(calendar.invited, person_id) != person_id:
                continue  # a former address of theirs that is somebody else's now
            invited_as[person_id].add(calendar.invited)
            self.calendars[calendar.pk] = calendar
        self.seats = [
            seat_of(calendar, frozenset(invited_as[calendar.account.person_id]))
            for calendar in self.calendars.values()
            if calendar.account.person_id in invited_as
        ]

    def _load_rivals(self, uids: set[str]) -> None:
        """What the guests' own mailboxes have brought of the same meetings."""
        owners = {seat.person_id for seat in self.seats}
        found = Event.objects.filter(owner_id__in=owners, uid__in=uids, deleted_at__isnull=True, whole__isnull=True)
        by_pk = {row.pk: row for row in found.order_by("pk")}
        if not by_pk:
            return
        standing: dict[int, list[Link]] = defaultdict(list)
        links = Link.objects.filter(event_id__in=by_pk).exclude(state=LinkState.GONE)
        for link in links.prefetch_related("calendar__account").order_by("pk"):
            standing[link.event_id].append(link)
        for pk, row in by_pk.items():
            self.rivals.setdefault(row.uid, []).append(Rival(row, serial.load(row.content), standing[pk]))


@dataclass(slots=True)
class Rival:
    """A guest's own hub event of the same meeting, made when the guest's mailbox was read before the organiser's."""

    row: Event
    hub: HubEvent
    links: list[Link]

    @property
    def link(self) -> Link:
        """Its link, when it has just one."""
        return self.links[0]

    def is_movable(self, calendar_id: int) -> bool:
        """Whether it stands in this calendar and nowhere else."""
        return len(self.links) == 1 and self.link.calendar_id == calendar_id and self.link.role == Role.ORIGIN


def seat_of(calendar: Calendar, addresses: frozenset[str]) -> Seat:
    """A colleague's calendar (with account and person loaded) as the engine sees it."""
    account = calendar.account
    active = calendar.is_active and account.is_active and account.person.is_active
    place = rows.colleague_place(calendar)
    place = replace(place, writable=place.writable and active)
    return Seat(person_id=account.person_id, place=place, addresses=addresses, active=active)


def _standing(links: Iterable[Link]) -> tuple[EngineLink, ...]:
    return tuple(rows.link_state(link, link.calendar) for link in links if link.state != LinkState.GONE)
