"""A short run of the state machine: always the same steps, so that it fails only when something has changed."""

from __future__ import annotations

import logging

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.machine import Pipeline

SHORT = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_all_is_in_step_when_it_is_quiet(studio):
    logging.disable(logging.ERROR)
    try:
        run_state_machine_as_test(lambda: Pipeline(studio), settings=SHORT)
    finally:
        logging.disable(logging.NOTSET)
    assert studio.examples >= SHORT.max_examples
