"""The way out: a provider for a mailbox, built from what reaches it: a tenant connection, or its owner's own consent.

What lives here: which adapter serves which mailbox, and one adapter per connection and thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from django.conf import settings
from django.utils import timezone

from accounts.consents import KeptTokens
from accounts.credentials import Credentials, credentials_of, credentials_of_environment
from accounts.models import LinkedAccount, TenantConnection
from accounts.selectors import connection_of, uses_own_consent
from calsync.engine.events import Platform
from calsync.engine.traits import Traits
from calsync.providers.base import AuthenticationFailed, CalendarProvider
from calsync.providers.google.provider import TRAITS as GOOGLE_TRAITS
from calsync.providers.google.provider import GoogleCredentials, GoogleEndpoints, GoogleProvider
from calsync.providers.graph import TRAITS as GRAPH_TRAITS
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider

TRAITS: dict[Platform, Traits] = {Platform.OUTLOOK: GRAPH_TRAITS, Platform.GOOGLE: GOOGLE_TRAITS}

MOST_OWN = 200
"""Adapters for single mailboxes that a thread keeps; each holds some connections open."""

_adapters = threading.local()


def provider_for(account: LinkedAccount) -> CalendarProvider:
    """The adapter of what reaches a mailbox, for this thread. Raises AuthenticationFailed without any.

    Other threads and processes notice new credentials, too: what an adapter was made from is compared at each call.
    """
    if uses_own_consent(account):
        return _own_adapter(account)
    return adapter_of(connection_of(account), Platform(account.platform))


def _own_adapter(account: LinkedAccount) -> CalendarProvider:
    """One for each mailbox that its owner linked, the latest of them kept; the tokens come from the database."""
    platform = Platform(account.platform)
    kept: OrderedDict[int, tuple[object, CalendarProvider]] = _adapters.__dict__.setdefault("own", OrderedDict())
    made_from = (account.address, settings.GOOGLE_API_URL, _microsoft_urls())
    if account.pk not in kept or kept[account.pk][0] != made_from:
        tokens = KeptTokens(account, clock=timezone.now)
        kept[account.pk] = (made_from, _provider(tokens, platform))
    kept.move_to_end(account.pk)
    if len(kept) > MOST_OWN:
        kept.popitem(last=False)
    return kept[account.pk][1]


def adapter_of(connection: TenantConnection | None, platform: Platform) -> CalendarProvider:
    """The adapter of one connection for this thread; None stands for the environment's."""
    own = connection is not None and not connection.from_environment
    place = connection.pk if own and connection else platform
    made_from = (
        (connection.tenant, connection.client, connection.credentials, settings.GOOGLE_API_URL, _microsoft_urls())
        if own and connection
        else _configuration(platform)
    )
    kept: dict[object, tuple[object, CalendarProvider]] = _adapters.__dict__.setdefault("kept", {})
    if place not in kept or kept[place][0] != made_from:
        kept[place] = (made_from, _build(connection if own else None, platform))
    return kept[place][1]


def is_configured(platform: Platform) -> bool:
    """Whether the environment holds a connection for a platform."""
    if platform == Platform.OUTLOOK:
        proof = settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE
        return bool(settings.MICROSOFT_TENANT_ID and settings.MICROSOFT_CLIENT_ID and proof)
    return bool(settings.GOOGLE_SERVICE_ACCOUNT_FILE)


def _microsoft_urls() -> tuple[str, str]:
    return settings.MICROSOFT_LOGIN_URL, settings.MICROSOFT_GRAPH_URL


def _configuration(platform: Platform) -> object:
    if platform == Platform.GOOGLE:
        return settings.GOOGLE_SERVICE_ACCOUNT_FILE, settings.GOOGLE_API_URL
    return (
        settings.MICROSOFT_TENANT_ID,
        settings.MICROSOFT_CLIENT_ID,
        settings.MICROSOFT_CLIENT_SECRET,
        settings.MICROSOFT_CLIENT_CERTIFICATE,
        *_microsoft_urls(),
    )


def _build(connection: TenantConnection | None, platform: Platform) -> CalendarProvider:
    if connection is None and not is_configured(platform):
        wanted = "MICROSOFT_TENANT_ID, _CLIENT_ID and _CLIENT_SECRET"
        wanted = wanted if platform == Platform.OUTLOOK else "GOOGLE_SERVICE_ACCOUNT_FILE"
        raise AuthenticationFailed(f"No connection to {platform} is configured: set {wanted}.", code="not_configured")
    try:
        return _provider(credentials_of(connection) if connection else credentials_of_environment(platform), platform)
    except (OSError, ValueError) as error:
        name = connection.name if connection else platform
        raise AuthenticationFailed(
            f"The connection to {name} is misconfigured: {error}", code="configuration"
        ) from error


def _provider(credentials: Credentials | KeptTokens, platform: Platform) -> CalendarProvider:
    login, graph = _microsoft_urls()
    if platform == Platform.GOOGLE and not isinstance(credentials, GraphCredentials):
        return GoogleProvider(credentials, GoogleEndpoints(api_url=settings.GOOGLE_API_URL))
    if isinstance(credentials, GoogleCredentials):
        raise ValueError("a key file of Google does not open Microsoft")
    return GraphProvider(credentials, GraphEndpoints(login_url=login, graph_url=graph))
