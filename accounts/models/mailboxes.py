"""How mailboxes are reached: tenant connections and linked accounts, each with its state, since when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.fields import AddressField
from accounts.models.people import User
from accounts.sealing import SealedTextField
from calsync.engine.events import Platform

PLATFORMS = [(Platform.OUTLOOK.value, "Outlook"), (Platform.GOOGLE.value, "Google")]
MAX_REASON = 255


class ConnectionState(models.TextChoices):
    """Whether a tenant lets us in."""

    UNKNOWN = "unknown", "not tried yet"
    OK = "ok", "working"
    PROBLEM = "problem", "problem"


class TenantConnection(models.Model):
    """How a whole Microsoft tenant or Google Workspace domain is reached. Its secrets stay in the environment."""

    platform = models.CharField(max_length=8, choices=PLATFORMS)
    name = models.CharField(max_length=200)
    tenant = models.CharField(max_length=255)  # Microsoft: tenant id; Google: the domain
    client = models.CharField(max_length=255, blank=True)  # app registration or service account, by its public id
    credentials = SealedTextField(blank=True, default="")  # empty while the environment holds them
    from_environment = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=ConnectionState, default=ConnectionState.UNKNOWN)
    state_since = models.DateTimeField(default=timezone.now)
    state_reason = models.CharField(max_length=MAX_REASON, blank=True)

    class Meta:
        verbose_name = "tenant connection"
        ordering = ("platform", "name")
        constraints = [
            models.UniqueConstraint(fields=["platform", "tenant"], name="connection_once_per_tenant"),
            models.UniqueConstraint(
                fields=["platform"], condition=Q(from_environment=True), name="connection_from_environment_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def works(self, *, now: datetime) -> None:
        """Note that the tenant let us in (in memory)."""
        self._enter(ConnectionState.OK, now=now)

    def fails(self, reason: str, *, now: datetime) -> None:
        """Note why the tenant does not let us in (in memory)."""
        self._enter(ConnectionState.PROBLEM, now=now, reason=reason)

    def is_untried(self, *, now: datetime) -> None:
        """Note that the configuration has changed and was not tried since (in memory)."""
        self._enter(ConnectionState.UNKNOWN, now=now)

    def _enter(self, state: ConnectionState, *, now: datetime, reason: str = "") -> None:
        if self.state != state:
            self.state, self.state_since = state, now
        self.state_reason = reason[:MAX_REASON]


class AccountState(models.TextChoices):
    """Whether a mailbox takes part."""

    ACTIVE = "active", "active"
    PROBLEM = "problem", "problem"
    DISABLED = "disabled", "disabled"


class ReachedThrough(models.TextChoices):
    """Whose permission opens the mailbox."""

    TENANT = "tenant", "the tenant connection"
    CONSENT = "consent", "the person's own consent"


class LinkedAccountQuerySet(models.QuerySet["LinkedAccount"]):
    """Named selections."""

    def in_use(self) -> Self:
        """Accounts that are not disabled; those with a problem are still tried."""
        return self.filter(is_active=True)


class LinkedAccount(models.Model):
    """One person's mailbox on one platform."""

    person_path = "person"  # whose a row is: see ``accounts.reach``

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="linked_accounts")
    platform = models.CharField(max_length=8, choices=PLATFORMS)
    address = AddressField()
    reached_through = models.CharField(max_length=8, choices=ReachedThrough, default=ReachedThrough.TENANT)
    connection = models.ForeignKey(
        TenantConnection, null=True, blank=True, on_delete=models.PROTECT, related_name="linked_accounts"
    )
    state = models.CharField(max_length=8, choices=AccountState, default=AccountState.ACTIVE)
    state_since = models.DateTimeField(default=timezone.now)
    state_reason = models.CharField(max_length=MAX_REASON, blank=True)
    is_active = models.GeneratedField(  # for queries; derived, so that it cannot disagree with the state
        expression=Case(When(state="disabled", then=Value(False)), default=Value(True)),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    directory_id = models.CharField(max_length=128, blank=True)  # survives changes of address; '' where none is known
    aliases = models.JSONField(default=list, blank=True)  # its other addresses, as the directory tells them
    paused_until = models.DateTimeField(null=True, blank=True)  # a quota of the whole mailbox recovers then

    objects = LinkedAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "linked account"
        ordering = ("address", "platform")
        constraints = [
            models.UniqueConstraint(fields=["platform", "address"], name="account_once_per_mailbox"),
            models.UniqueConstraint(
                fields=["person", "platform"],
                condition=Q(reached_through="tenant") & ~Q(state="disabled"),
                name="account_once_per_person_and_platform",
                violation_error_message="The person has another mailbox in use on this platform.",
            ),
            models.UniqueConstraint(
                fields=["platform", "directory_id"],
                condition=~Q(directory_id=""),
                name="account_once_per_directory_id",
            ),
            models.CheckConstraint(condition=Q(address=Lower("address")), name="account_address_is_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.address}"

    def works(self, *, now: datetime) -> None:
        """Note that the mailbox answers (in memory). A disabled one stays disabled."""
        if self.state != AccountState.DISABLED:
            self._enter(AccountState.ACTIVE, now=now)

    def fails(self, reason: str, *, now: datetime) -> None:
        """Note why the mailbox cannot be used (in memory). A disabled one stays disabled."""
        if self.state != AccountState.DISABLED:
            self._enter(AccountState.PROBLEM, now=now, reason=reason)

    def disable(self, reason: str, *, now: datetime) -> None:
        """Take the mailbox out of the sync (in memory)."""
        self._enter(AccountState.DISABLED, now=now, reason=reason)

    def enable(self, *, now: datetime) -> None:
        """Let the mailbox take part again (in memory)."""
        self._enter(AccountState.ACTIVE, now=now)

    def _enter(self, state: AccountState, *, now: datetime, reason: str = "") -> None:
        if self.state != state:
            self.state, self.state_since = state, now
        self.state_reason = reason[:MAX_REASON]
