"""Changes of rules on their way through events that exist already: counted first, carried out in batches."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.health import MAX_REASON


class PolicyChangeState(models.TextChoices):
    """Life of a change."""

    RUNNING = "running", "being carried out"
    STOPPED = "stopped", "stopped"
    DONE = "done", "carried out"


class PolicyChangeQuerySet(models.QuerySet["PolicyChange"]):
    """Named selections."""

    def running(self) -> Self:
        """Changes whose next batch is due, the oldest first."""
        return self.filter(state=PolicyChangeState.RUNNING).order_by("pk")


class PolicyChange(models.Model):
    """One run over the events for which the rules say something else than what stands. ``undoes``: another one."""

    state = models.CharField(max_length=7, choices=PolicyChangeState, default=PolicyChangeState.RUNNING)
    state_since = models.DateTimeField()
    reason = models.CharField(max_length=MAX_REASON)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()
    rules = models.JSONField(default=dict)  # by id: the version of each rule when it began
    before = models.JSONField(default=dict)  # by id: version and place of each rule before it was changed for this
    counts = models.JSONField(default=dict)  # by effect, as they were counted beforehand
    total = models.PositiveIntegerField(default=0)  # events
    done = models.PositiveIntegerField(default=0)
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="undone_by")

    objects = PolicyChangeQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = "change of rules"
        verbose_name_plural = "changes of rules"
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="policy_change_one_at_a_time")
        ]

    def __str__(self) -> str:
        return f"change of rules {self.pk}"

    def enter(self, state: PolicyChangeState, *, now: datetime) -> None:
        """Change the state (in memory)."""
        self.state, self.state_since = state, now


class PolicyBatch(models.Model):
    """Some events of a change; carried out together."""

    change = models.ForeignKey(PolicyChange, on_delete=models.CASCADE, related_name="batches")
    events = models.JSONField(default=list)  # ids
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"batch {self.pk} of change of rules {self.change_id}"
