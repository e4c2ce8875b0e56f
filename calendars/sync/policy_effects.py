"""What the rules would change about events that stand already: counted without asking a provider or storing anything.

What lives here: comparing what is stored with each copy and what the rules say of it. What does not: carrying it out
(``calendars.policy_change``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from accounts.secrets import fingerprint_key
from calendars import rows
from calendars.models import Event, Link, LinkState
from calendars.sync.facts import BookFor, FactBook
from calendars.sync.verdicts import COPIES, Verdicts, stands
from calsync.engine.masking import fields_sent
from calsync.engine.passage import admitted, is_beyond, waits
from calsync.engine.plan import HubState
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.policy import Role
from calsync.engine.treatment import Details, Leaving, Passage, Treatment

PORTION = 500
SAMPLES = 3  # events that are named for each effect


class Effect(StrEnum):
    """What happens to one copy; the values are for a person."""

    NEW = "newly synced"
    HELD = "held for approval"
    MASKED = "masked"
    UNMASKED = "unmasked"
    REMOVED = "removed"
    LEFT = "left as they are, not kept in step"
    NOTED = "shown as before"  # only policies, or the name of the rule


@dataclass(slots=True)
class PolicyPreview:
    """The counts, and the events concerned. An event with several copies counts for each."""

    seen: int = 0
    counts: Counter[Effect] = field(default_factory=Counter)
    by_unit: dict[str, Counter[Effect]] = field(default_factory=lambda: defaultdict(Counter))
    events: list[int] = field(default_factory=list)
    samples: dict[Effect, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: Event, effects: Collection[Effect]) -> None:
        """Count one event."""
        unit = event.owner.org_unit.path if event.owner.org_unit is not None else "(no unit)"
        self.events.append(event.pk)
        self.counts.update(effects)
        self.by_unit[unit].update(effects)
        for effect in set(effects):
            if len(self.samples[effect]) < SAMPLES:
                self.samples[effect].append(event.pk)


def preview_rules(*, now: datetime, book_for: BookFor | None = None) -> PolicyPreview:
    """Compare every living event with the rules, those of ``book_for`` or those in force."""
    found, verdicts = PolicyPreview(), None
    for events, links in _portions():
        hubs = {event.pk: rows.hub_state(event, links[event.pk]) for event in events}
        people = _people(events, links)
        contents = [hub.event for hub in hubs.values()]
        if verdicts is None:
            facts = FactBook.load(people=people, events=contents, now=now, marked=True, book_for=book_for)
            assert facts is not None
            verdicts = Verdicts(facts, fingerprint_key(), now)
        else:
            verdicts.facts.join(people, contents)
        for event in events:
            _count(found, verdicts, event, hubs[event.pk], links[event.pk])
    return found


def _portions() -> Iterator[tuple[list[Event], dict[int, list[Link]]]]:
    living = Event.objects.filter(deleted_at__isnull=True, whole__isnull=True, left_alone=False)
    last = 0
    while True:
        events = list(living.filter(pk__gt=last).select_related("owner__org_unit").order_by("pk")[:PORTION])
        if not events:
            return
        last = events[-1].pk
        links: dict[int, list[Link]] = defaultdict(list)
        by_pk = {event.pk: event for event in events}
        stored = Link.objects.filter(event__gte=events[0].pk, event__lte=last).prefetch_related("calendar__account")
        for link in stored.order_by("calendar_id"):
            if link.event_id in by_pk and (link.state != LinkState.GONE or link.withheld):
                link.event = by_pk[link.event_id]
                links[link.event_id].append(link)
        yield events, links


def _people(events: Collection[Event], links: dict[int, list[Link]]) -> set[int]:
    readers = {link.calendar.account.person_id for found in links.values() for link in found}
    return readers | {event.owner_id for event in events}


def _count(found: PolicyPreview, verdicts: Verdicts, event: Event, hub: HubState, links: list[Link]) -> None:
    found.seen += 1
    origin = next((state for state in hub.links if state.role is Role.ORIGIN), None)
    if origin is None:
        return
    effects = [
        effect
        for row, state in zip(links, hub.links, strict=True)
        if state.role in COPIES and (effect := _effect(verdicts, event, hub, origin, row, state))
    ]
    if effects:
        found.add(event, effects)


def _effect(
    verdicts: Verdicts, event: Event, hub: HubState, origin: EngineLink, row: Link, state: EngineLink
) -> Effect | None:
    said = verdicts.treatment(event, hub.event, origin=origin, state=state, row=row, calendar=row.calendar)
    if said.passage is Passage.SKIP:
        return None if row.withheld else _leaves(row, said)
    if not stands(row) and is_beyond(hub.event, said, now=verdicts.now):
        return None if row.withheld else Effect.REMOVED
    after = admitted(hub.event, state, said, key=verdicts.key)
    if waits(after):
        return Effect.HELD if row.withheld or not waits(state) else None
    if row.withheld or waits(state):
        return Effect.NEW
    if after.treatment.details != state.treatment.details:
        return _shows(state.treatment.details, after.treatment.details)
    return Effect.NOTED if after != state else None


def _leaves(row: Link, said: Treatment) -> Effect:
    ours = row.is_ours or row.role == Role.COPY
    return Effect.REMOVED if not row.remote_id or (said.leaving is Leaving.REMOVE and ours) else Effect.LEFT


def _shows(before: Details, after: Details) -> Effect:
    return Effect.UNMASKED if fields_sent(after) > fields_sent(before) else Effect.MASKED
