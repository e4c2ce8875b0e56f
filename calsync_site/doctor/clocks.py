"""Clocks: our own against the providers'."""

from __future__ import annotations

from calendars.probe.clock import compare_clock as compare
from calsync.engine.events import Platform
from calsync_site.doctor.finding import Finding, State


def compare_clock(platform: Platform) -> list[Finding]:
    """One finding. Asks the provider, not the database."""
    step = compare(platform)
    return [Finding(f"clock.{platform}", State(step.outcome), step.text, step.remedy)]
