"""The public face of planning: an event as the hub knows it and as a calendar shows it, in; what to do about it, out.

A plan is data: it can be stored, shown as a dry run, held, approved and replayed. Everything here is pure and
deterministic, and given out in the order of calendars. The work is done in the neighbouring ``plan_*`` modules,
``travel`` (whose edits count) and ``wanted`` (which writes follow).
"""

from calsync.engine.fingerprint import FingerprintMap
from calsync.engine.plan_adoption import plan_adoption
from calsync.engine.plan_gone import reborn
from calsync.engine.plan_known import plan_known
from calsync.engine.plan_new import plan_new
from calsync.engine.plan_values import (
    EventPlan,
    Finding,
    FindingKind,
    HubState,
    LinkState,
    Place,
    PlannedWrite,
    Sighting,
    WriteWish,
)
from calsync.engine.policy import ConflictPolicy, DeletePolicy, Policy, Role
from calsync.engine.wanted import may_write, settle, wanted_map, wanted_writes

__all__ = [
    "ConflictPolicy",
    "DeletePolicy",
    "EventPlan",
    "Finding",
    "FindingKind",
    "FingerprintMap",
    "HubState",
    "LinkState",
    "Place",
    "PlannedWrite",
    "Policy",
    "Role",
    "Sighting",
    "WriteWish",
    "may_write",
    "plan_adoption",
    "plan_known",
    "plan_new",
    "reborn",
    "settle",
    "wanted_map",
    "wanted_writes",
]
