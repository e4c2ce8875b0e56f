"""The audit trail: who did what to which object, when, from where and why. Lines are added and never changed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from accounts.models.health import MAX_REASON


class Origin(models.TextChoices):
    """From where somebody acted."""

    WEB = "web", "web"
    COMMAND = "command", "command"
    WORKER = "worker", "worker"
    SYSTEM = "system", "system"


class TrailEntry(models.Model):
    """One line. It names things by kind, number and name and holds no content of events and no secrets."""

    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=40)  # a name registered in ``accounts.trail``
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=254)  # stays when the person goes
    origin = models.CharField(max_length=8, choices=Origin)
    address = models.GenericIPAddressField(null=True, blank=True)  # of the browser, for the web
    target_kind = models.CharField(max_length=80, blank=True)  # such as ``accounts.user``
    target_id = models.CharField(max_length=40, blank=True)
    target_name = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    facts = models.JSONField(default=dict, blank=True)  # counts and names of choices

    class Meta:
        verbose_name = "line of the audit trail"
        verbose_name_plural = "audit trail"
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["target_kind", "target_id"], name="trail_target"),
            models.Index(fields=["actor", "at"], name="trail_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the line; raises TypeError for one that stands already."""
        if not self._state.adding:
            raise TypeError("A line of the audit trail is not changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ARG002 - Django's signature
        """Never: raises TypeError."""
        raise TypeError("A line of the audit trail is not deleted.")
