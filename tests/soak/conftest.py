"""The studio in which the runs take place."""

from __future__ import annotations

import pytest

from tests.soak.machine import Pipeline
from tests.soak.world import studio as open_studio


@pytest.fixture
def studio(db, tmp_path):
    with open_studio(tmp_path) as opened:
        yield opened


@pytest.fixture
def pipeline(studio):
    """The machine, driven by hand: write down the steps; the end checks that all is in order."""
    state = Pipeline(studio)
    try:
        yield state
    finally:
        state.stage.close()
