"""Rules, and every version that each of them has had."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import OrgUnit, PeopleGroup
from accounts.models.health import MAX_REASON

MAX_RULE_NAME = 120


class RuleScope(models.TextChoices):
    """Whom a rule concerns, the nearest first."""

    PERSON = "person", "a person"
    GROUP = "group", "a group of people"
    ORG_UNIT = "org_unit", "an org unit and all below it"
    EVERYBODY = "everybody", "everybody"


_NO_UNIT, _NO_GROUP, _NO_PERSON = Q(org_unit=None), Q(group=None), Q(person=None)
_TARGET_FITS_SCOPE = (
    Q(scope=RuleScope.EVERYBODY) & _NO_UNIT & _NO_GROUP & _NO_PERSON
    | Q(scope=RuleScope.ORG_UNIT) & ~_NO_UNIT & _NO_GROUP & _NO_PERSON
    | Q(scope=RuleScope.GROUP) & _NO_UNIT & ~_NO_GROUP & _NO_PERSON
    | Q(scope=RuleScope.PERSON) & _NO_UNIT & _NO_GROUP & ~_NO_PERSON
)


class RuleQuerySet(models.QuerySet["Rule"]):
    """Named selections."""

    def in_force(self) -> Self:
        """Rules that are not switched off."""
        return self.filter(is_enabled=True)

    def beside(self, rule: Rule) -> Self:
        """The rules of the same scope, in their order."""
        same = self.filter(scope=rule.scope, org_unit=rule.org_unit_id, group=rule.group_id, person=rule.person_id)
        return same.order_by("position", "pk")


class Rule(models.Model):
    """What may be synced and how, for one scope. ``effects`` are as somebody wrote them."""

    name = models.CharField(max_length=MAX_RULE_NAME)
    scope = models.CharField("for", max_length=9, choices=RuleScope, default=RuleScope.EVERYBODY)
    org_unit = models.ForeignKey(OrgUnit, null=True, blank=True, on_delete=models.PROTECT, related_name="rules")
    group = models.ForeignKey(PeopleGroup, null=True, blank=True, on_delete=models.PROTECT, related_name="rules")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="rules"
    )
    position = models.PositiveIntegerField(default=1)  # within its scope; the first that matches decides
    conditions = models.JSONField(default=dict, blank=True)  # what they name is kept by number: see ``names``
    effects = models.JSONField(default=dict, blank=True)
    is_enabled = models.BooleanField("in force", default=True)
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ("scope", "org_unit", "group", "person", "position", "pk")
        constraints = [
            models.CheckConstraint(condition=_TARGET_FITS_SCOPE, name="rule_target_fits_scope"),
            models.UniqueConstraint(
                Lower("name"), name="rule_name_once", violation_error_message="Another rule has this name."
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> str:
        """Whom it concerns, for a person."""
        return f"the group {self.group}" if self.group else str(self.org_unit or self.person or "everybody")

    @property
    def label(self) -> str:
        """The row and its version, as verdicts name it."""
        return f"{self.pk}v{self.version}"

    def becomes_next_version(self, *, by_id: int | None, now: datetime) -> None:
        """Count the change that was made (in memory)."""
        self.version, self.changed_at, self.changed_by_id = self.version + 1, now, by_id


class Mention(models.Model):
    """A unit or group that a condition of a rule names: it is not deleted or merged away while the rule needs it."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="mentions")
    org_unit = models.ForeignKey(OrgUnit, null=True, on_delete=models.PROTECT, related_name="mentions")
    group = models.ForeignKey(PeopleGroup, null=True, on_delete=models.PROTECT, related_name="mentions")

    class Meta:
        verbose_name = "condition of a rule"
        verbose_name_plural = "conditions of rules"
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=_NO_UNIT & ~_NO_GROUP | ~_NO_UNIT & _NO_GROUP, name="mention_of_one"),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.org_unit or self.group}"


class RuleVersion(models.Model):
    """One version of a rule as it was written, who wrote it, when and why. Never changed."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    written: models.JSONField[Any, Any] = models.JSONField()  # as in an export, names kept by number
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=MAX_REASON)

    class Meta:
        ordering = ("rule", "-number")
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"{self.rule_id}v{self.number}"
