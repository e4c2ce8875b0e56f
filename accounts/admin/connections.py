"""The console's pages of tenant connections: how each is doing, and entering those beside the environment's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.console import SealedAdmin
from accounts.credentials import NotUsable, Proof, certificate_proof, key_file_proof, secret_proof
from accounts.models import TenantConnection
from accounts.services.connections import save_connection
from calsync.engine.events import Platform
from calsync.providers.google.provider import SCOPES

COLOURS = {
    "healthy": "success", "importing": "info", "catching_up": "info", "delayed": "warning", "action_required": "danger"
}  # fmt: skip
MICROSOFT = (
    "In the Entra admin center make an app registration, give it the application permissions Calendars.ReadWrite "
    "and MailboxSettings.Read of Microsoft Graph and grant admin consent. Tenant is the directory (tenant) id, client "
    "the application (client) id. To reach some mailboxes only, leave those permissions out and assign the role "
    "Application Calendars.ReadWrite with a management scope (RBAC for Applications in Exchange Online) instead."
)
GOOGLE = (
    "In Google Cloud make a project, enable the Google Calendar API, make a service account and a JSON key for it. In "
    "the Admin console (Security, API controls, Domain-wide delegation) add its client id with the scopes "
    f"{', '.join(SCOPES).replace('/', '/<wbr>')}. "
    "Tenant is the Workspace's primary domain. To reach some people only, switch the Calendar service off for the "
    "other org units, or map only those people."
)


class ConnectionForm(forms.ModelForm):
    """A connection's public facts, and new credentials. Those that are kept are never shown again."""

    mail_domains = forms.CharField(
        widget=UnfoldAdminTextInputWidget, help_text="Mail domains whose mailboxes it reaches, separated by blanks."
    )
    client_secret = forms.CharField(required=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}))
    secret_ends_on = forms.DateField(
        required=False, widget=UnfoldAdminDateWidget, help_text="The secret's last day, as Entra shows it."
    )
    certificate = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="Instead of a secret: private key and certificate, PEM.",
    )
    key_file = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget, help_text="Google: the whole JSON key file."
    )

    class Meta:
        model = TenantConnection
        fields = ("platform", "name", "tenant", "client")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mail_domains"].initial = " ".join(self.instance.domains)

    def clean(self) -> dict[str, Any]:
        """Look through the new credentials, and try to store."""
        cleaned = super().clean() or {}
        self.instance.domains = cleaned.get("mail_domains", "").lower().replace(",", " ").split()
        try:
            cleaned["proof"] = _proof(cleaned)
        except NotUsable as error:
            raise ValidationError(str(error)) from error
        if cleaned["proof"] is None and not (self.instance.pk and self.instance.credentials):
            raise ValidationError("Give a client secret or a certificate (Microsoft), or a key file (Google).")
        return cleaned


def _proof(cleaned: dict[str, Any]) -> Proof | None:
    """The new credentials of a form; None when there are none. Raises NotUsable."""
    if cleaned.get("platform") == Platform.GOOGLE:
        return key_file_proof(cleaned["key_file"]) if cleaned.get("key_file") else None
    secret, certificate = cleaned.get("client_secret"), cleaned.get("certificate")
    if secret and certificate:
        raise NotUsable("Give either a client secret or a certificate, not both.")
    if certificate:
        return certificate_proof(certificate)
    return secret_proof(secret, cleaned.get("secret_ends_on")) if secret else None


@admin.register(TenantConnection)
class TenantConnectionAdmin(SealedAdmin):
    """How each tenant is reached and doing. The environment's own connection is for looking."""

    form = ConnectionForm
    list_display = ("name", "platform", "tenant", "health", "state_since", "state_reason", "state_remedy",
                    "last_success_at", "expires_on")  # fmt: skip
    list_filter = ("platform", "state")
    search_fields = ("name", "tenant")
    readonly_fields = ("state", "state_since", "state_reason", "state_remedy", "last_success_at", "expires_on")
    fieldsets = (
        (None, {"fields": ("platform", "name", "tenant", "client", "mail_domains")}),
        ("Microsoft 365", {"fields": ("client_secret", "secret_ends_on", "certificate"), "description": MICROSOFT}),
        ("Google Workspace", {"fields": ("key_file",), "description": GOOGLE}),
        ("Health", {"fields": readonly_fields}),
    )

    @display(description="State", ordering="state", label=COLOURS)
    def health(self, connection: TenantConnection) -> tuple[str, str]:
        """The state as a coloured word."""
        return connection.state, connection.get_state_display()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not of what the environment configures."""
        return super().has_change_permission(request, obj) and not (obj is not None and obj.from_environment)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: mailboxes point to it."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # Any: Django's own signature
        """For looking: only what there is."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": ("platform", "name", "tenant", "client", *self.readonly_fields)}),)

    def save_model(self, request: HttpRequest, obj: TenantConnection, form: forms.ModelForm, change: bool) -> None:  # noqa: ARG002
        """Through the service, which seals and attaches mailboxes."""
        save_connection(connection=obj, proof=form.cleaned_data["proof"], now=timezone.now())
