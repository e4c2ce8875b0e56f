"""Deciding about parts: what a person did to one of the events that stand for a series.

What lives here: finding the whole behind a part, and storing what follows for both. What does not: what the edit means
(``calsync.engine.plan_part``), the rows of parts (``parts``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

from calendars import rows
from calendars.models import Event, Link, LinkState
from calendars.sync.scene import Scene
from calendars.sync.store import Store
from calsync.engine import serial
from calsync.engine.findings import delete_against_edit, part_ended
from calsync.engine.parts import has_others, part_key
from calsync.engine.plan import EventPlan, HubState, Sighting, plan_known, wanted_map, wanted_writes
from calsync.engine.plan_gone import plan_gone
from calsync.engine.plan_part import Part, PartPlan, plan_part
from calsync.engine.policy import DeletePolicy, Role
from calsync.engine.wanted import pending

RETIRED = "retired"  # how the rows of whole copies that went are named (``parts``)
Paths = frozenset[str]


def decide_part(scene: Scene, store: Store, link: Link, sighting: Sighting) -> None:
    """Store what a sighting of a part means for it and for its whole."""
    row, whole = link.event, scene.wholes[link.event.whole_id or 0]
    if whole.deleted_at is not None:
        return  # the parts are on their way out
    plan = plan_part(
        sighting,
        part=Part(name=row.part, event=serial.load(row.content)),
        link=rows.link_state(link, scene.calendar),
        whole=scene.hub_state(whole),
        policy=scene.policy,
        key=scene.key,
    )
    _put_part(scene, store, link, plan, sighting)
    if plan.changed:
        _put_whole(scene, store, whole, plan, sighting)
    for found in plan.findings:
        store.add_finding(found, event=whole, link=link)


def hear_superseded(scene: Scene, store: Store, link: Link, whole: Event, sighting: Sighting, paths: Paths) -> None:
    """An edit of what is on its way out because its series stands here in another form now: parts instead of the
    whole, or the reverse. The whole takes it over if it was made to the whole; otherwise it is kept for a person.
    """
    state = rows.link_state(link, scene.calendar)
    if sighting.event is None:
        return
    if not link.event.part.startswith(RETIRED):
        store.add_finding(part_ended(state, read=sighting.event, paths=paths), event=whole)
        return
    hub = scene.hub_state(whole)
    others = tuple(other for other in hub.links if other.calendar_id != scene.calendar.pk)
    before = replace(hub, links=(*others, state))
    plan = plan_known(sighting, hub=before, calendar_id=scene.calendar.pk, policy=scene.policy, key=scene.key)
    after = replace(hub, event=plan.event or hub.event)
    writes = wanted_writes(after, key=scene.key)
    change = EventPlan(after.event, hub.links, writes, plan.findings, changed=plan.changed)
    store.add_change(whole, scene.links_of[whole.pk], change, read=None, changed_at=sighting.changed_at)


def decide_wholes_gone(scene: Scene, store: Store) -> None:
    """When every part of a series was deleted in one go, the series itself was meant.

    Not when a single occurrence was all that is in sight of it.
    """
    for whole, deleted in _parts_by_whole(scene).items():
        parts = Link.objects.filter(event__whole=whole, calendar=scene.calendar, event__deleted_at__isnull=True)
        standing = parts.exclude(state=LinkState.GONE).exclude(remote_id="")
        living = standing.exclude(pk__in=[part.pk for part in deleted])
        main = next((link for link in scene.links_of[whole.pk] if link.calendar_id == scene.calendar.pk), None)
        if main is None or main.remote_id or main.state == LinkState.GONE or living.exists():
            continue
        hub = scene.hub_state(whole)
        if len(deleted) == 1 and (key := part_key(deleted[0].event.part)) and has_others(hub.event, key):
            continue
        if main.role == Role.COPY:  # a colleague's: hidden there, whatever becomes of the series
            main.state = LinkState.GONE
            store.changed_links[main.pk] = main
            continue
        link = next(state for state in hub.links if state.calendar_id == scene.calendar.pk)
        unsaved = _unsaved(scene, deleted)
        if unsaved and scene.policy.on_delete is DeletePolicy.EDIT_WINS:
            continue  # the series was edited before its deletion was known: every part is put back and told
        agreed = replace(link, hub_map=wanted_map(hub.event, link, key=scene.key))
        plan = plan_gone(hub, agreed, policy=scene.policy, key=scene.key)
        if plan.event is None:
            told = [delete_against_edit(link, edited=hub.event, paths=unsaved, kept=False)] if unsaved else []
            plan = replace(plan, findings=(*plan.findings, *told))
            store.add_change(whole, scene.links_of[whole.pk], plan, read=None, changed_at=None)


def _unsaved(scene: Scene, parts: Collection[Link]) -> Paths:
    """What of the hub these parts do not show yet."""
    paths: set[str] = set()
    for part in parts:
        due = pending(serial.load(part.event.content), rows.link_state(part, scene.calendar), key=scene.key)
        paths |= {path for path in due if part.hub_map.get(path) != ""}
    return frozenset(paths)


def _parts_by_whole(scene: Scene) -> dict[Event, list[Link]]:
    found: dict[Event, list[Link]] = defaultdict(list)
    for link in scene.by_remote.values():
        whole = scene.wholes.get(link.event.whole_id or 0)
        if whole is not None and whole.deleted_at is None and link.event.deleted_at is None:
            found[whole].append(link)
    return found


def _put_part(scene: Scene, store: Store, link: Link, plan: PartPlan, sighting: Sighting) -> None:
    if plan.link is None:
        link.state = LinkState.GONE
    else:
        rows.fill_link(link, plan.link)
        link.state = LinkState.ACTIVE
        if sighting.event is not None:
            link.occurrences = rows.occurrence_keys(sighting.event)
        hub = HubState(serial.load(link.event.content), (plan.link,))
        for write in () if plan.changed else wanted_writes(hub, key=scene.key):
            store.plan_write(link, write)
    store.changed_links[link.pk] = link


def _put_whole(scene: Scene, store: Store, whole: Event, plan: PartPlan, sighting: Sighting) -> None:
    """The whole changes with its part; its parts are then derived anew, the edited one included."""
    hub = scene.hub_state(whole)
    after = replace(hub, event=plan.whole)
    writes = wanted_writes(after, key=scene.key)
    change = EventPlan(event=plan.whole, links=after.links, writes=writes, findings=(), changed=True)
    store.add_change(whole, scene.links_of[whole.pk], change, read=None, changed_at=sighting.changed_at)
