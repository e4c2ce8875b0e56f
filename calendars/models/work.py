"""Planned writes (the outbox), findings for people, and counted facts."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.sealing import SealedJSONField
from calendars.models.calendar import Calendar
from calendars.models.events import Event, Link
from calsync.engine.plan import FindingKind


class OperationState(models.TextChoices):
    """Life of a planned write."""

    PLANNED = "planned", "planned"
    IN_FLIGHT = "in_flight", "being written"
    DONE = "done", "written"
    DROPPED = "dropped", "no longer needed"
    PARKED = "parked", "parked"


HELD_BY_SWITCH = "switched_off"  # why a write waits: sync is off for its calendar
IN_ITS_TURN = "catching_up"  # sync was off, and what waited goes out in portions

OPEN_STATES = (OperationState.PLANNED, OperationState.IN_FLIGHT)


class OperationQuerySet(models.QuerySet["Operation"]):
    """Named selections."""

    def open(self) -> OperationQuerySet:
        """Operations that are still to be carried out."""
        return self.filter(state__in=OPEN_STATES)

    def interrupted(self) -> OperationQuerySet:
        """Writes that broke off and may have left a half-written series: finished before the calendar is read.

        To be asked by the holder of the calendar's lease only: then nobody else's write is in flight.
        """
        return self.open().filter(Q(state=OperationState.IN_FLIGHT) | Q(half_done=True))

    def due(self, *, now: datetime) -> OperationQuerySet:
        """Open operations whose time has come."""
        return self.open().filter(due_at__lte=now)


class Operation(models.Model):
    """One planned write to one provider. What exactly is written is derived from the hub at the door."""

    person_path = "calendar__account__person"  # whose a row is: see ``accounts.reach``

    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="operations")
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=6, choices=[(kind, kind) for kind in ("create", "update", "delete")])
    paths = models.JSONField(default=list)  # names of the fields concerned, no content
    why = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=9, choices=OperationState, default=OperationState.PLANNED)
    reason = models.CharField(max_length=255, blank=True)  # why it is parked or was dropped
    remedy = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    half_done = models.BooleanField(default=False)  # a series' write broke off: part of it may stand at the provider
    due_at = models.DateTimeField()

    changed_at = models.DateTimeField(null=True, blank=True)  # at the provider where the change was made
    noticed_at = models.DateTimeField(null=True, blank=True)  # the bell
    pulled_at = models.DateTimeField(null=True, blank=True)
    planned_at = models.DateTimeField()
    written_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        indexes = [models.Index(fields=["calendar", "state", "due_at"], name="operation_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["link"], condition=Q(state__in=("planned", "in_flight")), name="operation_open_once_per_link"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def close(
        self, state: OperationState, *, now: datetime, reason: str = "", remedy: str = "", code: str = ""
    ) -> None:
        """End the operation (in memory)."""
        self.state, self.closed_at = state, now
        self.reason, self.remedy, self.error_code = reason[:255], remedy[:255], code[:80]

    def retry_at(self, due_at: datetime, *, reason: str, code: str = "") -> None:
        """Plan another attempt (in memory)."""
        self.state, self.due_at = OperationState.PLANNED, due_at
        self.reason, self.error_code = reason[:255], code[:80]


class Finding(models.Model):
    """What the engine found and a person must see or decide; stored in the transaction that decided it."""

    person_path = "person"  # whose a row is: see ``accounts.reach``

    kind = models.CharField(max_length=24, choices=[(kind.value, kind.value.replace("_", " ")) for kind in FindingKind])
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="findings")
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.SET_NULL, related_name="findings")
    event = models.ForeignKey(Event, null=True, blank=True, on_delete=models.SET_NULL, related_name="findings")
    link = models.ForeignKey(Link, null=True, blank=True, on_delete=models.SET_NULL, related_name="findings")
    remote_id = models.CharField(max_length=1024, blank=True)
    paths = models.JSONField(default=list)
    values = SealedJSONField(default=dict)  # losing values; what a brake held
    mark = models.CharField(max_length=16, blank=True)  # for which when, where and with whom an approval is asked
    text = models.CharField(max_length=500)  # for a person, without event text
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=12, blank=True)  # what a person decided: see ``calendars.decisions``
    case_opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=["case_opened_at"], name="finding_case_opened")]

    def __str__(self) -> str:
        return f"finding {self.pk}: {self.get_kind_display()}"


class HookCount(models.Model):
    """How many notifications of one outcome arrived on one day; forged and unknown ones included."""

    day = models.DateField()
    provider = models.CharField(max_length=10)
    outcome = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-day", "provider", "outcome")
        constraints = [models.UniqueConstraint(fields=["day", "provider", "outcome"], name="hook_count_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.outcome} on {self.day}: {self.count}"


class AuditRun(models.Model):
    """The result of one consistency audit, for the history of the match rate."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    scope = models.CharField(max_length=255)
    match_rate = models.FloatField()  # per cent
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"audit {self.pk}: {self.match_rate:.2f} %"
