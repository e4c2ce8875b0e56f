"""Tenant connections: the rows that stand for what the environment configures, and how they are doing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.credentials import Proof, certificate_proof
from accounts.models import LinkedAccount, TenantConnection
from accounts.models.health import STATE_FIELDS
from accounts.trail import record
from calsync.engine.events import Platform

_ENVIRONMENT_FAULTS = ("The environment ", "MICROSOFT_", "GOOGLE_")  # how the reasons below begin


@dataclass(frozen=True, slots=True)
class Configured:
    """What the environment says of one tenant, without any secret. ``problem`` is '' when it is whole."""

    name: str
    tenant: str
    client: str
    problem: str = ""
    expires_on: date | None = None  # of a certificate; nobody tells the end of a secret


@transaction.atomic
def ensure_connections_from_environment(*, now: datetime) -> dict[Platform, TenantConnection]:
    """Make or update the rows of the tenants that the settings name; secrets stay in the environment.

    A tenant that the settings no longer name keeps its row (accounts point to it) and is shown as a problem. Returns
    the connections that are configured, working or not.
    """
    found = {Platform.OUTLOOK: configured_microsoft(), Platform.GOOGLE: configured_google()}
    rows = {row.platform: row for row in TenantConnection.objects.filter(from_environment=True)}
    kept: dict[Platform, TenantConnection] = {}
    for platform, configured in found.items():
        row = rows.get(platform.value)
        if configured is not None:
            kept[platform] = _store(platform, configured, row, now=now)
        elif row is not None:
            row.fails("The environment does not name this tenant any more.", now=now)
            row.save()
    return kept


def _store(platform: Platform, told: Configured, row: TenantConnection | None, *, now: datetime) -> TenantConnection:
    # A row that was made by hand for the same tenant becomes the environment's.
    row = row or TenantConnection.objects.filter(platform=platform.value, tenant=told.tenant).first()
    row = row or TenantConnection(platform=platform.value, state_since=now)
    before = _as_told(row)
    changed = (row.tenant, row.client) != (told.tenant, told.client)
    row.name, row.tenant, row.client, row.from_environment = told.name, told.tenant, told.client, True
    row.expires_on = told.expires_on
    if told.problem:
        row.fails(told.problem, now=now)
    elif changed or row.state_reason.startswith(_ENVIRONMENT_FAULTS):
        row.is_untried(now=now)  # what was known says nothing about this configuration
    if row.pk is None or _as_told(row) != before:
        row.save()
    return row


def _as_told(row: TenantConnection) -> tuple[object, ...]:
    """What ``_store`` may change."""
    return row.name, row.tenant, row.client, row.from_environment, row.tested_at, *row.state_values().values()


def configured_microsoft() -> Configured | None:
    """The Entra app registration of the settings; None when none is named."""
    tenant, client = settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID
    proof = settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE
    if not tenant:
        return None
    missing = [name for name, value in (("CLIENT_ID", client), ("CLIENT_SECRET or _CERTIFICATE", proof)) if not value]
    problem = f"MICROSOFT_{missing[0]} is not set." if missing else ""
    return Configured(
        name=f"Microsoft 365 {tenant}", tenant=tenant, client=client, problem=problem, expires_on=_end_of_certificate()
    )


def _end_of_certificate() -> date | None:
    """The last day of the certificate that the settings name; None without one that can be read."""
    try:
        pem = Path(settings.MICROSOFT_CLIENT_CERTIFICATE).read_text(encoding="utf-8")
        return certificate_proof(pem).expires_on
    except (OSError, ValueError):
        return None


def configured_google() -> Configured | None:
    """The service account of the settings; None when none is named.

    The domain is that of GOOGLE_ADMIN_SUBJECT; without one, the service account's project stands for it.
    """
    path = settings.GOOGLE_SERVICE_ACCOUNT_FILE
    if not path:
        return None
    key, problem = _public_part(Path(path))
    domain = settings.GOOGLE_ADMIN_SUBJECT.rpartition("@")[2].lower()
    tenant = domain or key.get("project_id", "") or "google"
    return Configured(
        name=f"Google Workspace {tenant}", tenant=tenant, client=key.get("client_email", ""), problem=problem
    )


def _public_part(path: Path) -> tuple[Mapping[str, str], str]:
    """Of a service account's key file: what is no secret, and why the file is of no use ('' when it is)."""
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}, "GOOGLE_SERVICE_ACCOUNT_FILE names a file that cannot be read."
    except ValueError:
        return {}, "GOOGLE_SERVICE_ACCOUNT_FILE names a file that is no JSON."
    if not isinstance(key, dict) or key.get("type") != "service_account":
        return {}, "GOOGLE_SERVICE_ACCOUNT_FILE names a file that is no service account's key."
    public = {name: str(key.get(name, "")) for name in ("project_id", "client_email")}
    return public, "" if public["client_email"] else "GOOGLE_SERVICE_ACCOUNT_FILE holds no client_email."


def report_connection(*, connection_id: int, problem: str = "", now: datetime) -> None:
    """Note that a tenant let us in ('' as ``problem``) or why it did not. Writes only what changed."""
    row = TenantConnection.objects.filter(pk=connection_id).first()
    if row is None:
        return
    before = (row.state, row.state_reason)
    if problem:
        row.fails(problem, now=now)
    else:
        row.works(now=now)
    if (row.state, row.state_reason) != before:
        row.save(update_fields=[*STATE_FIELDS, "last_success_at"])


@transaction.atomic
def save_connection(*, connection: TenantConnection, proof: Proof | None = None, now: datetime) -> TenantConnection:
    """Store a connection of our own with its public facts, and with new credentials when some are given.

    The former credentials serve until this moment; every worker takes the new ones at its next call. Mailboxes of its
    mail domains are attached to it unless another one was chosen for them. Raises ValidationError.
    """
    if connection.from_environment:
        raise ValidationError("This connection is configured by the environment.")
    if proof is None and not connection.credentials:
        raise ValidationError("Give the credentials of this connection.")
    if proof is not None:
        connection.credentials, connection.expires_on = proof.sealed, proof.expires_on
        connection.client = proof.client or connection.client
        connection.is_untried(now=now)
    connection.full_clean(exclude=["credentials"])
    connection.save()
    record("connection.saved", target=connection, now=now, credentials="new" if proof else "kept")
    unchosen = Q(connection=None) | Q(connection__from_environment=True)
    for account in LinkedAccount.objects.filter(unchosen, platform=connection.platform).order_by("pk"):
        if account.address.rpartition("@")[2] in connection.domains:
            account.connection = connection
            account.save(update_fields=["connection"])
    return connection
