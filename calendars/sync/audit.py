"""Audit: read both sides of a person completely, compare them, and say what differs and what helps.

What lives here: the comparison and its classes. What does not: repairing (``repair``), printing (the command).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from calendars import gateway, rows, selectors
from calendars.models import Calendar, CalendarQuerySet, Event, Finding, Link, LinkState, Withheld
from calendars.sync.audit_parts import faults_by_whole
from calendars.sync.pull import reaches_into
from calsync.engine import serial
from calsync.engine.compare import differences
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import FindingKind
from calsync.engine.policy import Role
from calsync.engine.transform import project
from calsync.engine.travel import masked_there
from calsync.engine.treatment import Passage
from calsync.engine.wanted import as_read, projected_at
from calsync.providers.base import Item, Window

REMEDIES = {
    "missing": "audit --repair writes the missing copy",
    "drifted": "audit --repair writes the hub's state again",
    "policy": "it shows what a rule masks: audit --repair masks it again",
    "orphans": "audit --repair takes the left-over copy out",
    "duplicates": "remove one of them in the mailbox; CalSync never deletes what it did not write",
    "unsupported": "change the event so that both platforms can hold it, or leave it on one side",
    "conflicts": "decide the open case in the console",
}


_STOPPED = (FindingKind.STORM, FindingKind.RESURRECTION)
_EDGE = timedelta(days=1)
_WAITING = (LinkState.HELD, LinkState.RELEASED)
_TO_DECIDE = (
    FindingKind.BOTH_EDITED,
    FindingKind.DELETE_AGAINST_EDIT,
    FindingKind.MASS_DELETE,
    FindingKind.EMPTY_SIDE,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be. Names no event text."""

    kind: str  # a key of REMEDIES
    calendar: Calendar
    remote_id: str
    event_id: int | None = None
    paths: tuple[str, ...] = ()
    detail: str = ""


@dataclass(slots=True)
class AuditReport:
    """The outcome for all audited people."""

    matched: int = 0
    differences: list[Difference] = field(default_factory=list)
    unread: list[tuple[Calendar, str]] = field(default_factory=list)  # a side that could not be read, and why

    def count(self, kind: str) -> int:
        """How many differences of one kind."""
        return sum(difference.kind == kind for difference in self.differences)

    @property
    def match_rate(self) -> float:
        """Per cent of events that stand equal on both sides; what neither side can take over is not counted."""
        wrong = sum(self.count(kind) for kind in ("missing", "drifted", "policy", "orphans", "duplicates"))
        # Shown with two decimals: a single difference must never be rounded away.
        return 100.0 if not wrong else min(99.99, 100.0 * self.matched / (self.matched + wrong))


@dataclass(slots=True)
class Side:
    """One calendar as read completely just now."""

    calendar: Calendar
    items: dict[str, Item]
    links: dict[str, Link]  # by remote id, gone ones left out
    in_parts: set[str] = field(default_factory=set)  # remote ids of series that stand in parts on the other side


def audited_pairs(calendars: CalendarQuerySet) -> Iterator[tuple[Calendar, Calendar]]:
    """The active pairs of calendars of one person on two platforms; each pair once, Outlook first."""
    outlook = calendars.active().filter(account__platform="outlook", is_primary=True)
    for calendar in outlook.select_related("account__person").order_by("account__address", "pk"):
        for partner in selectors.partners_of(calendar):
            yield calendar, partner


def audit_pair(left: Calendar, right: Calendar, *, now: datetime, report: AuditReport) -> tuple[Side, Side]:
    """Compare one person's two calendars; returns them as read. Raises ProviderError when a side cannot be read."""
    window = audit_window(now, left, right)
    sides = (read_side(left, window), read_side(right, window))
    held = _held_events(left, right)
    _compare_linked(sides, held, window, report)
    both = (sides, sides[::-1])
    for side, other in both:
        _compare_parts(side, other, window, report)
    for side, other in both:
        _compare_unlinked(side, other, held, report)
    _open_conflicts(sides, report)
    return sides


def audit_window(now: datetime, *calendars: Calendar) -> Window:
    """Today's window, as far as both calendars have been read: what lies beyond is not in step yet, and need not be."""
    start = now - timedelta(days=settings.CALSYNC_WINDOW_BACK_DAYS)
    end = now + timedelta(days=settings.CALSYNC_WINDOW_AHEAD_DAYS)
    starts = [calendar.window_start for calendar in calendars if calendar.window_start]
    ends = [calendar.window_end for calendar in calendars if calendar.window_end]
    return Window(max([start, *starts]), min([end, *ends]))


def read_side(calendar: Calendar, window: Window) -> Side:
    """One calendar, read completely, with what we hold about it. Raises ProviderError."""
    provider = gateway.provider_for(calendar.account)
    pages = provider.changes(rows.mailbox_of(calendar), cursor="", window=window, known=lambda _: {})
    items = {item.remote_id: item for page in pages for item in page.items if item.event is not None}
    standing = Link.objects.filter(calendar=calendar).exclude(remote_id="").exclude(state=LinkState.GONE)
    links = {link.remote_id: link for link in standing.select_related("event", "calendar__account").order_by("pk")}
    for remote_id in _braked(calendar, links):
        items.pop(remote_id, None)
        links.pop(remote_id)
    for remote_id in _left_by_rules(calendar):
        items.pop(remote_id, None)
    return Side(calendar, items, links)


def _left_by_rules(calendar: Calendar) -> list[str]:
    """Copies that a rule had left as they are: nobody keeps them in step."""
    left = Link.objects.filter(calendar=calendar, withheld=Withheld.KEPT).order_by("pk")
    return list(left.values_list("remote_id", flat=True))


def _kept_back(calendar: Calendar) -> set[int]:
    """Events that the rules do not let into this calendar, or not yet."""
    kept_back = ~Q(withheld="") | Q(treatment__passage=Passage.HOLD, remote_id="")
    return set(Link.objects.filter(kept_back, calendar=calendar).order_by("pk").values_list("event_id", flat=True))


def _braked(calendar: Calendar, links: dict[str, Link]) -> list[str]:
    """Copies of events that a brake has stopped, or that a person left as they are: their cases tell of them."""
    events = _stopped_events(calendar)
    return [remote_id for remote_id, link in links.items() if link.event_id in events]


def _stopped_events(calendar: Calendar) -> set[int | None]:
    person_id = calendar.account.person_id
    stopped = Finding.objects.filter(person=person_id, kind__in=_STOPPED, settled_at__isnull=True)
    left = Link.objects.filter(event__owner=person_id, state=LinkState.HELD, remote_id="")
    return {*stopped.values_list("event_id", flat=True), *left.values_list("event_id", flat=True)}


def _held_events(*calendars: Calendar) -> set[int]:
    """Hub events that have no copy on one side because that side cannot hold them."""
    findings = Finding.objects.filter(
        kind=FindingKind.CANNOT_REPRESENT, calendar__in=calendars, settled_at__isnull=True, event__isnull=False
    )
    return set(findings.values_list("event_id", flat=True))


def _compare_linked(sides: tuple[Side, Side], held: set[int], window: Window, report: AuditReport) -> None:
    left, right = sides
    # The platforms draw the window's edge differently, whole days above all: what lies on it may show on one side only.
    inside = Window(window.start + _EDGE, window.end - _EDGE)
    partner_of = {link.event_id: link for link in right.links.values()}
    for link in left.links.values():
        other = partner_of.get(link.event_id)
        if other is None or link.event.left_alone:
            continue
        if link.event_id in held:
            report.differences.append(Difference("unsupported", right.calendar, other.remote_id, link.event_id))
            continue
        here, there = left.items.get(link.remote_id), right.items.get(other.remote_id)
        if here is not None and there is not None:
            _compare_copies(left, link, here, right, other, there, report)
        elif here is not None or there is not None:
            side, missing = (right, other) if there is None else (left, link)
            if missing.state not in _WAITING and _lies_in(inside, link.event):
                report.differences.append(Difference("missing", side.calendar, missing.remote_id, link.event_id))


def _lies_in(window: Window, event: Event) -> bool:
    return event.starts_at < window.end and reaches_into(window, event)


def _compare_copies(
    left: Side, link: Link, here: Item, right: Side, other: Link, there: Item, report: AuditReport
) -> None:
    hub = serial.load(link.event.content)
    drifts = [
        Difference(kind_of_drift(copy, paths), side.calendar, copy.remote_id, copy.event_id, paths)
        for side, copy, item in ((left, link, here), (right, other, there))
        if (paths := drift_of(side, copy, item, hub))
    ]
    if drifts:
        report.differences.append(drifts[0])
    else:
        report.matched += 1


def is_colleagues(link: Link, calendar: Calendar) -> bool:
    """Whether a link stands for a colleague's meeting: it has no counterpart in the person's other calendar."""
    return link.role == Role.COPY or link.event.owner_id != calendar.account.person_id


def drift_of(side: Side, link: Link, item: Item, hub: HubEvent) -> tuple[str, ...]:
    """The paths in which a copy is not as the hub wants it there."""
    role = Role(link.role)
    if item.event is None or role == Role.NATIVE:
        return ()
    traits = gateway.TRAITS[side.calendar.platform]
    wanted = as_read(projected_at(hub, rows.link_state(link, side.calendar)), role)
    # What was read may say more than a copy can (an out-of-office event that was adopted): level it the same way.
    found = as_read(project(item.event, traits=traits, role=role), role)
    return tuple(sorted(differences(wanted, found)))


def kind_of_drift(link: Link, paths: tuple[str, ...]) -> str:
    """Whether a copy shows what it must not, or is merely not up to date."""
    state = rows.link_state(link, link.calendar)
    return "policy" if masked_there(state, paths) else "drifted"


def _compare_parts(side: Side, other: Side, window: Window, report: AuditReport) -> None:
    """Series that stand in parts on one side: matched when every part is."""

    def drift(link: Link, item: Item, hub: HubEvent) -> tuple[str, ...]:
        return drift_of(side, link, item, hub)

    wholes = {link.event_id: remote_id for remote_id, link in other.links.items() if remote_id in other.items}
    here = {link.event_id for link in side.links.values()}
    stopped = _stopped_events(side.calendar)
    found = faults_by_whole(side.calendar, side.items, window=window, drift=drift, stopped=stopped)
    for whole, faults in found.items():
        report.differences += [
            Difference(kind, side.calendar, link.remote_id, whole.pk, paths) for kind, link, paths in faults
        ]
        if whole.pk in wholes and whole.pk not in here:
            report.matched += not faults
            other.in_parts.add(wholes[whole.pk])


def _compare_unlinked(side: Side, other: Side, held: set[int], report: AuditReport) -> None:
    elsewhere = {link.event_id for link in other.links.values()}
    twice = _signatures(side) - _signatures(other)
    kept_back = _kept_back(other.calendar)
    for remote_id, item in side.items.items():
        link = side.links.get(remote_id)
        if remote_id in side.in_parts or (link is not None and link.is_of_a_part):
            continue
        if item.event is None or (link is not None and (link.event_id in elsewhere or link.event.left_alone)):
            continue
        if link is not None and (is_colleagues(link, side.calendar) or link.event_id in kept_back):
            continue
        report.differences.append(_unlinked(side, item, link, held, twice))


def _unlinked(side: Side, item: Item, link: Link | None, held: set[int], twice: Counter[object]) -> Difference:
    event_id = link.event_id if link is not None else None
    if event_id in held:
        return Difference("unsupported", side.calendar, item.remote_id, event_id)
    if link is not None and (link.event.deleted_at is not None or link.role != Role.ORIGIN):
        return Difference("orphans", side.calendar, item.remote_id, event_id)
    if link is None and item.key and Link.objects.filter(key=item.key).exists():
        return Difference("orphans", side.calendar, item.remote_id)
    signature = _signature(item)
    if link is None and twice[signature] > 0 and signature in {_signature(seen) for seen in _linked_items(side)}:
        return Difference("duplicates", side.calendar, item.remote_id)
    return Difference("missing", side.calendar, item.remote_id, event_id, detail="has no counterpart")


def _linked_items(side: Side) -> list[Item]:
    return [item for remote_id, item in side.items.items() if remote_id in side.links]


def _signatures(side: Side) -> Counter[object]:
    return Counter(_signature(item) for item in side.items.values())


def _signature(item: Item) -> object:
    if item.event is None:
        return None
    content = item.event.content
    return content.title.casefold().strip(), rows.span_of(content.when), item.event.is_series


def _open_conflicts(sides: tuple[Side, Side], report: AuditReport) -> None:
    calendars = [side.calendar for side in sides]
    kinds = [*_STOPPED, *_TO_DECIDE]
    findings = Finding.objects.filter(calendar__in=calendars, kind__in=kinds, settled_at__isnull=True)
    report.differences += [
        Difference("conflicts", finding.calendar, finding.remote_id, finding.event_id, tuple(finding.paths))
        for finding in findings.select_related("calendar__account").order_by("pk")
        if finding.calendar is not None
    ]
