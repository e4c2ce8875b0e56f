"""Writing the audit trail: which actions there are, who is acting, and adding a line.

What lives here: the registered actions and the acting person of this thread. What does not: the rows (``models.trail``)
and the pages. A service calls ``record`` in the transaction that makes the change, so neither exists without the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from accounts.models import User
from accounts.models.health import MAX_REASON
from accounts.models.trail import Origin, TrailEntry

ACTIONS: dict[str, str] = {  # name -> what it says after the actor; {target} is what it was done to
    "calendars.activated": "activated the sync of {target}",
    "calendars.classified": "classified {target}",
    "calendars.deactivated": "switched the calendars of {target} off",
    "case.decided": "decided {target}",
    "connection.saved": "stored the tenant connection {target}",
    "content.seen": "looked at the content of {target}",
    "copies.removed": "had the copies taken out of {target}",
    "copies.repaired": "had the differences of an audit repaired in {target}",
    "directory.imported": "imported the directory of {target}",
    "found.ignored": "said that {target} is to be left alone",
    "found.linked": "said whose mailbox {target} is",
    "group.added": "made the group {target}",
    "group.changed": "changed the group {target}",
    "group.deleted": "deleted the group {target}",
    "keys.rotated": "sealed everything with the newest key",
    "mailbox.added": "gave somebody the mailbox {target}",
    "mailbox.changed": "changed the mailbox {target}",
    "mailbox.consent_ended": "found that {target} has ended",
    "mailbox.disconnected": "disconnected {target}",
    "mailbox.linked": "linked {target} by consent",
    "mailboxes.disabled": "took {target} out of the sync",
    "mailboxes.enabled": "let {target} take part in the sync again",
    "mapping.applied": "applied a mapping of people and mailboxes",
    "person.added": "added {target}",
    "person.changed": "changed {target}",
    "people.single_platform": "said that people are on one platform only",
    "policy.begun": "had the rules carried into existing events ({target})",
    "policy.resumed": "let {target} go on",
    "policy.stopped": "stopped {target}",
    "policy.undone": "undid {target}",
    "rights.added": "made the group of rights {target}",
    "rights.changed": "changed the group of rights {target}",
    "rights.deleted": "deleted the group of rights {target}",
    "role.granted": "gave a role to {target}",
    "role.revoked": "took a role from {target}",
    "rule.changed": "changed the rule {target}",
    "rule.created": "made the rule {target}",
    "rule.disabled": "took the rule {target} out of force",
    "rule.enabled": "put the rule {target} in force",
    "rule.moved": "moved the rule {target} in its order",
    "rule.restored": "restored an earlier version of the rule {target}",
    "units.deleted": "deleted the org unit {target}",
    "units.made": "made the org unit {target}",
    "units.merged": "merged org units into {target}",
    "units.moved": "renamed or moved the org unit {target}",
    "switch.off": "switched sync off for {target}",
    "switch.on": "switched sync on again for {target}",
}
"""No sentence, no action: ``record`` refuses other names."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts at present. ``person`` is asked when a line is written: a request's user may be known only then."""

    origin: Origin
    name: str = ""  # the operating system's user, or nothing
    address: str | None = None
    person: Callable[[], User | None] = lambda: None


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)
_process = Acting(Origin.SYSTEM, name="CalSync")


def begin_process(who: Acting) -> None:
    """Who acts in this process, in all its threads, where nobody else is named."""
    global _process
    _process = who


@contextmanager
def acting(who: Acting) -> Iterator[None]:
    """Whatever is recorded in this block was done by them."""
    token = _acting.set(who)
    try:
        yield
    finally:
        _acting.reset(token)


def record(
    action: str,
    *,
    now: datetime,
    target: Model | None = None,
    name: str = "",
    reason: str = "",
    by: User | None = None,
    **facts: int | str,
) -> None:
    """Add a line. ``name`` replaces the target's own; ``by`` the acting person. Raises KeyError for an unknown action.

    ``facts`` are counts and names of choices: never content, never an address of a guest.
    """
    if action not in ACTIONS:
        raise KeyError(f"{action} is no registered action of the audit trail.")
    who = _acting.get() or _process
    person = by or who.person()
    TrailEntry.objects.create(
        at=now,
        action=action,
        actor=person,
        actor_name=(person.email if person else "") or who.name or who.origin.label,
        origin=who.origin,
        address=who.address,
        target_kind=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        target_name=(name or (str(target) if target is not None else ""))[:255],
        reason=reason[:MAX_REASON],
        facts=facts,
    )


def sentence(entry: TrailEntry) -> str:
    """A line of the trail in words, without the actor."""
    words = ACTIONS.get(entry.action, entry.action)
    return words.format(target=entry.target_name or entry.target_kind or "something")
