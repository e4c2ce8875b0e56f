"""The way out to a tenant's directory, built from its connection's credentials."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path

from django.conf import settings

from accounts.models import TenantConnection
from calsync.engine.events import Platform
from calsync.providers.base import AuthenticationFailed
from calsync.providers.google.directory import GoogleDirectory
from calsync.providers.google.oauth import GoogleCredentials, GoogleEndpoints
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from calsync.providers.people import DirectoryReading

UNIT_FIELDS = ("department", "officeLocation")


def read_directory(
    connection: TenantConnection, *, known: Set[str], unit_from: str = UNIT_FIELDS[0]
) -> DirectoryReading:
    """Read a tenant's people to the end; raises ProviderError. ``known``: directory ids that need no closer look."""
    if not connection.from_environment:
        raise AuthenticationFailed(f"{connection} holds no credentials that could be used.", code="not_configured")
    try:
        if connection.platform == Platform.OUTLOOK:
            return _microsoft().people(known=known, unit_from=unit_from)
        return _google().read()
    except (OSError, ValueError) as error:
        raise AuthenticationFailed(f"The connection {connection} is misconfigured: {error}") from error


def _microsoft() -> GraphProvider:
    certificate = settings.MICROSOFT_CLIENT_CERTIFICATE
    return GraphProvider(
        GraphCredentials(
            tenant_id=settings.MICROSOFT_TENANT_ID,
            client_id=settings.MICROSOFT_CLIENT_ID,
            client_secret="" if certificate else settings.MICROSOFT_CLIENT_SECRET,
            client_certificate=Path(certificate).read_text() if certificate else "",
        ),
        GraphEndpoints(login_url=settings.MICROSOFT_LOGIN_URL, graph_url=settings.MICROSOFT_GRAPH_URL),
    )


def _google() -> GoogleDirectory:
    if not settings.GOOGLE_ADMIN_SUBJECT:
        raise ValueError("GOOGLE_ADMIN_SUBJECT must name the administrator to act as")
    info = json.loads(Path(settings.GOOGLE_SERVICE_ACCOUNT_FILE).read_text())
    return GoogleDirectory(
        GoogleCredentials(service_account_info=info),
        GoogleEndpoints(api_url=settings.GOOGLE_API_URL),
        admin=settings.GOOGLE_ADMIN_SUBJECT,
    )
