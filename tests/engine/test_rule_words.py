"""Every word of the language of rules: it holds for what it names and for nothing else. A word without a row fails."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest
import yaml

from calsync.engine.events import Frequency, Guest, Platform, Recurrence, Rule, Sensitivity, ShowAs
from calsync.engine.rules.effects import EFFECTS, read_effects
from calsync.engine.rules.facts import Level, Topology
from calsync.engine.rules.language import CONDITIONS, read_conditions
from calsync.engine.rules.written import Wrong
from tests.engine import test_rule_conditions, test_rule_effects
from tests.engine.builders import days, series, single, weekly
from tests.engine.rule_facts import ADA, BO, EVE, asks, at, facts, utc

FROM_GOOGLE = facts(source=Platform.GOOGLE, target=Platform.OUTLOOK)
DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
WORDS = {  # a condition -> each word that can stand in it -> an event for which it is that word and no other
    "provider: %s": {"outlook": facts(), "google": FROM_GOOGLE},
    "direction: %s": {"outlook_to_google": facts(), "google_to_outlook": FROM_GOOGLE},
    "between: %s": {"own": facts(), "colleagues": facts(topology=Topology.COLLEAGUES)},
    "series: {frequency: %s}": {
        one.value.lower(): facts(series(recurrence=Recurrence((Rule(one, count=3),)))) for one in Frequency
    },
    "show_as: %s": {one.value: facts(single(show_as=one)) for one in ShowAs},
    "sensitivity: %s": {one.value: facts(single(sensitivity=one)) for one in Sensitivity},
    "classification: %s": {level.name.lower(): facts(event_level=level) for level in Level},
    "type: %s": {
        "appointment": facts(),
        "meeting": facts(single(guests=(Guest("bo@example.org"),))),
        "online": facts(single(join="https://meet.test/1")),
        "out_of_office": facts(single(kind="out_of_office")),
    },
    "organizer: %s": {"inside": facts(host=ADA), "outside": facts(host=EVE)},
    "guests: %s": {"inside": facts(guests=(BO,)), "outside": facts(guests=(EVE,))},
    "response: %s": {word: facts(response=word) for word in ("none", "accepted", "tentative", "declined", "organizer")},
    "weekday: %s": {
        day: facts(single(when=at(f"2026-11-0{number}T10:00", f"2026-11-0{number}T11:00")))
        for number, day in enumerate(DAYS, start=2)
    },
    "weekday: {days: %s, zone: Pacific/Kiritimati}": {  # it is a day later there, from 11:00 in Berlin on
        day: facts(single(when=at(f"2026-11-0{number}T11:00", f"2026-11-0{number}T12:00")))
        for number, day in enumerate(DAYS, start=1)
    },
    "working_hours: {is: %s, zone: America/New_York}": {  # a week in which the two are five hours apart, not six
        "inside": facts(single(when=at("2026-10-26T14:00", "2026-10-26T15:00"))),
        "outside": facts(single(when=at("2026-10-26T22:00", "2026-10-26T23:00"))),
        "partly": facts(single(when=at("2026-10-26T13:30", "2026-10-26T14:30"))),
    },
}
OF_TWO_KINDS = {("type: %s", "appointment", "online"), ("type: %s", "appointment", "out_of_office")}
NIGHT = "2026-10-25T00:00"  # Berlin's clocks go back in it: 2:00 to 3:00 comes twice
BOUNDS = {  # a condition -> events just below, at and just above the bound
    "duration: {%s: 6h}": [facts(single(when=at(NIGHT, f"2026-10-25T{end}"))) for end in ("04:59", "05:00", "05:01")],
    "ahead: {%s: 6d}": [  # in a zone fourteen hours ahead of UTC
        facts(single(when=at(start, "2026-11-01T12:00", "Pacific/Kiritimati")), now=utc("2026-10-25T10:00"))
        for start in ("2026-10-31T23:59", "2026-11-01T00:00", "2026-11-01T00:01")
    ],
    "guest_count: {%s: 6}": [
        facts(single(guests=tuple(Guest(f"{number}@x.test") for number in range(count)))) for count in (5, 6, 7)
    ],
    "zone_distance: {%s: 6}": [  # New York on both sides of its own change of clocks
        facts(single(when=at(f"2026-{day}T10:00", f"2026-{day}T11:00")), guests=(replace(BO, zone=zone),))
        for day, zone in (("10-26", "America/New_York"), ("11-02", "America/New_York"), ("11-02", "America/Chicago"))
    ],
    "classification: {%s: confidential}": [facts(event_level=level) for level in (10, 20, 30)],
    "series: {lasts: {%s: 6w}}": [facts(series(recurrence=weekly(count=count))) for count in (6, 7, 8)],
}
FLAGS = {  # a condition that is true or false -> an event for which it is true, and one for which it is not
    "series: %s": (facts(series()), facts()),
    "series: {endless: %s}": (facts(series(recurrence=weekly())), facts(series())),
    "all_day: %s": (facts(single(when=days())), facts()),
}
IN_WORDS_OF_THEIR_OWN = {"category", "title"}  # texts: they are in the table of test_rule_conditions


@pytest.mark.parametrize("condition", WORDS)
def test_a_word_holds_for_what_it_names_and_for_nothing_else(condition):
    events = WORDS[condition]
    for word, other in product(events, events):
        if (condition, word, other) not in OF_TWO_KINDS:
            assert asks(condition % word, events[other]) is (word == other), (word, other)


@pytest.mark.parametrize("condition", BOUNDS)
def test_a_bound_is_included_and_nothing_beyond_it(condition):
    assert [asks(condition % "at_least", event) for event in BOUNDS[condition]] == [False, True, True]
    assert [asks(condition % "at_most", event) for event in BOUNDS[condition]] == [True, True, False]


@pytest.mark.parametrize("condition", FLAGS)
def test_a_flag_holds_for_one_of_the_two(condition):
    yes, no = FLAGS[condition]
    asked = [asks(condition % flag, event) for event, flag in product((yes, no), ("true", "false"))]
    assert asked == [True, False, False, True]


# --- nothing is left out --------------------------------------------------------------------------------------


def known_words(read, written: str) -> set[str]:
    """The words that the language takes in a place, as it names them when it refuses another."""
    with pytest.raises(Wrong) as refusal:
        read(yaml.safe_load(written % "nonsense"))
    return set(re.sub(r".*; use ", "", refusal.value.problem).split(", "))


@pytest.mark.parametrize("condition", WORDS)
def test_every_word_of_a_condition_has_a_row(condition):
    assert known_words(read_conditions, condition) == WORDS[condition].keys()


def test_every_condition_has_a_row():
    rows = {written.partition(":")[0] for written in (*WORDS, *BOUNDS, *FLAGS)}
    told = {written.partition(":")[0] for written, _, _ in test_rule_conditions.TABLE}
    assert rows | IN_WORDS_OF_THEIR_OWN == CONDITIONS.keys()
    assert told >= IN_WORDS_OF_THEIR_OWN


@pytest.mark.parametrize(
    "effect", ["{do: %s}", "{details: %s}", "{details: [%s]}", "{conflict: %s}", "{on_delete: %s}", "{leaving: %s}"]
)
def test_every_word_of_an_effect_has_a_row(effect):
    name = effect.partition(":")[0].removeprefix("{")
    rows = [yaml.safe_load(written).get(name) for written, _ in test_rule_effects.TABLE]
    in_a_list = "[" in effect
    found = {word for row in rows if isinstance(row, list) is in_a_list for word in (row if in_a_list else [row])}
    assert known_words(read_effects, effect) == found - {None}


def test_every_effect_with_words_is_asked_for_them():
    free = {"approver", "title", "priority", "horizon", "pin_zone"}  # texts, numbers and zones
    assert EFFECTS.keys() - free == {"do", "details", "conflict", "on_delete", "leaving"}
