"""Small things that both adapters share over ``requests``: checked base URLs, pooled sessions, Retry-After.

What lives here: nothing that knows a provider. What does not: authentication, error tables, field names.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT = (10.0, 60.0)
"""Seconds to connect, seconds of silence while reading an answer."""


def is_loopback(url: str) -> bool:
    """Whether the host of ``url`` is this machine: ``localhost`` or a loopback address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str, *, what: str) -> str:
    """``url`` without a trailing slash; raises ValueError unless it is https, or plain http on loopback."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise ValueError(f"The {what} must be a full http(s) address, such as https://host.")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"The {what} must use https: plain http is accepted on this machine (loopback) only.")
    return url.rstrip("/")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, for telling whether two URLs reach the same server."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def prepare(session: requests.Session, base_url: str) -> None:
    """Give a session connection pooling, and repeat a connect that failed before anything was sent.

    Environment proxies and CA bundles are honoured, except towards loopback, where they only get in the way.
    """
    adapter = HTTPAdapter(
        pool_connections=4, pool_maxsize=8, max_retries=Retry(total=None, connect=1, read=0, status=0)
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.trust_env = not is_loopback(base_url)


def pooled_session(base_url: str) -> requests.Session:
    """A session for one server."""
    session = requests.Session()
    prepare(session, base_url)
    return session


def retry_after(value: str | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Seconds to wait from a Retry-After header: a number (fractions are sent in practice) or an HTTP date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now()).total_seconds())
