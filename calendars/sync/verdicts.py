"""What becomes of a plan under the rules: every copy is let through, masked, held for approval, or withheld.

What lives here: asking the rules once for each copy of an event that changes, and turning their answers into links and
writes. What does not: the rules themselves (``syncrules``), facts (``facts``), what a mask shows (``calsync.engine``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from calendars import rows
from calendars.models import Calendar, Event, Finding, Link, LinkState, Withheld
from calendars.sync.facts import FactBook
from calendars.sync.history import Kind
from calendars.sync.retire import retire_copy
from calsync.engine import masking
from calsync.engine.events import Event as HubEvent
from calsync.engine.findings import values_at
from calsync.engine.passage import REFUSED, admitted, is_beyond, waits
from calsync.engine.plan import EventPlan, FindingKind, HubState, wanted_writes
from calsync.engine.plan import Finding as FoundByEngine
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.policy import Role
from calsync.engine.treatment import Leaving, Passage, Treatment

if TYPE_CHECKING:
    from calendars.sync.store import Store

COPIES = (Role.TWIN, Role.COPY)
ASKED_FOR = ("title", "when", "location", "recurrence")


@dataclass(slots=True)
class Verdicts:
    """The rules of the people whom a page of changes concerns. Where there are no rules, there is none of these."""

    facts: FactBook
    key: bytes
    now: datetime

    @classmethod
    def load(
        cls, *, people: Collection[int], events: Iterable[HubEvent], links: Iterable[Link], key: bytes, now: datetime
    ) -> Verdicts | None:
        """The rules of these people and what they may ask about. None, after one query, where nobody has any and no
        link bears the mark of a rule that was.
        """
        marked = any(link.treatment or link.withheld for link in links)
        facts = FactBook.load(people=people, events=events, now=now, marked=marked)
        return None if facts is None else cls(facts, key, now)

    def apply(self, store: Store, event: Event, links: list[Link], plan: EventPlan) -> tuple[EventPlan, list[Link]]:
        """The plan as the rules let it be, and the rows that it still stands on."""
        origin = next((state for state in plan.links if state.role is Role.ORIGIN), None)
        if plan.event is None or origin is None or event.left_alone or event.whole_id is not None:
            return plan, links
        ruling = _Ruling(self, store, event, plan, origin, {link.calendar_id: link for link in links})
        for state in [*plan.links, *ruling.returning()]:
            ruling.judge(state)
        return ruling.outcome(), [link for link in links if link.calendar_id in ruling.kept]

    def treatment(
        self,
        event: Event,
        hub: HubEvent,
        *,
        origin: EngineLink,
        state: EngineLink,
        row: Link | None,
        calendar: Calendar,
    ) -> Treatment:
        """What the rules say of one copy. What leaves its rule and is masked then, stands as "Busy" only."""
        said = self.facts.treatment(hub, origin=origin, state=state, owner_id=event.owner_id, calendar=calendar)
        if said.passage is Passage.SKIP and said.leaving is Leaving.MASK and stands(row):
            return replace(said, passage=Passage.SYNC, details=masking.BUSY_ONLY)
        return said

    def is_outdated(self, event: Event, hub: HubState, link: Link) -> bool:
        """Whether the rules say something else of a copy than what is stored with it."""
        origin = next((state for state in hub.links if state.role is Role.ORIGIN), None)
        state = next((state for state in hub.links if state.calendar_id == link.calendar_id), None)
        if origin is None or state is None or state.role not in COPIES:
            return False
        said = self.treatment(event, hub.event, origin=origin, state=state, row=link, calendar=link.calendar)
        if said.passage is Passage.SKIP or (not stands(link) and is_beyond(hub.event, said, now=self.now)):
            return True
        return admitted(hub.event, state, said, key=self.key) != state


def stands(row: Link | None) -> bool:
    """Whether a copy is there and kept in step."""
    return row is not None and not row.withheld and bool(row.remote_id)


@dataclass(slots=True)
class _Ruling:
    """One event under the rules."""

    verdicts: Verdicts
    store: Store
    event: Event
    plan: EventPlan
    origin: EngineLink
    kept: dict[int, Link]  # the rows by calendar
    states: list[EngineLink] = field(default_factory=list)
    redone: set[int] = field(default_factory=set)  # calendars whose write is derived anew
    silent: set[int] = field(default_factory=set)  # calendars that get none

    def returning(self) -> list[EngineLink]:
        """The owner's withheld copies that no plan has: perhaps the rules let them stand by now."""
        present = {state.calendar_id for state in self.plan.links}
        return [
            EngineLink(place=rows.place_of(row.calendar), role=Role.TWIN)
            for row in self.kept.values()
            if row.withheld and row.role == Role.TWIN and row.calendar_id not in present and row.calendar.is_active
        ]

    def judge(self, state: EngineLink) -> None:
        """Let one copy through, or not."""
        if state.role not in COPIES:
            self.states.append(replace(state, treatment=Treatment(), asked="", answer=""))
            return
        row = self.kept.get(state.calendar_id)
        calendar = self.store.calendar_of(state.calendar_id, row)
        treatment = self.verdicts.treatment(
            self.event, self._event, origin=self.origin, state=state, row=row, calendar=calendar
        )
        if treatment.passage is Passage.SKIP:
            self._withhold(state, row, treatment, Withheld.SKIPPED)
        elif not stands(row) and is_beyond(self._event, treatment, now=self.verdicts.now):
            self._withhold(state, row, treatment, Withheld.BEYOND)
        else:
            self._admit(state, row, treatment)

    def outcome(self) -> EventPlan:
        """The plan with the links that stand, and with writes that fit them."""
        again = HubState(self._event, tuple(state for state in self.states if state.calendar_id in self.redone))
        writes = [write for write in self.plan.writes if write.calendar_id not in self.redone | self.silent]
        return replace(
            self.plan,
            links=tuple(sorted(self.states, key=lambda state: state.calendar_id)),
            writes=(*writes, *wanted_writes(again, key=self.verdicts.key)),
        )

    @property
    def _event(self) -> HubEvent:
        assert self.plan.event is not None
        return self.plan.event

    def _admit(self, state: EngineLink, row: Link | None, treatment: Treatment) -> None:
        if row is not None and row.withheld:
            state = self._come_back(state, row, treatment)
        after = admitted(self._event, state, treatment, key=self.verdicts.key)
        if waits(after):
            self._ask(state, after, row)
            if after.answer == REFUSED and row is not None and row.remote_id and self._is_removable(row):
                after = self._taken_out(row, after)
        elif after.treatment.details != state.treatment.details and row is not None:
            text = _by(after.treatment)
            self.store.history.note(self.event, Kind.RULED, text=text, calendar_id=state.calendar_id)
            self.store.ruled.add(id(self.event))
        planned = any(write.calendar_id == state.calendar_id for write in self.plan.writes)
        if after != state or (row is not None and row.withheld):
            self.redone.update({state.calendar_id} if planned or state.remote_id or row is not None else ())
        self.states.append(after)

    def _come_back(self, state: EngineLink, row: Link, treatment: Treatment) -> EngineLink:
        """A copy that was left where it stands is written over, never doubled."""
        text = _by(treatment)
        self.store.history.note(self.event, Kind.LET_THROUGH, text=text, calendar_id=state.calendar_id)
        left = rows.link_state(row, row.calendar)
        if state.remote_id or not left.remote_id:
            return replace(state, asked=left.asked, answer=left.answer, generation=left.generation)
        return replace(left, place=state.place, role=state.role, hub_map=dict.fromkeys(left.hub_map, ""))

    def _ask(self, before: EngineLink, after: EngineLink, row: Link | None) -> None:
        """Put it before a person, once for each time, place and company."""
        if after.asked == before.asked:
            return
        if row is not None and row.pk is not None:
            old = Finding.objects.filter(link=row, kind=FindingKind.APPROVAL, settled_at__isnull=True)
            old.update(settled_at=self.verdicts.now)
        rule = f" by rule {after.treatment.rule}" if after.treatment.rule else ""
        values = {**values_at(self._event, ASKED_FOR), "approver": after.treatment.approver}
        what = "A change of this copy" if after.remote_id else "A copy of this event"
        text = f"{what} is held{rule}: it is written when it has been approved. A new time or place asks again."
        found = FoundByEngine(FindingKind.APPROVAL, after.calendar_id, frozenset(), values, text)
        self.store.ask_approval(found, event=self.event, mark=after.asked)

    def _withhold(self, state: EngineLink, row: Link | None, treatment: Treatment, why: Withheld) -> None:
        self.silent.add(state.calendar_id)
        stored = masking.dump(treatment)
        if row is None:
            self._put_withheld(state, stored, why)
        elif row.withheld:
            self._still_withheld(row, state, stored, why)
        elif row.remote_id and not (treatment.leaving is Leaving.REMOVE and self._is_removable(row)):
            row.state, row.withheld, row.treatment = LinkState.GONE, Withheld.KEPT, stored
            self.store.changed_links[row.pk] = row
            self.store.history.note(self.event, Kind.LEFT, text=_by(treatment), calendar_id=row.calendar_id)
        else:
            del self.kept[row.calendar_id]
            retire_copy(self.store, row, why=f"No rule lets it stand here. {_by(treatment)}".strip())
            self._put_withheld(replace(state, remote_id=""), stored, why)

    def _is_removable(self, row: Link) -> bool:
        """Whether we made it: what a person made stays theirs, whatever a rule says."""
        return row.is_ours or row.role == Role.COPY

    def _still_withheld(self, row: Link, state: EngineLink, stored: dict[str, object], why: Withheld) -> None:
        remote_id = row.remote_id or state.remote_id  # perhaps its person has made the same event there
        why = Withheld.KEPT if remote_id else why
        if (row.treatment, row.withheld, row.remote_id) != (stored, why, remote_id):
            row.treatment, row.withheld, row.remote_id = stored, why, remote_id
            row.version = state.version or row.version
            self.store.changed_links[row.pk] = row

    def _put_withheld(self, state: EngineLink, stored: dict[str, object], why: Withheld) -> None:
        row = Link(event=self.event, calendar_id=state.calendar_id, role=state.role, state=LinkState.GONE)
        row.withheld = Withheld.KEPT if state.remote_id else why
        row.remote_id, row.version = state.remote_id, state.version
        row.treatment, row.generation = stored, state.generation
        row.key = row.new_key()
        self.store.new_links.append(row)
        text = f"{str(Withheld(row.withheld).label).capitalize()}. {_by(masking.load(stored))}"
        self.store.history.note(self.event, Kind.WITHHELD, text=text.strip(), calendar_id=state.calendar_id)

    def _taken_out(self, row: Link, state: EngineLink) -> EngineLink:
        """What was refused must not stand there at its old time."""
        del self.kept[row.calendar_id]
        retire_copy(self.store, row, why="Its new time or place was refused.")
        return replace(state, remote_id="", version="", hub_map={}, remote_map={})


def _by(treatment: Treatment) -> str:
    return f"Rule {treatment.rule}." if treatment.rule else ""
