"""How mailboxes are reached: tenant connections and linked accounts, each with its state, since when and why."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Lower

from accounts.fields import AddressField
from accounts.models.health import MAX_REASON, MAX_REMEDY, HasHealth, Health
from accounts.models.people import User
from accounts.sealing import SealedTextField
from calsync.engine.events import Platform

PLATFORMS = [(Platform.OUTLOOK.value, "Outlook"), (Platform.GOOGLE.value, "Google")]


class TenantConnection(HasHealth):
    """How a whole Microsoft tenant or Google Workspace domain is reached. The default one keeps its secrets in the
    environment, the others hold them here, sealed.
    """

    platform = models.CharField(max_length=8, choices=PLATFORMS)
    name = models.CharField(max_length=200)
    tenant = models.CharField(max_length=255)  # Microsoft: tenant id; Google: the domain
    client = models.CharField(max_length=255, blank=True)  # app registration or service account, by its public id
    domains = models.JSONField(default=list, blank=True)  # mail domains whose mailboxes it reaches, lower-case
    credentials = SealedTextField(blank=True, default="")  # JSON; empty while the environment holds them
    expires_on = models.DateField(null=True, blank=True)  # the last day of the secret or certificate, when known
    from_environment = models.BooleanField(default=False)
    directory_admin = AddressField(blank=True)  # Google: the administrator to act as for the directory
    last_test = models.JSONField(default=list, blank=True)  # what the newest probe told, step by step
    tested_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(
        null=True, blank=True
    )  # when a token was last asked for anew, to see whether it is given
    refused_reason = models.CharField(
        max_length=MAX_REASON, blank=True
    )  # why that trial was refused; '' when it was not
    refused_remedy = models.CharField(max_length=MAX_REMEDY, blank=True)

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
        self.last_success_at = now
        self.enter(Health.HEALTHY, now=now)

    def fails(self, reason: str, *, now: datetime, remedy: str = "") -> None:
        """Note why the tenant does not let us in (in memory)."""
        self.enter(Health.ACTION_REQUIRED, now=now, reason=reason, remedy=remedy)

    def was_tested(self, steps: list[dict[str, str]], *, now: datetime) -> None:
        """Keep what a probe told (in memory)."""
        self.last_test, self.tested_at = steps, now

    def is_untried(self, *, now: datetime) -> None:
        """Note that the configuration has changed and was not tried since (in memory)."""
        self.last_test, self.tested_at = [], None
        self.tried_at, self.refused_reason, self.refused_remedy = None, "", ""
        self.enter(Health.WAITING, now=now)


class ReachedThrough(models.TextChoices):
    """Whose permission opens the mailbox."""

    TENANT = "tenant", "the tenant connection"
    CONSENT = "consent", "the person's own consent"


class LinkedAccountQuerySet(models.QuerySet["LinkedAccount"]):
    """Named selections."""

    def in_use(self) -> Self:
        """Accounts that are not disabled; those with a problem are still tried."""
        return self.filter(is_active=True)

    def mapped(self) -> Self:
        """Mailboxes that IT staff vouch for, by a file, a directory or by hand; a consent alone vouches for none."""
        return self.filter(Q(reached_through=ReachedThrough.TENANT) | Q(was_mapped=True))


class LinkedAccount(HasHealth):
    """One person's mailbox on one platform."""

    person_path = "person"  # whose a row is: see ``accounts.reach``

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="linked_accounts")
    platform = models.CharField(max_length=8, choices=PLATFORMS)
    address = AddressField()
    reached_through = models.CharField(max_length=8, choices=ReachedThrough, default=ReachedThrough.TENANT)
    was_mapped = models.BooleanField(default=False)  # with ``CONSENT``: IT staff have mapped it all the same
    connection = models.ForeignKey(
        TenantConnection, null=True, blank=True, on_delete=models.PROTECT, related_name="linked_accounts"
    )
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

    @property
    def is_mapped(self) -> bool:
        """Whether IT staff vouch for it; see ``LinkedAccountQuerySet.mapped``."""
        return self.was_mapped or self.reached_through == ReachedThrough.TENANT

    def open_by_consent(self, *, now: datetime) -> None:
        """Let its owner's consent open the mailbox from now on (in memory)."""
        self.was_mapped = self.is_mapped
        self.reached_through = ReachedThrough.CONSENT
        if self.connection is not None and self.connection.from_environment:
            self.connection = None
        self.enable(now=now)

    def close_consent(self, reason: str, *, now: datetime) -> None:
        """Take a mailbox without its consent out of the sync (in memory); one that was mapped is so again."""
        if self.was_mapped:
            self.reached_through, self.was_mapped = ReachedThrough.TENANT, False
        self.disable(reason, now=now)

    def works(self, *, now: datetime) -> None:
        """Note that the mailbox answers (in memory). A disabled one stays disabled."""
        if self.state != Health.DISABLED:
            self.last_success_at = now
            self.enter(Health.HEALTHY, now=now)

    def fails(self, reason: str, *, now: datetime, remedy: str = "") -> None:
        """Note why the mailbox cannot be used (in memory). A disabled one stays disabled."""
        if self.state != Health.DISABLED:
            self.enter(Health.ACTION_REQUIRED, now=now, reason=reason, remedy=remedy)

    def disable(self, reason: str, *, now: datetime) -> None:
        """Take the mailbox out of the sync (in memory)."""
        self.enter(Health.DISABLED, now=now, reason=reason)

    def enable(self, *, now: datetime) -> None:
        """Let the mailbox take part again (in memory)."""
        self.enter(Health.WAITING, now=now)
