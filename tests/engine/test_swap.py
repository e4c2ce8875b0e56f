"""Swapping versions: the losing values in, the replaced ones out, and never where the edit could not travel."""

from dataclasses import replace

import pytest

from calsync.engine.events import Field, OccurrenceKey
from calsync.engine.fingerprint import CANCELLED, flatten
from calsync.engine.plan import HubState, LinkState, Role, WriteWish
from calsync.engine.swap import CannotSwap, check_edit, exchange, plan_removal, plan_return
from tests.engine.builders import (
    ALICE,
    COLLEAGUE,
    GOOGLE,
    KEY,
    OUTLOOK,
    agreed,
    edit,
    hub_of,
    occurrence,
    series,
    single,
    timed,
    weekly,
)

MOVED = timed(minutes=30)


def with_exception(event, key: OccurrenceKey, **fields):
    return replace(event, exceptions={key: {Field(name): value for name, value in fields.items()}})


@pytest.mark.parametrize(
    ("event", "values"),
    [
        (single("Budget"), {"title": "Budget v2"}),
        (single("Budget"), {"title": "Budget v2", "location": "Room 9"}),
        (single("Budget"), {"when": MOVED}),
        (series(), {f"@{occurrence(2)}/title": "Special"}),
        (series(), {f"@{occurrence(2)}": CANCELLED}),
        (with_exception(series(), occurrence(2), title="Special"), {f"@{occurrence(2)}": CANCELLED}),
        (with_exception(series(), occurrence(2), title="Special"), {f"@{occurrence(2)}/title": None}),
        (replace(series(), cancelled=frozenset({occurrence(2)})), {f"@{occurrence(2)}": None}),
        (series(), {"recurrence": weekly(count=5)}),
    ],
)
def test_exchanging_twice_gives_the_event_back(event, values):
    swapped, replaced = exchange(event, values)
    flat = flatten(swapped)
    assert {path: flat.get(path) for path in values} == values
    assert exchange(swapped, replaced)[0] == event


def test_what_is_no_longer_generated_is_kept_for_swapping_back():
    event = with_exception(series(recurrence=weekly(count=8)), occurrence(6), title="Special")
    swapped, replaced = exchange(event, {"recurrence": weekly(count=3)})
    assert swapped.exceptions == {}
    assert replaced == {"recurrence": weekly(count=8), f"@{occurrence(6)}/title": "Special"}
    assert exchange(swapped, replaced)[0] == event


def test_a_time_that_does_not_fit_the_rule_is_refused():
    tuesday = replace(timed(), start=timed().start.replace(day=3), end=timed().end.replace(day=3))
    with pytest.raises(CannotSwap, match="does not fit"):
        exchange(series(), {"when": tuesday})


def link_in(hub: HubState, place) -> LinkState:
    return next(link for link in hub.links if link.place == place)


ALONE = hub_of(single())
GUESTS_IN_OUTLOOK = hub_of(single(guests=(ALICE,)))
GUESTS_IN_GOOGLE = hub_of(single(guests=(ALICE,)), (GOOGLE, Role.ORIGIN), (OUTLOOK, Role.TWIN))
SOMEBODY_ELSES = hub_of(single(guests=(ALICE,), organizes=False))
NATIVE_ONLY = hub_of(single(), (OUTLOOK, Role.NATIVE), (GOOGLE, Role.NATIVE))
WITH_A_COLLEAGUE = hub_of(single(), (OUTLOOK, Role.ORIGIN), (COLLEAGUE, Role.COPY))
PINNED = hub_of(single(pinned=frozenset({Field.BODY})))


@pytest.mark.parametrize(
    ("hub", "place", "path", "why"),
    [
        (ALONE, None, "title", ""),
        (ALONE, GOOGLE, "title", ""),
        (GUESTS_IN_GOOGLE, OUTLOOK, "title", ""),
        (GUESTS_IN_OUTLOOK, GOOGLE, "title", "would mail its guests"),
        (SOMEBODY_ELSES, None, "title", "Somebody else organises"),
        (NATIVE_ONLY, None, "title", "Somebody else organises"),
        (WITH_A_COLLEAGUE, COLLEAGUE, "title", "colleague's copy"),
        (PINNED, None, "title", ""),
        (PINNED, None, "body", "does not take this change"),
    ],
)
def test_an_edit_is_swapped_in_only_where_it_may_travel(hub, place, path, why):
    link = None if place is None else link_in(hub, place)
    if not why:
        check_edit(hub, link, {path})
        return
    with pytest.raises(CannotSwap, match=why):
        check_edit(hub, link, {path})


def test_a_removal_deletes_every_copy():
    plan = plan_removal(ALONE)
    assert (plan.event, plan.changed) == (None, True)
    assert [(write.calendar_id, write.kind) for write in plan.writes] == [(1, WriteWish.DELETE), (2, WriteWish.DELETE)]


@pytest.mark.parametrize("hub", [GUESTS_IN_OUTLOOK, GUESTS_IN_GOOGLE, NATIVE_ONLY, SOMEBODY_ELSES])
def test_a_meeting_is_never_removed(hub):
    with pytest.raises(CannotSwap):
        plan_removal(hub)


def test_a_return_makes_what_is_gone_anew_and_leaves_what_stands():
    event = single()
    standing = agreed(event, GOOGLE, Role.TWIN)
    hub = HubState(edit(event, title="Edited"), (agreed(event, OUTLOOK, Role.ORIGIN), standing))
    plan = plan_return(hub, gone={OUTLOOK.calendar_id}, key=KEY)
    assert [(write.calendar_id, write.kind) for write in plan.writes] == [(1, WriteWish.CREATE), (2, WriteWish.UPDATE)]
    assert [(link.remote_id, link.generation) for link in plan.links] == [("", 1), (standing.remote_id, 0)]


@pytest.mark.parametrize("hub", [GUESTS_IN_OUTLOOK, NATIVE_ONLY, SOMEBODY_ELSES])
def test_a_meeting_is_never_made_again(hub):
    with pytest.raises(CannotSwap, match="without mailing"):
        plan_return(hub, gone={OUTLOOK.calendar_id, GOOGLE.calendar_id}, key=KEY)
