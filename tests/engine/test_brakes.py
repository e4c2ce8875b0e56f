"""The brakes' thresholds."""

import pytest

from calsync.engine.brakes import empty_side, mass_delete, resurrection, storm


@pytest.mark.parametrize(
    ("deleted", "links", "pulled"),
    [
        (10, 10, False),
        (11, 11, True),
        (11, 54, True),
        (11, 55, False),
        (200, 1001, False),
        (201, 1000, True),
        (0, 0, False),
    ],
)
def test_a_mass_delete_is_more_than_ten_and_more_than_a_fifth(deleted, links, pulled):
    assert mass_delete(deleted, links) is pulled


@pytest.mark.parametrize(("found", "links", "pulled"), [(0, 3, False), (0, 4, True), (1, 400, False), (0, 0, False)])
def test_an_empty_side_is_nothing_where_more_than_three_were(found, links, pulled):
    assert empty_side(found, links) is pulled


@pytest.mark.parametrize(("writes", "pulled"), [(0, False), (5, False), (6, True)])
def test_a_storm_is_more_than_five_writes_in_ten_minutes(writes, pulled):
    assert storm(writes) is pulled


@pytest.mark.parametrize(("returns", "pulled"), [(0, False), (2, False), (3, True)])
def test_a_resurrection_is_a_third_return_within_an_hour(returns, pulled):
    assert resurrection(returns) is pulled
