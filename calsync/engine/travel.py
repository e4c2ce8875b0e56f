"""Whose edits count: which changes seen in a calendar may become the hub's, and which are put back.

What lives here: the rules about roles, guests and organisers. What does not: merging (``merge``), planning (``plan``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from calsync.engine.events import Event, Guest, Platform
from calsync.engine.fingerprint import field_of_path
from calsync.engine.masking import fields_sent, is_masked
from calsync.engine.parts import is_split
from calsync.engine.plan_values import HubState, LinkState
from calsync.engine.policy import Policy, Role
from calsync.engine.transform import carries_guests, shortened


def link_in(hub: HubState, calendar_id: int) -> LinkState | None:
    """The event's link in one calendar."""
    return next((link for link in hub.links if link.calendar_id == calendar_id), None)


def origin_of(hub: HubState) -> LinkState | None:
    """The link where the event was made; None once that copy is gone and only native copies are left."""
    return next((link for link in hub.links if link.role is Role.ORIGIN), None)


def with_link(hub: HubState, link: LinkState) -> HubState:
    """The hub with ``link`` in place of the one in the same calendar."""
    others = tuple(other for other in hub.links if other.calendar_id != link.calendar_id)
    return replace(hub, links=(*others, link))


def is_truth(hub: HubState, link: LinkState) -> bool:
    """Whether this copy is the event itself: the origin, or a native copy when the origin is gone."""
    return link.role is Role.ORIGIN or (link.role is Role.NATIVE and origin_of(hub) is None)


def may_travel(hub: HubState, link: LinkState) -> bool:
    """Whether edits made in this copy may become the hub's.

    A twin's may when the same person organises the event and writing the origin mails nobody: without guests, or
    with guests in Google. A colleague's copy and a guest's native copy never speak for the event.
    """
    if is_truth(hub, link):
        return True
    origin = origin_of(hub)
    if link.role is not Role.TWIN or origin is None or not origin.place.writable or not hub.event.organizes:
        return False
    return not hub.event.guests or origin.place.platform is Platform.GOOGLE


def travelling(hub: HubState, link: LinkState, paths: Iterable[str]) -> frozenset[str]:
    """Those of the changed ``paths`` that may become the hub's. A twin must not change what is pinned in the origin.

    Nor does a text travel from where only its beginning stands: the rest would be lost everywhere. Nor what is masked
    there: whoever edits "Busy" has not seen what it stands for.
    """
    paths = frozenset(paths)
    if not paths or not may_travel(hub, link):
        return frozenset()
    kept = masked_there(link, paths)
    pinned = set() if is_truth(hub, link) else {field.value for field in hub.event.pinned}
    if link.role is not Role.NATIVE:
        kept |= shortened(hub.event, traits=link.place.traits, role=link.role, treatment=link.treatment)
    return frozenset(path for path in paths - kept if field_of_path(path) not in pinned)


def masked_there(link: LinkState, paths: Iterable[str]) -> frozenset[str]:
    """Those of ``paths`` whose values do not travel into the copy of ``link``."""
    if carries_guests(link.role):
        return frozenset()
    sent = {field.value for field in fields_sent(link.treatment.details)}
    return frozenset(path for path in paths if (name := field_of_path(path)) and name not in sent)


def policy_at(hub: HubState, link: LinkState, policy: Policy) -> Policy:
    """The policy for what ``link`` shows: what the rules say of this copy, or of the event's others, goes first."""
    treatments = [link.treatment, *(other.treatment for other in hub.links if other.calendar_id != link.calendar_id)]
    conflict = next((one.conflict for one in treatments if one.conflict), policy.conflict)
    on_delete = next((one.on_delete for one in treatments if one.on_delete), policy.on_delete)
    return replace(policy, conflict=conflict, on_delete=on_delete)


def with_identity_of(event: Event, read: Event) -> Event:
    """``event`` as the meeting that ``read`` is: its uid, organiser, guests, pinned fields, categories and kind, which
    only the event's own mailbox knows. Only an answer that a guest's mailbox told may be news to it.
    """
    return replace(
        event,
        uid=read.uid,
        organizer=read.organizer,
        organizes=read.organizes,
        guests=_with_known_answers(event, read),
        pinned=read.pinned,
        join=read.join,
        categories=read.categories,
        kind=read.kind,
    )


def _with_known_answers(event: Event, read: Event) -> tuple[Guest, ...]:
    """The guests as read, who keep the answer that they gave to the meeting at this time."""
    if event.content.when != read.content.when:
        return read.guests  # it was moved: they are asked anew
    known = {guest.address: guest.response for guest in event.guests}
    return tuple(
        replace(guest, response=known.get(guest.address, "none")) if guest.response == "none" else guest
        for guest in read.guests
    )


def rerole(hub: HubState, link: LinkState, read: Event) -> HubState:
    """The hub after somebody made a real meeting out of a twin or copy by inviting people there.

    Writing to such a copy could mail its guests, deleting it would cancel their meeting. When the event had no guests
    yet and nothing pinned, a twin becomes the origin and the old origin its twin; otherwise the copy becomes native:
    it is never written again. So does a masked one: as origin it would be written in full, before its guests' eyes.
    """
    if link.role not in (Role.TWIN, Role.COPY) or (read.organizes and not read.guests):
        return hub
    origin, event = origin_of(hub), hub.event
    alone = event.organizes and not event.guests and not event.pinned
    alone = alone and not is_masked(link.treatment.details)
    if link.role is Role.TWIN and read.organizes and alone and origin is not None:
        hub = with_link(hub, replace(origin, role=Role.TWIN))
        return with_link(hub, replace(link, role=Role.ORIGIN))
    return with_link(hub, replace(link, role=Role.NATIVE))


def held_by_origin(hub: HubState) -> HubState:
    """The hub with its origin where the event can stand as one.

    When a twin's edit made a rule that the origin's platform lacks, the two change roles: the twin is the event from
    then on, and its parts stand in the old origin's place. A meeting with guests keeps its origin.
    """
    origin = origin_of(hub)
    if origin is None or not is_split(hub.event, origin.place.traits) or hub.event.guests or hub.event.pinned:
        return hub
    whole = (link for link in hub.links if not is_masked(link.treatment.details))  # the event itself is never masked
    twins = (link for link in whole if link.role is Role.TWIN and link.remote_id)
    heir = next((link for link in twins if not is_split(hub.event, link.place.traits)), None)
    if heir is None:
        return hub
    return with_link(with_link(hub, replace(origin, role=Role.TWIN)), replace(heir, role=Role.ORIGIN))
