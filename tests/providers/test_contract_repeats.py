"""What every adapter promises, on both providers: repeated, batched and failing writes."""

from __future__ import annotations

import pytest

from calsync.providers.base import AlreadyExists, RateLimited, Transient, Write, WriteKind, Written
from calsync.simulator.core import Fault
from tests.providers.samples import NINE, SECOND, TEN, difference, full_series, series, single, update
from tests.providers.sides import Reading, created, expect_written


@pytest.mark.parametrize("wanted", [single("Standup"), full_series()], ids=["single", "series"])
def test_a_repeated_create_with_the_same_key_gives_one_event(side, wanted):
    first, second = created(side, wanted), created(side, wanted)

    assert second.remote_id == first.remote_id
    assert difference(side, wanted, second.event) == frozenset()
    assert side.stored_titles() == ["Standup"]


def test_a_key_whose_event_was_deleted_is_burnt(side):
    written = created(side, single())
    side.person_deletes(written.remote_id)

    (outcome,) = side.provider.apply(side.mailbox, [Write(WriteKind.CREATE, key="key-1", event=single())])

    assert isinstance(outcome, AlreadyExists)
    assert side.stored_titles() == []
    assert created(side, single(), key="key-2").remote_id != written.remote_id


@pytest.mark.parametrize("wanted", [single("Standup"), full_series()], ids=["single", "series"])
def test_a_lost_answer_and_a_retry_double_nothing(side, wanted):
    lost = Fault(side.name, "lose_answer", method="POST", path="event|batch", times=2)
    side.simulator.core.faults.append(lost)

    for _ in range(4):
        (outcome,) = side.provider.apply(side.mailbox, [Write(WriteKind.CREATE, key="key-1", event=wanted)])
        if isinstance(outcome, Written):
            break
        assert isinstance(outcome, Transient)

    assert isinstance(outcome, Written)
    assert difference(side, wanted, outcome.event) == frozenset()
    assert side.stored_titles() == ["Standup"]


def test_a_batch_keeps_the_order_of_its_writes(side):
    titles = [f"Event {number:03}" for number in range(60)]
    writes = [Write(WriteKind.CREATE, key=f"key-{number}", event=single(title)) for number, title in enumerate(titles)]

    outcomes = side.provider.apply(side.mailbox, writes)

    assert [outcome.event.content.title for outcome in outcomes] == titles
    assert side.stored_titles() == titles


def test_writes_of_all_kinds_travel_together(side):
    kept, dropped = created(side, single("Old")), created(side, single("Gone"), key="key-2")
    writes = [
        update(kept, single("Old"), single("New")),
        Write(WriteKind.DELETE, remote_id=dropped.remote_id, version=dropped.version),
        Write(WriteKind.CREATE, key="key-3", event=full_series()),
    ]

    updated, deleted, made = side.provider.apply(side.mailbox, writes)

    assert updated.event.content.title == "New"
    assert deleted.event is None
    assert difference(side, full_series(), made.event) == frozenset()
    assert side.stored_titles() == ["New", "Standup"]


def test_a_rate_limit_inside_a_batch_hits_that_write_alone(side):
    side.limit_rate(skip=1)
    writes = [Write(WriteKind.CREATE, key=f"key-{name}", event=single(name)) for name in ("One", "Two", "Three")]

    first, second, third = side.provider.apply(side.mailbox, writes)

    assert isinstance(first, Written)
    assert isinstance(second, RateLimited)
    assert isinstance(third, Written)
    assert side.stored_titles() == ["One", "Three"]


def test_the_adapter_sends_nobody_any_mail(side):
    before = full_series()
    written = created(side, before)
    again = expect_written(side, update(written, before, series(cancelled=frozenset({SECOND}))))
    expect_written(side, Write(WriteKind.DELETE, remote_id=again.remote_id, version=again.version))

    assert side.simulator.core.outbox == []


@pytest.mark.parametrize("wanted", [single("Standup"), full_series()], ids=["single", "series"])
def test_a_read_event_of_ours_proves_the_key_it_was_made_with(side, wanted):
    made = created(side, wanted, key="key-7")
    side.person_creates("Somebody else's", NINE, TEN)

    keys = {item.remote_id: item.key for item in Reading(side).round()}
    assert keys.pop(made.remote_id) == "key-7"
    assert list(keys.values()) == [""]
