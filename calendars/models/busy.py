"""Busy time: what the events take from people's days, spread out into rows that can be searched by time.

What lives here: the rows and the one question about a span of time. What does not: working them out
(``calendars.busy``). Times and busy state are in clear: looking for overlaps needs them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from calendars.models.events import Event


class BusySlotQuerySet(models.QuerySet["BusySlot"]):
    """Named selections."""

    def between(self, start: datetime, end: datetime) -> Self:
        """What shares time with ``start`` to ``end``."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)


class BusySlot(models.Model):
    """Time that one event, or one occurrence of a series, takes from one person. A meeting counts once, however many
    copies of it stand in the person's calendars.
    """

    person_path = "person"  # whose a row is: see ``accounts.reach``

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="busy_slots", db_index=False
    )  # the index below begins with it
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="busy_slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    show_as = models.CharField(max_length=12)
    is_all_day = models.BooleanField(default=False)
    key = models.CharField(max_length=16, blank=True)  # of the occurrence

    objects = BusySlotQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "pk")
        indexes = [models.Index(fields=["person", "ends_at", "starts_at"], name="busy_slot_person_ends")]
        constraints = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="busy_slot_has_a_length"),
        ]

    def __str__(self) -> str:
        return f"busy slot {self.pk}"
