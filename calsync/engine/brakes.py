"""The brakes: signs that something is wrong on a scale where going on would hurt. Pure thresholds.

What lives here: the thresholds. What does not: counting, parking a plan, telling a person.
"""

from __future__ import annotations

MASS_DELETE_COUNT = 10
MASS_DELETE_SHARE = 0.20
EMPTY_SIDE_LINKS = 3
STORM_WRITES = 5
RETURNS = 2


def mass_delete(deleted: int, links: int) -> bool:
    """Whether one pull deletes suspiciously much: more than 10 links, and more than 20 % of the calendar's links."""
    return deleted > MASS_DELETE_COUNT and deleted > MASS_DELETE_SHARE * links


def empty_side(found: int, links: int) -> bool:
    """Whether a complete read found nothing at all where more than 3 linked events were."""
    return found == 0 and links > EMPTY_SIDE_LINKS


def storm(writes_in_ten_minutes: int) -> bool:
    """Whether one link was written so often (more than 5 times in 10 minutes) that another tool must be fighting us."""
    return writes_in_ten_minutes > STORM_WRITES


def resurrection(returns_in_an_hour: int) -> bool:
    """Whether one event was deleted and came back so often (more than twice in an hour) that two tools must disagree
    whether it lives: a copy that is made anew, or a new event that is just like those deleted before.
    """
    return returns_in_an_hour > RETURNS
