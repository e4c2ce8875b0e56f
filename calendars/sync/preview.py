"""Preview: what activation would do for one person, from reading both sides and storing nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from calendars import gateway, rows
from calendars.models import Calendar
from calsync.engine.adopt import find_match
from calsync.engine.events import Event as HubEvent
from calsync.engine.parts import is_split
from calsync.providers.base import Window


@dataclass(slots=True)
class Preview:
    """Counts of what activation would do."""

    events: int = 0
    adopted: int = 0  # pairs that stand on both sides already
    copied: int = 0
    in_parts: int = 0  # of the copied ones: the other side cannot hold them as one series
    single: int = 0  # events of people with one mailbox: nothing to copy


def preview_person(*, calendars: Sequence[Calendar], from_now: bool, now: datetime, preview: Preview) -> None:
    """Add one person's calendars to a preview. Raises ProviderError when one cannot be read."""
    sides = [(calendar, _living(calendar, now)) for calendar in calendars]
    preview.events += sum(len(events) for _, events in sides)
    if len(sides) < 2:
        preview.single += sum(len(events) for _, events in sides)
        return
    (left, mine), (right, theirs) = sides[:2]
    lonely_left = []
    for event in mine:
        match = find_match(event, theirs)
        if match is None:
            lonely_left.append(event)
        else:
            preview.adopted += 1
            del theirs[match]
    if not from_now:
        _count_copies(lonely_left, right, preview)
        _count_copies(theirs, left, preview)


def _living(calendar: Calendar, now: datetime) -> list[HubEvent]:
    window = Window(
        now - timedelta(days=settings.CALSYNC_WINDOW_BACK_DAYS),
        now + timedelta(days=settings.CALSYNC_WINDOW_AHEAD_DAYS),
    )
    provider = gateway.provider_for(calendar.account)
    pages = provider.changes(rows.mailbox_of(calendar), cursor="", window=window, known=lambda _: {})
    return [item.event for page in pages for item in page.items if item.event is not None]


def _count_copies(events: Sequence[HubEvent], target: Calendar, preview: Preview) -> None:
    traits = gateway.TRAITS[target.platform]
    preview.copied += len(events)
    preview.in_parts += sum(is_split(event, traits) for event in events)
