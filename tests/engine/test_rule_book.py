"""Which rule decides: order and nearness are total, and every verdict names exactly one rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.engine.events import Platform, ShowAs
from calsync.engine.rules.book import DEFAULTS, Chain, Rulebook
from calsync.engine.rules.facts import Topology
from calsync.engine.treatment import FULL, Passage
from tests.engine.builders import days, series, single, timed, weekly
from tests.engine.rule_facts import facts, rule

CONDITIONS = [
    "{}",
    "provider: outlook",
    "{provider: google, series: true}",
    "direction: outlook_to_google",
    "between: colleagues",
    "series: {frequency: weekly}",
    "all_day: true",
    "show_as: [free, busy]",
    "{all_day: false, show_as: free}",
    "any: [{provider: google}, {show_as: free}]",
    "not: {series: true}",
    "all: [{provider: outlook}, {provider: google}]",
    "duration: {at_least: 2h}",
    "response: [accepted, organizer]",
]
events = st.builds(
    lambda when, weight, repeat: (series if repeat else single)(
        when=when, show_as=weight, **({"recurrence": weekly()} if repeat else {})
    ),
    st.sampled_from([timed(), timed(minutes=180), days()]),
    st.sampled_from(ShowAs),
    st.booleans(),
)
situations = st.builds(
    lambda event, source, topology, response: facts(
        event, source=source, target=next(other for other in Platform if other is not source),
        topology=topology, response=response,
    ),
    events,
    st.sampled_from(Platform),
    st.sampled_from(Topology),
    st.sampled_from(["none", "accepted", "organizer"]),
)  # fmt: skip
chains = st.lists(st.sampled_from(CONDITIONS), max_size=12).map(
    lambda written: tuple(rule(f"{number}v1", text) for number, text in enumerate(written))
)


@given(chains, situations)
def test_every_verdict_names_exactly_one_rule_the_first_that_matches(rules, situation):
    verdict = Chain(rules).decide(situation)

    matching = [one for one in rules if one.condition.holds(situation)]
    assert verdict.rule is (matching[0] if matching else DEFAULTS[situation.topology])
    assert verdict.treatment is verdict.rule.treatment


@given(chains, situations)
def test_the_trace_ends_with_the_deciding_rule_and_only_that_one_holds(rules, situation):
    verdict = Chain(rules).decide(situation)

    assert verdict.trace[-1].rule is verdict.rule
    assert [looked.answer.ok for looked in verdict.trace] == [False] * (len(verdict.trace) - 1) + [True]


@given(chains, chains, situations)
def test_a_nearer_scope_decides_before_a_wider_one(nearer, wider, situation):
    near = Chain(nearer).decide(situation)
    both = Chain((*nearer, *wider)).decide(situation)

    assert both.rule is (Chain(wider).decide(situation).rule if near.rule.is_default else near.rule)


@given(chains, situations)
def test_a_rule_that_matches_nothing_changes_nothing(rules, situation):
    never = rule("never", "all: [{provider: outlook}, {provider: google}]", passage=Passage.SKIP)

    assert Chain((never, *rules)).decide(situation).rule is Chain(rules).decide(situation).rule


@pytest.mark.parametrize("topology", Topology)
def test_without_rules_everything_travels(topology):
    verdict = Chain().decide(facts(topology=topology))

    assert verdict.treatment == FULL
    assert verdict.rule.is_default
    assert "Default" in verdict.trace[0].rule.name


def test_a_book_knows_its_people_only():
    book = Rulebook({7: Chain([rule("1v1")])})

    assert book.decide(facts(), person_id=7).treatment.rule == "1v1"
    with pytest.raises(KeyError):
        book.decide(facts(), person_id=8)
