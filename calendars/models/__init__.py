"""Rows of the sync: calendars and their watches, hub events and their links, planned and found work."""

from calendars.models.busy import BusySlot, BusySlotQuerySet
from calendars.models.calendar import Calendar, CalendarQuerySet, Watch, WatchState
from calendars.models.events import Event, EventEntry, Link, LinkState, Withheld
from calendars.models.policy import PolicyBatch, PolicyChange, PolicyChangeState
from calendars.models.work import (
    HELD_BY_SWITCH,
    IN_ITS_TURN,
    AuditRun,
    Finding,
    HookCount,
    Operation,
    OperationState,
)

__all__ = [
    "HELD_BY_SWITCH",
    "IN_ITS_TURN",
    "AuditRun",
    "BusySlot",
    "BusySlotQuerySet",
    "Calendar",
    "CalendarQuerySet",
    "Event",
    "EventEntry",
    "Finding",
    "HookCount",
    "Link",
    "LinkState",
    "Operation",
    "OperationState",
    "PolicyBatch",
    "PolicyChange",
    "PolicyChangeState",
    "Watch",
    "WatchState",
    "Withheld",
]
