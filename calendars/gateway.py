"""The way out: a provider for a mailbox, built from what reaches it: a tenant connection, or its owner's own consent.

What lives here: which adapter serves which mailbox, and one adapter per connection and thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from django.conf import settings
from django.utils import timezone

from accounts.consents import KeptTokens
from accounts.gateway import google_endpoints, graph_endpoints, open_adapter
from accounts.models import LinkedAccount, TenantConnection
from accounts.selectors import connection_of, uses_own_consent
from calsync.engine.events import Platform
from calsync.engine.traits import Traits
from calsync.providers.base import CalendarProvider
from calsync.providers.google.provider import TRAITS as GOOGLE_TRAITS
from calsync.providers.google.provider import GoogleProvider
from calsync.providers.graph import TRAITS as GRAPH_TRAITS
from calsync.providers.graph import GraphProvider

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
        kept[account.pk] = (made_from, _by_consent(tokens, platform))
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


def _by_consent(tokens: KeptTokens, platform: Platform) -> CalendarProvider:
    if platform == Platform.GOOGLE:
        return GoogleProvider(tokens, google_endpoints())
    return GraphProvider(tokens, graph_endpoints())
