"""Meetings with colleagues who keep their calendar on the other platform: who gets a link, in which role, and when.

What lives here: who is invited where, what joins a plan for them, what a guest's own copy tells the organiser's event.
What does not: the organiser's own calendars (``plan_*``), which rows are read and changed for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from calsync.engine.events import Event, Platform
from calsync.engine.fingerprint import fingerprints
from calsync.engine.plan_values import EventPlan, HubState, LinkState, Place, PlannedWrite, Sighting, WriteWish
from calsync.engine.policy import Role
from calsync.engine.recurrence import same_span
from calsync.engine.travel import with_link
from calsync.engine.wanted import in_order, wanted_map, wanted_writes


@dataclass(frozen=True, slots=True)
class Seat:
    """The primary calendar of somebody we know, and the addresses under which that person is invited.

    ``active``: it takes part in the sync. ``place.writable``: it has been read completely, so copies may be made.
    """

    person_id: int
    place: Place
    addresses: frozenset[str]
    active: bool = True


@dataclass(frozen=True, slots=True)
class Attendance:
    """How the colleagues of one meeting stand.

    ``present``: links in their calendars. ``natives``: copies that an invitation made and that no link of the meeting
    knows yet. ``closed``: calendars that get no link. ``uncopied``: calendars for which no rule allows a copy.
    ``kept``: calendars whose person is not found among the guests any more although nobody was uninvited.
    """

    seats: tuple[Seat, ...] = ()
    present: tuple[LinkState, ...] = ()
    natives: Mapping[int, LinkState] | None = None
    closed: Set[int] = frozenset()
    uncopied: Set[int] = frozenset()
    kept: Set[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Joined:
    """A plan with its colleagues' links, and the copies that have to go although the meeting lives on."""

    plan: EventPlan
    retired: tuple[LinkState, ...] = ()


def asked_to(event: Event) -> set[str]:
    """The addresses that are invited to the meeting as a whole. Rooms are not."""
    return {guest.address for guest in event.guests if not (guest.resource or guest.partial)}


def invited(event: Event, *, origin: Platform, seats: Iterable[Seat]) -> tuple[Seat, ...]:
    """The seats of the guests whom the meeting's own platform does not reach, one for each person, by calendar.

    Who has an active calendar on that platform has the meeting there by the provider's own doing. Rooms, and guests of
    single occurrences only, get nothing: a copy would show them more than they were invited to.
    """
    if not event.organizes:
        return ()
    asked = asked_to(event)
    people: dict[int, list[Seat]] = {}
    for seat in seats:
        if seat.addresses & asked:
            people.setdefault(seat.person_id, []).append(seat)
    chosen = (_seat_of(theirs, origin) for theirs in people.values())
    return tuple(sorted((seat for seat in chosen if seat), key=lambda seat: seat.place.calendar_id))


def _seat_of(seats: Sequence[Seat], origin: Platform) -> Seat | None:
    if any(seat.active and seat.place.platform is origin for seat in seats):
        return None
    others = [seat for seat in seats if seat.place.platform is not origin]
    return min(others, key=lambda seat: (not seat.active, seat.place.calendar_id), default=None)


def join(plan: EventPlan, attendance: Attendance, *, key: bytes) -> Joined:
    """The organiser's plan with the links of colleagues: kept, added, taken over, or to be retired.

    A native copy is never written. The copy of somebody who is invited no more is retired; when the meeting is deleted
    the copies are deleted with it, and the natives are left to their provider.
    """
    if plan.event is None:
        return Joined(_ended(plan, attendance))
    free = {seat.place.calendar_id: seat for seat in attendance.seats}
    kept, retired = [], []
    for present in attendance.present:
        seat = free.pop(present.calendar_id, None)
        if seat is None and present.role is Role.COPY and present.calendar_id not in attendance.kept:
            retired.append(present)
        else:
            kept.append(replace(present, place=seat.place) if seat else present)
    added = [link for seat in free.values() if (link := _link_for(seat, attendance))]
    theirs = in_order([*kept, *added])
    writes = wanted_writes(HubState(plan.event, theirs), key=key)
    joined = replace(
        plan,
        links=in_order([*plan.links, *theirs]),
        writes=(*plan.writes, *writes),
    )
    return Joined(joined, in_order(retired))


def _link_for(seat: Seat, attendance: Attendance) -> LinkState | None:
    calendar_id = seat.place.calendar_id
    native = (attendance.natives or {}).get(calendar_id)
    if native is not None:
        return native
    if not seat.active or calendar_id in attendance.closed or calendar_id in attendance.uncopied:
        return None
    return LinkState(place=seat.place, role=Role.COPY)


def _ended(plan: EventPlan, attendance: Attendance) -> EventPlan:
    copies = [link for link in attendance.present if link.role is Role.COPY and link.remote_id]
    deletes = [
        PlannedWrite(link.calendar_id, WriteWish.DELETE, frozenset(), "The meeting was deleted by its organiser.")
        for link in in_order(copies)
        if link.place.writable
    ]
    return replace(plan, links=in_order([*plan.links, *copies]), writes=(*plan.writes, *deletes))


def same_meeting(hub: Event, read: Event, *, organizers: Set[str]) -> bool:
    """Whether a guest's mailbox shows the hub's meeting: the same cleaned uid and organiser, both series or both not.

    ``organizers``: the addresses of the event's owner, under one of which the owner invited. Where the owner was only
    invited too, lone occurrences of one series share its uid; they are told apart by their time.
    """
    if not hub.uid or hub.uid != read.uid or hub.is_series != read.is_series or read.organizes:
        return False
    if hub.organizes:
        return read.organizer in organizers or read.organizer == hub.organizer != ""
    return read.organizer == hub.organizer and same_span(hub.content.when, read.content.when)


def answered(event: Event, read: Event, *, addresses: Set[str]) -> Event:
    """The organiser's event with the answer that a guest's own mailbox shows for that guest."""
    answers = {guest.address: guest.response for guest in read.guests if guest.address in addresses}
    guests = tuple(
        replace(guest, response=answers[guest.address]) if answers.get(guest.address, "none") != "none" else guest
        for guest in event.guests
    )
    return event if guests == event.guests else replace(event, guests=guests)


def plan_native(sighting: Sighting, *, hub: HubState, link: LinkState, addresses: Set[str], key: bytes) -> EventPlan:
    """What a guest's own copy of a meeting tells: that it changed, the guest's answer, or that it is gone there.

    It never speaks for the meeting, and it is never written.
    """
    if sighting.event is None:
        rest = tuple(other for other in hub.links if other.calendar_id != link.calendar_id)
        return EventPlan(event=hub.event, links=in_order(rest))
    event = answered(hub.event, sighting.event, addresses=addresses)
    seen = replace(
        link,
        remote_id=sighting.remote_id,
        version=sighting.version,
        hub_map=wanted_map(event, link, key=key),
        remote_map=fingerprints(sighting.event, key=key),
    )
    return EventPlan(event=event, links=in_order(with_link(hub, seen).links), changed=event != hub.event)
