"""Mailboxes that a directory holds and nobody can say for certain whose they are."""

from __future__ import annotations

from typing import Self

from django.db import models

from accounts.fields import AddressField
from accounts.models.health import MAX_REASON
from accounts.models.mailboxes import PLATFORMS, TenantConnection
from accounts.models.people import User


class FoundState(models.TextChoices):
    """Whether somebody has looked."""

    WAITING = "waiting", "waiting"
    IGNORED = "ignored", "ignored"


class FoundMailboxQuerySet(models.QuerySet["FoundMailbox"]):
    """Named selections."""

    def waiting(self) -> Self:
        """Those that nobody has decided yet."""
        return self.filter(state=FoundState.WAITING)


class FoundMailbox(models.Model):
    """One entry of a directory that waits for a person, with what is needed to map it."""

    platform = models.CharField(max_length=8, choices=PLATFORMS)
    connection = models.ForeignKey(TenantConnection, on_delete=models.CASCADE, related_name="found_mailboxes")
    directory_id = models.CharField(max_length=128)
    address = AddressField()
    aliases = models.JSONField(default=list, blank=True)
    name = models.CharField(max_length=200, blank=True)
    org_unit = models.CharField(max_length=500, blank=True)  # a path; the unit itself may not exist yet
    time_zone = models.CharField(max_length=64, blank=True)
    candidate = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=MAX_REASON)
    state = models.CharField(max_length=8, choices=FoundState, default=FoundState.WAITING)
    found_at = models.DateTimeField()

    objects = FoundMailboxQuerySet.as_manager()

    class Meta:
        verbose_name = "found mailbox"
        verbose_name_plural = "found mailboxes"
        ordering = ("address", "platform")
        constraints = [
            models.UniqueConstraint(fields=["platform", "directory_id"], name="found_once_per_directory_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.address}"
