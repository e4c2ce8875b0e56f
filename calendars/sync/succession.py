"""Keeping the relation between a series that was cut and the one that goes on in its place.

What lives here: which rows are asked about, and the relation. What does not: recognising it (``engine.succession``).
Either half may be read first, and on an earlier page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q, QuerySet

from calendars.models import Calendar, Event, Link, LinkState
from calendars.sync.scene import Scene
from calsync.engine import serial
from calsync.engine.events import Platform
from calsync.engine.succession import TOGETHER, Series, base_of, follows, predecessor_of
from calsync.providers.base import Item

MOST = 200  # series that were changed within minutes of each other; nobody's hands split more


def record_successions(calendar: Calendar, changed: Iterable[Event]) -> None:
    """Note whose predecessor is whose, after ``changed`` events of this calendar were stored."""
    touched = [event for event in changed if event.is_series and event.whole_id is None and event.deleted_at is None]
    if not touched:
        return
    links = _links(calendar).filter(event__in=touched)
    own = {link.event_id: link for link in links}
    near = {link.event_id: link for link in _neighbours(calendar, list(own.values()))}
    pool = {**near, **own}
    series = {pk: _as_series(link) for pk, link in pool.items()}
    first_read = calendar.imported_at is None
    for pk, link in pool.items():
        if link.event.predecessor_id is None and (base_of(link.remote_id) or not first_read):
            # Of what was not touched only the predecessors that were are looked for.
            _relate(link.event, series, [other for other in pool if pk in own or other in own], pool)


def other_tail(scene: Scene, item: Item) -> Event | None:
    """The hub event that is the same tail, split off the same series on the other side; taken out of the candidates.

    The two may differ in everything that was changed with the split but their start.
    """
    if item.event is None or not item.event.is_series:
        return None
    newcomer = Series(item.remote_id, item.event, item.changed_at)
    for row, hub in scene.unlinked.values():
        if row.predecessor_id is None or not hub.is_series:
            continue
        link = _links(scene.calendar).filter(event=row.predecessor_id).first()
        if link is not None and follows(newcomer, _as_series(link)):
            del scene.unlinked[row.pk]
            return row
    return None


def _links(calendar: Calendar) -> QuerySet[Link]:
    standing = Link.objects.filter(calendar=calendar, event__deleted_at__isnull=True)
    standing = standing.filter(event__is_series=True, event__whole__isnull=True)
    return standing.exclude(remote_id="").exclude(state=LinkState.GONE).select_related("event").order_by("pk")


def _neighbours(calendar: Calendar, touched: list[Link]) -> list[Link]:
    """Series that may be a half of the same split: by Google's ids, or changed at about the same time."""
    asked = Q(pk__in=[])
    if calendar.platform is Platform.GOOGLE:
        bases = {base for link in touched if (base := base_of(link.remote_id))}
        for base in bases:
            asked |= Q(remote_id=base) | Q(remote_id__startswith=f"{base}_R")
        asked |= Q(remote_id__contains="_R", event__predecessor__isnull=True)
    stamps = [link.event.changed_at for link in touched if link.event.changed_at is not None]
    if calendar.imported_at is not None and stamps:  # in a first read everything is new: nothing was seen being cut
        asked |= Q(event__changed_at__range=(min(stamps) - TOGETHER, max(stamps) + TOGETHER))
    return list(_links(calendar).filter(asked)[:MOST])


def _relate(event: Event, series: Mapping[int, Series], others: Sequence[int], pool: Mapping[int, Link]) -> None:
    found = predecessor_of(series[event.pk], [series[other] for other in others])
    earlier = pool[others[found]].event if found is not None else None
    if earlier is not None and earlier.predecessor_id != event.pk:
        event.predecessor = earlier
        Event.objects.filter(pk=event.pk).update(predecessor=earlier)


def _as_series(link: Link) -> Series:
    event = link.event
    return Series(link.remote_id, serial.load(event.content), event.changed_at, event.created_at)
