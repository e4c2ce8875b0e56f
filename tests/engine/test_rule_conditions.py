"""Every condition that is not about the clock: when it holds, when it does not, and that its reason tells no text."""

import pytest

from calsync.engine.events import Content, Guest, OccurrenceKey, Platform, Sensitivity, ShowAs
from calsync.engine.rules.condition import mentioned
from calsync.engine.rules.facts import Level, Topology
from calsync.engine.rules.language import read_conditions
from tests.engine.builders import NINE, days, series, single, timed, weekly
from tests.engine.rule_facts import ADA, BO, EVE, asks, facts, reasons

INVITED = (Guest("bo@example.org"), Guest("eve@elsewhere.test"), Guest("room@example.org", resource=True))
MEETING = single(guests=INVITED, organizer="ada@example.org")
FROM_GOOGLE = facts(source=Platform.GOOGLE, target=Platform.OUTLOOK)
MEETS = facts(MEETING, guests=(BO, EVE))
ENDLESS = series(recurrence=weekly())
TEN_WEEKS = series(recurrence=weekly(count=10))
TABLE = [
    ("provider: outlook", facts(), FROM_GOOGLE),
    ("provider: [google]", FROM_GOOGLE, facts()),
    ("direction: outlook_to_google", facts(), FROM_GOOGLE),
    ("direction: google_to_outlook", FROM_GOOGLE, facts()),
    ("between: own", facts(), facts(topology=Topology.COLLEAGUES)),
    ("between: colleagues", facts(topology=Topology.COLLEAGUES), facts()),
    ("series: true", facts(ENDLESS), facts()),
    ("series: false", facts(), facts(ENDLESS)),
    ("series: {frequency: weekly}", facts(ENDLESS), facts()),
    ("series: {frequency: [weekly, yearly]}", facts(TEN_WEEKS), facts()),
    ("series: {endless: true}", facts(ENDLESS), facts(TEN_WEEKS)),
    ("series: {endless: false}", facts(TEN_WEEKS), facts(ENDLESS)),
    ("series: {lasts: {at_most: 9w}}", facts(TEN_WEEKS), facts(series(recurrence=weekly(count=11)))),
    ("series: {lasts: {at_least: 1d}}", facts(TEN_WEEKS), facts(ENDLESS)),
    ("show_as: [oof, free]", facts(single(show_as=ShowAs.OUT_OF_OFFICE)), facts()),
    ("sensitivity: private", facts(single(sensitivity=Sensitivity.PRIVATE)), facts()),
    ("classification: {at_least: confidential}", facts(calendar_level=Level.RESTRICTED), facts()),
    ("classification: {at_least: confidential}", facts(event_level=Level.CONFIDENTIAL), facts(event_level=10)),
    ("classification: {at_most: internal}", facts(event_level=10), facts(event_level=10, calendar_level=20)),
    ("classification: [public]", facts(), facts(calendar_level=Level.INTERNAL)),
    ("category: [customer, Travel]", facts(categories=frozenset({"Customer"})), facts(categories=frozenset({"Cust"}))),
    ("title: ^bud.et$", facts(single("Budget")), facts(single("The Budget"))),
    ("title: salary|interview", facts(single("Final INTERVIEW, Kim")), facts(single("Inter view"))),
    ("type: appointment", facts(), MEETS),
    ("type: meeting", MEETS, facts()),
    ("type: meeting", facts(single(organizes=False, organizer="x@example.org")), facts()),
    ("type: online", facts(single(join="https://meet.test/1")), facts()),
    ("type: [out_of_office, online]", facts(single(kind="out_of_office")), facts()),
    ("organizer: inside", facts(), facts(host=EVE)),
    ("organizer: outside", facts(host=EVE), facts()),
    ("organizer: {unit: /Sales}", facts(), facts(host=BO)),
    ("organizer: {group: Board}", facts(), facts(host=BO)),
    ("guests: outside", MEETS, facts(MEETING, guests=(BO,))),
    ("guests: {any: inside}", MEETS, facts(guests=(EVE,))),
    ("guests: {all: inside}", facts(MEETING, guests=(BO, ADA)), MEETS),
    ("guests: {all: inside}", facts(MEETING, guests=(BO,)), facts()),
    ("guests: {none: outside}", facts(), MEETS),
    ("guests: {unit: /Sales}", facts(guests=(EVE, ADA)), MEETS),
    ("guests: {none: {unit: /SalesOps}}", facts(guests=(ADA,)), MEETS),
    ("guests: {any: {group: Board}}", facts(guests=(ADA,)), MEETS),
    ("guest_count: {at_least: 2}", MEETS, facts(single(guests=INVITED[:1]))),
    ("guest_count: {at_most: 2}", MEETS, facts(single(guests=tuple(Guest(f"{n}@x.test") for n in range(3))))),
    ("response: [accepted, organizer]", facts(response="accepted"), facts(response="declined")),
    ("response: none", facts(), facts(response="organizer")),
]


@pytest.mark.parametrize(("condition", "yes", "no"), TABLE)
def test_a_condition_holds_for_the_one_and_not_for_the_other(condition, yes, no):
    assert asks(condition, yes)
    assert not asks(condition, no)
    assert asks(f"not: {{{condition}}}", no)


def test_without_conditions_everything_matches():
    assert asks("{}", facts())
    assert read_conditions(None).answer(facts()).reason == "It asks for nothing: it holds for every event."


def test_all_conditions_of_one_level_must_hold():
    assert asks("{provider: outlook, series: false}", facts())
    assert not asks("{provider: outlook, series: true}", facts())


def test_groups_stand_in_each_other():
    nested = "any: [{series: true}, {all: [{provider: outlook}, {not: {type: meeting}}]}]"

    assert asks(nested, facts())
    assert asks(nested, facts(ENDLESS, source=Platform.GOOGLE))
    assert not asks(nested, MEETS)


def test_the_title_of_a_changed_occurrence_counts_for_the_whole_series():
    from_this = OccurrenceKey("2026-11-09T09:00")
    event = single("Stand-up", recurrence=weekly(), exceptions={from_this: {"title": "Salary"}})

    assert asks("title: salary", facts(event))
    assert not asks("title: salary", facts(event, occurrence=event.content))


def test_one_occurrence_can_be_judged_by_itself():
    moved = Content(when=days(), title="Off", show_as=ShowAs.FREE)

    assert asks("{show_as: free, all_day: true, title: 'off'}", facts(ENDLESS, occurrence=moved))


def test_a_pattern_that_would_stall_others_takes_no_time():
    assert not asks("title: (a+)+$", facts(single("a" * 20_000 + "b")))


@pytest.mark.parametrize(("condition", "yes", "no"), TABLE)
def test_no_reason_repeats_a_text_or_a_person_of_the_event(condition, yes, no):
    for known in (yes, no):
        told = " ".join(reasons(condition, known))
        secrets = [known.event.content.title, *known.categories, "bo@", "eve@", "ada@", "meet.test"]
        assert told.endswith(".")
        assert not [word for word in secrets if word in told]


def test_a_reason_tells_what_is_so():
    assert reasons("{series: true, guest_count: {at_least: 3}, guests: outside}", MEETS) == [
        "It is a single event.",
        "It has 2 guests; asked is at least 3.",
        "1 of 2 guests is outside the organisation; asked is any.",
    ]
    assert reasons("series: true", facts(TEN_WEEKS)) == ["It is a series (weekly) over 63 days."]
    assert reasons("any: [{series: true}, {provider: outlook}]", facts()) == ["1 of 2 alternatives hold."]


def test_units_and_groups_that_a_rule_names_are_known():
    condition = read_conditions(
        {"not": {"organizer": {"unit": "/A"}}, "any": [{"guests": {"all": {"group": "G"}}}, {"series": True}]}
    )

    assert mentioned(condition) == {("unit", "/A"), ("group", "G")}


def test_an_all_day_series_has_a_length_too():
    fortnight = series(when=days(), recurrence=weekly(count=3))

    assert asks("series: {lasts: {at_least: 2w, at_most: 14d}}", facts(fortnight))
    assert asks("series: {lasts: {at_most: 0d}}", facts(series(when=timed(NINE), recurrence=weekly(count=1))))
