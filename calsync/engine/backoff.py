"""When to try again after passing trouble.

What lives here: the arithmetic. What does not: the clock, the randomness, what counts as passing trouble.
"""

from __future__ import annotations

from datetime import datetime, timedelta

LONGEST_SECONDS = 15 * 60
SPREAD_SHARE = 0.25
_LARGEST_POWER = 10  # 2**10 s is beyond the cap already; keeps huge attempt numbers from making huge integers


def next_attempt(*, attempts: int, hint: float | None, now: datetime, spread: float) -> datetime:
    """The earliest time (in ``now``'s zone) of the next attempt after ``attempts`` failed ones.

    2**attempts seconds, at most 15 minutes. ``hint`` is the provider's Retry-After in seconds: a lower bound, even
    above the cap. ``spread`` in [0, 1) is the caller's random jitter; it adds up to 25 %, so that a fleet does not
    return at once.
    """
    doubled = float(2 ** min(max(attempts, 0), _LARGEST_POWER))
    base = max(min(doubled, LONGEST_SECONDS), hint or 0.0)
    return now + timedelta(seconds=base * (1 + SPREAD_SHARE * spread))
