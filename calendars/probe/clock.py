"""Our clock against a provider's. Tokens are refused, and leases misjudged, where they differ."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from django.conf import settings

from calendars.probe.steps import Step, ok, problem, warning
from calsync.engine.events import Platform
from calsync.providers.http import pooled_session

MOST_OFF = timedelta(seconds=60)
TIMEOUT = (5.0, 10.0)  # seconds to connect, seconds of silence
REMEDY = "Switch time synchronisation (NTP) on for this machine and set its clock."


def compare_clock(platform: Platform) -> Step:
    """Compare with the Date header of any answer; no log-in is needed. Asks the provider, not the database."""
    url = settings.MICROSOFT_GRAPH_URL if platform == Platform.OUTLOOK else settings.GOOGLE_API_URL
    try:
        off = _difference(url)
    except (requests.RequestException, ValueError):
        return warning("clock", "The clock could not be compared: the provider does not answer.")
    if off is None:
        return warning("clock", "The clock could not be compared: the provider's answer tells no time.")
    seconds = abs(round(off.total_seconds()))
    if abs(off) > MOST_OFF:
        way = "fast" if off > timedelta() else "slow"
        return problem("clock", f"This machine's clock is {seconds} s {way}.", REMEDY)
    return ok("clock", f"This machine's clock is within {max(seconds, 1)} s of the provider's.")


def _difference(url: str) -> timedelta | None:
    """Our time minus the server's; None when the answer tells none. Raises RequestException and ValueError."""
    with pooled_session(url) as session:
        before = datetime.now(UTC)
        answer = session.get(url, timeout=TIMEOUT, allow_redirects=False)
        told = answer.headers.get("Date")
    if not told:
        return None
    # The header holds whole seconds and was written some time between question and answer.
    middle = before + (datetime.now(UTC) - before) / 2
    return middle - parsedate_to_datetime(told)
