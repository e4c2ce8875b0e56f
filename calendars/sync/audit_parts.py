"""Auditing series that stand in parts: every part is there and as it should be, and none is lacking.

What lives here: which parts are missing or drifted. What does not: whole events (``audit``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from calendars import gateway
from calendars.models import Calendar, Event, Link, LinkState
from calendars.sync.pull import reaches_into
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.parts import parts_of
from calsync.providers.base import Item, Window

Drift = Callable[[Link, Item, HubEvent], tuple[str, ...]]
"""The fields in which a copy differs from the hub's event."""

Fault = tuple[str, Link, tuple[str, ...]]
"""What is wrong (``missing`` or ``drifted``), where, and in which fields."""


def faults_by_whole(
    calendar: Calendar,
    items: Mapping[str, Item],
    *,
    window: Window,
    drift: Drift,
    stopped: Collection[int | None] = frozenset(),
) -> dict[Event, list[Fault]]:
    """Every series that stands in parts in a calendar, with what is wrong about its parts, those ``stopped`` by a brake
    left out.
    """
    found: dict[Event, list[Fault]] = {}
    for whole, parts in _standing(calendar).items():
        faults = [
            fault for link in parts if link.event_id not in stopped for fault in _faults_of(link, items, window, drift)
        ]
        found[whole] = [*faults, *_lacking(calendar, whole, parts, window)]
    return found


def _standing(calendar: Calendar) -> dict[Event, list[Link]]:
    """The links of parts here, by whole; a part that its person hid counts as standing."""
    found: dict[Event, list[Link]] = defaultdict(list)
    links = Link.objects.filter(calendar=calendar, event__whole__isnull=False, event__deleted_at__isnull=True)
    for link in links.filter(event__whole__deleted_at__isnull=True).select_related("event__whole").order_by("pk"):
        if link.event.whole is not None:
            found[link.event.whole].append(link)
    return found


def _faults_of(link: Link, items: Mapping[str, Item], window: Window, drift: Drift) -> Iterator[Fault]:
    item = items.get(link.remote_id) if link.remote_id else None
    if link.state in (LinkState.GONE, LinkState.HELD, LinkState.RELEASED):
        return
    if item is None:
        if reaches_into(window, link.event):
            yield "missing", link, ()
    elif paths := drift(link, item, serial.load(link.event.content)):
        yield "drifted", link, paths


def _lacking(calendar: Calendar, whole: Event, parts: list[Link], window: Window) -> Iterator[Fault]:
    """Parts that should be there and were never made."""
    names = [link.event.part for link in parts]
    traits = gateway.TRAITS[calendar.platform]
    wanted = parts_of(serial.load(whole.content), traits=traits, after=window.start, before=window.end, kept=names)
    for _ in wanted.keys() - set(names):
        yield "missing", Link(event=whole, calendar=calendar), ()
