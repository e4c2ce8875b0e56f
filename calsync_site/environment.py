"""Reading the environment: addresses, and the secrets that a loopback installation makes for itself.

What lives here: small pure readers that settings use. What does not: any Django setting.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def host_of(url: str) -> str:
    """The host name in a URL, lower-case; '' when there is none."""
    return (urlsplit(url).hostname or "").lower()


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    return host.lower() in LOOPBACK or host.startswith("127.")


def is_local_deployment(*, public_url: str, hosts: list[str]) -> bool:
    """Whether everything this installation answers to is loopback: only then may it make its own secrets."""
    named = [*hosts, *([host_of(public_url)] if public_url else [])]
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
