"""The way out: a provider for a mailbox, built from the credentials of the connection that reaches it.

What lives here: which adapter serves which mailbox, and one adapter per connection and thread.
"""

from __future__ import annotations

import threading

from django.conf import settings

from accounts.gateway import open_adapter
from accounts.models import LinkedAccount, TenantConnection
from accounts.selectors import connection_of
from calsync.engine.events import Platform
from calsync.engine.traits import Traits
from calsync.providers.base import CalendarProvider
from calsync.providers.google.provider import TRAITS as GOOGLE_TRAITS
from calsync.providers.graph import TRAITS as GRAPH_TRAITS

TRAITS: dict[Platform, Traits] = {Platform.OUTLOOK: GRAPH_TRAITS, Platform.GOOGLE: GOOGLE_TRAITS}

_adapters = threading.local()


def provider_for(account: LinkedAccount) -> CalendarProvider:
    """The adapter of the connection that reaches a mailbox, for this thread. Raises AuthenticationFailed without one.

    Other threads and processes notice new credentials, too: what an adapter was made from is compared at each call.
    """
    return adapter_of(connection_of(account), Platform(account.platform))


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
        kept[place] = (made_from, open_adapter(connection if own else None, platform))
    return kept[place][1]


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
