"""A pretend world of two mailboxes that one hub keeps in step: enough of a pipeline to test plans by repetition."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from calsync.engine.events import Event, Field, OccurrenceKey, Platform, Timed
from calsync.engine.inherit import map_fields, without_redundant
from calsync.engine.plan import (
    EventPlan,
    Finding,
    HubState,
    Place,
    Policy,
    Role,
    Sighting,
    WriteWish,
    plan_known,
    plan_new,
    settle,
    wanted_writes,
)
from calsync.engine.recurrence import generates
from calsync.engine.transform import project
from tests.engine.builders import KEY, NOW

Echo = Callable[[Event], Event]


def perfect(event: Event) -> Event:
    return event


def lossy(event: Event) -> Event:
    """A platform that rewrites text, shortens titles, drops locations and renames zones."""

    def rewritten(name: Field, value: object) -> object:
        if name is Field.BODY:
            return "\n".join(re.sub(" +", " ", line).strip() for line in str(value).split("\n"))
        if name is Field.TITLE:
            return str(value)[:12]
        if name is Field.LOCATION:
            return ""
        if isinstance(value, Timed) and value.zone == "Europe/Rome":
            return replace(value, zone="Europe/Berlin")
        return value

    return map_fields(event, rewritten)


def _swept(event: Event) -> Event:
    """The series without exceptions that its rule no longer makes: every platform drops them."""
    if event.recurrence is None:
        return event

    def occurs(key: OccurrenceKey) -> bool:
        return generates(event.content.when, event.recurrence, key)

    exceptions = {key: override for key, override in event.exceptions.items() if occurs(key)}
    return replace(event, exceptions=exceptions, cancelled=frozenset(filter(occurs, event.cancelled)))


@dataclass
class Mailbox:
    """One calendar of one platform with at most one event in it."""

    place: Place
    echo: Echo = perfect
    event: Event | None = None
    remote_id: str = ""
    version: int = 0
    changed_at: int = 0
    writes: list[WriteWish] = field(default_factory=list)

    def put(self, event: Event | None, *, at: int) -> None:
        """A person or the hub stores something here."""
        self.event = None if event is None else _swept(without_redundant(self.echo(event)))
        self.version += 1
        self.changed_at = at

    def refuse_to_mail(self) -> None:
        """Fail when a write here would mail somebody: Graph mails the guests of whatever is written."""
        has_guests = self.event is not None and self.event.guests
        assert not (has_guests and self.place.platform is Platform.OUTLOOK), "the guests would get mail"

    def sighting(self) -> Sighting:
        at = NOW + timedelta(minutes=self.changed_at)
        return Sighting(self.remote_id, str(self.version), self.event, at)


class World:
    """The mailboxes, the hub's state, and everything that was found."""

    def __init__(self, *mailboxes: Mailbox, policy: Policy | None = None) -> None:
        self.mailboxes = {mailbox.place.calendar_id: mailbox for mailbox in mailboxes}
        self.policy = policy or Policy()
        self.hub: HubState | None = None
        self.findings: list[Finding] = []
        self.clock = 0

    def born(self, event: Event, *, at: int) -> None:
        """An event is made in one calendar and carried to all others."""
        mailbox = self.mailboxes[at]
        mailbox.remote_id = "origin"
        mailbox.put(project(event, traits=mailbox.place.traits, role=Role.ORIGIN), at=self.clock)
        targets = [other.place for other in self.mailboxes.values()]
        self._take(plan_new(mailbox.sighting(), here=mailbox.place, targets=targets, key=KEY))

    def edit(self, calendar_id: int, change: Callable[[Event], Event]) -> None:
        """A person changes what they see in one calendar."""
        self.clock += 1
        mailbox = self.mailboxes[calendar_id]
        if mailbox.event is not None:
            mailbox.put(change(mailbox.event), at=self.clock)

    def delete(self, calendar_id: int) -> None:
        """A person deletes what they see in one calendar."""
        self.clock += 1
        self.mailboxes[calendar_id].put(None, at=self.clock)

    def pull(self, calendar_id: int) -> None:
        """Read one calendar and decide."""
        mailbox = self.mailboxes[calendar_id]
        link = next((link for link in self._links() if link.calendar_id == calendar_id), None)
        if self.hub is None or link is None or not link.remote_id:
            return
        plan = plan_known(mailbox.sighting(), hub=self.hub, calendar_id=calendar_id, policy=self.policy, key=KEY)
        self._take(plan)
        if plan.event is None:
            self._delete_everywhere(plan)

    def push(self, calendar_id: int) -> int:
        """Carry out what is wanted in one calendar, guarded by its version; the number of writes."""
        mailbox = self.mailboxes[calendar_id]
        wanted = [write for write in self.writes() if write.calendar_id == calendar_id]
        link = next((link for link in self._links() if link.calendar_id == calendar_id), None)
        if self.hub is None or link is None or not wanted:
            return 0
        if wanted[0].kind is WriteWish.UPDATE and link.version != str(mailbox.version):
            self.pull(calendar_id)  # If-Match failed: read again, plan again
            return 1
        mailbox.refuse_to_mail()
        if wanted[0].kind is WriteWish.CREATE:
            assert mailbox.event is None, "a second copy"
            mailbox.remote_id = f"made-{calendar_id}-{link.generation}"
        mailbox.writes.append(wanted[0].kind)
        shown = project(self.hub.event, traits=link.place.traits, role=link.role)
        guests = mailbox.event.guests if mailbox.event is not None else ()  # the hub's writes carry none
        mailbox.put(replace(shown, guests=guests), at=self.clock)
        settled = settle(
            link,
            hub_event_as_written=self.hub.event,
            remote_id=mailbox.remote_id,
            version=str(mailbox.version),
            echo=mailbox.event,
            key=KEY,
        )
        others = tuple(other for other in self.hub.links if other.calendar_id != calendar_id)
        self.hub = replace(self.hub, links=(*others, settled))
        return 1

    def settle_down(self, *, rounds: int = 8) -> int:
        """Pull and push until nothing is left to do; the rounds it took. Fails when it does not end."""
        for count in range(rounds):
            for calendar_id in self.mailboxes:
                self.pull(calendar_id)
            if not sum(self.push(calendar_id) for calendar_id in self.mailboxes):
                return count
        raise AssertionError("the plans do not converge")

    def writes(self) -> tuple:
        return () if self.hub is None else wanted_writes(self.hub, key=KEY)

    def _links(self) -> tuple:
        return () if self.hub is None else self.hub.links

    def _take(self, plan: EventPlan) -> None:
        self.findings += plan.findings
        if plan.event is None:
            self.hub = None
            return
        changed_at = NOW + timedelta(minutes=self.clock) if plan.changed or self.hub is None else self.hub.changed_at
        self.hub = HubState(plan.event, plan.links, changed_at)

    def _delete_everywhere(self, plan: EventPlan) -> None:
        for write in plan.writes:
            assert write.kind is WriteWish.DELETE
            mailbox = self.mailboxes[write.calendar_id]
            link = next(link for link in plan.links if link.calendar_id == write.calendar_id)
            if link.version == str(mailbox.version):  # else If-Match fails and an unseen edit lives on by itself
                mailbox.refuse_to_mail()
                mailbox.put(None, at=self.clock)
