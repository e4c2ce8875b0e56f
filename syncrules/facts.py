"""The people around events, as rules may know them: looked up once for many events.

What lives here: rows to ``Facts``. What does not: what rules make of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from accounts.models import LinkedAccount, User
from calsync.engine.events import Content, Event, Platform
from calsync.engine.rules.facts import Facts, Hours, Level, Party, Topology
from syncrules.selectors import groups_of

_FEW = 500


@dataclass(slots=True)
class Directory:
    """Some people with their addresses, units, groups and hours."""

    by_address: dict[str, int] = field(default_factory=dict)
    parties: dict[int, Party] = field(default_factory=dict)
    hours: dict[int, Hours] = field(default_factory=dict)

    @classmethod
    def load(cls, *, person_ids: Collection[int] = (), addresses: Collection[str] = ()) -> Directory:
        """These people, and whoever has one of these addresses: three queries, however many they are."""
        found = cls()
        wanted, ids = set(addresses), set(person_ids)
        accounts = LinkedAccount.objects.order_by()
        people = User.objects.order_by().select_related("org_unit")
        if len(wanted) + len(ids) <= _FEW:
            accounts = accounts.filter(Q(address__in=wanted) | Q(person_id__in=ids))
        owners = dict(accounts.values_list("address", "person_id"))
        if len(wanted) + len(ids) + len(owners) <= _FEW:
            people = people.filter(Q(pk__in=ids | set(owners.values())) | Q(email__in=wanted))
        rows = list(people)
        groups = groups_of([person.pk for person in rows])
        for person in rows:
            found._add(person, frozenset(name for _, name in groups.get(person.pk, ())))
        found.by_address |= {address: pk for address, pk in owners.items() if pk in found.parties}
        return found

    @classmethod
    def of_events(cls, events: Iterable[Event], *, person_ids: Collection[int]) -> Directory:
        """Everybody in these events, and these people."""
        addresses = {guest.address for event in events for guest in event.guests}
        addresses |= {event.organizer for event in events if event.organizer}
        return cls.load(person_ids=person_ids, addresses=addresses)

    def facts(
        self,
        event: Event,
        *,
        person_id: int,
        owner_id: int,
        source: Platform,
        target: Platform,
        now: datetime,
        topology: Topology = Topology.OWN,
        colleague_id: int | None = None,
        calendar_level: int = Level.PUBLIC,
        event_level: int = Level.PUBLIC,
        occurrence: Content | None = None,
    ) -> Facts:
        """What the rules of ``person_id`` may know about the event of ``owner_id``."""
        guests = tuple(self.party(guest.address) for guest in event.guests if not guest.resource)
        return Facts(
            event=event,
            source=source,
            target=target,
            now=now,
            topology=topology,
            hours=self.hours.get(person_id, Hours()),
            host=self.parties.get(owner_id, Party()) if event.organizes else self.party(event.organizer),
            guests=guests,
            colleague=None if colleague_id is None else self.parties.get(colleague_id),
            calendar_level=calendar_level,
            event_level=event_level,
            categories=frozenset(event.categories),
            response=self._response(event, person_id, owner_id),
            occurrence=occurrence,
        )

    def party(self, address: str) -> Party:
        """Who has an address; somebody outside when nobody here does."""
        known = self.by_address.get(address)
        return Party(address) if known is None else self.parties[known]

    def _response(self, event: Event, person_id: int, owner_id: int) -> str:
        if event.organizes and person_id == owner_id:
            return "organizer"
        answers = (guest.response for guest in event.guests if self.by_address.get(guest.address) == person_id)
        return next(answers, "none")

    def _add(self, person: User, groups: frozenset[str]) -> None:
        unit = person.org_unit.path if person.org_unit else ""
        self.parties[person.pk] = Party(person.email, True, unit, groups, person.time_zone)
        days = frozenset(person.work_days)
        self.hours[person.pk] = Hours(person.time_zone, person.work_starts_at, person.work_ends_at, days)
        self.by_address[person.email] = person.pk
