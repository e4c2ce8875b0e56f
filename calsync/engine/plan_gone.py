"""Planning for a linked event whose copy in one calendar was deleted (a proven tombstone).

What lives here: who may delete, deletion against edit, putting a deleted copy back. What does not: brakes (``brakes``).
"""

from __future__ import annotations

from dataclasses import replace

from calsync.engine import findings
from calsync.engine.parts import is_split
from calsync.engine.plan_values import EventPlan, Finding, HubState, LinkState, PlannedWrite, WriteWish
from calsync.engine.policy import DeletePolicy, Policy, Role
from calsync.engine.travel import is_truth, may_travel, policy_at, with_link
from calsync.engine.wanted import in_order, may_create, may_delete, pending, wanted_writes


def plan_gone(hub: HubState, link: LinkState, *, policy: Policy, key: bytes) -> EventPlan:
    """What follows from a copy's deletion in the calendar of ``link``."""
    policy = policy_at(hub, link, policy)
    if link.role is Role.COPY or (link.role is Role.NATIVE and not is_truth(hub, link)):
        return _detached(hub, link)
    if link.role is Role.TWIN and (not may_travel(hub, link) or hub.event.guests):
        return _made_again(hub, link, findings.copy_deleted(link), key=key)
    unsaved = frozenset(path for path in pending(hub.event, link, key=key) if link.hub_map.get(path) != "")
    if not unsaved:
        return _deleted(hub, link)
    edit_wins = policy.on_delete is DeletePolicy.EDIT_WINS and may_create(hub.event, link)
    kept = edit_wins and not is_split(hub.event, link.place.traits)
    finding = findings.delete_against_edit(link, edited=hub.event, paths=unsaved, kept=kept)
    return _made_again(hub, link, finding, key=key) if kept else _deleted(hub, link, finding)


def reborn(link: LinkState) -> LinkState:
    """The link when its copy has to be created anew: under a key that no earlier create has used."""
    return replace(link, remote_id="", version="", hub_map={}, remote_map={}, generation=link.generation + 1)


def _detached(hub: HubState, link: LinkState) -> EventPlan:
    rest = tuple(other for other in hub.links if other.calendar_id != link.calendar_id)
    return EventPlan(event=hub.event if rest else None, links=in_order(rest), changed=not rest)


def _made_again(hub: HubState, link: LinkState, finding: Finding, *, key: bytes) -> EventPlan:
    after = with_link(hub, reborn(link))
    writes = wanted_writes(after, key=key)
    return EventPlan(event=hub.event, links=in_order(after.links), writes=writes, findings=(finding,))


def _deleted(hub: HubState, link: LinkState, *found: Finding) -> EventPlan:
    """The event is deleted everywhere it may be; the links of copies that still exist stay until their end is seen.

    Native copies belong to their provider and are left to it. When only such copies remain, the hub's event stays with
    them, so that they are not taken for new events and copied back to where the person deleted theirs.
    """
    rest = tuple(other for other in in_order(hub.links) if other.calendar_id != link.calendar_id and other.remote_id)
    only_natives = bool(rest) and all(other.role is Role.NATIVE for other in rest)
    why = f"The event was deleted in calendar {link.calendar_id}."
    writes = tuple(
        PlannedWrite(other.calendar_id, WriteWish.DELETE, frozenset(), why)
        for other in rest
        if may_delete(hub.event, other)
    )
    event = hub.event if only_natives else None
    return EventPlan(event=event, links=rest, writes=writes, findings=found, changed=event is None)
