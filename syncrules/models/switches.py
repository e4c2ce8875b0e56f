"""Switches: sync turned off for everybody, a platform, a clearance, a unit, a group or a person, with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Clearance, OrgUnit, PeopleGroup
from accounts.models.health import MAX_REASON
from accounts.models.mailboxes import PLATFORMS


class Scope(models.TextChoices):
    """Whom a switch concerns."""

    EVERYBODY = "everybody", "everybody"
    PLATFORM = "platform", "a platform"
    CLEARANCE = "clearance", "everybody with a clearance level"
    ORG_UNIT = "org_unit", "an org unit and all below it"
    GROUP = "group", "a group of people"
    PERSON = "person", "a person"


_EMPTY = {
    Scope.PLATFORM: Q(platform=""),
    Scope.CLEARANCE: Q(clearance=None),
    Scope.ORG_UNIT: Q(org_unit=None),
    Scope.GROUP: Q(group=None),
    Scope.PERSON: Q(person=None),
}


def _target_fits(scope: Scope) -> Q:
    """The one field that belongs to the scope is filled in, and no other."""
    fits = Q(scope=scope)
    for owner, empty in _EMPTY.items():
        fits &= ~empty if owner is scope else empty
    return fits


_TARGET_FITS_SCOPE = Q()
for _scope in Scope:
    _TARGET_FITS_SCOPE |= _target_fits(_scope)


class SwitchQuerySet(models.QuerySet["Switch"]):
    """Named selections."""

    def off(self, *, now: datetime) -> Self:
        """Switches that hold sync back at that time."""
        return self.filter(Q(holds_from=None) | Q(holds_from__lte=now), is_on=False)


class Switch(models.Model):
    """Whether sync is on for one target. A target without a switch is on; any switch that is off wins."""

    person_path = "person"  # whom or what a row concerns: see ``accounts.reach``
    unit_path = "org_unit"

    scope = models.CharField(max_length=9, choices=Scope)
    platform = models.CharField(max_length=8, choices=PLATFORMS, blank=True, default="")
    clearance = models.PositiveSmallIntegerField(choices=Clearance, null=True, blank=True)
    group = models.ForeignKey(PeopleGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="switches")
    org_unit = models.ForeignKey(OrgUnit, null=True, blank=True, on_delete=models.CASCADE, related_name="switches")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="switches"
    )
    is_on = models.BooleanField("sync is on", default=True)
    since = models.DateTimeField()
    holds_from = models.DateTimeField(null=True, blank=True)  # an off that is announced: it holds from then on
    reason = models.CharField(max_length=MAX_REASON)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = SwitchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "switches"
        ordering = ("is_on", "-since")
        constraints = [
            models.CheckConstraint(condition=_TARGET_FITS_SCOPE, name="switch_target_fits_scope"),
            models.UniqueConstraint(fields=["scope"], condition=Q(scope="everybody"), name="switch_everybody_once"),
            models.UniqueConstraint(fields=["platform"], condition=Q(scope="platform"), name="switch_platform_once"),
            models.UniqueConstraint(fields=["org_unit"], condition=Q(scope="org_unit"), name="switch_org_unit_once"),
            models.UniqueConstraint(fields=["clearance"], condition=Q(scope="clearance"), name="switch_clearance_once"),
            models.UniqueConstraint(fields=["group"], condition=Q(scope="group"), name="switch_group_once"),
            models.UniqueConstraint(fields=["person"], condition=Q(scope="person"), name="switch_person_once"),
        ]

    def __str__(self) -> str:
        return f"sync {'on' if self.is_on else 'off'} for {self.target}"

    @property
    def target(self) -> str:
        """Whom the switch concerns, for a person."""
        if self.scope == Scope.PLATFORM:
            return str(self.get_platform_display())
        if self.scope == Scope.CLEARANCE:
            return f"the clearance {self.get_clearance_display()}"
        if self.group is not None:
            return f"the group {self.group}"
        return str(self.org_unit or self.person or "everybody")

    @property
    def begins_at(self) -> datetime:
        """From when on it holds what it says."""
        return self.since if self.is_on or self.holds_from is None else self.holds_from

    def turn_off(self, *, reason: str, by_id: int | None, now: datetime, holds_from: datetime | None = None) -> None:
        """Hold sync back, at once or from a later time on (in memory)."""
        self._turn(False, reason=reason, by_id=by_id, now=now)
        self.holds_from = holds_from if holds_from is not None and holds_from > now else None

    def turn_on(self, *, reason: str, by_id: int | None, now: datetime) -> None:
        """Let sync run again (in memory)."""
        self._turn(True, reason=reason, by_id=by_id, now=now)
        self.holds_from = None

    def _turn(self, is_on: bool, *, reason: str, by_id: int | None, now: datetime) -> None:
        if self.is_on != is_on or self._state.adding:
            self.is_on, self.since = is_on, now
        self.reason, self.changed_by_id = reason[:MAX_REASON], by_id
