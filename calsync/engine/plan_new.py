"""Planning for an event that the hub does not know and that has no counterpart elsewhere.

What lives here: the first record of an event and the twins it should get. What does not: finding a counterpart
(``adopt``), merging with one (``plan_adoption``).
"""

from __future__ import annotations

from collections.abc import Sequence

from calsync.engine.fingerprint import fingerprints
from calsync.engine.plan_values import EventPlan, HubState, LinkState, Place, Sighting
from calsync.engine.policy import Role
from calsync.engine.wanted import in_order, wanted_map, wanted_writes


def plan_new(sighting: Sighting, *, here: Place, targets: Sequence[Place], key: bytes) -> EventPlan:
    """A new hub event with its origin here and a twin wanted in every target that can hold it.

    A tombstone of something unknown is nothing. Targets that may not be written are skipped. In a target that cannot
    hold the event as one its parts stand for it (``parts``): the twin's link is there and has no write of its own.
    """
    if sighting.event is None:
        return EventPlan(event=None, links=())
    places = [place for place in targets if place.writable and place.calendar_id != here.calendar_id]
    links = in_order([_origin(sighting, here, key=key), *(LinkState(place=place, role=Role.TWIN) for place in places)])
    return EventPlan(
        event=sighting.event,
        links=links,
        writes=wanted_writes(HubState(event=sighting.event, links=links), key=key),
        changed=True,
    )


def _origin(sighting: Sighting, here: Place, *, key: bytes) -> LinkState:
    link = LinkState(place=here, role=Role.ORIGIN, remote_id=sighting.remote_id, version=sighting.version)
    assert sighting.event is not None
    hub_map = wanted_map(sighting.event, link, key=key)
    return LinkState(
        place=here,
        role=Role.ORIGIN,
        remote_id=sighting.remote_id,
        version=sighting.version,
        hub_map=hub_map,
        remote_map=fingerprints(sighting.event, key=key),
    )
