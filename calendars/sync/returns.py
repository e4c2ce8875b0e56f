"""The resurrection brake for whole events: a deleted event that another tool makes again as a new one, again and again.

What lives here: recognising it, and stopping its copies. What does not: copies that are made anew (``braking``).
"""

from __future__ import annotations

from dataclasses import replace

from calendars.sync.lookalikes import Lookalikes
from calsync.engine.brakes import resurrection
from calsync.engine.events import Event as HubEvent
from calsync.engine.findings import values_at
from calsync.engine.plan import EventPlan, Finding, FindingKind

TEXT = "This event was deleted and came back more than twice in an hour. It is not copied until a person releases it."


def held_if_it_returns(plan: EventPlan, *, read: HubEvent, lookalikes: Lookalikes) -> EventPlan:
    """The plan of a new event; without its writes, and with findings instead, when the event keeps coming back."""
    if not plan.writes or not resurrection(lookalikes.deleted(read)):
        return plan
    shown = values_at(read, ("title", "when"))
    found = tuple(
        Finding(FindingKind.RESURRECTION, write.calendar_id, write.paths, shown, TEXT) for write in plan.writes
    )
    return replace(plan, writes=(), findings=(*plan.findings, *found))
