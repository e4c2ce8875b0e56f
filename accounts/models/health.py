"""How connections, mailboxes and calendars are doing, in one vocabulary, with since when, why and what helps."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

MAX_REASON = 255
MAX_REMEDY = 600


class Health(models.TextChoices):
    """How a connection, a mailbox or a calendar is doing."""

    WAITING = "waiting", "not started yet"
    IMPORTING = "importing", "importing"
    CATCHING_UP = "catching_up", "catching up"
    HEALTHY = "healthy", "healthy"
    DELAYED = "delayed", "delayed"
    ACTION_REQUIRED = "action_required", "action required"
    DISABLED = "disabled", "disabled"


STATE_FIELDS = ["state", "state_since", "state_reason", "state_remedy"]
"""What ``enter`` changes."""


class HasHealth(models.Model):
    """A row that has a state."""

    state = models.CharField(max_length=20, choices=Health, default=Health.WAITING)
    state_since = models.DateTimeField(default=timezone.now)
    state_reason = models.CharField(max_length=MAX_REASON, blank=True)
    state_remedy = models.CharField(max_length=MAX_REMEDY, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def enter(self, state: Health, *, now: datetime, reason: str = "", remedy: str = "") -> None:
        """Change the state (in memory); ``state_since`` moves only when the state does."""
        if self.state != state:
            self.state, self.state_since = state, now
        self.state_reason, self.state_remedy = reason[:MAX_REASON], remedy[:MAX_REMEDY]

    def tells(self) -> tuple[str, str, str]:
        """The state, why and what helps."""
        return self.state, self.state_reason, self.state_remedy

    def state_values(self) -> dict[str, object]:
        """What ``enter`` changed, for an update."""
        return {name: getattr(self, name) for name in STATE_FIELDS}
