"""What the queue calls: reads the clock and calls the service."""

from __future__ import annotations

from django.utils import timezone

from conflicts import detection, services


def open_cases() -> int:
    """Open a case for every finding that has none."""
    return services.open_cases(now=timezone.now())


def close_settled() -> int:
    """Close the cases of which nothing is left to do."""
    return services.close_settled(now=timezone.now())


def look_for_overlaps() -> int:
    """Work out the busy time that has changed, and open, change and close the double bookings that follow from it."""
    found = detection.catch_up(now=timezone.now())
    if found:
        services.open_cases(now=timezone.now())
    return found


def look_at_unit(unit_id: int) -> int:
    """Look at everybody of a unit again: what counts there has changed."""
    return detection.look_at_unit(unit_id, now=timezone.now())
