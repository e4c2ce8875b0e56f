"""The note of a copy, and texts of which a place holds the beginning only."""

from dataclasses import replace

from calsync.engine.events import Field
from calsync.engine.note import note_for, note_in, with_note, without_note
from calsync.engine.plan import FindingKind, Role
from calsync.engine.travel import travelling
from calsync.engine.wanted import NOTE
from tests.engine.builders import ALICE, GOOGLE, GOOGLE_TRAITS, OUTLOOK, edit, hub_of, single
from tests.engine.plan_steps import link_of, seen, twin_of, writes

LINK = "https://meet.example/x"
LINE = f"Join online: {LINK} (kept by CalSync)"
MINE = single(body="agenda")
MEETING = replace(MINE, guests=(ALICE,), organizer="me@example.org", join=LINK)
BRIEF = replace(GOOGLE, traits=replace(GOOGLE_TRAITS, fit=lambda field, words, _: words[:6]))


def test_a_link_is_told_once():
    assert note_for(replace(MINE, join=LINK)) == LINE
    assert note_for(replace(edit(MINE, body=f"see {LINK}"), join=LINK)) == ""
    assert note_for(replace(edit(MINE, body="x" * 5000 + LINK), join=LINK)) == LINE


def test_a_note_is_found_and_taken_out_whole():
    note = note_for(MEETING)
    body = with_note("agenda", note)
    assert without_note(body) == "agenda"
    assert note_in(body) == note
    assert without_note(f"{body}\nmy own words") == "agenda\nmy own words"


def test_a_changed_note_is_put_back_without_a_word():
    hub = hub_of(MEETING)
    plan = seen(hub, 2, edit(twin_of(MEETING), body=f"agenda\n\n{LINE}"))
    assert writes(plan) == [(2, "update", [NOTE])]
    assert plan.findings == ()
    assert plan.event == MEETING


def test_a_note_that_is_pasted_where_none_belongs_is_taken_out():
    plan = seen(hub_of(MINE), 2, edit(MINE, body=f"agenda\n\n{LINE}"))
    assert writes(plan) == [(2, "update", [NOTE])]
    assert plan.event == MINE


def test_a_body_travels_with_its_formatting():
    rich = edit(MINE, body="new agenda", markup="<b>new</b> agenda")
    plan = seen(hub_of(MINE), 2, rich)
    assert (plan.event.content.body, plan.event.content.markup) == ("new agenda", "<b>new</b> agenda")


def test_a_change_of_formatting_alone_is_no_change():
    plan = seen(hub_of(MINE), 2, edit(MINE, markup="<b>agenda</b>"))
    assert (plan.writes, plan.changed) == ((), False)


def test_a_text_does_not_travel_from_where_only_its_beginning_stands():
    hub = hub_of(edit(MINE, body="a long agenda"), (OUTLOOK, Role.ORIGIN), (BRIEF, Role.TWIN))
    link = hub.links[1]
    assert travelling(hub, link, {Field.BODY.value, Field.WHEN.value}) == {Field.WHEN.value}
    plan = seen(hub, 2, edit(MINE, body="other"))
    assert writes(plan) == [(2, "update", ["body"])]
    assert [found.kind for found in plan.findings] == [FindingKind.COPY_EDITED]
    assert link_of(plan, 2).hub_map["body"] == ""


def test_a_text_of_just_the_right_length_travels():
    hub = hub_of(edit(MINE, title="short", body="agenda"), (OUTLOOK, Role.ORIGIN), (BRIEF, Role.TWIN))
    assert travelling(hub, hub.links[1], {Field.BODY.value}) == {Field.BODY.value}
