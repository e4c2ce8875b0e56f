"""What follows from an edit or a deletion of a part of a series that a platform cannot hold as one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calsync.engine.events import Field, Recurrence, Rule
from calsync.engine.fingerprint import fingerprints
from calsync.engine.parts import parts_of
from calsync.engine.plan import (
    ConflictPolicy,
    DeletePolicy,
    FindingKind,
    Policy,
    Role,
    wanted_map,
)  # fmt: skip
from calsync.engine.plan_part import Part, plan_part
from calsync.engine.transform import project
from tests.engine.builders import (
    ALICE,
    GOOGLE,
    KEY,
    OUTLOOK,
    agreed,
    edit,
    hub_of,
    occurrence,
    series,
    sighting,
    timed,
    weekly,
)  # fmt: skip

EXTRA = occurrence(3, hour=15)
"""A date beside the weekly rule: it stands alone, the rule is a part of its own."""

WHOLE = series(recurrence=Recurrence(weekly(count=10).rules, (EXTRA,)))
HUB = hub_of(WHOLE, (GOOGLE, Role.ORIGIN))
RULED, ALONE = parts_of(
    WHOLE,
    traits=OUTLOOK.traits,
    after=datetime(2026, 10, 1, tzinfo=UTC),
    before=datetime(2027, 10, 1, tzinfo=UTC),
).items()


def part_plan(part, read, *, hub=HUB, role=Role.TWIN, policy=Policy(), held=None, minutes=0):  # noqa: B008 - frozen
    name, content = part
    link = held or agreed(content, OUTLOOK, role)
    return plan_part(
        sighting(read, minutes=minutes), part=Part(name, content), link=link, whole=hub, policy=policy, key=KEY
    )


def shown(part):
    return project(part[1], traits=OUTLOOK.traits, role=Role.TWIN)


@pytest.mark.parametrize("part", [RULED, ALONE])
def test_a_part_that_was_not_edited_changes_nothing(part):
    plan = part_plan(part, shown(part))
    assert (plan.whole, plan.changed, plan.findings) == (WHOLE, False, ())
    assert plan.link.hub_map == wanted_map(part[1], plan.link, key=KEY)


@pytest.mark.parametrize(
    ("part", "read", "key", "override"),
    [
        (ALONE, edit(shown(ALONE), title="Guest"), EXTRA, {Field.TITLE: "Guest"}),
        (
            ALONE,
            edit(shown(ALONE), when=timed(datetime.fromisoformat("2026-11-23T17:00"))),
            EXTRA,
            {Field.WHEN: timed(datetime.fromisoformat("2026-11-23T17:00"))},
        ),
        (
            RULED,
            replace(shown(RULED), exceptions={occurrence(2): {Field.TITLE: "Guest"}}),
            occurrence(2),
            {Field.TITLE: "Guest"},
        ),
    ],
)
def test_an_edited_occurrence_becomes_an_exception_of_the_whole(part, read, key, override):
    plan = part_plan(part, read)
    assert plan.changed
    assert plan.whole.exceptions == {key: override}
    assert (plan.whole.content, plan.whole.recurrence, plan.findings) == (WHOLE.content, WHOLE.recurrence, ())
    assert plan.link.remote_map == fingerprints(read, key=KEY)


def test_an_edit_taken_back_leaves_no_exception():
    named = replace(WHOLE, exceptions={EXTRA: {Field.TITLE: "Guest"}})
    part = (ALONE[0], edit(ALONE[1], title="Guest"))
    plan = part_plan(part, shown(ALONE), hub=hub_of(named, (GOOGLE, Role.ORIGIN)))
    assert (plan.changed, plan.whole) == (True, WHOLE)


def test_an_occurrence_cancelled_in_a_part_is_cancelled_in_the_whole():
    plan = part_plan(RULED, replace(shown(RULED), cancelled=frozenset({occurrence(4)})))
    assert plan.whole.cancelled == {occurrence(4)}


@pytest.mark.parametrize(
    "read",
    [
        edit(shown(RULED), title="All of them"),
        replace(shown(RULED), recurrence=Recurrence((Rule(weekly().rules[0].frequency, interval=2),))),
    ],
)
def test_a_part_edited_as_a_whole_is_put_back_and_told(read):
    plan = part_plan(RULED, read)
    assert (plan.whole, plan.changed) == (WHOLE, False)
    assert [found.kind for found in plan.findings] == [FindingKind.PART_EDITED]
    assert "" in plan.link.hub_map.values()


@pytest.mark.parametrize(
    ("policy", "title", "forced"), [(ConflictPolicy.OUTLOOK, "Theirs", False), (ConflictPolicy.GOOGLE, "Ours", True)]
)
def test_an_edit_on_both_sides_goes_by_policy_and_the_loser_is_told(policy, title, forced):
    renamed = replace(WHOLE, exceptions={EXTRA: {Field.TITLE: "Ours"}})
    link = agreed(ALONE[1], OUTLOOK, Role.TWIN)
    part = (ALONE[0], edit(ALONE[1], title="Ours"))
    plan = part_plan(
        part,
        edit(shown(ALONE), title="Theirs"),
        hub=hub_of(renamed, (GOOGLE, Role.ORIGIN)),
        held=link,
        policy=Policy(policy),
    )
    assert plan.whole.exceptions == {EXTRA: {Field.TITLE: title}}
    assert [found.kind for found in plan.findings] == [FindingKind.BOTH_EDITED]
    assert (plan.link.hub_map["title"] == "") is forced


@pytest.mark.parametrize("hub", [HUB, hub_of(replace(WHOLE, guests=(ALICE,)), (GOOGLE, Role.ORIGIN))])
def test_a_colleagues_copy_never_speaks_for_the_event(hub):
    plan = part_plan(ALONE, edit(shown(ALONE), title="Mine"), hub=hub, role=Role.COPY)
    assert (plan.changed, [found.kind for found in plan.findings]) == (False, [FindingKind.COPY_EDITED])


def test_a_part_to_which_people_were_invited_is_never_written_again():
    plan = part_plan(ALONE, replace(shown(ALONE), guests=(ALICE,)))
    assert (plan.link.role, plan.changed) == (Role.NATIVE, False)
    assert [found.kind for found in plan.findings] == [FindingKind.PART_EDITED]
    again = part_plan(ALONE, replace(shown(ALONE), guests=(ALICE,)), held=plan.link)
    assert (again.link.role, again.findings) == (Role.NATIVE, ())


# --- deletions -----------------------------------------------------------------------------------------------------


def test_a_single_part_deleted_is_an_occurrence_cancelled():
    plan = part_plan(ALONE, None)
    assert (plan.whole.cancelled, plan.link, plan.findings) == ({EXTRA}, None, ())


@pytest.mark.parametrize(
    ("part", "hub", "kind"),
    [
        (RULED, HUB, FindingKind.PART_EDITED),
        (ALONE, hub_of(replace(WHOLE, guests=(ALICE,)), (GOOGLE, Role.ORIGIN)), FindingKind.COPY_DELETED),
        (ALONE, hub_of(replace(WHOLE, organizes=False), (GOOGLE, Role.ORIGIN)), FindingKind.COPY_DELETED),
    ],
)
def test_a_part_that_may_not_be_deleted_is_made_again_and_told(part, hub, kind):
    plan = part_plan(part, None, hub=hub)
    assert (plan.changed, plan.link.remote_id, plan.link.generation) == (False, "", 1)
    assert [found.kind for found in plan.findings] == [kind]


def test_a_colleague_who_deletes_a_part_hides_it():
    plan = part_plan(ALONE, None, role=Role.COPY)
    assert (plan.link, plan.changed, plan.findings) == (None, False, ())


@pytest.mark.parametrize(("policy", "kept"), [(DeletePolicy.EDIT_WINS, True), (DeletePolicy.DELETE_WINS, False)])
def test_a_part_deleted_here_and_edited_there_goes_by_policy(policy, kept):
    renamed = replace(WHOLE, exceptions={EXTRA: {Field.TITLE: "Ours"}})
    plan = part_plan(
        (ALONE[0], edit(ALONE[1], title="Ours")),
        None,
        hub=hub_of(renamed, (GOOGLE, Role.ORIGIN)),
        held=agreed(ALONE[1], OUTLOOK, Role.TWIN),
        policy=Policy(on_delete=policy),
    )
    assert [found.kind for found in plan.findings] == [FindingKind.DELETE_AGAINST_EDIT]
    assert (plan.link is not None, EXTRA in plan.whole.cancelled) == (kept, not kept)


def test_a_part_that_moved_back_between_its_neighbours_is_needed_no_more():
    bound = replace(OUTLOOK, traits=replace(OUTLOOK.traits, neighbour_bound=True))
    beyond = timed(datetime.fromisoformat("2026-11-17T09:00"))
    whole = replace(series(), exceptions={occurrence(1): {Field.WHEN: beyond}})
    [(name, content)] = parts_of(whole, traits=bound.traits, after=datetime.now(UTC), before=datetime.now(UTC)).items()
    near = timed(occurrence_start(1) + timedelta(hours=2))
    plan = plan_part(
        sighting(edit(project(content, traits=bound.traits, role=Role.TWIN), when=near)),
        part=Part(name, content),
        link=agreed(content, bound, Role.TWIN),
        whole=hub_of(whole, (GOOGLE, Role.ORIGIN)),
        policy=Policy(),
        key=KEY,
    )
    assert plan.whole.exceptions == {occurrence(1): {Field.WHEN: near}}
    assert parts_of(plan.whole, traits=bound.traits, after=datetime.now(UTC), before=datetime.now(UTC)) == {}


def occurrence_start(week):
    return datetime.fromisoformat(occurrence(week))
