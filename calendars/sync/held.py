"""Held deletions: what a brake keeps from being carried out, and what becomes of it once a person has released it.

What lives here: holding links, telling what would have been done, carrying out released deletions. What does not: when
a brake bites (``pull``, ``calsync.engine.brakes``) and the decision (``calendars.decisions``).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from calendars import rows
from calendars.models import Calendar, Finding, Link, LinkState
from calendars.sync import lease as leases
from calendars.sync.clock import Clock
from calendars.sync.decide import decide, decide_deletions
from calendars.sync.lease import Lease
from calendars.sync.locks import lock_person
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.tally import Tally
from calsync.engine import serial
from calsync.engine.plan import Finding as FoundByEngine
from calsync.engine.plan import FindingKind
from calsync.providers.base import CalendarProvider, Item

PORTION = 20  # released deletions of one step: each is proven by a request
MOST_LISTED = 200


def hold_back(
    *,
    lease: Lease,
    calendar: Calendar,
    remote_ids: Sequence[str],
    total: int,
    kind: FindingKind,
    stamps: Stamps,
    tally: Tally,
) -> None:
    """Hold the links of these copies, and tell what would have been done."""
    with transaction.atomic():
        leases.hold(lease, now=stamps.planned_at)
        lock_person(calendar.account.person_id)
        links = Link.objects.filter(calendar=calendar, state=LinkState.ACTIVE, remote_id__in=remote_ids)
        held = list(links.select_related("event").order_by("event__starts_at", "pk"))
        store = Store(calendar=calendar, partners={}, stamps=stamps, tally=tally)
        text = _told(held, total)
        store.add_finding(FoundByEngine(kind, calendar.pk, frozenset(), _listed(held), text))
        store.history.held(held, text=text)
        store.save()
        Link.objects.filter(pk__in=[link.pk for link in held]).update(state=LinkState.HELD)


def links_held_by(finding: Finding) -> list[int]:
    """The ids of the links that a brake's finding is about, whatever has become of them."""
    listed = serial.load_value(finding.values.get("links"))
    return [int(link_id) for link_id in str(listed or "").split()]


def carry_out_released(
    *, lease: Lease, calendar: Calendar, provider: CalendarProvider, clock: Clock, tally: Tally
) -> bool:
    """Prove some released deletions by reading, and decide them without a brake; False when there are none.

    A copy that is alive after all is decided as a living one, which lifts its hold.
    """
    released = Link.objects.filter(calendar=calendar, state=LinkState.RELEASED).select_related("event").order_by("pk")
    links = list(released[:PORTION])
    gone: list[Link] = []
    alive: list[Item] = []
    for link in links:
        leases.hold(lease, now=clock())
        item = provider.read(rows.mailbox_of(calendar), link.remote_id)
        if item.event is None and not item.problem:
            gone.append(link)
        else:
            alive.append(item)
    if links:
        _decide(lease, calendar, links, gone, alive, clock, tally)
    return bool(links)


def _decide(
    lease: Lease,
    calendar: Calendar,
    links: Sequence[Link],
    gone: Sequence[Link],
    alive: Sequence[Item],
    clock: Clock,
    tally: Tally,
) -> None:
    now = clock()
    stamps = Stamps(noticed_at=None, pulled_at=now, planned_at=now)
    if alive:
        decide(lease=lease, calendar=calendar, items=alive, stamps=stamps, tally=tally)
    if gone:
        decide_deletions(lease=lease, calendar=calendar, links=gone, stamps=stamps, tally=tally)
    with transaction.atomic():
        leases.hold(lease, now=now)
        # Proven either way, so no hold is left where the decision had nothing to say of it.
        looked_up = Link.objects.filter(pk__in=[link.pk for link in links], state=LinkState.RELEASED)
        looked_up.update(state=LinkState.ACTIVE)


def _told(held: Sequence[Link], total: int) -> str:
    """What happened, for a person, without event text."""
    first, last = held[0].event.starts_at, max(link.event.starts_at for link in held)
    series = sum(link.event.is_series for link in held)
    span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" + (f", {series} of them series" if series else "")
    return (
        f"{len(held)} of {total} events vanished from this calendar at once ({span}). Nothing was deleted elsewhere: "
        "released, they are deleted in the person's other calendars, too."
    )


def _listed(held: Sequence[Link]) -> dict[str, object]:
    """What would have been deleted, to be sealed."""
    lines = [
        f"{link.event.starts_at:%Y-%m-%d %H:%M}  {serial.load(link.event.content).content.title}"
        for link in held[:MOST_LISTED]
    ]
    if len(held) > MOST_LISTED:
        lines.append(f"and {len(held) - MOST_LISTED} more")
    return {"links": "\n".join(str(link.pk) for link in held), "events": "\n".join(lines)}
