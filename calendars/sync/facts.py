"""What rules may ask about one copy, and what they answer: rules and people are looked up once for a whole page.

What lives here: the rules of the people concerned, and asking them. What does not: what follows from a verdict
(``verdicts``), the rules and the people behind addresses themselves (``syncrules``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce

from calendars.models import Calendar
from calsync.engine.events import Event as HubEvent
from calsync.engine.events import Sensitivity
from calsync.engine.passage import stricter
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.policy import Role
from calsync.engine.rules.book import Rulebook, Verdict
from calsync.engine.rules.facts import Level, Topology
from calsync.engine.treatment import Treatment
from syncrules.compile import rulebook_for
from syncrules.facts import Directory

BookFor = Callable[[Collection[int]], Rulebook]
"""The rules of some people, as they are or as they would be."""

LEVELS = {
    Sensitivity.NORMAL: Level.PUBLIC,
    Sensitivity.PERSONAL: Level.INTERNAL,
    Sensitivity.PRIVATE: Level.CONFIDENTIAL,
    Sensitivity.CONFIDENTIAL: Level.RESTRICTED,
}
"""What an event is classified as by its owner's wish."""


@dataclass(slots=True)
class FactBook:
    """The rules of some people, and what is known of everybody in their events."""

    book: Rulebook
    now: datetime
    book_for: BookFor
    directory: Directory = field(default_factory=Directory)
    people: set[int] = field(default_factory=set)  # looked up, as are the addresses
    addresses: set[str] = field(default_factory=set)

    @classmethod
    def load(
        cls,
        *,
        people: Collection[int],
        events: Iterable[HubEvent],
        now: datetime,
        marked: bool = False,
        book_for: BookFor | None = None,
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
        asked = {address for event in events for address in _addresses(event)} - self.addresses
        missing = set(people) - self.people
        if not asked and not missing:
            return
        self.addresses |= asked
        self.people |= missing
        found = Directory.load(person_ids=missing, addresses=asked)
        self.directory.by_address |= found.by_address
        self.directory.parties |= found.parties
        self.directory.hours |= found.hours

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
        reader_id, is_colleagues = calendar.account.person_id, state.role is Role.COPY
        askers = [owner_id, reader_id] if is_colleagues else [owner_id]
        self.join({owner_id, reader_id}, [event])

        def verdict_of(person_id: int) -> Verdict:
            facts = self.directory.facts(
                event,
                person_id=person_id,
                owner_id=owner_id,
                source=origin.place.platform,
                target=state.place.platform,
                now=self.now,
                topology=Topology.COLLEAGUES if is_colleagues else Topology.OWN,
                colleague_id=reader_id if is_colleagues else None,
                event_level=LEVELS[event.content.sensitivity],
            )
            return self.book.decide(facts, person_id=person_id)

        return [verdict_of(person_id) for person_id in askers]


def _addresses(event: HubEvent) -> set[str]:
    return {guest.address for guest in event.guests} | ({event.organizer} if event.organizer else set())
