"""When the next attempt is due."""

from datetime import timedelta

import pytest

from calsync.engine.backoff import next_attempt
from tests.engine.builders import NOW


@pytest.mark.parametrize(
    ("attempts", "hint", "spread", "seconds"),
    [
        (0, None, 0.0, 1),
        (1, None, 0.0, 2),
        (9, None, 0.0, 512),
        (10, None, 0.0, 900),
        (10_000, None, 0.0, 900),
        (-1, None, 0.0, 1),
        (3, None, 0.5, 9),
        (3, 30.5, 0.0, 30.5),
        (3, 2.0, 0.0, 8),
        (3, 3600.0, 0.0, 3600),
        (3, 3600.0, 0.4, 3960),
    ],
)
def test_it_doubles_up_to_fifteen_minutes_and_never_comes_before_the_hint(attempts, hint, spread, seconds):
    due_at = next_attempt(attempts=attempts, hint=hint, now=NOW, spread=spread)
    assert due_at == NOW + timedelta(seconds=seconds)
