"""Which writes are needed, derived from the hub's event and what was last agreed with each place.

What lives here: the map of what is wanted in a place, who may be written to, derived writes, settling a write's echo.
What does not: deciding about what a provider shows (``plan_known`` and its neighbours).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from calsync.engine.events import Event, Field, Platform
from calsync.engine.fingerprint import FingerprintMap, changed, digest, field_of_path, fingerprints
from calsync.engine.note import note_in
from calsync.engine.parts import is_split
from calsync.engine.plan_values import HubState, LinkState, PlannedWrite, WriteWish
from calsync.engine.policy import Role
from calsync.engine.transform import carries_guests, note_for, project, shown, strip_note
from calsync.engine.treatment import FULL, Passage

NOTE = "note"
"""The path of the note, which stands in a copy's body but is no synced field: a changed guest list is no edit, and a
note that somebody changed is put back."""


_SHAPE = frozenset({Field.WHEN.value, Field.RECURRENCE.value})


def as_read(event: Event, role: Role) -> Event:
    """The event that a calendar shows, without what CalSync itself put into it."""
    return event if carries_guests(role) else strip_note(event)


def projected_at(event: Event, link: LinkState) -> Event:
    """The event as the copy of ``link`` should be."""
    return project(event, traits=link.place.traits, role=link.role, treatment=link.treatment)


def wanted_map(event: Event, link: LinkState, *, key: bytes) -> dict[str, str]:
    """The fingerprints of what is wanted at ``link``, comparable path by path with its ``hub_map``."""
    projected = as_read(projected_at(event, link), link.role)
    wanted = fingerprints(projected, key=key)
    if not carries_guests(link.role) and (note := note_for(shown(event, role=link.role, treatment=link.treatment))):
        wanted[NOTE] = digest(NOTE, note, key=key)
    return wanted


def shown_map(event: Event, role: Role, *, key: bytes) -> dict[str, str]:
    """The fingerprints of what a calendar shows, to be kept as the ``remote_map`` of its link."""
    found = fingerprints(as_read(event, role), key=key)
    if not carries_guests(role) and (note := note_in(event.content.body)):
        found[NOTE] = digest(NOTE, note, key=key)
    return found


def may_write(event: Event, link: LinkState) -> bool:
    """Whether anything may be written at ``link``: the rule that keeps replication from ever mailing anybody.

    A native copy is its provider's own. An origin is written only when the person organises it; and not when it has
    guests and lives in Outlook, because Graph mails the guests on every change and has no switch against it. Google
    writes are silent (``sendUpdates=none``). What waits for an approval is not written either.
    """
    if link.role is Role.NATIVE or not link.place.writable or link.treatment.passage is not Passage.SYNC:
        return False
    if link.role is Role.ORIGIN:
        return event.organizes and not (event.guests and link.place.platform is Platform.OUTLOOK)
    return True


def may_create(event: Event, link: LinkState) -> bool:
    """Whether the event may be created at ``link``: a meeting is never made anew without its guests."""
    return may_write(event, link) and not (link.role is Role.ORIGIN and event.guests)


def may_delete(event: Event, link: LinkState) -> bool:
    """Whether the copy at ``link`` goes when the event is deleted: also one whose changes wait for an approval."""
    return may_write(event, replace(link, treatment=FULL))


def writable_paths(event: Event, link: LinkState, paths: Iterable[str]) -> frozenset[str]:
    """Those of ``paths`` that may be written at ``link``; what is pinned in the origin (a join block) is left alone."""
    if not may_write(event, link):
        return frozenset()
    pinned = {field.value for field in event.pinned} if link.role is Role.ORIGIN else set()
    return frozenset(path for path in paths if field_of_path(path) not in pinned)


def pending(event: Event, link: LinkState, *, key: bytes) -> frozenset[str]:
    """The paths in which what is wanted at ``link`` differs from what was last agreed there."""
    return changed(wanted_map(event, link, key=key), link.hub_map)


def wanted_writes(hub: HubState, *, key: bytes) -> tuple[PlannedWrite, ...]:
    """Every write that brings the links to the hub's state, in the order of calendars.

    Derived, never remembered: repeat it at any time. Where parts stand for the event, the whole itself is not written.
    """
    writes = (_wanted_write(hub.event, link, key=key) for link in in_order(hub.links))
    return tuple(write for write in writes if write is not None)


def in_order(links: Iterable[LinkState]) -> tuple[LinkState, ...]:
    """Links by calendar: the order of everything that planning gives out."""
    return tuple(sorted(links, key=lambda link: link.calendar_id))


def _wanted_write(event: Event, link: LinkState, *, key: bytes) -> PlannedWrite | None:
    if not may_write(event, link) or is_split(event, link.place.traits):
        return None
    if not link.remote_id:
        paths = frozenset(wanted_map(event, link, key=key))
        why = f"The event has no {link.role.value} in this calendar yet."
        return PlannedWrite(link.calendar_id, WriteWish.CREATE, paths, why) if may_create(event, link) else None
    paths = writable_paths(event, link, pending(event, link, key=key))
    why = f"The {link.role.value} in this calendar differs from the hub."
    return PlannedWrite(link.calendar_id, WriteWish.UPDATE, paths, why) if paths else None


def settle(
    link: LinkState,
    *,
    hub_event_as_written: Event,
    remote_id: str,
    version: str,
    echo: Event,
    key: bytes,
    made: Event | None = None,
) -> LinkState:
    """The link after a create or update succeeded: hub and place agree, in the provider's own spelling (``echo``).

    ``hub_event_as_written`` is the hub's whole event (not its projection) as it was when the write was made; when the
    hub has moved on since, the difference shows up as the next derived write. What somebody changed there meanwhile is
    no echo: it is left to be found by the next read, for which the version is forgotten. ``made`` is what a create had
    made by its first request, when others followed.
    """
    wanted, echoed = wanted_map(hub_event_as_written, link, key=key), shown_map(echo, link.role, key=key)
    if made is None:
        before, foreign = link.remote_map, _changed_meanwhile(link, wanted=wanted, shown=echoed)
    else:
        before = shown_map(made, link.role, key=key)
        foreign = _changed_since_made(before, wanted=wanted, shown=echoed)
    remote_map = {path: text for path, text in echoed.items() if path not in foreign}
    remote_map |= {path: before[path] for path in foreign if path in before}
    version = "" if foreign else version
    return replace(link, remote_id=remote_id, version=version, hub_map=wanted, remote_map=remote_map)


def _changed_meanwhile(link: LinkState, *, wanted: FingerprintMap, shown: FingerprintMap) -> frozenset[str]:
    """The paths that an update did not write and that its echo shows otherwise than before.

    A new time or rule moves exceptions by itself, so then nothing can be told from them.
    """
    written = changed(wanted, link.hub_map)
    if not link.remote_id or written & _SHAPE:
        return frozenset()
    return frozenset(path for path in changed(shown, link.remote_map) - written if shown.get(path) != wanted.get(path))


def _changed_since_made(made: FingerprintMap, *, wanted: FingerprintMap, shown: FingerprintMap) -> frozenset[str]:
    """The paths that a create's later requests did not write and that changed while they were made.

    These requests write the occurrences that are wanted, in whatever way the provider spells them.
    """
    paths = changed(shown, made)
    return frozenset(
        path for path in paths if shown.get(path) != wanted.get(path) and not (path in wanted and path[0] == "@")
    )
