"""Any series can be written over any other: the aggregate ends as wanted, whatever was there."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from calsync.engine.compare import differences
from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    FieldValue,
    Frequency,
    OccurrenceKey,
    Recurrence,
    Rule,
    ShowAs,
    Timed,
    Weekday,
    When,
)
from calsync.engine.recurrence import expand, occurrence_when
from calsync.providers.base import Write, WriteKind
from tests.providers.sides import Reading, Side, created, expect_written, wall

TUESDAY, THURSDAY = (None, Weekday.TU), (None, Weekday.TH)
RULES = (
    Rule(Frequency.WEEKLY, by_day=(TUESDAY,)),
    Rule(Frequency.WEEKLY, by_day=(TUESDAY, THURSDAY), until=date(2027, 1, 31)),
    Rule(Frequency.DAILY, count=20),
    Rule(Frequency.MONTHLY, by_month_day=(1,)),
)
FROM, TO = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)


def any_when(dice: random.Random) -> When:
    if dice.random() < 0.3:
        return AllDay(date(2026, 12, 1), date(2026, 12, 2))
    start = wall(dice.choice(["2026-12-01T09:00", "2026-12-01T10:00"]))
    return Timed(start, start + timedelta(minutes=90), dice.choice(["Europe/Berlin", "America/New_York"]))


def any_override(dice: random.Random, master: Content, key: OccurrenceKey) -> dict[Field, FieldValue]:
    override: dict[Field, FieldValue] = {Field.TITLE: dice.choice("xyz")}
    if dice.random() < 0.4:
        override[Field.LOCATION] = "Room 1"
    if dice.random() < 0.4:
        span = occurrence_when(master.when, key)
        if isinstance(span, Timed):
            override[Field.WHEN] = replace(
                span, start=span.start + timedelta(hours=3), end=span.end + timedelta(hours=4)
            )
    return override


def any_event(dice: random.Random) -> Event:
    content = Content(any_when(dice), title=dice.choice("abc"), show_as=dice.choice([ShowAs.BUSY, ShowAs.FREE]))
    if dice.random() < 0.15:
        return Event(content)
    recurrence = Recurrence((dice.choice(RULES),))
    fates = {key: dice.random() for key in list(expand(content.when, recurrence, after=FROM, before=TO))[:6]}
    return Event(
        content,
        recurrence=recurrence,
        exceptions={key: any_override(dice, content, key) for key, fate in fates.items() if fate < 0.3},
        cancelled=frozenset(key for key, fate in fates.items() if fate > 0.8),
    )


@pytest.mark.parametrize("seed", range(4))
def test_any_event_becomes_any_other_and_comes_back_as_written(side: Side, seed: int):
    dice = random.Random(seed)
    reading = Reading(side)
    reading.round()
    before = any_event(dice)
    written = created(side, before)

    for _ in range(6):
        wanted = any_event(dice)
        write = Write(
            WriteKind.UPDATE, remote_id=written.remote_id, version=written.version, event=wanted, before=before
        )
        written = expect_written(side, write)
        assert differences(wanted, written.event) == frozenset()
        before = wanted

    (item,) = reading.round()
    assert differences(before, item.event) == frozenset()
    assert len(side.stored_titles()) == 1
