"""Masked copies: what they show, occurrence by occurrence, and that what they hide never comes back as an edit."""

from dataclasses import replace

import pytest

from calsync.engine.events import Field, Sensitivity, ShowAs
from calsync.engine.masking import BUSY_ONLY, BUSY_TITLE, dump, fields_sent, is_masked, load, masked
from calsync.engine.plan import FindingKind, HubState, Policy, Role, plan_adoption, plan_known, plan_new
from calsync.engine.policy import ConflictPolicy, DeletePolicy
from calsync.engine.transform import project, shortened
from calsync.engine.treatment import FULL, Detail, Details, Leaving, Passage, Treatment
from calsync.engine.wanted import wanted_map, wanted_writes
from tests.engine.builders import (
    ALICE,
    BOB,
    COLLEAGUE,
    GOOGLE,
    GOOGLE_TRAITS,
    KEY,
    NOW,
    OUTLOOK,
    OUTLOOK_TRAITS,
    agreed,
    edit,
    hub_of,
    occurrence,
    series,
    sighting,
    single,
    timed,
)
from tests.engine.plan_steps import link_of, seen, writes

SECRET = single(
    "Merger with Acme",
    body="All the figures",
    location="Room 4",
    show_as=ShowAs.OUT_OF_OFFICE,
    sensitivity=Sensitivity.CONFIDENTIAL,
    guests=(ALICE, BOB),
    organizer="boss@example.org",
    join="https://meet.example.org/abc",
)
BUSY = Treatment(details=BUSY_ONLY, rule="7v1")
TITLE = Treatment(details=Details(Detail.TITLE))


def chosen(*fields, title=""):
    return Details(Detail.CHOSEN, frozenset(fields), title)


def told(event):
    content = event.content
    return (content.title, content.body, content.location, content.show_as.value)


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        (Details(), ("Merger with Acme", "All the figures", "Room 4", "oof")),
        (Details(Detail.TITLE), ("Merger with Acme", "", "", "oof")),
        (Details(Detail.BUSY), ("Busy", "", "", "busy")),
        (chosen(), ("Busy", "", "", "busy")),
        (chosen(Field.LOCATION), ("Busy", "", "Room 4", "busy")),
        (chosen(Field.TITLE, Field.SHOW_AS), ("Merger with Acme", "", "", "oof")),
        (chosen(Field.BODY), ("Busy", "All the figures", "", "busy")),
        (chosen(title="{title}|{organizer}|{show_as}"), ("||", "", "", "busy")),
        (Details(title="{title} ({organizer}, {show_as})"),
         ("Merger with Acme (boss@example.org, oof)", "All the figures", "Room 4", "oof")),
        (Details(Detail.TITLE, title="At work: {title} {organizer}"), ("At work: Merger with Acme", "", "", "oof")),
        (Details(Detail.BUSY, title="{title}{organizer}{show_as}"), ("Busy", "", "", "busy")),
        (Details(Detail.BUSY, title="Out {0.__class__} {other}"), ("Out {0.__class__} {other}", "", "", "busy")),
        (Details("everything"), ("Busy", "", "", "busy")),
    ],
)  # fmt: skip
def test_what_a_copy_shows(details, expected):
    assert told(masked(SECRET, details)) == expected


@pytest.mark.parametrize("level", [Detail.TITLE, Detail.BUSY, Detail.CHOSEN, "unheard of"])
def test_guests_organiser_and_link_travel_with_full_details_only(level):
    copy = project(SECRET, traits=GOOGLE_TRAITS, role=Role.COPY, treatment=Treatment(details=Details(level)))
    shown = repr(copy)
    for word in ("alice", "bob", "boss", "meet.example.org", "Acme ", "figures"):
        assert word not in shown
    assert copy.content.when == SECRET.content.when


def test_a_title_template_leaves_everything_else_as_it_is():
    copy = project(
        SECRET, traits=GOOGLE_TRAITS, role=Role.COPY, treatment=Treatment(details=Details(title="X {title}"))
    )
    assert copy.content.title == "X Merger with Acme"
    assert "alice@example.org" in copy.content.body


@pytest.mark.parametrize("sensitivity", [Sensitivity.PRIVATE, Sensitivity.CONFIDENTIAL, Sensitivity.NORMAL])
@pytest.mark.parametrize("details", [BUSY_ONLY, Details(Detail.TITLE), chosen(), Details("?")])
def test_a_private_event_has_a_private_copy(details, sensitivity):
    assert masked(single(sensitivity=sensitivity), details).content.sensitivity is sensitivity


def test_being_free_is_told_even_where_nothing_else_is():
    assert masked(single(show_as=ShowAs.FREE), BUSY_ONLY).content.show_as is ShowAs.FREE
    assert masked(single(show_as=ShowAs.TENTATIVE), BUSY_ONLY).content.show_as is ShowAs.BUSY


@pytest.mark.parametrize("role", [Role.ORIGIN, Role.NATIVE])
def test_the_event_itself_and_what_an_invitation_made_are_never_masked(role):
    assert project(SECRET, traits=OUTLOOK_TRAITS, role=role, treatment=BUSY) == SECRET


def test_nothing_of_an_exception_shows_through_a_masked_series():
    own = {Field.TITLE: "Lay-offs", Field.BODY: "names", Field.LOCATION: "Cellar", Field.SHOW_AS: ShowAs.ELSEWHERE}
    moved = {**own, Field.WHEN: timed(minutes=15)}
    free = {Field.SHOW_AS: ShowAs.FREE, Field.SENSITIVITY: Sensitivity.PRIVATE}
    event = replace(
        series(), exceptions={occurrence(): own, occurrence(1): moved, occurrence(2): free}, cancelled={occurrence(3)}
    )
    shown = masked(event, BUSY_ONLY)
    assert shown.content.title == BUSY_TITLE
    assert shown.exceptions == {occurrence(1): {Field.WHEN: timed(minutes=15)}, occurrence(2): free}
    assert shown.cancelled == {occurrence(3)}
    titles = masked(event, Details(Detail.TITLE)).exceptions
    assert titles[occurrence()] == {Field.TITLE: "Lay-offs", Field.SHOW_AS: ShowAs.ELSEWHERE}


def test_a_template_is_filled_for_each_occurrence():
    own = {occurrence(): {Field.TITLE: "Retro"}, occurrence(1): {Field.SHOW_AS: ShowAs.FREE}}
    shown = masked(replace(series(), exceptions=own), Details(title="{title}: {show_as}"))
    assert shown.content.title == "Stand-up: busy"
    assert shown.exceptions[occurrence()] == {Field.TITLE: "Retro: busy"}
    assert shown.exceptions[occurrence(1)] == {Field.TITLE: "Stand-up: free", Field.SHOW_AS: ShowAs.FREE}


def test_the_markup_goes_with_its_text():
    event = edit(single(), body="plain", markup="<b>plain</b>")
    assert masked(event, BUSY_ONLY).content.markup == ""
    assert masked(event, chosen(Field.BODY)).content.markup == "<b>plain</b>"
    assert shortened(event, traits=GOOGLE_TRAITS, role=Role.COPY, treatment=BUSY) == frozenset()


@pytest.mark.parametrize(
    ("details", "sent"),
    [
        (Details(), frozenset(Field)),
        (Details(title="x"), frozenset(Field) - {Field.TITLE}),
        (BUSY_ONLY, {Field.WHEN, Field.RECURRENCE, Field.SENSITIVITY}),
        (chosen(Field.BODY), {Field.WHEN, Field.RECURRENCE, Field.SENSITIVITY, Field.BODY}),
    ],
)
def test_which_fields_are_sent(details, sent):
    assert fields_sent(details) == sent
    assert is_masked(details) == (sent != frozenset(Field))


EVERYTHING = Treatment(
    Passage.HOLD, chosen(Field.TITLE, Field.BODY, title="{title}!"), ConflictPolicy.ASK, DeletePolicy.DELETE_WINS,
    Leaving.REMOVE, "manager", 5, 90, "Europe/Berlin", "17v3",
)  # fmt: skip


@pytest.mark.parametrize("treatment", [FULL, BUSY, EVERYTHING])
def test_a_stored_treatment_comes_back_as_it_was(treatment):
    assert load(dump(treatment)) == treatment


@pytest.mark.parametrize(
    "data",
    [None, [], "full", {"level": "full"}, {**dump(EVERYTHING), "level": "all"}, {**dump(EVERYTHING), "fields": ["x"]}],
)
def test_an_unreadable_treatment_shows_busy(data):
    assert load(data).details == BUSY_ONLY


# --- plans ------------------------------------------------------------------------------------------------


def masked_hub(event, treatment=BUSY):
    twin = agreed(event, GOOGLE, Role.TWIN)
    twin = replace(twin, treatment=treatment)
    shown = project(event, traits=GOOGLE_TRAITS, role=Role.TWIN, treatment=treatment)
    hub_map = wanted_map(event, twin, key=KEY)
    return HubState(event, (agreed(event, OUTLOOK, Role.ORIGIN), replace(twin, hub_map=hub_map, remote_map=hub_map)),
                    NOW), shown  # fmt: skip


PLAIN = single("Dentist", body="tooth", location="Main Street")


def test_a_masked_copy_in_step_is_quiet():
    hub, shown = masked_hub(PLAIN)
    plan = seen(hub, 2, shown)
    assert (writes(plan), plan.findings, plan.changed) == ([], (), False)


def test_what_is_masked_may_change_in_the_event_without_a_write():
    hub, _ = masked_hub(PLAIN)
    plan = seen(hub, 1, edit(PLAIN, title="Doctor", body="knee"))
    assert plan.changed
    assert writes(plan) == []


def test_an_edit_of_what_is_masked_is_put_back_and_never_becomes_the_events():
    hub, shown = masked_hub(PLAIN)
    plan = seen(hub, 2, edit(shown, title="Not so busy", location="Bar"), minutes=5)
    assert plan.event == PLAIN
    assert writes(plan) == [(2, "update", ["location", "title"])]
    [finding] = plan.findings
    assert finding.kind is FindingKind.COPY_EDITED
    assert finding.values == {"location": "Bar", "title": "Not so busy"}
    assert "a rule masks" in finding.text


def test_a_time_travels_back_from_a_masked_copy_and_nothing_else_does():
    hub, shown = masked_hub(PLAIN)
    plan = seen(hub, 2, edit(shown, when=timed(minutes=15), title="Free"), minutes=5)
    assert plan.event == edit(PLAIN, when=timed(minutes=15))
    assert writes(plan) == [(1, "update", ["when"]), (2, "update", ["title"])]


def test_a_cancelled_occurrence_travels_back_and_keeps_what_other_exceptions_hide():
    event = replace(series(), exceptions={occurrence(1): {Field.TITLE: "Lay-offs"}})
    hub, shown = masked_hub(event)
    plan = seen(hub, 2, replace(shown, cancelled=frozenset({occurrence()})), minutes=5)
    assert plan.event == replace(event, cancelled=frozenset({occurrence()}))


def test_guests_invited_to_a_masked_copy_never_see_what_it_hides():
    hub, shown = masked_hub(PLAIN)
    plan = seen(hub, 2, replace(shown, guests=(ALICE,)), minutes=5)
    assert link_of(plan, 2).role is Role.NATIVE
    assert writes(plan) == []
    assert plan.event == PLAIN


def test_a_masked_copy_never_becomes_the_event_itself():
    rdate = replace(series().recurrence, extra_starts=(occurrence(20),))
    hub, shown = masked_hub(series())
    plan = seen(hub, 2, replace(shown, recurrence=rdate), minutes=5)
    assert link_of(plan, 2).role is Role.TWIN
    assert link_of(plan, 1).role is Role.ORIGIN


def test_a_new_mask_is_a_write_of_what_it_hides_and_lifting_it_of_the_same():
    hub = hub_of(PLAIN)
    bare = tuple(replace(link, treatment=BUSY) if link.role is Role.TWIN else link for link in hub.links)
    [write] = wanted_writes(replace(hub, links=bare), key=KEY)
    assert (write.calendar_id, sorted(write.paths)) == (2, ["body", "location", "title"])
    hub, _ = masked_hub(PLAIN)
    bare = tuple(replace(link, treatment=FULL) for link in hub.links)
    [write] = wanted_writes(replace(hub, links=bare), key=KEY)
    assert (write.calendar_id, sorted(write.paths)) == (2, ["body", "location", "title"])


def test_a_pair_that_stands_already_is_masked_and_only_what_differed_is_kept():
    hub = hub_of(PLAIN, (OUTLOOK, Role.ORIGIN))
    wanted = plan_new(sighting(PLAIN), here=OUTLOOK, targets=[GOOGLE], key=KEY).links[1]
    hub = replace(hub, links=(*hub.links, replace(wanted, treatment=BUSY)))
    plan = plan_adoption(sighting(edit(PLAIN, location="Side street")), here=GOOGLE, hub=hub, policy=Policy(), key=KEY)
    assert plan.event == PLAIN
    assert writes(plan) == [(2, "update", ["body", "location", "title"])]
    [finding] = plan.findings
    assert finding.values == {"location": "Side street"}


@pytest.mark.parametrize(("conflict", "title"), [(ConflictPolicy.ORIGIN, "Hub"), (None, "Theirs")])
def test_the_conflict_policy_of_the_rule_goes_before_the_installations(conflict, title):
    hub = hub_of(edit(PLAIN, title="Old"), minutes=1)
    links = tuple(replace(link, treatment=Treatment(conflict=conflict)) if link.calendar_id == 2 else link
                  for link in hub.links)  # fmt: skip
    hub = replace(hub, event=edit(PLAIN, title="Hub"), links=links)
    shown = edit(project(edit(PLAIN, title="Old"), traits=GOOGLE_TRAITS, role=Role.TWIN), title="Theirs")
    assert seen(hub, 2, shown, minutes=5).event.content.title == title


@pytest.mark.parametrize(("on_delete", "lives"), [(DeletePolicy.DELETE_WINS, False), (None, True)])
def test_the_delete_policy_of_the_rule_goes_before_the_installations(on_delete, lives):
    hub = hub_of(PLAIN, minutes=1)
    links = tuple(replace(link, treatment=Treatment(on_delete=on_delete)) for link in hub.links)
    hub = replace(hub, event=edit(PLAIN, title="Edited"), links=links)
    plan = plan_known(sighting(None), hub=hub, calendar_id=2, policy=Policy(), key=KEY)
    assert (plan.event is not None) == lives


def test_a_colleagues_masked_copy_is_put_back_as_any_other():
    copy = replace(agreed(SECRET, COLLEAGUE, Role.COPY), treatment=BUSY)
    wanted = wanted_map(SECRET, copy, key=KEY)
    hub = HubState(SECRET, (agreed(SECRET, OUTLOOK, Role.ORIGIN), replace(copy, hub_map=wanted, remote_map=wanted)))
    shown = project(SECRET, traits=GOOGLE_TRAITS, role=Role.COPY, treatment=BUSY)
    plan = seen(hub, 3, edit(shown, title="Party"), minutes=5)
    assert plan.event == SECRET
    assert writes(plan) == [(3, "update", ["title"])]
    assert [finding.kind for finding in plan.findings] == [FindingKind.COPY_EDITED]
    assert "note" not in wanted
