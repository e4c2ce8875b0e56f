"""What rules may ask about: the people behind addresses, looked up once for a whole page, put into the engine's words.

What lives here: the rules of the people concerned, and facts about one copy. What does not: what follows from a verdict
(``verdicts``), the rules themselves (``syncrules``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce

from django.db.models import Q

from accounts.models import User
from calendars.models import Calendar
from calsync.engine.events import Event as HubEvent
from calsync.engine.events import Sensitivity
from calsync.engine.passage import stricter
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.policy import Role
from calsync.engine.rules.book import Rulebook, Verdict
from calsync.engine.rules.facts import Facts, Hours, Level, Party, Topology
from calsync.engine.treatment import Treatment
from syncrules.compile import rulebook_for

LEVELS = {
    Sensitivity.NORMAL: Level.PUBLIC,
    Sensitivity.PERSONAL: Level.INTERNAL,
    Sensitivity.PRIVATE: Level.CONFIDENTIAL,
    Sensitivity.CONFIDENTIAL: Level.RESTRICTED,
}
"""What an event is classified as by its owner's wish."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody whom the organisation knows."""

    party: Party
    hours: Hours
    addresses: frozenset[str]


@dataclass(slots=True)
class FactBook:
    """The rules of some people, and what is known of everybody in their events."""

    book: Rulebook
    now: datetime
    book_for: Callable[[Collection[int]], Rulebook]
    people: dict[int, _Known] = field(default_factory=dict)
    by_address: dict[str, _Known] = field(default_factory=dict)
    looked_up: set[str] = field(default_factory=set)

    @classmethod
    def load(
        cls,
        *,
        people: Collection[int],
        events: Iterable[HubEvent],
        now: datetime,
        marked: bool = False,
        book_for: Callable[[Collection[int]], Rulebook] | None = None,
    ) -> FactBook | None:
        """Read the rules of these people, and who is in these events. None where nobody has any rule, unless there are
        copies that bear the marks of earlier ones.
        """
        book_for = book_for or rulebook_for
        book = book_for(people)
        if not marked and not any(chain.rules for chain in book.chains.values()):
            return None
        found = cls(book, now, book_for)
        found.meet(events, people=people)
        return found

    def join(self, people: Collection[int], events: Iterable[HubEvent]) -> None:
        """Read the rules of more people, and who is in more events."""
        if missing := set(people) - self.book.chains.keys():
            self.book = Rulebook({**self.book.chains, **self.book_for(missing).chains})
        self.meet(events, people=people)

    def meet(self, events: Iterable[HubEvent], *, people: Collection[int] = ()) -> None:
        """Look up whoever is in these events and not known yet."""
        asked = {address for event in events for address in _addresses(event)} - self.looked_up
        missing = set(people) - self.people.keys()
        if not asked and not missing:
            return
        self.looked_up |= asked
        found = User.objects.filter(Q(pk__in=missing) | Q(email__in=asked) | Q(linked_accounts__address__in=asked))
        found = (
            found.select_related("org_unit")
            .prefetch_related("linked_accounts", "people_groups")
            .distinct()
            .order_by("pk")
        )
        for user in found.distinct().order_by("pk"):
            self._remember(user)

    def treatment(
        self, event: HubEvent, *, origin: EngineLink, state: EngineLink, owner_id: int, calendar: Calendar
    ) -> Treatment:
        """What the rules say of one copy. The rules of a colleague who gets it have to agree with the owner's."""
        verdicts = self.verdicts(event, origin=origin, state=state, owner_id=owner_id, calendar=calendar)
        return reduce(stricter, (verdict.treatment for verdict in verdicts))

    def verdicts(
        self, event: HubEvent, *, origin: EngineLink, state: EngineLink, owner_id: int, calendar: Calendar
    ) -> list[Verdict]:
        """The verdict of the owner's rules, and that of the colleague's for a copy in a colleague's calendar."""
        reader_id = calendar.account.person_id
        facts = self.facts(event, origin=origin, state=state, owner_id=owner_id, colleague_id=reader_id)
        own = self._ask(facts, owner_id)
        if state.role is not Role.COPY:
            return [own]
        return [own, self._ask(replace(facts, hours=self.people[reader_id].hours), reader_id)]

    def facts(
        self, event: HubEvent, *, origin: EngineLink, state: EngineLink, owner_id: int, colleague_id: int
    ) -> Facts:
        """One copy in the words of the rules, judged in the hours of the event's owner."""
        self.meet([event], people={owner_id, colleague_id})
        owner, colleagues = self.people[owner_id], state.role is Role.COPY
        host = self._party(event.organizer) if event.organizer and not event.organizes else owner.party
        return Facts(
            event=event,
            source=origin.place.platform,
            target=state.place.platform,
            now=self.now,
            topology=Topology.COLLEAGUES if colleagues else Topology.OWN,
            hours=owner.hours,
            host=host,
            guests=tuple(self._party(guest.address) for guest in event.guests),
            colleague=self.people[colleague_id].party if colleagues else None,
            event_level=LEVELS[event.content.sensitivity],
            response=_response(event, owner.addresses),
        )

    def _ask(self, facts: Facts, person_id: int) -> Verdict:
        self.join({person_id}, ())
        return self.book.decide(facts, person_id=person_id)

    def _party(self, address: str) -> Party:
        known = self.by_address.get(address)
        return replace(known.party, address=address) if known is not None else Party(address=address)

    def _remember(self, user: User) -> None:
        unit = user.org_unit.path if user.org_unit is not None else ""
        groups = frozenset(group.name for group in user.people_groups.all())
        party = Party(user.email, inside=True, unit=unit, groups=groups, zone=user.time_zone)
        hours = Hours(user.time_zone, user.work_starts_at, user.work_ends_at, frozenset(user.work_days))
        addresses = frozenset({user.email, *(account.address for account in user.linked_accounts.all())})
        self.people[user.pk] = known = _Known(party, hours, addresses)
        self.by_address |= dict.fromkeys(addresses, known)


def _addresses(event: HubEvent) -> set[str]:
    return {guest.address for guest in event.guests} | ({event.organizer} if event.organizer else set())


def _response(event: HubEvent, addresses: frozenset[str]) -> str:
    """The owner's own answer to the invitation."""
    if event.organizes:
        return "organizer" if event.guests else "none"
    return next((guest.response for guest in event.guests if guest.address in addresses), "none")
