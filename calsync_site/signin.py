"""The identity providers that people sign in with, as allauth wants them, from the settings. Reads nothing itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

Providers = dict[str, dict[str, Any]]  # allauth's open form


def microsoft(*, tenant: str, client: str, secret: str, login_url: str, graph_url: str) -> Providers:
    """The organisation's own Entra tenant; empty when it is not configured."""
    if not (tenant and client and secret):
        return {}
    urls = {"tenant": tenant, "login_url": login_url, "graph_url": graph_url}
    app = {"name": "Microsoft", "client_id": client, "secret": secret, "settings": urls}
    return {"microsoft": {"APPS": [app], "OAUTH_PKCE_ENABLED": True, "SCOPE": ["User.Read"]}}


def openid_connect(*apps: dict[str, Any]) -> Providers:
    """Providers that speak OpenID Connect; those without a client id are left out."""
    whole = [app for app in apps if app["client_id"]]
    return {"openid_connect": {"APPS": whole, "OAUTH_PKCE_ENABLED": True}} if whole else {}


def openid_app(*, key: str, name: str, client: str, secret: str, server: str) -> dict[str, Any]:
    """One OpenID Connect provider; ``key`` is part of its callback address."""
    told = {"server_url": server, "fetch_userinfo": False}
    return {"provider_id": key, "name": name, "client_id": client, "secret": secret, "settings": told}


def origins(*urls: str) -> list[str]:
    """Scheme and host of each address, once: where forms may lead to."""
    parts = [urlsplit(url) for url in urls if url]
    return list(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))
