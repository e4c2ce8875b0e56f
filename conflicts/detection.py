"""Detection of double bookings: what collides in somebody's busy time now, against what is known.

What lives here: the transaction in which busy time is worked out and looked at, so that two writers cannot both miss
a collision. What does not: the sweep itself (``calsync.engine.overlaps``), telling people (``services``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction

from accounts.models import OrgUnit, User
from calendars import busy
from calendars.models import BusySlot, Finding
from calendars.sync.locks import lock_people
from calsync.engine import zones
from calsync.engine.events import ShowAs
from calsync.engine.overlaps import Overlap, Slot, overlaps
from calsync.engine.plan import FindingKind
from conflicts.models import DoubleBooking, OverlapPolicy

MOST_SPANS = 50
"""So many dates of two series are kept and told."""

FEW = 100  # people who are locked and looked at together

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counting:
    """What counts for one person."""

    weights: frozenset[str] = frozenset({ShowAs.BUSY, ShowAs.OUT_OF_OFFICE, ShowAs.TENTATIVE})
    all_day: bool = True
    gap: timedelta = timedelta()

    @classmethod
    def of(cls, policy: OverlapPolicy | None) -> Counting:
        """The unit's policy in the engine's terms; without one, the default."""
        if policy is None:
            return cls()
        weights = {ShowAs.BUSY, ShowAs.OUT_OF_OFFICE}
        weights |= {ShowAs.TENTATIVE} if policy.tentative else set()
        weights |= {ShowAs.ELSEWHERE} if policy.elsewhere else set()
        return cls(frozenset(weights), policy.all_day, timedelta(minutes=policy.gap_minutes))

    def counts(self, show_as: str, *, all_day: bool) -> bool:
        """Whether time that is shown like this can collide."""
        return show_as in self.weights and (self.all_day or not all_day)


def catch_up(*, now: datetime) -> int:
    """Work out all busy time that has changed and look at the people whose it is; returns how many double bookings
    came up. Safe to call by several processes at once.
    """
    found = 0
    while due := busy.due_events(now=now):
        found += _look_at_events(due, now=now)
    return found


def look(person_ids: Collection[int], *, now: datetime) -> int:
    """Compare what collides for these people with what is known; returns how many double bookings came up."""
    with transaction.atomic():
        lock_people(person_ids)
        return _look(person_ids, now=now)


def look_at_unit(unit_id: int, *, now: datetime) -> int:
    """The same for everybody in a unit and below, some at a time."""
    unit = OrgUnit.objects.filter(pk=unit_id).first()
    people = [] if unit is None else list(User.objects.in_unit(unit).order_by("pk").values_list("pk", flat=True))
    return sum(look(people[at : at + FEW], now=now) for at in range(0, len(people), FEW))


def overlaps_of(person_ids: Collection[int], *, start: datetime, end: datetime) -> dict[int, list[Overlap]]:
    """By person everything that collides between two instants, in order of time; numbers of meetings are events'."""
    counting = counting_of(person_ids)
    slots = BusySlot.objects.filter(person__in=person_ids).between(start, end)
    rows = slots.order_by("person_id").values_list(
        "person_id", "starts_at", "ends_at", "event_id", "event__uid", "show_as", "is_all_day"
    )
    found: dict[int, list[Overlap]] = {person: [] for person in person_ids}
    for person, theirs in groupby(rows, key=lambda row: row[0]):
        rule = counting[person]
        counted = (Slot(*row[1:5]) for row in theirs if rule.counts(row[5], all_day=row[6]))
        found[person] = sorted(overlaps(counted, gap=rule.gap), key=lambda one: (one.start, one.end, one.first))
    return found


def counting_of(person_ids: Collection[int]) -> dict[int, Counting]:
    """By person what counts: the policy of the nearest unit that has one."""
    paths = dict(User.objects.filter(pk__in=person_ids).order_by().values_list("pk", "org_unit__path"))
    policies = {policy.unit.path: policy for policy in OverlapPolicy.objects.select_related("unit").order_by()}
    return {person: Counting.of(_nearest(path or "", policies)) for person, path in paths.items()}


def _nearest(path: str, policies: Mapping[str, OverlapPolicy]) -> OverlapPolicy | None:
    while path:
        if path in policies:
            return policies[path]
        path = path.rpartition("/")[0]
    return None


def _look_at_events(event_ids: Sequence[int], *, now: datetime) -> int:
    with transaction.atomic():
        slots = BusySlot.objects.filter(event__in=event_ids).order_by()
        people = set(slots.values_list("person_id", flat=True)).union(*busy.attendees_of(event_ids).values())
        lock_people(people)  # before any row is read that is decided about
        return _look(busy.work_out(event_ids, now=now) | people, now=now)


def _look(person_ids: Collection[int], *, now: datetime) -> int:
    until = busy.horizon(now)
    found = overlaps_of(person_ids, start=now, end=until)
    known = DoubleBooking.objects.standing().filter(person__in=person_ids).select_related("finding", "person")
    by_person: dict[int, dict[Pair, DoubleBooking]] = defaultdict(dict)
    for booking in known.order_by("pk"):
        by_person[booking.person_id][booking.first_id, booking.second_id] = booking
    changes = _Changes(now=now, until=until, zones=_zones(person_ids))
    for person, collisions in found.items():
        standing = by_person[person]
        pairs: dict[Pair, list[Overlap]] = defaultdict(list)
        for one in collisions:
            if one.end > now:
                pairs[one.first, one.second].append(one)
        for pair, spans in pairs.items():
            changes.take(person, pair, spans, standing.get(pair))
        changes.gone += [booking for pair, booking in standing.items() if pair not in pairs]
    return changes.save()


def _zones(person_ids: Collection[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=person_ids).order_by().values_list("pk", "time_zone"))


@dataclass(slots=True)
class _Changes:
    """What differs from what is known, gathered for some people and saved together."""

    now: datetime
    until: datetime
    zones: Mapping[int, str]
    new: list[DoubleBooking] = field(default_factory=list)
    changed: list[DoubleBooking] = field(default_factory=list)
    gone: list[DoubleBooking] = field(default_factory=list)
    raised: list[Finding] = field(default_factory=list)
    retold: list[Finding] = field(default_factory=list)

    def take(self, person_id: int, pair: Pair, spans: Sequence[Overlap], known: DoubleBooking | None) -> None:
        """One pair of events that collides."""
        told = [[one.start.isoformat(), one.end.isoformat(), one.apart] for one in spans[:MOST_SPANS]]
        text = sentence(spans, zone=self.zones[person_id])
        if known is None:
            booking = DoubleBooking(person_id=person_id, first_id=pair[0], second_id=pair[1], found_at=self.now)
            self._raise(booking, text)
            self.new.append(booking)
        elif known.spans == told:
            return
        else:
            booking = known
            if self._is_settled(booking) and _has_news(booking, spans):
                self._raise(booking, text)
            elif booking.finding is not None and booking.finding.settled_at is None:
                booking.finding.text = text
                self.retold.append(booking.finding)
            self.changed.append(booking)
        booking.spans, booking.next_at, booking.looked_until = told, spans[0].start, self.until

    def save(self) -> int:
        """Write it all; returns how many findings were raised."""
        Finding.objects.bulk_create(self.raised)
        for booking in (*self.new, *self.changed):
            booking.finding = booking.finding  # its number is known now
        DoubleBooking.objects.bulk_create(self.new)
        fields = ["spans", "next_at", "looked_until", "finding"]
        DoubleBooking.objects.bulk_update(self.changed, fields, batch_size=200)
        Finding.objects.bulk_update(self.retold, ["text"], batch_size=200)
        DoubleBooking.objects.filter(pk__in=[one.pk for one in self.gone]).update(gone_at=self.now)
        settled = [one.finding_id for one in self.gone if one.finding_id is not None]
        Finding.objects.filter(pk__in=settled, settled_at=None).update(settled_at=self.now)
        return len(self.raised)

    def _raise(self, booking: DoubleBooking, text: str) -> None:
        booking.finding = Finding(
            kind=FindingKind.DOUBLE_BOOKING,
            person_id=booking.person_id,
            event_id=booking.first_id,
            text=text,
            created_at=self.now,
        )
        self.raised.append(booking.finding)

    @staticmethod
    def _is_settled(booking: DoubleBooking) -> bool:
        return booking.finding is None or booking.finding.settled_at is not None


def _has_news(booking: DoubleBooking, spans: Iterable[Overlap]) -> bool:
    """Whether there is a time that nobody could have meant when both were kept; later ones come up with the days."""
    seen = {start for start, *_ in booking.spans}
    return any(one.start.isoformat() not in seen and one.start < booking.looked_until for one in spans)


def sentence(spans: Sequence[Overlap], *, zone: str) -> str:
    """What is told, without event text: the first time in the person's zone, and how many more there are."""
    first, more = spans[0], len(spans) - 1
    start, end = zones.to_wall(first.start, zone), zones.to_wall(first.end, zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    what = "Two events lie too close together" if first.apart else "Two events overlap"
    when = (
        f"on {start:%Y-%m-%d} at {start:%H:%M}" if first.apart else f"on {start:%Y-%m-%d} from {start:%H:%M} to {until}"
    )
    again = "" if not more else f", and {more} more time{'s' if more > 1 else ''}"
    return f"{what}: {when} ({zone}){again}."
