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
    plan_known,
    settle,
    wanted_map,
    wanted_writes,
)  # fmt: skip
from calsync.engine.transform import project
from tests.engine.builders import (
    ALICE,
    BOB,
    COLLEAGUE,
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

MINE = single(body="agenda")
MEETING = replace(MINE, guests=(ALICE,), organizer="me@example.org")
INVITED = replace(MEETING, organizer="boss@example.org", organizes=False)
BOTH = ((OUTLOOK, Role.ORIGIN), (GOOGLE, Role.TWIN))
FROM_GOOGLE = ((OUTLOOK, Role.TWIN), (GOOGLE, Role.ORIGIN))


def seen(hub, calendar_id, event, *, policy=Policy(), minutes=0):  # noqa: B008 - a frozen value
    return plan_known(sighting(event, minutes=minutes), hub=hub, calendar_id=calendar_id, policy=policy, key=KEY)


def link_of(plan, calendar_id):
    return next(link for link in plan.links if link.calendar_id == calendar_id)


def writes(plan):
    return [(write.calendar_id, write.kind.value, sorted(write.paths)) for write in plan.writes]


def twin_of(event, place=GOOGLE):
    return project(event, traits=place.traits, role=Role.TWIN)


def written(plan, calendar_id, *, echo=None):
    """The hub after the planned write of one calendar was carried out."""
    link = link_of(plan, calendar_id)
    shown = echo or project(plan.event, traits=link.place.traits, role=link.role)
    done = settle(
        link, hub_event_as_written=plan.event, remote_id=link.remote_id or "new", version="v9", echo=shown, key=KEY
    )
    others = tuple(other for other in plan.links if other.calendar_id != calendar_id)
    return replace(hub_of(plan.event), event=plan.event, links=(done, *others))


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


# --- what may travel ----------------------------------------------------------------------------------------


PUT_BACK = [
    ("not the organiser", INVITED, BOTH, 2),
    ("guests in Outlook would be mailed", MEETING, BOTH, 2),
    ("a colleague's copy", MINE, (*BOTH, (COLLEAGUE, Role.COPY)), 3),
    ("the origin is read-only", MINE, ((replace(OUTLOOK, writable=False), Role.ORIGIN), (GOOGLE, Role.TWIN)), 2),
]


@pytest.mark.parametrize(("event", "links", "here"), [row[1:] for row in PUT_BACK], ids=[row[0] for row in PUT_BACK])
def test_an_edit_that_may_not_travel_is_put_back_and_told(event, links, here):
    role = Role.COPY if here == 3 else Role.TWIN
    hub = hub_of(event, *links)
    shown = edit(project(event, traits=GOOGLE.traits, role=role), title="Mine!")
    plan = seen(hub, here, shown)
    assert (plan.event, plan.changed) == (event, False)
    assert writes(plan) == [(here, "update", ["title"])]
    found = plan.findings[0]
    assert (found.kind, found.calendar_id, found.values) == (FindingKind.COPY_EDITED, here, {"title": "Mine!"})
    assert "Mine!" not in found.text
    assert seen(replace(hub, links=plan.links), here, shown).findings == ()
    assert wanted_writes(written(plan, here), key=KEY) == ()


def test_an_exception_made_in_a_copy_is_put_back_whole():
    hub = hub_of(replace(series(), guests=(ALICE,)))
    twin = twin_of(hub.event)
    edited = replace(twin, exceptions={occurrence(1): {Field.TITLE: "x"}}, cancelled=frozenset({occurrence(2)}))
    plan = seen(hub, 2, edited)
    assert writes(plan) == [(2, "update", [f"@{occurrence(1)}/title", f"@{occurrence(2)}"])]
    assert wanted_writes(written(plan, 2), key=KEY) == ()


def test_a_twins_edit_of_a_meeting_that_lives_in_google_travels():
    hub = hub_of(MEETING, *FROM_GOOGLE)
    plan = seen(hub, 1, edit(project(MEETING, traits=OUTLOOK.traits, role=Role.TWIN), title="New"))
    assert writes(plan) == [(2, "update", ["title"])]
    assert plan.event == edit(MEETING, title="New")


def test_a_pinned_field_is_put_back_and_the_rest_travels():
    pinned = replace(MINE, pinned=frozenset({Field.BODY}))
    plan = seen(hub_of(pinned), 2, edit(twin_of(pinned), title="New", body="no join link"))
    assert plan.event == edit(pinned, title="New")
    assert writes(plan) == [(1, "update", ["title"]), (2, "update", ["body"])]
    assert plan.findings[0].values == {"body": "no join link"}


def test_put_back_and_later_edits_do_not_mix_up():
    pinned = replace(MINE, pinned=frozenset({Field.BODY}))
    first = seen(hub_of(pinned), 2, edit(twin_of(pinned), body="no join link"))
    hub = replace(hub_of(pinned), links=first.links)
    plan = seen(hub, 2, edit(twin_of(pinned), body="no join link", title="New"))
    assert plan.findings == ()
    assert writes(plan) == [(1, "update", ["title"]), (2, "update", ["body"])]


# --- the origin's identity -----------------------------------------------------------------------------------


def test_a_changed_guest_list_changes_the_twins_note_alone():
    plan = seen(hub_of(MEETING), 1, replace(MEETING, guests=(ALICE, BOB)))
    assert (plan.event.guests, plan.changed) == ((ALICE, BOB), True)
    assert writes(plan) == [(2, "update", ["note"])]
    assert wanted_writes(written(plan, 2), key=KEY) == ()


def test_an_answer_changes_the_hub_and_writes_nothing():
    answered = replace(MEETING, guests=(replace(ALICE, response="accepted"),))
    plan = seen(hub_of(MEETING), 1, answered)
    assert (plan.event, plan.changed, plan.writes) == (answered, True, ())


def test_a_new_guest_list_does_not_clash_with_a_new_body_in_the_twin():
    hub = hub_of(MEETING, *FROM_GOOGLE)
    first = seen(hub, 2, replace(MEETING, guests=(ALICE, BOB)))
    twin = project(MEETING, traits=OUTLOOK.traits, role=Role.TWIN)
    edited = edit(twin, body=twin.content.body.replace("agenda", "new agenda"))
    plan = seen(replace(hub, event=first.event, links=first.links), 1, edited)
    assert plan.findings == ()
    assert (plan.event.content.body, plan.event.guests) == ("new agenda", (ALICE, BOB))


def test_a_pending_edit_gives_way_when_guests_are_invited_in_outlook():
    first = seen(hub_of(MINE), 2, edit(twin_of(MINE), title="From Google"))
    hub = replace(hub_of(MINE), event=first.event, links=first.links)
    plan = seen(hub, 1, MEETING)
    assert plan.event == MEETING
    assert plan.findings[0].values == {"title": "From Google"}
    assert writes(plan) == [(2, "update", ["note", "title"])]
    assert wanted_writes(written(plan, 2), key=KEY) == ()


def test_a_pending_edit_gives_way_when_its_field_becomes_pinned():
    first = seen(hub_of(MINE), 2, edit(twin_of(MINE), title="New", body="mine"))
    hub = replace(hub_of(MINE), event=first.event, links=first.links)
    joined = replace(edit(MINE, body="join here"), pinned=frozenset({Field.BODY}))
    plan = seen(hub, 1, joined)
    assert plan.event == edit(joined, title="New")
    assert writes(plan) == [(1, "update", ["title"]), (2, "update", ["body"])]
    assert plan.findings[0].values == {"body": "mine"}


def test_a_meeting_of_others_is_never_written_whatever_differs():
    hub = hub_of(INVITED)
    odd = replace(hub, event=edit(INVITED, title="Other"))
    assert [write.calendar_id for write in wanted_writes(odd, key=KEY)] == [2]


# --- guests invited in a copy -----------------------------------------------------------------------------------


def test_inviting_people_from_the_twin_makes_it_the_origin():
    invited = replace(twin_of(MINE), guests=(ALICE,), organizer="me@example.org")
    plan = seen(hub_of(MINE), 2, invited)
    assert [(link.calendar_id, link.role) for link in plan.links] == [(1, Role.TWIN), (2, Role.ORIGIN)]
    assert plan.event.guests == (ALICE,)
    assert writes(plan) == [(1, "update", ["note"])]


@pytest.mark.parametrize(
    ("hub", "calendar_id"),
    [
        (hub_of(MEETING), 2),
        (hub_of(replace(MINE, pinned=frozenset({Field.BODY}))), 2),
        (hub_of(MINE, *BOTH, (COLLEAGUE, Role.COPY)), 3),
    ],
)
def test_a_copy_with_its_own_guests_that_cannot_become_the_origin_is_never_written_again(hub, calendar_id):
    shown = replace(twin_of(hub.event), guests=(BOB,), organizer="me@example.org")
    plan = seen(hub, calendar_id, edit(shown, title="x"))
    assert link_of(plan, calendar_id).role is Role.NATIVE
    assert plan.event == hub.event
    later = seen(replace(hub, links=plan.links), 1, edit(hub.event, title="New"))
    assert calendar_id not in [write.calendar_id for write in later.writes]


# --- native copies --------------------------------------------------------------------------------------------


def test_a_native_copy_is_neither_written_nor_does_it_speak_for_the_event():
    hub = hub_of(INVITED, (OUTLOOK, Role.ORIGIN), (GOOGLE, Role.NATIVE))
    plan = seen(hub, 2, edit(INVITED, title="My own name for it"))
    assert (plan.event, plan.changed, plan.writes, plan.findings) == (INVITED, False, (), ())
    plan = seen(hub, 1, edit(INVITED, title="New"))
    assert plan.writes == ()


def test_a_native_copy_speaks_for_the_event_once_the_origin_is_gone():
    hub = hub_of(INVITED, (GOOGLE, Role.NATIVE))
    plan = seen(hub, 2, edit(INVITED, title="New"))
    assert (plan.event.content.title, plan.writes) == ("New", ())


# --- obstacles ---------------------------------------------------------------------------------------------------


def test_a_place_that_can_no_longer_hold_the_event_is_left_alone_until_it_can():
    base = series()
    hub = hub_of(base, *FROM_GOOGLE)
    strange = replace(base, recurrence=Recurrence(weekly().rules, (occurrence(3, hour=15),)))
    plan = seen(hub, 2, strange)
    assert [(found.kind, found.calendar_id) for found in plan.findings] == [(FindingKind.CANNOT_REPRESENT, 1)]
    assert plan.writes == ()
    hub = replace(hub, event=plan.event, links=plan.links)
    renamed = seen(hub, 2, edit(strange, title="New"))
    assert (renamed.findings, renamed.writes) == ((), ())
    hub = replace(hub, event=renamed.event, links=renamed.links)
    plain = seen(hub, 2, edit(base, title="New"))
    assert writes(plain) == [(1, "update", ["title"])]


def test_an_origin_that_cannot_hold_the_twins_edit_does_not_undo_it():
    hub = hub_of(series())
    strange = replace(series(), recurrence=Recurrence(weekly().rules, (occurrence(3, hour=15),)))
    plan = seen(hub, 2, strange)
    hub = replace(hub, event=plan.event, links=plan.links)
    later = seen(hub, 1, edit(series(), title="New"))
    assert later.event == edit(strange, title="New")
    assert writes(later) == [(2, "update", ["title"])]


# --- settling ------------------------------------------------------------------------------------------------------


def test_settling_remembers_what_was_wanted_and_what_the_provider_made_of_it():
    hub = hub_of(MEETING)
    echo = edit(twin_of(MEETING), title="BUDGET")
    link = settle(hub.links[1], hub_event_as_written=MEETING, remote_id="r", version="v", echo=echo, key=KEY)
    assert link.hub_map == wanted_map(MEETING, link, key=KEY)
    assert link.remote_map == fingerprints(edit(MINE, title="BUDGET"), key=KEY)
    assert (link.remote_id, link.version, link.role) == ("r", "v", Role.TWIN)


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
