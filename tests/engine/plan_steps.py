"""Sightings and outcomes in few words, for the tests of plans."""

from dataclasses import replace

from calsync.engine.plan import (
    Policy,
    Role,
    plan_known,
    settle,
)  # fmt: skip
from calsync.engine.transform import project
from tests.engine.builders import (
    GOOGLE,
    KEY,
    hub_of,
    sighting,
)  # fmt: skip


def seen(hub, calendar_id, event, *, policy=Policy(), minutes=0):  # noqa: B008 - a frozen value
    return plan_known(sighting(event, minutes=minutes), hub=hub, calendar_id=calendar_id, policy=policy, key=KEY)


def link_of(plan, calendar_id):
    return next(link for link in plan.links if link.calendar_id == calendar_id)


def writes(plan):
    return [(write.calendar_id, write.kind.value, sorted(write.paths)) for write in plan.writes]


def twin_of(event, place=GOOGLE):
    return project(event, traits=place.traits, role=Role.TWIN)


def written(plan, calendar_id, *, echo=None):
    """The hub after the planned write of one calendar was carried out."""
    link = link_of(plan, calendar_id)
    shown = echo or project(plan.event, traits=link.place.traits, role=link.role)
    done = settle(
        link, hub_event_as_written=plan.event, remote_id=link.remote_id or "new", version="v9", echo=shown, key=KEY
    )
    others = tuple(other for other in plan.links if other.calendar_id != calendar_id)
    return replace(hub_of(plan.event), event=plan.event, links=(done, *others))
