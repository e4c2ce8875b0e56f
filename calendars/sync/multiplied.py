"""Events that multiply: another tool copies what we copy. The first few are taken over, then it ends with a finding.

Two tools that copy each other's copies would go on for ever. Nobody makes the same event at the same time by hand so
often, and a change of the event lifts the hold as for any other obstacle.
"""

from __future__ import annotations

from calsync.engine.plan import Finding, FindingKind

MOST_ALIKE = 3
TEXT = (
    "This event stands here {count} times, alike in title and time: another tool seems to copy events as well. "
    "It is not copied any further. Switch the other tool off for this calendar, then change or delete the surplus."
)


def finding_for(calendar_id: int, *, count: int) -> Finding:
    """What a person is told when an event is held because it multiplies."""
    return Finding(FindingKind.CANNOT_REPRESENT, calendar_id, frozenset(), {}, TEXT.format(count=count))
