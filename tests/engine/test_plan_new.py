"""First sightings: new events, and pairs that exist on both sides already."""

from dataclasses import replace

import pytest

from calsync.engine.events import Recurrence, ShowAs
from calsync.engine.plan import (
    ConflictPolicy,
    FindingKind,
    HubState,
    LinkState,
    Policy,
    Role,
    plan_adoption,
    plan_known,
    plan_new,
    wanted_writes,
)  # fmt: skip
from calsync.engine.transform import project
from tests.engine.builders import (
    ALICE,
    COLLEAGUE,
    GOOGLE,
    KEY,
    OUTLOOK,
    edit,
    hub_of,
    occurrence,
    series,
    sighting,
    single,
    weekly,
)  # fmt: skip

MINE = single(body="agenda", location="Room 1")
MEETING = replace(MINE, guests=(ALICE,), organizer="me@example.org")
INVITED = replace(MEETING, organizer="boss@example.org", organizes=False)
STRANGE = series(recurrence=Recurrence(weekly().rules, (occurrence(3, hour=15),)))


def new(event, *targets, here=OUTLOOK):
    return plan_new(sighting(event), here=here, targets=targets or (GOOGLE,), key=KEY)


def adopt(event, hub, *, here=GOOGLE, policy=Policy(), minutes=0):  # noqa: B008 - a frozen value
    return plan_adoption(sighting(event, minutes=minutes), here=here, hub=hub, policy=policy, key=KEY)


def alone(event, *, minutes=None):
    return hub_of(event, (OUTLOOK, Role.ORIGIN), minutes=minutes)


def writes(plan):
    return [(write.calendar_id, write.kind.value, sorted(write.paths)) for write in plan.writes]


@pytest.mark.parametrize("event", [MINE, MEETING, INVITED, single(show_as=ShowAs.TENTATIVE)])
def test_a_new_event_gets_an_origin_here_and_a_twin_there(event):
    plan = new(event)
    assert (plan.event, plan.changed, plan.findings) == (event, True, ())
    assert [(link.calendar_id, link.role, link.remote_id) for link in plan.links] == [
        (1, Role.ORIGIN, "r"), (2, Role.TWIN, ""),
    ]  # fmt: skip
    assert [(write.calendar_id, write.kind.value) for write in plan.writes] == [(2, "create")]
    echo = plan_known(sighting(event), hub=HubState(event, plan.links), calendar_id=1, policy=Policy(), key=KEY)
    assert (echo.changed, echo.findings) == (False, ())


def test_a_tombstone_of_something_unknown_is_nothing():
    plan = new(None)
    assert (plan.event, plan.links, plan.writes, plan.changed) == (None, (), (), False)


def test_read_only_targets_and_the_calendar_itself_are_skipped():
    plan = new(MINE, COLLEAGUE, replace(GOOGLE, writable=False), OUTLOOK)
    assert [link.calendar_id for link in plan.links] == [1, 3]


def test_a_target_that_cannot_hold_the_event_as_one_gets_a_link_without_a_write():
    plan = new(STRANGE, OUTLOOK, COLLEAGUE, here=GOOGLE)
    assert [link.calendar_id for link in plan.links] == [1, 2, 3]
    assert [write.calendar_id for write in plan.writes] == [3]
    assert plan.findings == ()


# --- adoption --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event", [MINE, MEETING, INVITED, single(show_as=ShowAs.TENTATIVE), series(), replace(series(), guests=(ALICE,))]
)
def test_a_pair_that_is_equal_is_linked_without_a_write(event):
    shown = project(event, traits=GOOGLE.traits, role=Role.TWIN)
    plan = adopt(shown, alone(event))
    assert (plan.event, plan.changed, plan.writes, plan.findings) == (event, False, (), ())
    assert [(link.calendar_id, link.role, link.remote_id) for link in plan.links][1] == (2, Role.TWIN, "r")
    echo = plan_known(sighting(shown), hub=HubState(event, plan.links), calendar_id=2, policy=Policy(), key=KEY)
    assert (echo.changed, echo.writes) == (False, ())


def test_an_equal_pair_without_a_guest_note_is_not_written_either():
    plan = adopt(MINE, alone(MEETING))
    assert (plan.writes, plan.findings) == ((), ())


@pytest.mark.parametrize("read", [INVITED, MEETING, replace(MINE, organizes=False)])
def test_an_invited_copy_becomes_native_and_is_left_alone(read):
    plan = adopt(edit(read, title="Other"), alone(MEETING))
    assert [link.role for link in plan.links] == [Role.ORIGIN, Role.NATIVE]
    assert (plan.event, plan.writes, plan.findings, plan.changed) == (MEETING, (), (), False)
    assert wanted_writes(HubState(edit(MEETING, title="x"), plan.links[1:]), key=KEY) == ()


@pytest.mark.parametrize(
    ("policy", "minutes", "title"),
    [
        (ConflictPolicy.NEWEST, 1, "There"),
        (ConflictPolicy.NEWEST, -1, "Here"),
        (ConflictPolicy.ORIGIN, 1, "Here"),
        (ConflictPolicy.GOOGLE, -1, "There"),
        (ConflictPolicy.ASK, 1, "Here"),
    ],
)
def test_a_differing_field_goes_by_policy_and_only_it_is_written(policy, minutes, title):
    hub = alone(edit(MINE, title="Here"), minutes=0)
    plan = adopt(edit(MINE, title="There"), hub, policy=Policy(policy), minutes=minutes)
    assert plan.event == edit(MINE, title=title)
    assert writes(plan) == [(1 if title == "There" else 2, "update", ["title"])]
    loser = "Here" if title == "There" else "There"
    assert [(found.kind, found.values) for found in plan.findings] == [(FindingKind.BOTH_EDITED, {"title": loser})]


def test_a_filled_text_beats_an_empty_one_without_a_finding():
    hub = alone(edit(MINE, location=""), minutes=5)
    plan = adopt(edit(MINE, body=""), hub)
    assert (plan.event, plan.findings) == (MINE, ())
    assert writes(plan) == [(1, "update", ["location"]), (2, "update", ["body"])]


@pytest.mark.parametrize("event", [MEETING, INVITED])
def test_a_twin_that_may_not_speak_for_the_event_is_written_over_and_told(event):
    plan = adopt(edit(MINE, title="There"), alone(event), minutes=5)
    assert (plan.event, plan.changed) == (event, False)
    assert writes(plan) == [(2, "update", ["title"])]
    assert plan.findings[0].values == {"title": "There"}


def test_differing_occurrences_are_met_too():
    here = replace(series(), cancelled=frozenset({occurrence(1)}))
    plan = adopt(replace(series(), cancelled=frozenset({occurrence(2)})), alone(here), minutes=5)
    assert plan.event.cancelled == {occurrence(2)}
    assert set(plan.findings[0].paths) == {f"@{occurrence(1)}", f"@{occurrence(2)}"}


def test_a_copy_that_was_still_to_be_made_is_adopted_in_its_place():
    hub = HubState(MINE, (*alone(MINE).links, LinkState(GOOGLE, Role.TWIN, generation=2)))
    plan = adopt(MINE, hub)
    assert [(link.calendar_id, link.remote_id, link.generation) for link in plan.links] == [(1, "r1", 0), (2, "r", 2)]
    assert plan.writes == ()


@pytest.mark.parametrize(("event", "hub"), [(None, alone(MINE)), (edit(MINE, title="x"), hub_of(MINE))])
def test_a_tombstone_or_a_second_copy_adopts_nothing(event, hub):
    plan = adopt(event, hub)
    assert (plan.event, plan.links, plan.writes, plan.changed) == (hub.event, hub.links, (), False)


def test_an_adopted_rule_that_the_origin_cannot_hold_makes_the_adopted_copy_the_origin():
    plain = replace(STRANGE, recurrence=weekly())
    plan = adopt(STRANGE, alone(plain), minutes=5)
    assert plan.event == STRANGE
    assert [found.kind for found in plan.findings] == [FindingKind.BOTH_EDITED]
    assert [(link.calendar_id, link.role) for link in plan.links] == [(1, Role.TWIN), (2, Role.ORIGIN)]
