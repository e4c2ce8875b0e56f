"""People's own consents: for one mailbox each, the tokens that its owner granted, sealed."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from accounts.models.health import HasHealth, Health
from accounts.models.mailboxes import LinkedAccount
from accounts.sealing import SealedTextField
from calsync.providers.consent import Tokens


class Consent(HasHealth):
    """What the owner of one mailbox granted, and how that is doing: healthy, or action required once it has ended."""

    person_path = "account__person"  # whose a row is: see ``accounts.reach``

    account = models.OneToOneField(LinkedAccount, on_delete=models.CASCADE, related_name="consent")
    access_token = SealedTextField(blank=True, default="")
    refresh_token = SealedTextField(blank=True, default="")
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()  # of the access token
    obtained_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True, blank=True)  # when the provider last gave a new refresh token
    generation = models.PositiveIntegerField(default=1)  # counts the changes of tokens: who read an older one sees it
    renewing_until = models.DateTimeField(null=True, blank=True)  # somebody asks for new tokens

    class Meta:
        ordering = ("account",)

    def __str__(self) -> str:
        return f"the consent for {self.account}"

    def holds(self, tokens: Tokens, *, now: datetime) -> None:
        """Take over what a provider has just handed out (in memory)."""
        self.access_token, self.expires_at = tokens.access, now + tokens.lasts
        if tokens.refresh:
            self.refresh_token = tokens.refresh
        self.scopes = sorted(tokens.scopes) or self.scopes
        self.generation += 1
        self.renewing_until = None
        self.last_success_at = now
        self.enter(Health.HEALTHY, now=now)

    def ends(self, reason: str, *, now: datetime, remedy: str) -> None:
        """Note that the provider takes the tokens no more, and drop them (in memory)."""
        self.access_token = self.refresh_token = ""
        self.generation += 1
        self.renewing_until = None
        self.enter(Health.ACTION_REQUIRED, now=now, reason=reason, remedy=remedy)
