"""Events that multiply: another tool copies what we copy. The first few are taken over, then it ends with a finding.

Two tools that copy each other's copies would go on for ever. Nobody makes the same event at the same time by hand so
often, and a change of the event lifts the hold as for any other obstacle.
"""

from __future__ import annotations

from calendars import rows
from calendars.models import Event
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import Finding, FindingKind

MOST_ALIKE = 3
TEXT = (
    "This event stands here {count} times, alike in title and time: another tool seems to copy events as well. "
    "It is not copied any further. Switch the other tool off for this calendar, then change or delete the surplus."
)


def copies_in_hub(*, owner_id: int, read: HubEvent) -> int:
    """How many living events of a person are like a new one: same title, same time."""
    begins, ends = rows.span_of(read.content.when)
    same_time = Event.objects.filter(
        owner_id=owner_id, starts_at=begins, ends_at=ends, is_series=read.is_series, deleted_at=None, whole=None
    )
    if same_time.count() < MOST_ALIKE:  # the usual case, without opening what is sealed
        return 0
    title = read.content.title.strip()
    return sum(serial.load(row.content).content.title.strip() == title for row in same_time.order_by("pk"))


def finding_for(calendar_id: int, *, count: int) -> Finding:
    """What a person is told when an event is held because it multiplies."""
    return Finding(FindingKind.CANNOT_REPRESENT, calendar_id, frozenset(), {}, TEXT.format(count=count))
