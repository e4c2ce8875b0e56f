"""Reading the environment: addresses, and the secrets that a loopback installation makes for itself.

What lives here: small pure readers that settings use. What does not: any Django setting.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def host_of(url: str) -> str:
    """The host name in a URL, lower-case; '' when there is none."""
    return (urlsplit(url).hostname or "").lower()


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_local_deployment(*, public_url: str, hosts: list[str], servers: Sequence[str] = ()) -> bool:
    """Whether everything this installation answers to, and every server it shares, is loopback: only then may it make
    its own secrets. ``servers`` are the URLs of its database and broker; a file has no host.
    """
    shared = [host for url in servers if (host := host_of(url))]
    named = [*hosts, *shared, *([host_of(public_url)] if public_url else [])]
    return all(is_loopback(host) for host in named)


def own_secret(path: Path, *, make: str, name: str, local: bool) -> str:
    """The secret kept in ``path``; ``make`` is stored there on first use, on loopback installations only.

    Raises ImproperlyConfigured for any other deployment: it must be given its secrets.
    """
    if not local:
        raise ImproperlyConfigured(
            f"{name} is not set. Secrets are only generated for loopback use; set {name} for this deployment."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _when_written(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(make)
    return make


def whole_number(name: str, *, default: int, at_least: int = 1) -> int:
    """The number in an environment variable. Raises ImproperlyConfigured for anything else, or for less."""
    text = os.environ.get(name, "").strip()
    number = _as_number(text) if text else default
    if number is None or number < at_least:
        raise ImproperlyConfigured(f"{name} is {text!r}: give a whole number, {at_least} or more.")
    return number


def _as_number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def redis_with_limits(url: str) -> str:
    """A Redis URL whose connections give up in time, so that an unreachable server never hangs a webhook."""
    missing = [f"{name}=3" for name in ("socket_connect_timeout", "socket_timeout") if name not in url]
    joint = "&" if "?" in url else "?"
    return url + joint + "&".join(missing) if missing else url


def _when_written(path: Path) -> str:
    """Read a secret that another process may have created a moment ago."""
    secret = path.read_text().strip()
    if not secret:
        raise ImproperlyConfigured(f"{path} is empty: delete it to have a new secret made.")
    return secret
