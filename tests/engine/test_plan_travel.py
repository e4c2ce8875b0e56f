"""Whose edits count: what travels, what is put back, who is never written."""

from dataclasses import replace

import pytest

from calsync.engine.events import Field
from calsync.engine.plan import (
    FindingKind,
    Role,
    wanted_writes,
)  # fmt: skip
from calsync.engine.transform import project
from tests.engine.builders import (
    ALICE,
    BOB,
    COLLEAGUE,
    GOOGLE,
    KEY,
    OUTLOOK,
    edit,
    hub_of,
    occurrence,
    series,
    single,
)  # fmt: skip
from tests.engine.plan_steps import link_of, seen, twin_of, writes, written

MINE = single(body="agenda")
MEETING = replace(MINE, guests=(ALICE,), organizer="me@example.org")
INVITED = replace(MEETING, organizer="boss@example.org", organizes=False)
BOTH = ((OUTLOOK, Role.ORIGIN), (GOOGLE, Role.TWIN))
FROM_GOOGLE = ((OUTLOOK, Role.TWIN), (GOOGLE, Role.ORIGIN))


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
