"""The long run behind ``make soak``: batch after batch with seeds of their own until the time is over."""

from __future__ import annotations

import logging
import os
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.machine import Pipeline
from tests.soak.world import Studio

LONG = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_nothing_is_lost_or_doubled_for_a_long_time(studio):
    logging.disable(logging.ERROR)
    number = int(os.environ["CALSYNC_TEST_SOAK_SEED"])
    seconds = float(os.environ["CALSYNC_TEST_SOAK_MINUTES"]) * 60
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        print(f"seed {number} ...", flush=True)
        run_state_machine_as_test(seed(number)(lambda: Pipeline(studio)), settings=LONG)
        tell(studio, number, time.monotonic() - started, seconds)
        number += 1
    assert studio.examples


def tell(studio: Studio, number: int, passed: float, seconds: float) -> None:
    """One line of progress."""
    print(
        f"seed {number} is fine; so far {studio.examples} runs, {studio.steps} steps, {studio.acts} deeds of people, "
        f"{studio.kills} kills, {studio.writes} writes, {passed / 60:.1f} of {seconds / 60:g} minutes",
        flush=True,
    )
