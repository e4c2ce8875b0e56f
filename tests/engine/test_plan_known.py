"""What follows from a sighting of a linked event."""

from dataclasses import replace

import pytest

from calsync.engine.events import Field, Platform, Recurrence, ShowAs
from calsync.engine.fingerprint import fingerprints
from calsync.engine.plan import (
    ConflictPolicy,
    FindingKind,
    Policy,
    Role,
    WriteWish,
    settle,
    wanted_map,
    wanted_writes,
)  # fmt: skip
from calsync.engine.travel import held_by_origin
from tests.engine.builders import (
    ALICE,
    BOB,
    GOOGLE,
    KEY,
    NINE,
    OUTLOOK,
    agreed,
    edit,
    hub_of,
    occurrence,
    series,
    sighting,
    single,
    timed,
    weekly,
)  # fmt: skip
from tests.engine.plan_steps import link_of, seen, twin_of, writes, written

MINE = single(body="agenda")
MEETING = replace(MINE, guests=(ALICE,), organizer="me@example.org")
INVITED = replace(MEETING, organizer="boss@example.org", organizes=False)
BOTH = ((OUTLOOK, Role.ORIGIN), (GOOGLE, Role.TWIN))
FROM_GOOGLE = ((OUTLOOK, Role.TWIN), (GOOGLE, Role.ORIGIN))


@pytest.mark.parametrize("event", [MINE, MEETING, INVITED, series(body="x"), replace(series(), guests=(BOB,))])
@pytest.mark.parametrize("calendar_id", [1, 2])
def test_an_echo_changes_only_the_version(event, calendar_id):
    hub = hub_of(event, *BOTH)
    plan = seen(hub, calendar_id, event if calendar_id == 1 else twin_of(event))
    assert (plan.writes, plan.findings, plan.changed, plan.event) == ((), (), False, event)
    assert link_of(plan, calendar_id) == replace(hub.links[calendar_id - 1], version="v2")


def test_a_calendar_without_a_link_is_an_error():
    with pytest.raises(ValueError, match="no link in calendar 9"):
        seen(hub_of(MINE), 9, MINE)


def test_an_edit_of_the_origin_becomes_an_update_of_the_twin():
    plan = seen(hub_of(MINE), 1, edit(MINE, title="New"))
    assert (plan.event.content.title, plan.changed, plan.findings) == ("New", True, ())
    assert writes(plan) == [(2, "update", ["title"])]
    assert wanted_writes(written(plan, 2), key=KEY) == ()


def test_an_edit_of_the_twin_becomes_an_update_of_the_origin():
    plan = seen(hub_of(MINE), 2, edit(twin_of(MINE), title="New"))
    assert writes(plan) == [(1, "update", ["title"])]


def test_a_write_that_is_still_to_do_is_planned_again_after_an_echo():
    plan = seen(hub_of(MINE), 1, edit(MINE, title="New"))
    again = seen(replace(hub_of(MINE), event=plan.event, links=plan.links), 2, twin_of(MINE))
    assert writes(again) == [(2, "update", ["title"])]


def test_a_poor_copy_does_not_take_away_what_it_cannot_hold():
    rich = single(show_as=ShowAs.OUT_OF_OFFICE, body="a")
    plan = seen(hub_of(rich), 2, edit(twin_of(rich), title="New"))
    assert plan.event == edit(rich, title="New")
    plan = seen(hub_of(rich), 2, edit(twin_of(rich), show_as=ShowAs.FREE))
    assert plan.event == edit(rich, show_as=ShowAs.FREE)


def test_a_provider_that_rewrites_text_does_not_look_like_an_edit():
    rewritten = edit(twin_of(MINE), body="AGENDA", location="somewhere")
    link = agreed(MINE, GOOGLE, Role.TWIN, echo=rewritten)
    hub = replace(hub_of(MINE), links=(hub_of(MINE).links[0], link))
    plan = seen(hub, 2, rewritten)
    assert (plan.changed, plan.writes, plan.findings) == (False, (), ())
    plan = seen(hub, 2, edit(rewritten, title="New"))
    assert plan.event == edit(MINE, title="New")


def test_a_write_whose_record_was_lost_is_recognised():
    plan = seen(hub_of(MINE), 1, edit(MINE, title="New"))
    again = seen(replace(hub_of(MINE), event=plan.event, links=plan.links), 2, twin_of(edit(MINE, title="New")))
    assert (again.writes, again.findings, again.changed) == ((), (), False)


def test_a_lost_record_does_not_cost_what_the_copy_cannot_hold():
    free = single(show_as=ShowAs.FREE)
    plan = seen(hub_of(free), 1, edit(free, show_as=ShowAs.OUT_OF_OFFICE))
    assert writes(plan) == [(2, "update", ["show_as"])]
    again = seen(replace(hub_of(free), event=plan.event, links=plan.links), 2, twin_of(plan.event), minutes=5)
    assert (again.event, again.writes, again.findings) == (edit(free, show_as=ShowAs.OUT_OF_OFFICE), (), ())


def test_an_edit_that_was_undone_before_it_was_put_back_is_nothing_to_tell():
    hub = hub_of(INVITED)
    first = seen(hub, 2, edit(twin_of(INVITED), title="Mine!"))
    undone = seen(replace(hub, links=first.links), 2, twin_of(INVITED))
    assert (undone.writes, undone.findings) == ((), ())


@pytest.mark.parametrize(
    ("policy", "title"),
    [(ConflictPolicy.ORIGIN, "Left"), (ConflictPolicy.GOOGLE, "Right"), (ConflictPolicy.NEWEST, "Right")],
)
def test_both_sides_edited_goes_by_policy_and_converges(policy, title):
    hub = hub_of(MINE)
    first = seen(hub, 1, edit(MINE, title="Left"))
    pending = replace(hub, event=first.event, links=first.links, changed_at=sighting(MINE).changed_at)
    plan = seen(pending, 2, edit(twin_of(MINE), title="Right"), policy=Policy(policy), minutes=1)
    assert plan.event.content.title == title
    loser = "Left" if title == "Right" else "Right"
    assert [(found.kind, found.values) for found in plan.findings] == [(FindingKind.BOTH_EDITED, {"title": loser})]
    assert writes(plan) == [(1 if title == "Right" else 2, "update", ["title"])]
    after = written(plan, plan.writes[0].calendar_id)
    assert wanted_writes(after, key=KEY) == ()


def test_asking_keeps_the_hub_and_says_so():
    hub = hub_of(MINE)
    first = seen(hub, 1, edit(MINE, title="Left"))
    pending = replace(hub, event=first.event, links=first.links)
    plan = seen(pending, 2, edit(twin_of(MINE), title="Right"), policy=Policy(ConflictPolicy.ASK))
    assert plan.event.content.title == "Left"
    assert "a person has to choose" in plan.findings[0].text


def test_a_lost_time_is_written_back_even_where_only_the_rule_clashed():
    base = series()
    tuesdays = replace(edit(base, when=timed(NINE.replace(day=3))), recurrence=weekly(*["TU"], count=10))
    first = seen(hub_of(base), 1, replace(base, recurrence=weekly(count=3)))
    pending = replace(hub_of(base), event=first.event, links=first.links)
    plan = seen(pending, 2, tuesdays, policy=Policy(ConflictPolicy.ORIGIN))
    assert plan.event == replace(base, recurrence=weekly(count=3))
    assert writes(plan) == [(2, "update", ["recurrence", "when"])]


# --- rules that a platform lacks -----------------------------------------------------------------------------------

STRANGE = replace(series(), recurrence=Recurrence(weekly().rules, (occurrence(3, hour=15),)))


def test_a_place_that_can_no_longer_hold_the_event_as_one_is_not_written_until_it_can():
    hub = hub_of(series(), *FROM_GOOGLE)
    plan = seen(hub, 2, STRANGE)
    assert (plan.findings, plan.writes) == ((), ())
    hub = replace(hub, event=plan.event, links=plan.links)
    renamed = seen(hub, 2, edit(STRANGE, title="New"))
    assert (renamed.findings, renamed.writes) == ((), ())
    hub = replace(hub, event=renamed.event, links=renamed.links)
    plain = seen(hub, 2, edit(series(), title="New"))
    assert writes(plain) == [(1, "update", ["title"])]


def test_a_twins_rule_that_the_origin_lacks_makes_the_twin_the_origin():
    plan = seen(hub_of(series()), 2, STRANGE)
    assert plan.event == STRANGE
    assert [(link.calendar_id, link.role) for link in plan.links] == [(1, Role.TWIN), (2, Role.ORIGIN)]
    assert plan.writes == ()


def test_a_meeting_with_guests_keeps_its_origin_whatever_the_rule():
    meeting = replace(series(), guests=(ALICE,), organizer="ann@example.org")
    hub = held_by_origin(replace(hub_of(meeting), event=replace(meeting, recurrence=STRANGE.recurrence)))
    assert [(link.calendar_id, link.role) for link in hub.links] == [(1, Role.ORIGIN), (2, Role.TWIN)]


# --- settling ------------------------------------------------------------------------------------------------------


def test_settling_remembers_what_was_wanted_and_what_the_provider_made_of_it():
    hub = hub_of(MEETING)
    echo = edit(twin_of(MEETING), title="BUDGET")
    unwritten = replace(hub.links[1], hub_map={})
    link = settle(unwritten, hub_event_as_written=MEETING, remote_id="r", version="v", echo=echo, key=KEY)
    assert link.hub_map == wanted_map(MEETING, link, key=KEY)
    shown = {**link.remote_map}
    assert shown.pop("note") == link.hub_map["note"]
    assert shown == fingerprints(edit(MINE, title="BUDGET"), key=KEY)
    assert (link.remote_id, link.version, link.role) == ("r", "v", Role.TWIN)


def test_what_somebody_changed_during_the_write_is_no_echo_and_is_read_again():
    hub = hub_of(series())
    renamed = {occurrence(1): {Field.TITLE: "Guest"}}
    written = edit(series(), location="Room 4")
    echo = replace(written, exceptions=renamed)
    link = settle(hub.links[1], hub_event_as_written=written, remote_id="r2", version="v2", echo=echo, key=KEY)
    assert link.version == ""
    plan = seen(replace(hub, event=written, links=(hub.links[0], link)), 2, echo)
    assert plan.event == echo


def test_exceptions_that_move_with_a_new_time_are_no_edit():
    hub = hub_of(replace(series(), exceptions={occurrence(1): {Field.TITLE: "Guest"}}))
    later = edit(series(), when=timed(NINE.replace(hour=11)))
    link = settle(hub.links[1], hub_event_as_written=later, remote_id="r2", version="v2", echo=later, key=KEY)
    assert (link.version, link.remote_map) == ("v2", fingerprints(later, key=KEY))


def test_a_hub_that_moved_on_during_the_write_is_written_again():
    hub = hub_of(MINE)
    link = settle(
        hub.links[1], hub_event_as_written=edit(MINE, title="v1"), remote_id="r", version="v", echo=MINE, key=KEY
    )
    later = replace(hub, event=edit(MINE, title="v2"), links=(link,))
    assert [(write.kind, write.paths) for write in wanted_writes(later, key=KEY)] == [(WriteWish.UPDATE, {"title"})]


def test_the_values_of_write_kinds_are_the_providers():
    assert [kind.value for kind in WriteWish] == ["create", "update", "delete"]
    assert hub_of(MINE).links[0].place.platform is Platform.OUTLOOK
