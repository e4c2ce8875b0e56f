"""Connections: is a token given, and can a mailbox be read; if not, what exactly has to be granted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from accounts.models import LinkedAccount, ReachedThrough, TenantConnection
from calendars import gateway
from calendars.alarms import NEW_CERTIFICATE, NEW_CREDENTIALS
from calsync.engine.events import Platform
from calsync.providers.base import (
    AccessDenied,
    AuthenticationFailed,
    MailboxUnavailable,
    NotFound,
    ProviderError,
    RateLimited,
    Transient,
)
from calsync.providers.google.provider import SCOPES
from calsync_site.doctor.finding import Finding, ok, problem, warning
from calsync_site.environment import host_of

NAMES = {Platform.OUTLOOK: "Microsoft 365", Platform.GOOGLE: "Google Workspace"}
WARN_AHEAD = timedelta(days=30)
MOST_TRIED = 3
"""One mailbox that does not exist says nothing about the connection: so many are tried."""

_SET = {
    Platform.OUTLOOK: "Set MICROSOFT_TENANT_ID, MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET (or _CERTIFICATE).",
    Platform.GOOGLE: "Set GOOGLE_SERVICE_ACCOUNT_FILE to the path of the service account's key file.",
}

ANOTHER_PROOF = (
    "Make a new client secret in the Entra admin center (App registrations, Certificates & secrets) and set "
    "MICROSOFT_CLIENT_SECRET, or set MICROSOFT_CLIENT_CERTIFICATE to the PEM file of a registered certificate."
)
CHECK_CLIENT = "Check MICROSOFT_CLIENT_ID: the tenant knows no such app registration, or has not consented to it."
CHECK_TENANT = "Check MICROSOFT_TENANT_ID and MICROSOFT_CLIENT_ID, and the file in MICROSOFT_CLIENT_CERTIFICATE if set."
NEW_KEY = "Check this machine's clock; make a new key for the service account and set GOOGLE_SERVICE_ACCOUNT_FILE."
IN_THE_CONSOLE = {
    ANOTHER_PROOF: "Make a new client secret in the Entra admin center (App registrations, Certificates & secrets), or "
    "register a certificate, and enter it on the connection's page in the console.",
    CHECK_CLIENT: "Check the client on the connection's page: the tenant knows no such app registration, or has not "
    "consented to it.",
    CHECK_TENANT: "Check tenant, client and certificate on the connection's page in the console.",
    NEW_KEY: "Check this machine's clock; make a new key and enter it on the connection's page.",
    _SET[Platform.OUTLOOK]: "Enter the credentials on the connection's page in the console.",
    _SET[Platform.GOOGLE]: "Enter the key file on the connection's page in the console.",
}
"""Where an own connection's remedy differs from that of the environment's."""


def own_connections() -> list[TenantConnection]:
    """The connections beside the environment's; asks the database."""
    return list(TenantConnection.objects.filter(from_environment=False).order_by("pk"))


def mailboxes_to_try(
    platform: Platform, owns: Sequence[TenantConnection], own: TenantConnection | None = None
) -> list[str]:
    """Addresses that a connection reaches (``own``; None is the environment's), those that are synced first; asks the
    database.
    """
    accounts = LinkedAccount.objects.in_use().filter(platform=platform.value, reached_through=ReachedThrough.TENANT)
    elsewhere = [row for row in owns if row.platform == platform]
    ordered = accounts.order_by("-calendars__is_active", "calendars__failures", "pk")
    found: dict[str, None] = {}
    for address, chosen in ordered.values_list("address", "connection_id").iterator(chunk_size=100):
        domain = address.rpartition("@")[2]
        reached = next((row for row in elsewhere if row.pk == chosen), None)
        reached = reached or next((row for row in elsewhere if domain in row.domains), None)
        if reached == own:
            found[address] = None
        if len(found) == MOST_TRIED:
            break
    return list(found)


def look_at_expiry(*, now: datetime) -> list[Finding]:
    """Credentials that end soon or have ended, as far as their last day is known."""
    found = []
    for row in TenantConnection.objects.defer("credentials").order_by("pk"):
        if row.expires_on is None or row.expires_on > now.date() + WARN_AHEAD:
            continue
        name, remedy = f"expiry.{row.pk}", NEW_CERTIFICATE if row.from_environment else NEW_CREDENTIALS
        if row.expires_on < now.date():
            found.append(problem(name, f"The credentials of {row} ended on {row.expires_on}.", remedy))
        else:
            found.append(warning(name, f"The credentials of {row} end on {row.expires_on}.", remedy))
    return found


def unconfigured(platform: Platform, *, needed: bool) -> Finding:
    """The finding for a platform that the settings do not name."""
    text = f"No connection to {NAMES[platform]} is configured"
    if needed:
        return problem(_name(platform), f"{text}, but mailboxes are mapped to it.", _SET[platform])
    return warning(_name(platform), f"{text}.", _SET[platform])


def late(platform: Platform, connection: TenantConnection | None = None) -> Finding:
    """The finding for a platform that did not answer in time."""
    name, who = (f"connection.{connection.pk}", f"{connection}: ") if connection else (_name(platform), "")
    return problem(name, f"{who}{NAMES[platform]} does not answer in time.", _network(platform, connection))


def try_own(connection: TenantConnection, addresses: Sequence[str]) -> list[Finding]:
    """The same for a connection beside the environment's. Asks the provider, not the database."""
    platform, name = Platform(connection.platform), f"connection.{connection.pk}"
    found = try_connection(platform, addresses, connection)
    return [
        replace(one, name=name, text=f"{connection}: {one.text}", remedy=IN_THE_CONSOLE.get(one.remedy, one.remedy))
        for one in found
    ]


def try_connection(
    platform: Platform, addresses: Sequence[str], connection: TenantConnection | None = None
) -> list[Finding]:
    """Get a token and read a mailbox's calendars. Asks the provider, not the database."""
    if not addresses:
        text = f"{NAMES[platform]} is configured; nobody is mapped to it, so no mailbox could be tried."
        return [warning(_name(platform), text, "Map people: manage.py map_org_units FILE.csv")]
    unavailable: list[Finding] = []
    for address in addresses:
        try:
            calendars = gateway.adapter_of(connection, platform).calendars(address)
        except (MailboxUnavailable, NotFound) as error:
            unavailable.append(refused(platform, address, error, connection))
            continue
        except ProviderError as error:
            return [refused(platform, address, error, connection)]
        primary = next((calendar for calendar in calendars if calendar.is_primary), None)
        if primary is not None and primary.can_write:
            return [ok(_name(platform), f"{NAMES[platform]} gives a token and lets us read {address}.")]
        text = f"{NAMES[platform]} does not let us write the primary calendar of {address}."
        return [problem(_name(platform), text, _PERMISSION[platform])]
    return unavailable[:1]


def refused(
    platform: Platform, address: str, error: ProviderError, connection: TenantConnection | None = None
) -> Finding:
    """The finding for an error of a trial, with the exact remedy."""
    if isinstance(error, RateLimited):
        return warning(_name(platform), str(error), error.remedy)
    if isinstance(error, Transient):
        return problem(_name(platform), f"{NAMES[platform]} cannot be reached: {error}", _network(platform, connection))
    where = "" if isinstance(error, AuthenticationFailed) else f"{address}: "
    return problem(_name(platform), f"{where}{error}", _remedy(platform, error, connection))


_PERMISSION = {
    Platform.OUTLOOK: "In the Entra admin center, give the app registration the application permissions "
    "Calendars.ReadWrite and MailboxSettings.Read of Microsoft Graph and grant admin consent; where RBAC for "
    "Applications or an application access policy limits the app, put the mailbox into its scope.",
    Platform.GOOGLE: "In the Google Admin console, see that Calendar is on for this person and open to the service "
    "account (Security, API controls, App access control).",
}


def _name(platform: Platform) -> str:
    return f"connection.{platform}"


def _network(platform: Platform, connection: TenantConnection | None = None) -> str:
    urls = {Platform.OUTLOOK: (settings.MICROSOFT_LOGIN_URL, settings.MICROSOFT_GRAPH_URL)}
    urls[Platform.GOOGLE] = (
        settings.GOOGLE_API_URL,
        _key_file(connection).get("token_uri", "https://oauth2.googleapis.com"),
    )
    hosts = " and ".join(dict.fromkeys(host_of(url) for url in urls[platform]))
    return f"Check this machine's network, proxy and firewall towards {hosts}, then try again."


def _remedy(platform: Platform, error: ProviderError, connection: TenantConnection | None) -> str:
    if error.code in {"not_configured", "configuration"}:
        return _SET[platform]
    return _microsoft(error) if platform == Platform.OUTLOOK else _google(error, connection)


def _microsoft(error: ProviderError) -> str:
    if error.code == "invalid_client":
        return ANOTHER_PROOF
    if error.code == "unauthorized_client":
        return CHECK_CLIENT
    if isinstance(error, AuthenticationFailed):
        return CHECK_TENANT
    if isinstance(error, AccessDenied):
        return _PERMISSION[Platform.OUTLOOK]
    if isinstance(error, MailboxUnavailable | NotFound):
        return "Check that the address exists in this tenant and has an Exchange Online licence; correct the mapping."
    return error.remedy


def _google(error: ProviderError, connection: TenantConnection | None) -> str:
    if error.code in {"unauthorized_client", "insufficientPermissions"}:
        client = _key_file(connection).get("client_id") or "of the service account"
        return (
            "In the Google Admin console (Security, API controls, Domain-wide delegation) add the client id "
            f"{client} with the scopes {','.join(SCOPES)}"
        )
    if error.code == "accessNotConfigured":
        return "Enable the Google Calendar API in the service account's Google Cloud project."
    if isinstance(error, AuthenticationFailed):
        return NEW_KEY
    if isinstance(error, AccessDenied):
        return _PERMISSION[Platform.GOOGLE]
    if isinstance(error, MailboxUnavailable | NotFound):
        return "Check that the address exists in this Workspace and has Calendar switched on; correct the mapping."
    return error.remedy


def _key_file(connection: TenantConnection | None) -> dict[str, str]:
    """What is public in a connection's service account key (None: the environment's); empty when it cannot be read."""
    own = connection is not None and not connection.from_environment
    try:
        if own and connection:
            key = json.loads(connection.credentials or "{}").get("service_account")
        else:
            key = json.loads(Path(settings.GOOGLE_SERVICE_ACCOUNT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    public = ("client_id", "token_uri")
    return {name: str(key[name]) for name in public if key.get(name)} if isinstance(key, dict) else {}
