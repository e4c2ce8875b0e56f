"""Turning a decision of the merge round: the losing values take the place of those that won, a deletion is undone.

What lives here: the exchange itself, and where it is refused because the edit could not travel. What does not: who
decides, rows (``calendars.decisions``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from calsync.engine.events import Event, Platform
from calsync.engine.fingerprint import flatten, unflatten
from calsync.engine.inherit import without_redundant
from calsync.engine.merge_series import SHAPE, begins_with_its_start, realign, shape_of
from calsync.engine.plan_gone import reborn
from calsync.engine.plan_values import EventPlan, HubState, LinkState, PlannedWrite, WriteWish
from calsync.engine.policy import Role
from calsync.engine.travel import may_travel, origin_of
from calsync.engine.wanted import in_order, may_create, may_write, wanted_writes, writable_paths


class CannotSwap(ValueError):
    """Why not; a sentence for a person."""


def exchange(event: Event, values: Mapping[str, object]) -> tuple[Event, dict[str, object]]:
    """The event with ``values`` in place (None takes a path out), and what they replaced: exchanging that again gives
    the event back. Raises CannotSwap.
    """
    before = flatten(event)
    paths = {path: value for path, value in {**before, **values}.items() if value is not None}
    if SHAPE & values.keys():
        if not begins_with_its_start(*shape_of(paths)):
            raise CannotSwap("The kept time does not fit the series as it is repeated now.")
        paths, _ = realign(paths, trusted=frozenset())
    after = without_redundant(unflatten(paths, like=event))
    now = flatten(after)
    replaced = {path: before.get(path) for path in sorted({*before, *now}) if before.get(path) != now.get(path)}
    return after, replaced


def check_edit(hub: HubState, link: LinkState | None, paths: Collection[str]) -> None:
    """Raise CannotSwap unless these paths may be written where the event itself lives. ``link`` is the copy whose edit
    was put back, if it was.
    """
    origin = origin_of(hub)
    if origin is None:
        raise CannotSwap("Somebody else organises this meeting: only they can change it.")
    if writable_paths(hub.event, origin, paths) != frozenset(paths):
        raise CannotSwap(_why_unwritable(hub.event, origin))
    if link is not None and not may_travel(hub, link):
        raise CannotSwap("An edit of a colleague's copy never changes the meeting itself: ask its organiser.")


def _why_unwritable(event: Event, origin: LinkState) -> str:
    if not event.organizes:
        return "Somebody else organises this meeting: only they can change it."
    if event.guests and origin.place.platform is Platform.OUTLOOK:
        return "Changing this meeting in Outlook would mail its guests. Its organiser can do it there."
    return "The meeting's own calendar does not take this change (a field with its join information, say)."


def plan_removal(hub: HubState) -> EventPlan:
    """The event is deleted after all. Raises CannotSwap where that would cancel a meeting."""
    if hub.event.guests or any(link.role is Role.NATIVE for link in hub.links):
        raise CannotSwap("This is a meeting with guests: deleting it would cancel it. Its organiser can do that.")
    standing = tuple(link for link in in_order(hub.links) if link.remote_id)
    if not all(may_write(hub.event, link) for link in standing):
        raise CannotSwap("One of its calendars may not be written.")
    why = "A person decided that the deletion counts."
    writes = tuple(PlannedWrite(link.calendar_id, WriteWish.DELETE, frozenset(), why) for link in standing)
    return EventPlan(event=None, links=standing, writes=writes, changed=True)


def plan_return(hub: HubState, *, gone: Collection[int], key: bytes) -> EventPlan:
    """The deleted event is made again; ``gone`` are the calendars whose copies no longer exist. Raises CannotSwap."""
    links = in_order(
        reborn(link) if link.calendar_id in gone or not link.remote_id else link
        for link in hub.links
        if link.role is not Role.NATIVE
    )
    if not links or not all(may_create(hub.event, link) for link in links):
        raise CannotSwap("A meeting with guests cannot be made again without mailing them.")
    after = replace(hub, links=links)
    return EventPlan(event=hub.event, links=links, writes=wanted_writes(after, key=key), changed=True)
