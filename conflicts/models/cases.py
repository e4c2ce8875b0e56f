"""Cases: something that a person must see or decide."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.health import MAX_REASON
from calendars.models import Finding
from calsync.engine.plan import FindingKind


class CaseState(models.TextChoices):
    """Life of a case."""

    OPEN = "open", "open"
    DECIDED = "decided", "decided"
    CLOSED = "closed", "closed"


class CaseQuerySet(models.QuerySet["Case"]):
    """Named selections."""

    def open(self) -> Self:
        """Cases that still wait."""
        return self.filter(state=CaseState.OPEN)


class Case(models.Model):
    """One finding, put before a person. ``summary`` holds no event text; losing values stay sealed in the finding."""

    person_path = "person"  # whose a row is: see ``accounts.reach``

    finding = models.OneToOneField(Finding, on_delete=models.CASCADE, related_name="case")
    kind = models.CharField(max_length=24, choices=[(kind.value, kind.value.replace("_", " ")) for kind in FindingKind])
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cases")
    summary = models.CharField(max_length=500)
    state = models.CharField(max_length=7, choices=CaseState, default=CaseState.OPEN)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=MAX_REASON, blank=True)  # why it was decided so
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at", "-pk")
        indexes = [models.Index(fields=["person", "state"], name="case_person_state")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="decided") | Q(decided_at__isnull=False), name="case_decided_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_at__isnull=False), name="case_closed_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}: {self.get_kind_display()}"

    def decide(self, *, by_id: int, now: datetime, reason: str = "") -> None:
        """Note who decided and why (in memory)."""
        self.state, self.decided_at, self.decided_by_id = CaseState.DECIDED, now, by_id
        self.reason = reason[:MAX_REASON]

    def close(self, *, now: datetime) -> None:
        """Note that nothing is left to do (in memory)."""
        self.state, self.closed_at = CaseState.CLOSED, now

    @property
    def state_since(self) -> datetime:
        """When the case came into its present state."""
        return self.closed_at or self.decided_at or self.opened_at
