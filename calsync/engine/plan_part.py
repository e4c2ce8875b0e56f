"""Planning for a part: one of the events that stand for a series which a platform cannot hold as one.

A part's content is derived from the whole. What a person changes in it is translated into the whole's own terms: an
occurrence moved, renamed or cancelled. What says nothing clear about the whole is put back and told.
What lives here: edits and deletions of parts. What does not: which parts there are (``parts``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from calsync.engine import findings
from calsync.engine.events import Event
from calsync.engine.fingerprint import alike, changed, fingerprints
from calsync.engine.merge import Merged, merge
from calsync.engine.parts import cancel, lift, lifted_path, part_key, parts_of
from calsync.engine.plan_gone import reborn
from calsync.engine.plan_values import Finding, HubState, LinkState, Sighting
from calsync.engine.policy import DeletePolicy, Policy, Role
from calsync.engine.travel import masked_there, may_travel, policy_at, travelling
from calsync.engine.wanted import NOTE, as_read, pending, shown_map, wanted_map

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # an empty horizon: only the named part is asked for


@dataclass(frozen=True, slots=True)
class Part:
    """A part as the hub holds it: its name among the parts of the whole, and its derived content."""

    name: str
    event: Event


@dataclass(frozen=True, slots=True)
class PartPlan:
    """What follows: the whole's event (``changed``: it differs from before) and the part's link (None: it is gone)."""

    whole: Event
    link: LinkState | None
    findings: tuple[Finding, ...] = ()
    changed: bool = False


def plan_part(
    sighting: Sighting, *, part: Part, link: LinkState, whole: HubState, policy: Policy, key: bytes
) -> PartPlan:
    """What follows from a sighting of a part in the calendar of ``link``."""
    policy = policy_at(whole, link, policy)
    if sighting.event is None:
        return _gone(part, link, whole, policy=policy, key=key)
    link = replace(link, version=sighting.version)
    if link.role is Role.NATIVE:
        return PartPlan(whole.event, replace(link, remote_map=fingerprints(sighting.event, key=key)))
    if sighting.event.guests or not sighting.event.organizes:
        return _became_a_meeting(sighting.event, link, whole, key=key)
    return _seen(sighting, as_read(sighting.event, link.role), part, link, whole, policy=policy, key=key)


def _seen(
    sighting: Sighting, read: Event, part: Part, link: LinkState, whole: HubState, *, policy: Policy, key: bytes
) -> PartPlan:
    now = shown_map(sighting.event or read, link.role, key=key)
    wanted = wanted_map(part.event, link, key=key)
    here = changed(now, link.remote_map)
    agreed = alike(here, now, wanted)
    takes = frozenset(path for path in travelling(whole, link, here - agreed - {NOTE}) if lifted_path(part.name, path))
    refused = here - agreed - takes
    merged = merge(
        hub=whole.event,
        theirs=lift(whole.event, part.name, read, takes),
        changed_here=_lifted(part, takes),
        changed_hub=_lifted(part, changed(wanted, link.hub_map)),
        policy=policy,
        here=link.place.platform,
        here_is_origin=False,
        hub_changed_at=whole.changed_at,
        theirs_changed_at=sighting.changed_at,
    )
    lost = frozenset(path for path in takes if lifted_path(part.name, path) in merged.lost.keys() - merged.won)
    after = _restated(part, merged, link)
    wanted = wanted_map(after, link, key=key)
    hub_map = _agreed_map(link, wanted, settled=(agreed | takes) - lost, refused=refused | lost)
    found = [
        *findings.both_edited(link, lost=merged.lost, asked=merged.asked),
        *_put_back(link, read, refused - {NOTE}),
    ]
    link = replace(link, hub_map=hub_map, remote_map=now)
    return PartPlan(merged.event, link, tuple(found), changed=merged.event != whole.event)


def _put_back(link: LinkState, read: Event, paths: frozenset[str]) -> list[Finding]:
    if link.role is Role.COPY:
        return findings.copy_edited(link, read=read, paths=paths)
    masked = masked_there(link, paths)
    return [
        *findings.part_edited(link, read=read, paths=paths - masked),
        *findings.mask_edited(link, read=read, paths=masked),
    ]


def _lifted(part: Part, paths: frozenset[str]) -> frozenset[str]:
    return frozenset(lifted for path in paths if (lifted := lifted_path(part.name, path)))


def _restated(part: Part, merged: Merged, link: LinkState) -> Event:
    """The part as it follows from the merged whole; as it was when the whole needs it no longer."""
    parts = parts_of(merged.event, traits=link.place.traits, after=_NO_TIME, before=_NO_TIME, kept=[part.name])
    return parts.get(part.name, part.event)


def _agreed_map(
    link: LinkState, wanted: dict[str, str], *, settled: frozenset[str], refused: frozenset[str]
) -> dict[str, str]:
    """The part's ``hub_map``: what was taken over is agreed upon, what was refused or lost has to be written back."""
    kept = {path: text for path, text in link.hub_map.items() if path not in settled}
    return kept | {path: wanted[path] for path in settled if path in wanted} | dict.fromkeys(refused, "")


def _became_a_meeting(read: Event, link: LinkState, whole: HubState, *, key: bytes) -> PartPlan:
    """People were invited to a part: no write of ours may mail them, so it is never written again."""
    told = findings.part_became_a_meeting(link)
    link = replace(link, role=Role.NATIVE, remote_map=fingerprints(read, key=key))
    return PartPlan(whole.event, link, (told,))


def _gone(part: Part, link: LinkState, whole: HubState, *, policy: Policy, key: bytes) -> PartPlan:
    occurrence = part_key(part.name)
    if link.role is not Role.TWIN:
        return PartPlan(whole.event, None)  # a colleague's copy: hidden there, nothing else
    if not may_travel(whole, link) or whole.event.guests:
        return PartPlan(whole.event, reborn(link), (findings.copy_deleted(link),))
    if occurrence is None:
        return PartPlan(whole.event, reborn(link), (findings.part_deleted(link),))
    unsaved = frozenset(path for path in pending(part.event, link, key=key) if link.hub_map.get(path) != "")
    if unsaved and policy.on_delete is DeletePolicy.EDIT_WINS:
        kept = findings.delete_against_edit(link, edited=part.event, paths=unsaved, kept=True)
        return PartPlan(whole.event, reborn(link), (kept,))
    found = [findings.delete_against_edit(link, edited=part.event, paths=unsaved, kept=False)] if unsaved else []
    return PartPlan(cancel(whole.event, occurrence), None, tuple(found), changed=True)
