"""What a copy looks like, and the guest note."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.engine.events import Field, Guest, Sensitivity, ShowAs
from calsync.engine.note import END_MARKER, MARKER
from calsync.engine.policy import Role
from calsync.engine.transform import guest_note, project, strip_note
from tests.engine.builders import (
    ALICE,
    BOB,
    GOOGLE_TRAITS,
    OUTLOOK_TRAITS,
    days,
    edit,
    occurrence,
    series,
    single,
    timed,
    weekly,
)  # fmt: skip

SHORT = replace(GOOGLE_TRAITS, shortest_minutes=15)
MEETING = single(body="agenda", guests=(ALICE, BOB), organizer="me@example.org", pinned=frozenset({Field.BODY}))


def project_to_google(event, role=Role.TWIN, traits=GOOGLE_TRAITS):
    return project(event, traits=traits, role=role)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"show_as": ShowAs.TENTATIVE}, {"show_as": ShowAs.BUSY}),
        ({"show_as": ShowAs.FREE}, {"show_as": ShowAs.FREE}),
        ({"sensitivity": Sensitivity.CONFIDENTIAL}, {"sensitivity": Sensitivity.PRIVATE}),
    ],
)
def test_levels_that_the_platform_lacks_are_mapped(fields, expected):
    assert project_to_google(single(**fields)) == single(**expected)
    assert project(single(**fields), traits=OUTLOOK_TRAITS, role=Role.TWIN) == single(**fields)


def test_an_exception_that_says_nothing_after_mapping_is_dropped():
    exceptions = {occurrence(): {Field.SHOW_AS: ShowAs.TENTATIVE}, occurrence(1): {Field.SHOW_AS: ShowAs.FREE}}
    projected = project_to_google(replace(series(), exceptions=exceptions))
    assert projected.exceptions == {occurrence(1): {Field.SHOW_AS: ShowAs.FREE}}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (timed(minutes=0), timed(minutes=15)),
        (timed(minutes=14), timed(minutes=15)),
        (timed(minutes=15), timed(minutes=15)),
        (timed(minutes=-60), timed(minutes=15)),
        (timed(minutes=0, zone="Europe/London", end_zone="Europe/Berlin"), timed(minutes=15, zone="Europe/London")),
        (days(), days()),
    ],
)
def test_short_events_are_written_with_the_shortest_length(when, expected):
    assert project_to_google(single(when=when), traits=SHORT) == single(when=expected)


def test_short_exceptions_are_lengthened_too():
    event = replace(series(), exceptions={occurrence(): {Field.WHEN: timed(minutes=5)}})
    assert project_to_google(event, traits=SHORT).exceptions[occurrence()] == {Field.WHEN: timed(minutes=15)}


@pytest.mark.parametrize("role", [Role.TWIN, Role.COPY])
def test_a_twin_carries_no_guests_and_has_them_as_text(role):
    twin = project_to_google(MEETING, role)
    assert (twin.guests, twin.organizer, twin.organizes, twin.pinned) == ((), "", True, frozenset())
    assert twin.content.body.startswith("agenda\n\n" + MARKER)
    assert "Organizer: me@example.org" in twin.content.body
    assert "- Alice <alice@example.org>" in twin.content.body
    assert "- Bob <bob@example.org> (optional)" in twin.content.body


@pytest.mark.parametrize("role", [Role.ORIGIN, Role.NATIVE])
def test_an_origin_keeps_its_guests_and_gets_no_note(role):
    assert project_to_google(MEETING, role) == MEETING


def test_an_event_of_ones_own_gets_no_note_and_a_foreign_one_does():
    assert guest_note(single(organizer="me@example.org")) == ""
    assert "Organizer: boss@example.org" in guest_note(single(organizer="boss@example.org", organizes=False))
    assert guest_note(single(organizes=False)) == ""


def test_an_answer_to_an_invitation_does_not_change_the_note():
    answered = replace(MEETING, guests=(replace(ALICE, response="accepted"), BOB))
    assert guest_note(answered) == guest_note(MEETING)


def test_a_long_guest_list_is_cut():
    note = guest_note(single(guests=tuple(Guest(f"g{number}@example.org") for number in range(53))))
    assert "- g49@example.org\nand 3 more\n" in note
    assert "g50@" not in note


def test_exceptions_with_their_own_body_get_the_note_and_lose_it_again():
    event = replace(MEETING, recurrence=weekly(), exceptions={occurrence(): {Field.BODY: "other"}})
    twin = project_to_google(event)
    assert twin.exceptions[occurrence()][Field.BODY].startswith("other\n\n" + MARKER)
    assert strip_note(twin).exceptions == event.exceptions


def test_a_stale_note_in_an_exception_is_no_override():
    note = guest_note(single(guests=(ALICE,)))
    twin = replace(
        project_to_google(replace(MEETING, recurrence=weekly())),
        exceptions={occurrence(): {Field.BODY: f"agenda\n\n{note}"}},
    )
    assert strip_note(twin).exceptions == {}


@given(st.text(alphabet=st.sampled_from("ab \n-"), max_size=12))
def test_projecting_and_stripping_gives_the_same_body(body):
    assert strip_note(project_to_google(edit(MEETING, body=body))).content.body == body


def test_text_below_the_note_is_the_persons_own():
    twin = project_to_google(MEETING)
    added = edit(twin, body=twin.content.body + "\nbring cake")
    assert strip_note(added).content.body == "agenda\nbring cake"


def test_without_an_end_marker_all_below_the_marker_is_the_note():
    twin = project_to_google(MEETING)
    cut = edit(twin, body=twin.content.body.replace(END_MARKER, ""))
    assert strip_note(cut).content.body == "agenda"


def test_a_note_that_was_pasted_into_the_event_is_not_doubled():
    pasted = edit(MEETING, body=project_to_google(MEETING).content.body)
    assert project_to_google(pasted).content.body == project_to_google(MEETING).content.body
