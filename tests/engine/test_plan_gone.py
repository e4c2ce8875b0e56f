"""What follows from a copy's deletion."""

from dataclasses import replace

import pytest

from calsync.engine.plan import DeletePolicy, FindingKind, Policy, Role, plan_known, wanted_writes
from tests.engine.builders import (
    ALICE,
    COLLEAGUE,
    GOOGLE,
    KEY,
    OUTLOOK,
    edit,
    hub_of,
    sighting,
    single,
)  # fmt: skip
from tests.engine.pretend import Mailbox, World

MINE = single()
MEETING = replace(MINE, guests=(ALICE,), organizer="me@example.org")
INVITED = replace(MEETING, organizer="boss@example.org", organizes=False)
THREE = ((OUTLOOK, Role.ORIGIN), (GOOGLE, Role.TWIN), (COLLEAGUE, Role.COPY))
NATIVE = ((OUTLOOK, Role.ORIGIN), (GOOGLE, Role.NATIVE))
DELETE_WINS = Policy(on_delete=DeletePolicy.DELETE_WINS)


def gone(hub, calendar_id, *, policy=Policy()):  # noqa: B008 - a frozen value
    return plan_known(sighting(None), hub=hub, calendar_id=calendar_id, policy=policy, key=KEY)


def writes(plan):
    return [(write.calendar_id, write.kind.value) for write in plan.writes]


def pending(hub, **fields):
    """The hub with an edit that no calendar has received yet."""
    return replace(hub, event=edit(hub.event, **fields))


@pytest.mark.parametrize("event", [MINE, MEETING, INVITED])
def test_a_deleted_origin_takes_its_twins_and_copies_along(event):
    plan = gone(hub_of(event, *THREE), 1)
    assert (plan.event, plan.changed, plan.findings) == (None, True, ())
    assert writes(plan) == [(2, "delete"), (3, "delete")]
    assert [link.calendar_id for link in plan.links] == [2, 3]


def test_copies_not_yet_made_vanish_and_read_only_calendars_are_left_alone():
    hub = hub_of(MINE, *THREE)
    origin, twin, copy = hub.links
    links = (origin, replace(twin, remote_id=""), replace(copy, place=replace(COLLEAGUE, writable=False)))
    plan = gone(replace(hub, links=links), 1)
    assert (plan.event, plan.writes) == (None, ())
    assert [link.calendar_id for link in plan.links] == [3]


def test_a_deleted_twin_deletes_the_origin_that_its_person_made():
    plan = gone(hub_of(MINE, *THREE), 2)
    assert (plan.event, writes(plan)) == (None, [(1, "delete"), (3, "delete")])


@pytest.mark.parametrize(
    ("event", "links"),
    [
        (MEETING, THREE),
        (INVITED, THREE),
        (MEETING, ((OUTLOOK, Role.COPY), (GOOGLE, Role.TWIN), (COLLEAGUE, Role.ORIGIN))),
        (MINE, ((replace(OUTLOOK, writable=False), Role.ORIGIN), (GOOGLE, Role.TWIN))),
    ],
)
def test_a_deleted_twin_of_a_meeting_is_made_again_under_a_new_key(event, links):
    plan = gone(hub_of(event, *links), 2)
    assert (plan.event, plan.changed) == (event, False)
    assert writes(plan) == [(2, "create")]
    assert [found.kind for found in plan.findings] == [FindingKind.COPY_DELETED]
    twin = next(link for link in plan.links if link.calendar_id == 2)
    assert (twin.remote_id, twin.version, twin.generation, twin.hub_map, twin.remote_map) == ("", "", 1, {}, {})


def test_a_deleted_copy_is_only_unlinked():
    plan = gone(hub_of(MINE, *THREE), 3)
    assert (plan.event, plan.writes, plan.findings, plan.changed) == (MINE, (), (), False)
    assert [link.calendar_id for link in plan.links] == [1, 2]


def test_a_deleted_native_copy_is_only_unlinked():
    plan = gone(hub_of(INVITED, *NATIVE), 2)
    assert (plan.event, plan.writes, [link.calendar_id for link in plan.links]) == (INVITED, (), [1])


def test_the_last_copy_takes_the_event_along():
    plan = gone(hub_of(INVITED, (GOOGLE, Role.NATIVE)), 2)
    assert (plan.event, plan.links, plan.changed) == (None, (), True)
    assert gone(hub_of(MINE, (GOOGLE, Role.COPY)), 2).event is None


def test_a_native_copy_outlives_the_origin_and_is_not_copied_back():
    plan = gone(hub_of(INVITED, *NATIVE), 1)
    assert (plan.event, plan.writes, plan.changed) == (INVITED, (), False)
    assert [link.calendar_id for link in plan.links] == [2]
    assert wanted_writes(replace(hub_of(INVITED), links=plan.links), key=KEY) == ()
    mixed = gone(hub_of(INVITED, *NATIVE, (COLLEAGUE, Role.COPY)), 1)
    assert (mixed.event, writes(mixed)) == (None, [(3, "delete")])


@pytest.mark.parametrize("calendar_id", [1, 2])
def test_an_edit_wins_against_a_deletion_that_had_not_seen_it(calendar_id):
    plan = gone(pending(hub_of(MINE), title="New"), calendar_id)
    assert plan.event == edit(MINE, title="New")
    assert (calendar_id, "create") in writes(plan)
    found = plan.findings[0]
    assert (found.kind, found.paths, found.values) == (FindingKind.DELETE_AGAINST_EDIT, {"title"}, {"title": "New"})
    assert "edit won" in found.text


@pytest.mark.parametrize("calendar_id", [1, 2])
def test_the_deletion_wins_by_policy_and_the_edit_is_kept_in_the_finding(calendar_id):
    plan = gone(pending(hub_of(MINE), title="New"), calendar_id, policy=DELETE_WINS)
    assert plan.event is None
    assert plan.findings[0].values == {"title": "New"}
    assert "deletion won" in plan.findings[0].text


def test_a_meeting_with_guests_is_never_made_anew_in_its_own_mailbox():
    hub = hub_of(MEETING, (OUTLOOK, Role.TWIN), (GOOGLE, Role.ORIGIN))
    plan = gone(pending(hub, title="New"), 2)
    assert (plan.event, writes(plan)) == (None, [(1, "delete")])


def test_a_put_back_that_is_still_to_do_is_no_edit():
    hub = hub_of(MINE)
    blanked = replace(hub.links[1], hub_map={**hub.links[1].hub_map, "body": ""})
    plan = gone(replace(hub, links=(hub.links[0], blanked)), 2)
    assert (plan.event, plan.findings) == (None, ())


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("policy", [Policy(), DELETE_WINS])
def test_deleting_on_one_side_while_editing_on_the_other_ends_in_agreement(first, policy):
    world = World(Mailbox(OUTLOOK), Mailbox(GOOGLE), policy=policy)
    world.born(MINE, at=1)
    world.settle_down()
    world.edit(3 - first, lambda event: edit(event, title="New"))
    world.pull(3 - first)
    world.delete(first)
    world.settle_down()
    left, right = (mailbox.event for mailbox in world.mailboxes.values())
    if policy is DELETE_WINS:
        assert (world.hub, left, right) == (None, None, None)
    else:
        assert left == right == edit(MINE, title="New")
    assert [found.kind for found in world.findings] == [FindingKind.DELETE_AGAINST_EDIT]
