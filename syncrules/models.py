"""Switches: sync turned off for everybody, a platform, an org unit or a person, with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import OrgUnit
from accounts.models.mailboxes import MAX_REASON, PLATFORMS


class Scope(models.TextChoices):
    """Whom a switch concerns."""

    EVERYBODY = "everybody", "everybody"
    PLATFORM = "platform", "a platform"
    ORG_UNIT = "org_unit", "an org unit and all below it"
    PERSON = "person", "a person"


_NO_PLATFORM, _NO_UNIT, _NO_PERSON = Q(platform=""), Q(org_unit=None), Q(person=None)
_TARGET_FITS_SCOPE = (
    Q(scope=Scope.EVERYBODY) & _NO_PLATFORM & _NO_UNIT & _NO_PERSON
    | Q(scope=Scope.PLATFORM) & ~_NO_PLATFORM & _NO_UNIT & _NO_PERSON
    | Q(scope=Scope.ORG_UNIT) & _NO_PLATFORM & ~_NO_UNIT & _NO_PERSON
    | Q(scope=Scope.PERSON) & _NO_PLATFORM & _NO_UNIT & ~_NO_PERSON
)


class SwitchQuerySet(models.QuerySet["Switch"]):
    """Named selections."""

    def off(self) -> Self:
        """Switches that hold sync back at present."""
        return self.filter(is_on=False)


class Switch(models.Model):
    """Whether sync is on for one target. A target without a switch is on; any switch that is off wins."""

    person_path = "person"  # whom or what a row concerns: see ``accounts.reach``
    unit_path = "org_unit"

    scope = models.CharField(max_length=9, choices=Scope)
    platform = models.CharField(max_length=8, choices=PLATFORMS, blank=True, default="")
    org_unit = models.ForeignKey(OrgUnit, null=True, blank=True, on_delete=models.CASCADE, related_name="switches")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="switches"
    )
    is_on = models.BooleanField("sync is on", default=True)
    since = models.DateTimeField()
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
            models.UniqueConstraint(fields=["person"], condition=Q(scope="person"), name="switch_person_once"),
        ]

    def __str__(self) -> str:
        return f"sync {'on' if self.is_on else 'off'} for {self.target}"

    @property
    def target(self) -> str:
        """Whom the switch concerns, for a person."""
        if self.scope == Scope.PLATFORM:
            return str(self.get_platform_display())
        return str(self.org_unit or self.person or "everybody")

    def turn_off(self, *, reason: str, by_id: int | None, now: datetime) -> None:
        """Hold sync back (in memory)."""
        self._turn(False, reason=reason, by_id=by_id, now=now)

    def turn_on(self, *, reason: str, by_id: int | None, now: datetime) -> None:
        """Let sync run again (in memory)."""
        self._turn(True, reason=reason, by_id=by_id, now=now)

    def _turn(self, is_on: bool, *, reason: str, by_id: int | None, now: datetime) -> None:
        if self.is_on != is_on or self._state.adding:
            self.is_on, self.since = is_on, now
        self.reason, self.changed_by_id = reason[:MAX_REASON], by_id
