"""Events that the contract's tests write and read, and how they are compared."""

from __future__ import annotations

from datetime import timedelta

from calsync.engine.compare import differences
from calsync.engine.events import Content, Event, Field, Frequency, OccurrenceKey, Recurrence, Rule, Timed, Weekday
from calsync.engine.policy import Role
from calsync.engine.transform import project
from calsync.providers.base import Write, WriteKind, Written
from tests.providers.sides import ZONE, Side, wall, week_later

NINE = wall("2026-12-01T09:00")  # a Tuesday
TEN = NINE + timedelta(hours=1)
SECOND, THIRD, FOURTH = (OccurrenceKey(week_later(NINE, weeks).isoformat(timespec="minutes")) for weeks in (1, 2, 3))
WEEKLY = Recurrence((Rule(Frequency.WEEKLY, by_day=((None, Weekday.TU),)),))


def single(title: str = "Budget", **content: object) -> Event:
    return Event(Content(Timed(NINE, TEN, ZONE), title=title, **content))


def moved(weeks: int, *, hours: int) -> Timed:
    start = week_later(NINE, weeks) + timedelta(hours=hours)
    return Timed(start, start + timedelta(hours=1), ZONE)


def series(**aggregate: object) -> Event:
    return Event(Content(Timed(NINE, TEN, ZONE), title="Standup", body="Agenda"), recurrence=WEEKLY, **aggregate)


def full_series() -> Event:
    return series(
        exceptions={SECOND: {Field.WHEN: moved(1, hours=5)}, FOURTH: {Field.TITLE: "Retrospective"}},
        cancelled=frozenset({THIRD}),
    )


def update(written: Written, before: Event, event: Event, *, version: str | None = None) -> Write:
    guard = written.version if version is None else version
    return Write(WriteKind.UPDATE, remote_id=written.remote_id, version=guard, event=event, before=before)


def difference(side: Side, wanted: Event, found: Event | None) -> frozenset[str]:
    """What the provider holds otherwise than wanted, as far as it can hold it."""
    assert found is not None
    return differences(project(wanted, traits=side.provider.traits, role=Role.TWIN), found)


def stored(side: Side, remote_id: str) -> Event | None:
    """The event as a fresh read shows it."""
    return side.provider.read(side.mailbox, remote_id).event
