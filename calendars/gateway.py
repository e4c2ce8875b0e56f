"""The way out: a provider for a calendar, built from the organisation's credentials.

What lives here: which adapter serves which platform, and one adapter per platform and thread.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from django.conf import settings

from calsync.engine.events import Platform
from calsync.engine.traits import Traits
from calsync.providers.base import AuthenticationFailed, CalendarProvider
from calsync.providers.google.provider import TRAITS as GOOGLE_TRAITS
from calsync.providers.google.provider import GoogleCredentials, GoogleEndpoints, GoogleProvider
from calsync.providers.graph import TRAITS as GRAPH_TRAITS
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider

TRAITS: dict[Platform, Traits] = {Platform.OUTLOOK: GRAPH_TRAITS, Platform.GOOGLE: GOOGLE_TRAITS}

_adapters = threading.local()


def provider_for(platform: Platform) -> CalendarProvider:
    """The adapter of a platform for this thread. Raises AuthenticationFailed when it is not configured."""
    kept: dict[Platform, tuple[object, CalendarProvider]] = _adapters.__dict__.setdefault("kept", {})
    wanted = _configuration(platform)
    if platform not in kept or kept[platform][0] != wanted:
        kept[platform] = (wanted, _build(platform))
    return kept[platform][1]


def is_configured(platform: Platform) -> bool:
    """Whether the environment holds a connection for a platform."""
    if platform == Platform.OUTLOOK:
        proof = settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE
        return bool(settings.MICROSOFT_TENANT_ID and settings.MICROSOFT_CLIENT_ID and proof)
    return bool(settings.GOOGLE_SERVICE_ACCOUNT_FILE)


def _configuration(platform: Platform) -> object:
    if platform == Platform.GOOGLE:
        return settings.GOOGLE_SERVICE_ACCOUNT_FILE, settings.GOOGLE_API_URL
    return (
        settings.MICROSOFT_TENANT_ID,
        settings.MICROSOFT_CLIENT_ID,
        settings.MICROSOFT_CLIENT_SECRET,
        settings.MICROSOFT_CLIENT_CERTIFICATE,
        settings.MICROSOFT_LOGIN_URL,
        settings.MICROSOFT_GRAPH_URL,
    )


def _build(platform: Platform) -> CalendarProvider:
    if not is_configured(platform):
        wanted = "MICROSOFT_TENANT_ID, _CLIENT_ID and _CLIENT_SECRET"
        wanted = wanted if platform == Platform.OUTLOOK else "GOOGLE_SERVICE_ACCOUNT_FILE"
        raise AuthenticationFailed(f"No connection to {platform} is configured: set {wanted}.", code="not_configured")
    try:
        return _graph() if platform == Platform.OUTLOOK else _google()
    except (OSError, ValueError) as error:
        raise AuthenticationFailed(
            f"The connection to {platform} is misconfigured: {error}", code="configuration"
        ) from error


def _graph() -> GraphProvider:
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


def _google() -> GoogleProvider:
    info = json.loads(Path(settings.GOOGLE_SERVICE_ACCOUNT_FILE).read_text())
    return GoogleProvider(
        GoogleCredentials(service_account_info=info), GoogleEndpoints(api_url=settings.GOOGLE_API_URL)
    )
