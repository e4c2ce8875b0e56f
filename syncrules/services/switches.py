"""Turning sync off and on, always with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Clearance, OrgUnit, PeopleGroup, User
from accounts.trail import record
from calsync.engine.events import Platform
from notifications.services import tell
from syncrules.models import Scope, Switch


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a switch concerns. Made by the class methods only."""

    scope: Scope
    platform: str = ""
    clearance: Clearance | None = None
    group: PeopleGroup | None = None
    org_unit: OrgUnit | None = None
    person: User | None = None

    @classmethod
    def everybody(cls) -> Target:
        """The whole installation."""
        return cls(Scope.EVERYBODY)

    @classmethod
    def whole_platform(cls, platform: Platform) -> Target:
        """Every calendar on one platform."""
        return cls(Scope.PLATFORM, platform=platform.value)

    @classmethod
    def cleared_for(cls, clearance: Clearance) -> Target:
        """Everybody whose clearance is exactly this level."""
        return cls(Scope.CLEARANCE, clearance=clearance)

    @classmethod
    def members_of(cls, group: PeopleGroup) -> Target:
        """The members of a group."""
        return cls(Scope.GROUP, group=group)

    @classmethod
    def unit(cls, org_unit: OrgUnit) -> Target:
        """The people of an org unit and of every unit below it."""
        return cls(Scope.ORG_UNIT, org_unit=org_unit)

    @classmethod
    def one_person(cls, person: User) -> Target:
        """One person's calendars."""
        return cls(Scope.PERSON, person=person)

    @classmethod
    def of(cls, switch: Switch) -> Target:
        """The target of a switch that exists."""
        return cls(
            Scope(switch.scope),
            platform=switch.platform,
            clearance=None if switch.clearance is None else Clearance(switch.clearance),
            group=switch.group,
            org_unit=switch.org_unit,
            person=switch.person,
        )


def switch_off(
    *, target: Target, reason: str, by: User | None, now: datetime, holds_from: datetime | None = None
) -> Switch:
    """Hold sync back for a target, at once or from a later time on; what is planned then waits at the door.

    Raises ValidationError without a reason.
    """
    return _switch(target=target, on=False, reason=reason, by=by, now=now, holds_from=holds_from)


def switch_on(*, target: Target, reason: str, by: User | None, now: datetime) -> Switch:
    """Let sync run again for a target, as far as no other switch holds it back; raises ValidationError."""
    return _switch(target=target, on=True, reason=reason, by=by, now=now)


@transaction.atomic
def _switch(
    *, target: Target, on: bool, reason: str, by: User | None, now: datetime, holds_from: datetime | None = None
) -> Switch:
    reason = reason.strip()
    if not reason:
        raise ValidationError("Give a reason.")
    switch = _row_of(target, now=now)
    was_on = switch.is_on
    by_id = by.pk if by else None
    if on:
        switch.turn_on(reason=reason, by_id=by_id, now=now)
    else:
        switch.turn_off(reason=reason, by_id=by_id, now=now, holds_from=holds_from)
    switch.full_clean(validate_unique=False, validate_constraints=False)
    switch.save()
    action = "switch.on" if on else "switch.off"
    record(action, target=switch, name=switch.target, reason=reason, by=by, now=now, scope=switch.scope)
    if target.person is not None and on != was_on:
        topic = "sync_switched_on" if on else "sync_switched_off"
        tell(person=target.person, topic=topic, facts={"reason": switch.reason}, now=now)
    return switch


def _row_of(target: Target, *, now: datetime) -> Switch:
    """The switch of a target, locked; made (on) when there is none. The unique constraints settle a race."""
    switch, _ = Switch.objects.select_for_update().get_or_create(
        scope=target.scope,
        platform=target.platform,
        clearance=target.clearance,
        group=target.group,
        org_unit=target.org_unit,
        person=target.person,
        defaults={"is_on": True, "since": now, "reason": "never switched before"},
    )
    return switch
