"""One calendar of a linked account: its cursor, its bell, its lease and its health; and its push channels.

What lives here: rows and the conditional updates that change their state. What does not: what a change means.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from accounts.models import Clearance, HasHealth, Health, LinkedAccount
from accounts.sealing import SealedTextField
from calsync.engine.events import Platform


class CalendarQuerySet(models.QuerySet["Calendar"]):
    """Named selections and conditional updates."""

    def active(self) -> Self:
        """Calendars that are switched on for sync, of accounts in use."""
        return self.filter(is_active=True, account__is_active=True)

    def ring(self, *, now: datetime) -> int:
        """Remember that these calendars want a turn."""
        return self.update(wanted=F("wanted") + 1, dirty_at=Coalesce("dirty_at", now))

    def try_again(self) -> int:
        """Do not wait any longer where a person was needed: somebody asks, who may have mended it."""
        return self.filter(state=Health.ACTION_REQUIRED).update(not_before=None)

    def reread(self, *, now: datetime) -> int:
        """Want a complete read, beside the cursor: that one stays in use until the read has come to its end."""
        return self.update(reread_at=now)

    def due_for_poll(self, *, now: datetime) -> Self:
        """Active calendars whose next poll has come."""
        return self.active().filter(Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=now))

    def free_now(self, *, now: datetime) -> Self:
        """Active calendars that nobody holds and that may be worked on (no pause)."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        allowed = Q(not_before__isnull=True) | Q(not_before__lte=now)
        return self.active().filter(free, allowed)

    def unserved(self, *, now: datetime) -> Self:
        """Calendars that want a turn and that nobody holds: what a lost bell leaves behind."""
        return self.free_now(now=now).filter(wanted__gt=F("done"))


class Calendar(HasHealth):
    """One calendar in a linked account."""

    person_path = "account__person"  # whose a row is: see ``accounts.reach``

    account = models.ForeignKey(LinkedAccount, on_delete=models.CASCADE, related_name="calendars")
    remote_id = models.CharField(max_length=512, default="primary")  # "primary" or the provider's id; case-sensitive
    name = models.CharField(max_length=255, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_primary = models.BooleanField(default=True)
    # What its events are at least; until somebody classifies it, the highest.
    classification = models.PositiveSmallIntegerField(choices=Clearance, default=Clearance.RESTRICTED)

    is_active = models.BooleanField(default=False)
    activated_at = models.DateTimeField(null=True, blank=True)
    imported_at = models.DateTimeField(null=True, blank=True)  # the first complete read
    leaves_existing_alone = models.BooleanField(default=False)  # activated with --from-now

    last_attempt_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)  # Retry-After and quota pauses of this mailbox

    cursor = models.TextField(blank=True)
    generation = models.PositiveIntegerField(default=0)  # of complete reads
    reread_at = models.DateTimeField(null=True, blank=True, db_index=True)  # from when a complete read is wanted
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)

    wanted = models.PositiveBigIntegerField(default=0)  # how often the bell rang
    done = models.PositiveBigIntegerField(default=0)  # up to which ring the calendar was read
    dirty_at = models.DateTimeField(null=True, blank=True)  # when the oldest unserved ring came
    rung_at = models.DateTimeField(null=True, blank=True)  # when a task was last queued and has not begun
    catch_up_at = models.DateTimeField(null=True, blank=True)  # when the next portion may go of what a switch held back
    next_poll_at = models.DateTimeField(null=True, blank=True, db_index=True)

    lease_owner = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    leases_run_out = models.PositiveSmallIntegerField(default=0)  # in a row, before the present one

    objects = CalendarQuerySet.as_manager()

    class Meta:
        ordering = ("account__address", "pk")
        constraints = [
            models.UniqueConstraint(fields=["account", "remote_id"], name="calendar_once_per_account"),
            models.CheckConstraint(
                condition=Q(classification__in=Clearance.values), name="calendar_classification_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account.get_platform_display()} calendar of {self.account.address}"

    @property
    def platform(self) -> Platform:
        """The platform that holds this calendar."""
        return Platform(self.account.platform)


class WatchState(models.TextChoices):
    """Life of a push channel."""

    ASKED = "asked", "asked for"
    LIVE = "live", "live"
    REFUSED = "refused", "refused"
    DEAD = "dead", "dead, to be replaced"
    STOPPED = "stopped", "stopped"


class WatchQuerySet(models.QuerySet["Watch"]):
    """Named selections and conditional updates."""

    def announcing(self, *, now: datetime) -> Self:
        """Channels that stand, as far as can be known: Google's speaks when it is made, else it is unproven."""
        proven = Q(heard_at__isnull=False) | ~Q(calendar__account__platform=Platform.GOOGLE.value)
        return self.filter(proven, state=WatchState.LIVE, expires_at__gt=now)

    def hear(self, *, now: datetime) -> int:
        """Note that they have spoken."""
        return self.update(heard_at=now, owed_since=None)

    def expect_news(self, *, since: datetime, now: datetime) -> int:
        """Note that something has changed since then, which those that stand have to announce or have announced."""
        unheard = Q(heard_at__isnull=True) | Q(heard_at__lt=since)
        return self.filter(unheard, state=WatchState.LIVE, owed_since=None).update(owed_since=now)


class Watch(models.Model):
    """One push channel on one calendar. Its secret comes back with every notification."""

    person_path = "calendar__account__person"  # whose a row is: see ``accounts.reach``

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="watches")
    channel_id = models.UUIDField(default=uuid.uuid4, unique=True)
    subscription_id = models.CharField(max_length=255, blank=True, db_index=True)
    resource_id = models.CharField(max_length=255, blank=True)
    secret = SealedTextField()
    state = models.CharField(max_length=10, choices=WatchState, default=WatchState.ASKED)
    state_since = models.DateTimeField()
    state_reason = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    owed_since = models.DateTimeField(null=True, blank=True)  # since when a change that we know of is not announced

    objects = WatchQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return f"watch on {self.calendar}"

    def enter(self, state: WatchState, *, now: datetime, reason: str = "") -> None:
        """Change the state (in memory)."""
        self.state, self.state_since, self.state_reason = state, now, reason[:255]

    def lives_until(self, expires_at: datetime, *, now: datetime) -> None:
        """Note the expiry that the provider granted; renewal is due at 75 % of it."""
        self.expires_at = expires_at
        self.renew_at = now + max(timedelta(minutes=1), (expires_at - now) * 0.75)
