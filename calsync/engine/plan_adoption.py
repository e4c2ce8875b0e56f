"""Planning first contact: an event that the hub knows turns out to exist in one more calendar already.

What lives here: linking the two without writing what is equal. What does not: finding the pair (``adopt``).
"""

from __future__ import annotations

from dataclasses import replace

from calsync.engine import findings
from calsync.engine.compare import differences
from calsync.engine.events import Event, Field, Sensitivity, ShowAs
from calsync.engine.fingerprint import field_of_path, flatten
from calsync.engine.merge import Merged, merge
from calsync.engine.plan_values import EventPlan, HubState, LinkState, Place, Sighting
from calsync.engine.policy import Policy, Role
from calsync.engine.traits import Traits
from calsync.engine.travel import held_by_origin, link_in, policy_at, travelling, with_link
from calsync.engine.wanted import as_read, in_order, projected_at, shown_map, wanted_map, wanted_writes

_TEXTS = frozenset({Field.TITLE.value, Field.BODY.value, Field.LOCATION.value})


def plan_adoption(sighting: Sighting, *, here: Place, hub: HubState, policy: Policy, key: bytes) -> EventPlan:
    """The event with the sighted copy linked to it.

    A copy with guests, or of somebody else's meeting, becomes native: left alone for ever. Any other becomes a twin:
    what is equal is not written; of two differing values the policy picks one and the other is told, but an
    empty text never beats a filled one. A calendar that has its copy already is left as it is, and so is a tombstone.
    """
    known = link_in(hub, here.calendar_id)
    policy = policy_at(hub, known or LinkState(place=here, role=Role.TWIN), policy)
    if sighting.event is None or (known is not None and known.remote_id):
        return EventPlan(event=hub.event, links=in_order(hub.links))
    link = replace(known or LinkState(place=here, role=Role.TWIN), place=here, role=_role(sighting.event))
    link = replace(link, remote_id=sighting.remote_id, version=sighting.version)
    read = as_read(sighting.event, link.role)
    hub = with_link(hub, link)
    merged, overruled = _meet(hub, link, read, sighting=sighting, policy=policy)
    wanted = wanted_map(merged.event, link, key=key)
    hub_map = {**wanted, **dict.fromkeys(overruled, "")}
    after = with_link(hub, replace(link, hub_map=hub_map, remote_map=shown_map(sighting.event, link.role, key=key)))
    after = held_by_origin(replace(after, event=merged.event))
    return EventPlan(
        event=after.event,
        links=in_order(after.links),
        writes=wanted_writes(after, key=key),
        findings=tuple(findings.both_edited(link, lost=merged.lost, asked=merged.asked)),
        changed=merged.event != hub.event,
    )


def _role(read: Event) -> Role:
    return Role.NATIVE if read.guests or not read.organizes else Role.TWIN


def _meet(
    hub: HubState, link: LinkState, read: Event, *, sighting: Sighting, policy: Policy
) -> tuple[Merged, frozenset[str]]:
    """The merged event, and the paths in which the sighted copy has to be written over."""
    if link.role is Role.NATIVE:
        return Merged(event=hub.event), frozenset()
    shown = as_read(projected_at(hub.event, link), link.role)
    differing = differences(shown, read)
    takes = travelling(hub, link, differing)
    filled_here, filled_there = _filled(read, shown, takes), _filled(shown, read, takes)
    filled_here |= _finer(read, hub, link, takes)
    merged = merge(
        hub=hub.event,
        theirs=read,
        changed_here=takes - filled_there,
        changed_hub=takes - filled_here,
        policy=policy,
        here=link.place.platform,
        here_is_origin=False,
        hub_changed_at=hub.changed_at,
        theirs_changed_at=sighting.changed_at,
    )
    mine, hubs = flatten(read), flatten(hub.event)
    # What is masked here and stands in the hub all the same is not lost.
    refused = {path: mine.get(path) for path in differing - takes if mine.get(path) != hubs.get(path)}
    lost = dict(sorted({**refused, **merged.lost}.items()))
    return replace(merged, lost=lost), differing - merged.won


def _filled(one: Event, other: Event, paths: frozenset[str]) -> frozenset[str]:
    """The text fields that are filled in ``one`` and empty in ``other``."""
    mine, others = flatten(one), flatten(other)
    texts = (path for path in paths if field_of_path(path) in _TEXTS)
    return frozenset(path for path in texts if mine.get(path) and not others.get(path, "x"))


def _finer(read: Event, hub: HubState, link: LinkState, paths: frozenset[str]) -> frozenset[str]:
    """The levels that ``read`` tells more finely than the hub's other places can: out of office against busy is no
    difference between two people's wishes.
    """
    others = [place.place.traits for place in hub.links if place.calendar_id != link.calendar_id]
    mine, hubs = flatten(read), flatten(hub.event)

    def is_finer(path: str) -> bool:
        return all(_level(mine.get(path), traits) == _level(hubs.get(path), traits) for traits in others)

    levels = frozenset({Field.SHOW_AS.value, Field.SENSITIVITY.value})
    return frozenset(path for path in paths if field_of_path(path) in levels and path in hubs and is_finer(path))


def _level(value: object, traits: Traits) -> object:
    if isinstance(value, ShowAs):
        return traits.show_as.get(value, value)
    return traits.sensitivities.get(value, value) if isinstance(value, Sensitivity) else value
