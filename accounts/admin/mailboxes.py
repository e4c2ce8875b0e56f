"""The console's pages of connections, linked accounts and the installation's own secrets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.console import AsksReason, KeepsTrail, ReadOnlyAdmin, SealedAdmin
from accounts.models import Consent, LinkedAccount, Secret
from accounts.services.mailboxes import disable_accounts, enable_accounts


@admin.register(LinkedAccount)
class LinkedAccountAdmin(KeepsTrail, AsksReason, SealedAdmin):
    """Mailboxes: whose, how they are doing since when and why, and taking them out of the sync."""

    trail = {"added": "mailbox.added", "changed": "mailbox.changed"}  # none is deleted
    list_display = (
        "address",
        "platform",
        "person",
        "state",
        "state_since",
        "state_reason",
        "state_remedy",
        "last_success_at",
        "paused_until",
    )
    list_filter = ("platform", "state", "reached_through")
    list_select_related = ("person",)
    search_fields = ("address", "person__email", "person__name")
    autocomplete_fields = ("person",)
    fields = (
        "person",
        "platform",
        "address",
        "reached_through",
        "connection",
        "state",
        "state_since",
        "state_reason",
        "state_remedy",
        "last_success_at",
        "paused_until",
    )
    actions = ("disable", "enable")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """The state changes by actions only; whose mailbox it is does not change once it is linked."""
        state = (
            "reached_through",
            "state",
            "state_since",
            "state_reason",
            "state_remedy",
            "last_success_at",
            "paused_until",
        )
        return (*state, "person", "platform", "address") if obj else state

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: a mailbox is disabled instead, so that what was synced stays explainable."""
        return False

    @admin.action(description="Disable ...", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[LinkedAccount]) -> HttpResponse | None:
        """Take mailboxes out of the sync."""

        def do(accounts: QuerySet[LinkedAccount], reason: str) -> str:
            count = disable_accounts(accounts=accounts, reason=reason, now=timezone.now())
            return f"{count} mailboxes were disabled."

        return self.with_reason(request, queryset, title="Disable mailboxes", do=do)

    @admin.action(description="Enable again", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[LinkedAccount]) -> None:
        """Let mailboxes take part again."""
        try:
            count = enable_accounts(accounts=queryset, now=timezone.now())
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.message_user(request, f"{count} mailboxes were enabled.")


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """What people granted for their own mailboxes and how that is doing; never a token."""

    list_display = ("account", "state", "state_since", "state_reason", "state_remedy", "obtained_at", "rotated_at")
    list_filter = ("state", "account__platform")
    list_select_related = ("account__person",)
    search_fields = ("account__address", "account__person__email", "account__person__name")
    fields = (
        "account",
        "state",
        "state_since",
        "state_reason",
        "state_remedy",
        "last_success_at",
        "scopes",
        "obtained_at",
        "rotated_at",
        "expires_at",
    )


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    """That a secret exists and since when; never what it is."""

    list_display = ("name", "created_at")
    fields = ("name", "created_at")
