"""Events that the tests of Google's writes start from, and short ways to write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from calsync.engine.events import (
    Content,
    Event,
    Frequency,
    OccurrenceKey,
    Recurrence,
    Rule,
    Timed,
    Weekday,
)
from calsync.providers.base import (
    ProviderError,
    Write,
    WriteKind,
    Written,
)
from calsync.providers.google.provider import GoogleProvider
from tests.providers.google_script import (
    MAILBOX,
)
from tests.providers.sides import ZONE, wall

NINE = wall("2026-12-01T09:00")
PLAIN = Event(Content(Timed(NINE, NINE + timedelta(hours=1), ZONE), title="e1"))
WEEKLY = replace(
    PLAIN,
    content=replace(PLAIN.content, title="s1"),
    recurrence=Recurrence((Rule(Frequency.WEEKLY, by_day=((None, Weekday.TU),)),)),
)
SECOND, THIRD = OccurrenceKey("2026-12-08T09:00"), OccurrenceKey("2026-12-15T09:00")


def outcome(provider: GoogleProvider, write: Write) -> Written | ProviderError:
    (only,) = provider.apply(MAILBOX, [write])
    return only


def create(wanted: Event) -> Write:
    return Write(WriteKind.CREATE, key="key-1", event=wanted)


def update(before: Event | None, wanted: Event, *, remote_id: str = "e1", version: str = '"1"') -> Write:
    return Write(WriteKind.UPDATE, remote_id=remote_id, version=version, event=wanted, before=before)


def changed(base: Event, **content: Any) -> Event:
    return replace(base, content=replace(base.content, **content))
