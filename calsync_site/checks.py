"""System checks of the settings: each says what is wrong and what to set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from calsync.engine.policy import ConflictPolicy, DeletePolicy
from calsync_site.environment import is_loopback

URL_SETTINGS = (
    "CALSYNC_PUBLIC_URL",
    "MICROSOFT_LOGIN_URL",
    "MICROSOFT_GRAPH_URL",
    "GOOGLE_API_URL",
    "GOOGLE_LOGIN_URL",
    "OPENID_CONNECT_URL",
)


@register()
def urls_are_safe(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django's signature
    """Provider and callback URLs use https; plain http is for loopback only."""
    return [problem for name in URL_SETTINGS if (problem := _url_problem(name, getattr(settings, name)))]


def _url_problem(name: str, url: str) -> Error | None:
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return Error(
            f"{name} is not a web address.", hint="Write it like https://calsync.example.org", id="calsync.E001"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return Error(f"{name} uses plain http.", hint="Use https; plain http is for loopback only.", id="calsync.E002")
    return None


@register()
def sealing_keys_are_usable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Every sealing key is a Fernet key."""
    return [
        Error(
            f"CALSYNC_SEALING_KEYS: key number {number} is not a Fernet key.",
            hint='Make one: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
            id="calsync.E003",
        )
        for number, key in enumerate(settings.CALSYNC_SEALING_KEYS, start=1)
        if not _is_fernet_key(key)
    ]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


@register()
def connections_are_whole(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """A tenant connection is configured completely or not at all."""
    problems: list[CheckMessage] = []
    identity = [settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID]
    proof = settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE
    if any([*identity, proof]) and not all([*identity, proof]):
        problems.append(
            Error(
                "The Microsoft connection is only half configured.",
                hint="Set MICROSOFT_TENANT_ID, MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET (or _CERTIFICATE).",
                id="calsync.E004",
            )
        )
    if settings.MICROSOFT_TENANT_ID.lower() in {"common", "organizations", "consumers"}:
        problems.append(
            Error(
                "MICROSOFT_TENANT_ID names everybody's tenants, so that strangers could sign in under any name.",
                hint="Set the id or the domain of your own tenant.",
                id="calsync.E007",
            )
        )
    problems += [
        Error(f"{name}: there is no readable file {path}.", hint="Give the path of the file.", id="calsync.E005")
        for name in ("GOOGLE_SERVICE_ACCOUNT_FILE", "MICROSOFT_CLIENT_CERTIFICATE")
        if (path := getattr(settings, name)) and not Path(path).is_file()
    ]
    return problems


@register()
def policies_are_known(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """The policies for edits and deletions that clash are among those that the engine has."""
    choices = {"CALSYNC_CONFLICT_POLICY": ConflictPolicy, "CALSYNC_DELETE_POLICY": DeletePolicy}
    return [
        Error(f"{name} is none of the policies.", hint=f"Set one of {', '.join(policies)}.", id="calsync.E006")
        for name, policies in choices.items()
        if getattr(settings, name) not in set(policies)
    ]
