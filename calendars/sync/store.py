"""Putting plans into rows: gathered for a whole page, saved with a fixed number of statements.

What lives here: rows to create and change, and the one rule about *when* a planned write is due.
What does not: what the plan says (``calsync.engine``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from calendars import rows
from calendars.models import Calendar, Event, EventEntry, Finding, Link, LinkState, Operation, OperationState
from calendars.signals import findings_stored
from calendars.sync.history import History, Kind
from calendars.sync.parts import Whole, keep_parts
from calendars.sync.saving import update_rows
from calendars.sync.stamps import Stamps
from calendars.sync.tally import Tally
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import EventPlan, FindingKind, PlannedWrite
from calsync.engine.plan import Finding as FoundByEngine
from calsync.engine.plan import LinkState as EngineLink

if TYPE_CHECKING:
    from calendars.sync.colleagues import Colleagues
    from calendars.sync.verdicts import Verdicts

NATIVE_GRACE = timedelta(seconds=20)
"""How long a copy waits when its mailbox is invited too: the invitation may bring it by itself."""

_CONFLICTS = {FindingKind.BOTH_EDITED, FindingKind.DELETE_AGAINST_EDIT}
_HELD = {
    FindingKind.CANNOT_REPRESENT,
    FindingKind.COPY_EDITED,
    FindingKind.COPY_DELETED,
    FindingKind.PART_EDITED,
    FindingKind.APPROVAL,
}
_BRAKES = {FindingKind.MASS_DELETE, FindingKind.STORM, FindingKind.EMPTY_SIDE, FindingKind.RESURRECTION}
_STOPPED = (FindingKind.CANNOT_REPRESENT, FindingKind.STORM, FindingKind.RESURRECTION)


@dataclass(slots=True)
class Store:
    """Collects what a page decided; ``save`` writes it inside the caller's transaction."""

    calendar: Calendar
    partners: Mapping[int, Calendar]
    stamps: Stamps
    tally: Tally
    colleagues: Colleagues | None = None  # of the events' guests, where a plan may concern them
    verdicts: Verdicts | None = None  # what the rules say; None where there are none
    new_events: list[Event] = field(default_factory=list)
    changed_events: list[Event] = field(default_factory=list)
    new_links: list[Link] = field(default_factory=list)
    changed_links: dict[int, Link] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    wholes: list[Whole] = field(default_factory=list)  # series whose parts have to be looked at
    taken_over: list[tuple[Link, Event, Event]] = field(default_factory=list)  # link, its new event, its old one
    ruled: set[int] = field(default_factory=set)  # of rows in memory: events that a rule shows otherwise from now on
    asking: list[tuple[Finding, Event, int]] = field(default_factory=list)  # approvals whose link is to be found
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(self.calendar, self.stamps.planned_at)

    def add_new(self, plan: EventPlan, *, read: HubEvent, changed_at: datetime | None, left_alone: bool) -> None:
        """A hub event that did not exist before."""
        if plan.event is None:
            return
        event = Event(owner_id=self.calendar.account.person_id, left_alone=left_alone)
        rows.fill_event(event, plan.event, changed_at=changed_at)
        self.new_events.append(event)
        plan, links = self._joined(event, [], plan)
        self._look_at_parts(event, plan, was_series=False)
        self.history.made(event, changed_at=changed_at, left_alone=left_alone)
        self._put(event, links, plan, read=read, changed_at=changed_at)

    def add_change(
        self, event: Event, links: list[Link], plan: EventPlan, *, read: HubEvent | None, changed_at: datetime | None
    ) -> None:
        """A change of a hub event that we hold, or only of its links."""
        was_series = event.is_series
        self.history.change(event, plan, changed_at=changed_at)
        if plan.event is None:
            event.deleted_at = self.stamps.planned_at
            self.changed_events.append(event)
            settle_obstacles(event, now=self.stamps.planned_at)
        elif plan.changed:
            rows.fill_event(event, plan.event, changed_at=changed_at)
            self.changed_events.append(event)
            self.tally.reopened += settle_obstacles(event, now=self.stamps.planned_at)
        plan, links = self._joined(event, links, plan)
        self._look_at_parts(event, plan, was_series=was_series)
        self._put(event, links, plan, read=read, changed_at=changed_at)

    def add_finding(
        self, found: FoundByEngine, *, event: Event | None = None, link: Link | None = None, remote_id: str = ""
    ) -> None:
        """Something for a person, kept with its losing values."""
        self._count(found.kind)
        if event is not None:
            self.history.found(event, found)
        calendar = self._colleagues_calendar(found.calendar_id) or self.calendar
        self.findings.append(
            Finding(
                kind=found.kind,
                person_id=calendar.account.person_id,
                calendar=calendar,
                event=event,
                link=link,
                remote_id=remote_id,
                paths=sorted(found.paths),
                values=_json_values(found.values),
                text=found.text[:500],
                created_at=self.stamps.planned_at,
            )
        )

    def ask_approval(self, found: FoundByEngine, *, event: Event, mark: str) -> None:
        """A copy that waits for an approval of what ``mark`` stands for; its link is known when all is saved."""
        self.add_finding(found, event=event)
        self.findings[-1].mark = mark
        self.asking.append((self.findings[-1], event, found.calendar_id))

    def plan_write(self, link: Link, write: PlannedWrite) -> None:
        """A write of a link whose event is not saved here."""
        self._plan_write(link, write, None, None)

    def plan_delete(self, link: Link, *, why: str) -> None:
        """Take out a copy whose event is deleted already."""
        now = self.stamps.planned_at
        self.operations.append(
            Operation(link=link, calendar_id=link.calendar_id, kind="delete", why=why, due_at=now, planned_at=now)
        )

    def take_over(self, link: Link, event: Event, instead_of: Event) -> None:
        """Let a link belong to ``event``; the event that it stood for was the same meeting and goes."""
        link.event = event
        self.taken_over.append((link, event, instead_of))

    def note_answers(self, event: Event, answered: HubEvent) -> None:
        """Keep what guests have answered: news, but no change of the event that anybody would write."""
        rows.fill_event(event, answered, changed_at=None)
        if event.pk:
            self.changed_events.append(event)

    def save(self) -> None:
        """Write everything; to be called once, in the transaction that holds the lease."""
        Event.objects.bulk_create(self.new_events)
        update_rows(self.changed_events, _EVENT_FIELDS)
        for link, event, instead_of in self.taken_over:
            Link.objects.filter(pk=link.pk).update(event=event)
            EventEntry.objects.filter(event=instead_of).update(event=event)
            instead_of.delete()
        Link.objects.bulk_create(self.new_links)
        update_rows(self.changed_links.values(), _LINK_FIELDS)
        self.operations += keep_parts(self.wholes, stamps=self.stamps, grace=NATIVE_GRACE)
        operations = self._worth_trying()
        # An operation that is still open for the link looks at the hub again when it is carried out: none is lost here.
        Operation.objects.bulk_create(operations, ignore_conflicts=True)
        for finding, event, calendar_id in self.asking:
            finding.link = Link.objects.filter(event=event, calendar=calendar_id).first()
            finding.calendar = finding.link.calendar if finding.link is not None else finding.calendar
            finding.person_id = finding.calendar.account.person_id if finding.calendar else finding.person_id
        if self.findings:
            Finding.objects.bulk_create(self.findings)
            transaction.on_commit(lambda: findings_stored.send(sender=Finding))
        self.history.save()
        self.tally.rung |= {operation.calendar_id for operation in operations}

    def _worth_trying(self) -> list[Operation]:
        """The planned writes without those that were refused before and of whose event nothing has changed since, and
        without those that a brake has stopped.
        """
        links = [operation.link_id for operation in self.operations if operation.link_id]
        refused = Finding.objects.filter(kind__in=_STOPPED, link__in=links, settled_at__isnull=True).values_list(
            "link_id", flat=True
        )
        parked = set(refused) if links else set()
        return [operation for operation in self.operations if operation.link_id not in parked]

    def calendar_of(self, calendar_id: int, link: Link | None) -> Calendar:
        """The calendar of a link, which may not be stored yet."""
        if link is not None:
            return link.calendar
        known = self.partners.get(calendar_id) or self._colleagues_calendar(calendar_id)
        return known or self.calendar

    def _joined(self, event: Event, links: list[Link], plan: EventPlan) -> tuple[EventPlan, list[Link]]:
        """The plan and the links with those of the event's guests on the other platform, as the rules let it be."""
        if self.colleagues is not None:
            plan, links = self.colleagues.join(self, event, links, plan)
        return self.verdicts.apply(self, event, links, plan) if self.verdicts is not None else (plan, links)

    def _put(
        self, event: Event, links: list[Link], plan: EventPlan, *, read: HubEvent | None, changed_at: datetime | None
    ) -> None:
        kept = {link.calendar_id: link for link in links}
        by_calendar = {state.place.calendar_id: self._link(event, kept, state, read) for state in plan.links}
        for calendar_id, link in kept.items():
            if calendar_id not in by_calendar and link.state != LinkState.GONE:
                link.state = LinkState.GONE
                self.changed_links[link.pk] = link
                if plan.event is not None:
                    self.history.note(event, Kind.HIDDEN, calendar_id=calendar_id)
        for write in plan.writes:
            if not event.left_alone:
                self._plan_write(by_calendar[write.calendar_id], write, plan.event, changed_at)
        for found in plan.findings:
            self.add_finding(found, event=event, link=by_calendar.get(found.calendar_id))

    def _look_at_parts(self, event: Event, plan: EventPlan, *, was_series: bool) -> None:
        """Note that the parts of a series may have to change with it."""
        changed = plan.event is None or plan.changed or id(event) in self.ruled
        changed = changed or any(not link.remote_id for link in plan.links)
        if changed and (was_series or event.is_series) and event.whole_id is None and not event.left_alone:
            self.wholes.append((event, plan.event))

    def _link(self, event: Event, kept: dict[int, Link], state: EngineLink, read: HubEvent | None) -> Link:
        calendar_id = state.place.calendar_id
        link = kept.get(calendar_id) or Link(event=event, calendar_id=calendar_id)
        before = _told(link)
        rows.fill_link(link, state)
        link.withheld = ""
        waits = link.state in (LinkState.HELD, LinkState.RELEASED)
        if not waits or calendar_id == self.calendar.pk:  # only its own calendar lifts a hold
            if waits:
                self.history.note(event, Kind.RELEASED, text="It stands in the calendar again.")
            link.state = LinkState.ACTIVE
        if read is not None and calendar_id == self.calendar.pk:
            link.occurrences = rows.occurrence_keys(read)
        if link.pk is None:
            self.new_links.append(link)
        elif before != _told(link):
            self.changed_links[link.pk] = link
        return link

    def _plan_write(self, link: Link, write: PlannedWrite, event: HubEvent | None, changed_at: datetime | None) -> None:
        self.operations.append(
            Operation(
                link=link,
                calendar_id=write.calendar_id,
                kind=write.kind,
                paths=sorted(write.paths),
                why=write.why[:255],
                due_at=self._due_at(write, event),
                changed_at=changed_at,
                noticed_at=self.stamps.noticed_at,
                pulled_at=self.stamps.pulled_at,
                planned_at=self.stamps.planned_at,
            )
        )

    def _due_at(self, write: PlannedWrite, event: HubEvent | None) -> datetime:
        if write.kind == "create" and self._colleagues_calendar(write.calendar_id) and self.calendar.imported_at:
            return self.stamps.planned_at + NATIVE_GRACE
        target = self.partners.get(write.calendar_id)
        if write.kind != "create" or event is None or target is None or not self.calendar.imported_at:
            return self.stamps.planned_at
        invited = {guest.address for guest in event.guests} | {event.organizer}
        return self.stamps.planned_at + (NATIVE_GRACE if target.account.address in invited else timedelta())

    def _colleagues_calendar(self, calendar_id: int) -> Calendar | None:
        return self.colleagues.calendars.get(calendar_id) if self.colleagues is not None else None

    def _count(self, kind: FindingKind) -> None:
        self.tally.conflicts += kind in _CONFLICTS
        self.tally.held += kind in _HELD
        self.tally.brakes += kind in _BRAKES


_EVENT_FIELDS = (
    "uid", "starts_at", "ends_at", "is_all_day", "is_series", "show_as", "content", "changed_at", "deleted_at"
)  # fmt: skip
_LINK_FIELDS = (
    "role", "remote_id", "version", "hub_map", "remote_map", "occurrences", "state", "generation", "key",
    "treatment", "withheld", "asked", "answer", "is_ours",
)  # fmt: skip


def _told(link: Link) -> tuple[object, ...]:
    """What a plan may change of a link."""
    return tuple(getattr(link, name) for name in _LINK_FIELDS if name not in ("occurrences", "key"))


def _json_values(values: Mapping[str, object]) -> dict[str, object]:
    return {path: serial.dump_value(value) for path, value in values.items()}


def settle_obstacles(event: Event, *, now: datetime) -> int:
    """A changed event may have become representable: its missing copies are looked at again. What was refused of it
    before is no longer what anybody would write; what a brake has stopped waits on.
    """
    obstacles = Finding.objects.filter(event=event, kind=FindingKind.CANNOT_REPRESENT, settled_at__isnull=True)
    settled = obstacles.update(settled_at=now)
    if settled:
        parked = Operation.objects.filter(link__event=event, state=OperationState.PARKED)
        parked.exclude(error_code__in=_STOPPED).update(state=OperationState.DROPPED, closed_at=now)
    return settled
