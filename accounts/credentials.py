"""What opens a tenant: from a connection's sealed credentials, or from the environment, to the adapters' own values.

What lives here: values only. What does not: tokens and requests (``calsync.providers``), which connection an account
belongs to (``selectors``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings

from accounts.models import TenantConnection
from calsync.engine.events import Platform
from calsync.providers.google.provider import GoogleCredentials
from calsync.providers.graph import GraphCredentials

Credentials = GraphCredentials | GoogleCredentials


class NotUsable(ValueError):
    """Credentials that cannot work; the message is for a person and quotes nothing of them."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Credentials that were looked through: the text to seal, their last day when known, and a public id within."""

    sealed: str = field(repr=False)
    expires_on: date | None = None
    client: str = ""


def secret_proof(secret: str, expires_on: date | None) -> Proof:
    """A client secret; its last day is known to the administrator alone."""
    return Proof(json.dumps({"client_secret": secret}), expires_on)


def certificate_proof(pem: str) -> Proof:
    """A PEM text with a private key and its certificate; raises NotUsable."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except (TypeError, ValueError):
        raise NotUsable(
            "The file must hold a private key without a passphrase and its certificate, both as PEM."
        ) from None
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise NotUsable("The certificate in the file does not belong to the private key in it.")
    return Proof(json.dumps({"client_certificate": pem}), certificate.not_valid_after_utc.date())


def key_file_proof(text: str) -> Proof:
    """A service account's key file; raises NotUsable."""
    try:
        info = json.loads(text)
    except ValueError:
        raise NotUsable("The key file is no JSON.") from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise NotUsable("The file is no service account's key.")
    try:
        GoogleCredentials(service_account_info=info)
        serialization.load_pem_private_key(str(info["private_key"]).encode(), password=None)
    except (TypeError, ValueError) as error:
        raise NotUsable(f"The key file cannot be used ({type(error).__name__}).") from None
    return Proof(json.dumps({"service_account": info}), client=str(info["client_email"]))


def credentials_of(connection: TenantConnection) -> Credentials:
    """What a connection's adapters need; raises ValueError or OSError when it is not whole."""
    if connection.from_environment:
        return credentials_of_environment(Platform(connection.platform))
    held = json.loads(connection.credentials or "{}")
    if connection.platform == Platform.GOOGLE:
        return GoogleCredentials(service_account_info=held.get("service_account") or {})
    return GraphCredentials(
        tenant_id=connection.tenant,
        client_id=connection.client,
        client_secret=held.get("client_secret", ""),
        client_certificate=held.get("client_certificate", ""),
    )


def credentials_of_environment(platform: Platform) -> Credentials:
    """What the settings hold; raises ValueError or OSError when that is not whole."""
    if platform == Platform.GOOGLE:
        info = json.loads(Path(settings.GOOGLE_SERVICE_ACCOUNT_FILE).read_text(encoding="utf-8"))
        return GoogleCredentials(service_account_info=info)
    return microsoft_of_environment()


def microsoft_of_environment() -> GraphCredentials:
    """The app registration of the settings; raises ValueError or OSError when it is not whole."""
    certificate = settings.MICROSOFT_CLIENT_CERTIFICATE
    return GraphCredentials(
        tenant_id=settings.MICROSOFT_TENANT_ID,
        client_id=settings.MICROSOFT_CLIENT_ID,
        client_secret="" if certificate else settings.MICROSOFT_CLIENT_SECRET,
        client_certificate=Path(certificate).read_text(encoding="utf-8") if certificate else "",
    )
