"""The way out to a tenant: adapters built from a connection's credentials, and reading its directory.

What lives here: which credentials count, and what is made of them. What does not: which adapter serves which mailbox
(``calendars.gateway``).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager

from django.conf import settings

from accounts.credentials import Credentials, credentials_of, credentials_of_environment
from accounts.models import TenantConnection
from calsync.engine.events import Platform
from calsync.providers.base import AuthenticationFailed
from calsync.providers.google.directory import GoogleDirectory
from calsync.providers.google.provider import GoogleCredentials, GoogleEndpoints, GoogleProvider
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from calsync.providers.people import DirectoryReading

UNIT_FIELDS = ("department", "officeLocation")
SETTINGS = {
    Platform.OUTLOOK: "MICROSOFT_TENANT_ID, MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET",
    Platform.GOOGLE: "GOOGLE_SERVICE_ACCOUNT_FILE",
}
"""What to set for the environment's connection."""


def is_configured(platform: Platform) -> bool:
    """Whether the environment holds a connection for a platform."""
    if platform == Platform.OUTLOOK:
        proof = settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE
        return bool(settings.MICROSOFT_TENANT_ID and settings.MICROSOFT_CLIENT_ID and proof)
    return bool(settings.GOOGLE_SERVICE_ACCOUNT_FILE)


def graph_endpoints() -> GraphEndpoints:
    """Where Microsoft is reached; raises AuthenticationFailed for addresses that may not be."""
    with _told_of(Platform.OUTLOOK):
        return GraphEndpoints(login_url=settings.MICROSOFT_LOGIN_URL, graph_url=settings.MICROSOFT_GRAPH_URL)


def google_endpoints() -> GoogleEndpoints:
    """Where Google is reached; raises AuthenticationFailed for an address that may not be."""
    with _told_of(Platform.GOOGLE):
        return GoogleEndpoints(api_url=settings.GOOGLE_API_URL)


def open_credentials(connection: TenantConnection | None, platform: Platform) -> Credentials:
    """The credentials of a connection; None stands for the environment's. Raises AuthenticationFailed."""
    own = connection is not None and not connection.from_environment
    if not own and not is_configured(platform):
        raise AuthenticationFailed(
            f"No connection to {platform} is configured: set {SETTINGS[platform]}.", code="not_configured"
        )
    with _told_of(connection.name if connection else platform):
        return credentials_of(connection) if own and connection else credentials_of_environment(platform)


def open_adapter(connection: TenantConnection | None, platform: Platform) -> GraphProvider | GoogleProvider:
    """A new adapter of a connection; None stands for the environment's. Raises AuthenticationFailed."""
    credentials = open_credentials(connection, platform)
    if isinstance(credentials, GoogleCredentials):
        return GoogleProvider(credentials, google_endpoints())
    return GraphProvider(credentials, graph_endpoints())


def read_directory(
    connection: TenantConnection, *, known: Set[str], unit_from: str = UNIT_FIELDS[0]
) -> DirectoryReading:
    """Read a tenant's people to the end; raises ProviderError. ``known``: directory ids that need no closer look."""
    credentials = open_credentials(connection, Platform(connection.platform))
    if isinstance(credentials, GraphCredentials):
        return GraphProvider(credentials, graph_endpoints()).people(known=known, unit_from=unit_from)
    if not (admin := directory_admin(connection)):
        raise AuthenticationFailed(_no_admin(connection), code="configuration")
    return GoogleDirectory(credentials, google_endpoints(), admin=admin).read()


def directory_admin(connection: TenantConnection | None) -> str:
    """The Google administrator to act as for the directory; '' when none is named."""
    if connection is None or connection.from_environment:
        return settings.GOOGLE_ADMIN_SUBJECT
    return connection.directory_admin


def _no_admin(connection: TenantConnection) -> str:
    if connection.from_environment:
        return "GOOGLE_ADMIN_SUBJECT must name the administrator to act as for the directory."
    return f"The connection {connection} names no administrator to act as for the directory."


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """What is wrong with stored or configured values is told of the connection that they belong to."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise AuthenticationFailed(
            f"The connection to {name} is misconfigured: {error}", code="configuration"
        ) from error
