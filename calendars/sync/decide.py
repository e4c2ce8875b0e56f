"""Decide (stage 3): turn what was read into rows, in one short transaction per page.

What lives here: which engine question is asked for which item. What does not: network, and the answers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from django.db import transaction

from calendars import rows
from calendars.models import Calendar, Event, Finding, Link, LinkState
from calendars.sync import lease as leases
from calendars.sync.history import Kind
from calendars.sync.lease import Lease
from calendars.sync.locks import lock_people
from calendars.sync.meetings import hear_native, is_guests_native, make_room, meet
from calendars.sync.multiplied import MOST_ALIKE, finding_for
from calendars.sync.part_edits import decide_part, decide_wholes_gone, hear_superseded
from calendars.sync.renamed import take_over
from calendars.sync.returns import held_if_it_returns
from calendars.sync.scene import Scene
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.succession import other_tail, record_successions
from calendars.sync.tally import Tally
from calsync.engine.compare import differences
from calsync.engine.events import Event as HubEvent
from calsync.engine.findings import copy_ended, delete_against_edit, edited_before_known
from calsync.engine.fingerprint import changed, fingerprints
from calsync.engine.plan import (
    EventPlan,
    FindingKind,
    HubState,
    Sighting,
    plan_adoption,
    plan_known,
    plan_new,
    settle,
    wanted_writes,
)
from calsync.engine.plan import Finding as FoundByEngine
from calsync.engine.policy import DeletePolicy, Role
from calsync.engine.wanted import NOTE, as_read, projected_at, shown_map
from calsync.providers.base import Item


def decide(*, lease: Lease, calendar: Calendar, items: Sequence[Item], stamps: Stamps, tally: Tally) -> None:
    """Store what a page of living items means: hub events, links, operations, findings.

    Raises LeaseLost (and stores nothing) when another worker has taken the calendar over.
    """

    def act(scene: Scene, store: Store) -> None:
        scene.look_for_lookalikes(items, now=stamps.planned_at)
        for item in items:
            _decide_item(scene, store, item)

    _on_scene(act, lease=lease, calendar=calendar, items=items, stamps=stamps, tally=tally)


def decide_deletions(*, lease: Lease, calendar: Calendar, links: Sequence[Link], stamps: Stamps, tally: Tally) -> None:
    """Store what proven deletions mean."""
    gone = [Item(remote_id=link.remote_id, version="", event=None) for link in links]

    def act(scene: Scene, store: Store) -> None:
        decide_wholes_gone(scene, store)
        for item in gone:
            link = scene.link_for(item)
            if link is not None and link.state != LinkState.GONE and link.event.deleted_at is None:
                _known(scene, store, link, Sighting(item.remote_id, "", None, stamps.pulled_at))
            elif link is not None and link.state != LinkState.GONE:
                link.state = LinkState.GONE
                store.changed_links[link.pk] = link

    _on_scene(act, lease=lease, calendar=calendar, items=gone, stamps=stamps, tally=tally)


def _on_scene(
    act: Callable[[Scene, Store], None],
    *,
    lease: Lease,
    calendar: Calendar,
    items: Sequence[Item],
    stamps: Stamps,
    tally: Tally,
) -> None:
    """Load what the items touch with everybody locked whom it concerns, act on it and save.

    Whom it concerns is seen only when it is read: if more people than are locked, then once more with these.
    """
    people = frozenset({calendar.account.person_id})
    while True:
        with transaction.atomic():
            leases.hold(lease, now=stamps.planned_at)
            lock_people(people)
            take_over(calendar=calendar, items=items, now=stamps.planned_at)
            scene = Scene.load(calendar, items, now=stamps.planned_at)
            if scene.people <= people:
                store = Store(calendar, scene.partners, stamps, tally, scene.colleagues, scene.verdicts)
                store.history.policy = scene.policy
                act(scene, store)
                store.save()
                record_successions(calendar, [*store.new_events, *store.changed_events])
                return
        people |= scene.people


def _decide_item(scene: Scene, store: Store, item: Item) -> None:
    store.tally.pulled += 1
    if item.problem:
        _note_problem(store, item)
    if item.event is None:
        return  # tombstones are decided together at the end of the round
    link = scene.link_for(item)
    sighting = Sighting(item.remote_id, item.version, item.event, item.changed_at)
    if link is not None and link.state == LinkState.GONE and not link.remote_id and link.event.deleted_at is not None:
        _delete_late_copy(store, link, sighting)
        return
    if link is not None and link.withheld:  # a rule had it left as it is: what happens to it there is not followed
        link.version, link.remote_map = sighting.version, shown_map(item.event, Role(link.role), key=scene.key)
        store.changed_links[link.pk] = link
        return
    if link is not None and link.state == LinkState.GONE:
        _forget(link)
        link = None
    if link is not None and link.event.deleted_at is not None:
        if not _edited_while_dying(scene, store, link, sighting):
            return
        link = None
    if link is not None and link.remote_id:
        _known(scene, store, link, sighting)
    elif link is not None:
        _record_create(scene, store, link, sighting, item.event)
    elif (meeting := scene.meetings.find(scene, item.event)) is not None:
        meet(scene, store, meeting, sighting, item.event)
    elif (match := scene.match(item.event) or other_tail(scene, item)) is not None:
        store.tally.adopted += 1
        _adopt(scene, store, match, sighting, item.event)
    else:
        _new(scene, store, sighting, item.event)


def _known(scene: Scene, store: Store, link: Link, sighting: Sighting) -> None:
    if link.event.whole_id is not None:
        decide_part(scene, store, link, sighting)
        return
    if is_guests_native(scene, link):
        hear_native(scene, store, link, sighting)
        return
    plan = plan_known(
        sighting,
        hub=scene.hub_state(link.event),
        calendar_id=scene.calendar.pk,
        policy=scene.policy,
        key=scene.key,
    )
    store.tally.echoes += sighting.event is not None and not plan.changed and not plan.writes
    store.add_change(
        link.event, scene.links_of[link.event_id], plan, read=sighting.event, changed_at=sighting.changed_at
    )


def _adopt(scene: Scene, store: Store, event: Event, sighting: Sighting, read: HubEvent) -> None:
    if read.guests or not read.organizes:
        make_room(scene, store, event)
    plan = plan_adoption(
        sighting,
        here=scene.here,
        hub=scene.hub_state(event, without_here=True),
        policy=scene.policy,
        key=scene.key,
    )
    store.history.adopted(event, changed_at=sighting.changed_at)
    store.add_change(event, scene.links_of.get(event.pk, []), plan, read=read, changed_at=sighting.changed_at)


def _record_create(scene: Scene, store: Store, link: Link, sighting: Sighting, read: HubEvent) -> None:
    """Our own create, made but not recorded: the copy is ours, and where it differs from the hub (a create that broke
    off half-way) it is brought up to the hub, never taken for an edit. What somebody changed meanwhile is kept.
    """
    hub = scene.hub_state(link.event)
    mine = next(state for state in hub.links if state.calendar_id == scene.calendar.pk)
    made = settle(
        mine,
        hub_event_as_written=hub.event,
        remote_id=sighting.remote_id,
        version=sighting.version,
        echo=read,
        key=scene.key,
    )
    wanted = projected_at(hub.event, mine)
    link.is_ours = True
    missing = differences(as_read(wanted, mine.role), as_read(read, mine.role))
    made = replace(made, hub_map={**made.hub_map, **dict.fromkeys(missing, "")})
    links = tuple(made if state.calendar_id == scene.calendar.pk else state for state in hub.links)
    after = HubState(hub.event, links, hub.changed_at)
    if read.guests:  # people were invited to it since: then it is a meeting, and no write of ours may mail them
        plan = plan_known(sighting, hub=after, calendar_id=scene.calendar.pk, policy=scene.policy, key=scene.key)
    else:
        writes = wanted_writes(after, key=scene.key)
        told = edited_before_known(mine, wanted=as_read(wanted, mine.role), read=as_read(read, mine.role))
        plan = EventPlan(event=hub.event, links=links, writes=writes, findings=tuple(told), changed=False)
    store.history.note(link.event, Kind.FOUND_AGAIN, text="Its create had come through without an answer.")
    store.add_change(link.event, scene.links_of[link.event_id], plan, read=read, changed_at=None)


def _new(scene: Scene, store: Store, sighting: Sighting, read: HubEvent) -> None:
    left_alone = scene.calendar.leaves_existing_alone and _stood_before(scene.calendar, sighting)
    alike = scene.lookalikes.standing(read, most=MOST_ALIKE)
    held = alike >= MOST_ALIKE and not left_alone
    plan = plan_new(sighting, here=scene.here, targets=() if left_alone or held else scene.targets, key=scene.key)
    plan = held_if_it_returns(plan, read=read, lookalikes=scene.lookalikes)
    store.add_new(plan, read=read, changed_at=sighting.changed_at, left_alone=left_alone)
    for target in scene.targets if held else ():
        store.add_finding(finding_for(target.calendar_id, count=alike + 1), event=store.new_events[-1])
        store.findings[-1].calendar = scene.partners[target.calendar_id]  # where a copy is not to be made


def _stood_before(calendar: Calendar, sighting: Sighting) -> bool:
    """Whether an event stood already when its calendar was activated; one may enter the window much later."""
    if calendar.imported_at is None or calendar.activated_at is None:
        return True
    return sighting.changed_at is not None and sighting.changed_at < calendar.activated_at


def _edited_while_dying(scene: Scene, store: Store, link: Link, sighting: Sighting) -> bool:
    """Whether a copy whose delete operation stands was edited meanwhile: then the edit lives on as a new event."""
    read = as_read(sighting.event, Role(link.role)) if sighting.event is not None else None
    edited = frozenset() if read is None else changed(fingerprints(read, key=scene.key), link.remote_map) - {NOTE}
    counts = scene.policy.on_delete is DeletePolicy.EDIT_WINS and Role(link.role) is not Role.COPY
    # People were invited meanwhile: deleting it now would mail them a cancellation, whatever the policy says.
    invited = read is not None and bool(read.guests)
    whole = scene.wholes.get(link.event.whole_id or 0)
    lives_on = whole if whole is not None and whole.deleted_at is None else None  # in another form
    if read is None or not (invited or (counts and edited and lives_on is None)):
        link.version = sighting.version  # the guard of the delete that is still to come
        store.changed_links[link.pk] = link
        if link.state in (LinkState.HELD, LinkState.RELEASED):  # held as vanished: its delete could not be made
            link.state = LinkState.ACTIVE
            store.plan_delete(link, why="The event was deleted elsewhere, and this copy is here after all.")
        if read is not None and edited:
            _keep_edit_of_dying(scene, store, link, sighting, read, edited)
            link.remote_map = dict(fingerprints(read, key=scene.key))  # told once
        return False
    text = "It was edited here after it had been deleted on the other side: the edit won and the event stays."
    paths = frozenset(link.remote_map)
    finding = FoundByEngine(FindingKind.DELETE_AGAINST_EDIT, scene.calendar.pk, paths, {}, text)
    store.add_finding(finding, event=link.event)
    _forget(link)
    return True


def _keep_edit_of_dying(
    scene: Scene, store: Store, link: Link, sighting: Sighting, read: HubEvent, edited: frozenset[str]
) -> None:
    """Keep what somebody wrote into a copy that goes all the same."""
    state, whole = rows.link_state(link, scene.calendar), scene.wholes.get(link.event.whole_id or 0)
    if Role(link.role) is Role.COPY:
        if link.remote_map:  # else it was never recorded what stood there before
            store.add_finding(copy_ended(state, read=read, paths=edited), event=link.event)
    elif whole is not None and whole.deleted_at is None:
        hear_superseded(scene, store, link, whole, sighting, edited)
    else:
        store.add_finding(delete_against_edit(state, edited=read, paths=edited, kept=False), event=link.event)


def _delete_late_copy(store: Store, link: Link, sighting: Sighting) -> None:
    """A create of ours came through although its event was deleted before we knew: the copy has to go, too."""
    link.remote_id, link.version, link.state = sighting.remote_id, sighting.version, LinkState.ACTIVE
    store.changed_links[link.pk] = link
    store.plan_delete(link, why="The event was deleted before its copy was known.")


def _forget(link: Link) -> None:
    """A link that was gone has come back to life at the provider: it begins anew as an event of its own."""
    link.remote_id, link.state = "", LinkState.GONE
    Link.objects.filter(pk=link.pk).update(remote_id="", state=LinkState.GONE)


def _note_problem(store: Store, item: Item) -> None:
    known = Finding.objects.filter(
        kind=FindingKind.MALFORMED, calendar=store.calendar, remote_id=item.remote_id, settled_at__isnull=True
    )
    if not known.exists():
        found = FoundByEngine(
            kind=FindingKind.MALFORMED,
            calendar_id=store.calendar.pk,
            paths=frozenset(),
            values={},
            text=f"An event could not be understood and is left alone: {item.problem}",
        )
        store.add_finding(found, remote_id=item.remote_id)
