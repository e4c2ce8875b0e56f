"""The form of a tenant connection: public facts, and new credentials that are looked through and never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.credentials import NotUsable, Proof, certificate_proof, key_file_proof, secret_proof
from accounts.models import TenantConnection
from calsync.engine.events import Platform


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
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"spellcheck": "false"}),
        help_text="The whole JSON key file.",
    )

    class Meta:
        model = TenantConnection
        fields = ("platform", "name", "tenant", "client", "directory_admin")
        help_texts = {
            "tenant": "Microsoft: the directory (tenant) id. Google: the Workspace's primary domain.",
            "client": "Microsoft: the application (client) id. Google: it is taken from the key file.",
            "directory_admin": "Google: an administrator to act as when people are imported. May be empty.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mail_domains"].initial = " ".join(self.instance.domains)

    def clean(self) -> dict[str, Any]:
        """Look through the new credentials, and try to store."""
        cleaned = super().clean() or {}
        self.instance.domains = cleaned.get("mail_domains", "").lower().replace(",", " ").split()
        try:
            cleaned["proof"] = _proof(cleaned, cleaned.get("platform") or self.instance.platform)
        except NotUsable as error:
            raise ValidationError(str(error)) from error
        if cleaned["proof"] is None and not (self.instance.pk and self.instance.credentials):
            raise ValidationError("Give a client secret or a certificate (Microsoft), or a key file (Google).")
        return cleaned


def _proof(cleaned: dict[str, Any], platform: str) -> Proof | None:
    """The new credentials of a form; None when there are none. Raises NotUsable."""
    if platform == Platform.GOOGLE:
        return key_file_proof(cleaned["key_file"]) if cleaned.get("key_file") else None
    secret, certificate = cleaned.get("client_secret"), cleaned.get("certificate")
    if secret and certificate:
        raise NotUsable("Give either a client secret or a certificate, not both.")
    if certificate:
        return certificate_proof(certificate)
    return secret_proof(secret, cleaned.get("secret_ends_on")) if secret else None
