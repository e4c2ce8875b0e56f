"""Which events lie in the window of a read. Pure.

Google's lists are read without a window (see ``calls``), so that what lies outside is left out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from calsync.engine import recurrence
from calsync.engine.events import AllDay, Event, Field, Timed, When
from calsync.providers.base import Window
from calsync.providers.google.times import instants


@dataclass(frozen=True, slots=True)
class InWindow:
    """Whether an event touches ``window``; whole days are read in ``zone`` (IANA)."""

    window: Window
    zone: str

    def __call__(self, event: Event) -> bool:
        """Whether the event, or any occurrence that it has left, touches the window."""
        if event.recurrence is None:
            return self._touches(event.content.when)
        moved = [override.get(Field.WHEN) for override in event.exceptions.values()]
        return any(isinstance(when, Timed | AllDay) and self._touches(when) for when in moved) or self._recurs(event)

    def _touches(self, when: When) -> bool:
        start, end = instants(when, zone=self.zone)
        return start < self.window.end and end >= self.window.start

    def _recurs(self, event: Event) -> bool:
        """Whether some occurrence that was neither cancelled nor moved starts or lasts in the window."""
        if event.recurrence is None:
            return False
        start, end = instants(event.content.when, zone=self.zone)
        if start >= self.window.end:
            return False
        after = self.window.start - max(end - start, timedelta())
        keys = recurrence.expand(event.content.when, event.recurrence, after=after, before=self.window.end)
        moved = {key for key, override in event.exceptions.items() if Field.WHEN in override}
        return any(key not in event.cancelled and key not in moved for key in keys)
