"""Double bookings: two events that want the same person at one time; and what counts as one, by org unit.

What lives here: rows and constraints. What does not: finding them (``detection``).
"""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import OrgUnit
from calendars.models import Event, Finding

MOST_GAP_MINUTES = 240


class DoubleBookingQuerySet(models.QuerySet["DoubleBooking"]):
    """Named selections."""

    def standing(self) -> Self:
        """Those that have not gone."""
        return self.filter(gone_at=None)


class DoubleBooking(models.Model):
    """Two events of one person that collide; series against series is one, with all its dates.

    The finding is what is put before the person; it is settled when the collision goes or somebody keeps both.
    """

    person_path = "person"  # whose a row is: see ``accounts.reach``

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="double_bookings")
    first = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")  # the one with the smaller number
    second = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    spans = models.JSONField(default=list)  # [start, end, apart] of each time, UTC as ISO 8601, in order
    next_at = models.DateTimeField()  # when the first of them begins
    looked_until = models.DateTimeField()  # dates beyond were not looked at yet
    finding = models.OneToOneField(Finding, null=True, on_delete=models.SET_NULL, related_name="double_booking")
    found_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = DoubleBookingQuerySet.as_manager()

    class Meta:
        ordering = ("next_at", "pk")
        indexes = [models.Index(fields=["person", "gone_at"], name="double_booking_person")]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "first", "second"], condition=Q(gone_at=None), name="double_booking_once_per_pair"
            ),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="double_booking_in_order"),
        ]

    def __str__(self) -> str:
        return f"double booking {self.pk}"


class OverlapPolicy(models.Model):
    """What counts as a double booking for the people of an org unit and the units below, down to the next policy."""

    unit_path = "unit"  # whose a row is: see ``accounts.reach``

    unit = models.OneToOneField(OrgUnit, on_delete=models.CASCADE, related_name="overlap_policy")
    tentative = models.BooleanField("tentative time counts", default=True)
    elsewhere = models.BooleanField("working elsewhere counts", default=False)
    all_day = models.BooleanField("all-day events count", default=True)
    gap_minutes = models.PositiveSmallIntegerField(
        "minutes wanted between meetings", default=0, validators=[MaxValueValidator(MOST_GAP_MINUTES)]
    )

    class Meta:
        ordering = ("unit__path",)
        verbose_name_plural = "overlap policies"
        constraints = [
            models.CheckConstraint(condition=Q(gap_minutes__lte=MOST_GAP_MINUTES), name="overlap_policy_gap_is_short")
        ]

    def __str__(self) -> str:
        return f"double bookings in {self.unit}"
