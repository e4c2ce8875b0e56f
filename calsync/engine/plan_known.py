"""Planning for an event that the hub already knows and that a calendar shows again.

What lives here: what is an edit, what of it travels, what is put back. What does not: deletions (``plan_gone``),
first sightings (``plan_new``, ``plan_adoption``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from calsync.engine import findings
from calsync.engine.events import Event
from calsync.engine.fingerprint import FingerprintMap, alike, changed
from calsync.engine.merge import Merged, merge
from calsync.engine.parts import is_split
from calsync.engine.plan_gone import plan_gone
from calsync.engine.plan_values import EventPlan, HubState, LinkState, Sighting
from calsync.engine.policy import Policy, Role
from calsync.engine.reshape import forgotten, left_behind
from calsync.engine.travel import (
    held_by_origin,
    is_truth,
    link_in,
    masked_there,
    policy_at,
    rerole,
    travelling,
    with_identity_of,
    with_link,
)
from calsync.engine.wanted import NOTE, as_read, in_order, shown_map, wanted_map, wanted_writes, writable_paths

Paths = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a sighting shows against the last agreement, by path.

    ``agreed``: changed here into just what is wanted here. ``travels``: changed here, may become the hub's.
    ``forced``: the hub's own pending change can no longer be written here, so the mailbox's value stands.
    ``refused``: changed here, to be put back. ``forgotten``: dropped here by the platform, to be put back as well.
    ``pending``: changed in the hub.
    """

    agreed: Paths
    travels: Paths
    forced: Paths
    refused: Paths
    forgotten: Paths
    pending: Paths


def plan_known(sighting: Sighting, *, hub: HubState, calendar_id: int, policy: Policy, key: bytes) -> EventPlan:
    """What follows from a sighting of a linked event. ``calendar_id`` must be one of the hub's links (else ValueError).

    Call it with the state after every finished write was settled: a write whose echo is not recorded yet looks like an
    edit wherever the provider rewrites values.
    """
    link = link_in(hub, calendar_id)
    if link is None:
        raise ValueError(f"the event has no link in calendar {calendar_id}")
    if sighting.event is None:
        return plan_gone(hub, link, policy=policy, key=key)
    before = hub.event
    policy = policy_at(hub, link, policy)
    hub = rerole(hub, link, sighting.event)
    link = replace(link_in(hub, calendar_id) or link, version=sighting.version)
    read = as_read(sighting.event, link.role)
    if is_truth(hub, link):
        hub = replace(hub, event=with_identity_of(hub.event, read))
    now = shown_map(sighting.event, link.role, key=key)
    return _plan(read, now, at=sighting.changed_at, hub=hub, link=link, policy=policy, key=key, before=before)


def _plan(
    read: Event,
    now: FingerprintMap,
    *,
    at: datetime | None,
    hub: HubState,
    link: LinkState,
    policy: Policy,
    key: bytes,
    before: Event,
) -> EventPlan:
    changes = _changes(now, hub=hub, link=link, key=key)
    merged = _merged(read, changes, hub=hub, link=link, policy=policy, at=at)
    link = _agree(link, now=now, wanted=wanted_map(merged.event, link, key=key), changes=changes, merged=merged)
    after = held_by_origin(replace(with_link(hub, link), event=merged.event))
    found = [
        *findings.both_edited(link, lost=_lost(merged, changes, hub.event), asked=merged.asked),
        *findings.refused(link, read=read, paths=changes.refused - {NOTE}, masked=masked_there(link, changes.refused)),
        *findings.left_behind(link, lost=left_behind(hub.event, merged.event, changes.forgotten)),
    ]
    return EventPlan(
        event=after.event,
        links=in_order(after.links),
        writes=wanted_writes(after, key=key),
        findings=tuple(found),
        changed=after.event != before,
    )


def _changes(now: FingerprintMap, *, hub: HubState, link: LinkState, key: bytes) -> _Changes:
    wanted = wanted_map(hub.event, link, key=key)
    here, pending = changed(now, link.remote_map), changed(wanted, link.hub_map)
    agreed = alike(here, now, wanted)
    dropped = forgotten(now, link, event=hub.event) - agreed
    travels = travelling(hub, link, here - agreed - dropped - {NOTE})
    refused = frozenset() if link.role is Role.NATIVE else here - agreed - dropped - travels
    forced = _unwritable(hub, link, pending) & changed(now, wanted)
    return _Changes(agreed, travels, forced, refused, dropped, pending)


def _unwritable(hub: HubState, link: LinkState, pending: Paths) -> Paths:
    """Pending changes that the event's own mailbox must not receive any more, say since guests were invited there."""
    if not is_truth(hub, link) or is_split(hub.event, link.place.traits):
        return frozenset()
    return pending - writable_paths(hub.event, link, pending)


def _merged(
    read: Event, changes: _Changes, *, hub: HubState, link: LinkState, policy: Policy, at: datetime | None
) -> Merged:
    return merge(
        hub=hub.event,
        theirs=read,
        changed_here=changes.travels | changes.forced,
        changed_hub=changes.pending - changes.forced,
        policy=policy,
        here=link.place.platform,
        here_is_origin=is_truth(hub, link),
        hub_changed_at=hub.changed_at,
        theirs_changed_at=at,
    )


def _agree(
    link: LinkState, *, now: FingerprintMap, wanted: FingerprintMap, changes: _Changes, merged: Merged
) -> LinkState:
    """The link after the merge: won and agreed paths are settled; lost and refused ones will be written here."""
    if link.role is Role.NATIVE:
        return replace(link, hub_map=dict(wanted), remote_map=dict(now))
    lost_here = changes.travels & merged.lost.keys() - merged.won
    settled = changes.agreed | changes.travels | changes.forced | merged.won
    void = settled - lost_here | changes.forgotten
    hub_map = {path: text for path, text in link.hub_map.items() if path not in void}
    hub_map |= {path: wanted[path] for path in settled - lost_here if path in wanted}
    unmoved = (path for path in lost_here if wanted.get(path) == link.hub_map.get(path))
    hub_map |= dict.fromkeys([*changes.refused, *changes.forgotten & wanted.keys(), *unmoved], "")
    return replace(link, hub_map=hub_map, remote_map=dict(now))


def _lost(merged: Merged, changes: _Changes, before: Event) -> dict[str, object]:
    forced = findings.values_at(before, changes.forced & merged.won)
    return dict(sorted({**forced, **merged.lost}.items()))
