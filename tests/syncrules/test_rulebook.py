"""From rows to verdicts: the nearest scope decides, in few queries, and facts know the people."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import PeopleGroup
from accounts.services.units import ensure_units
from calsync.engine.events import Guest, Platform
from calsync.engine.rules.facts import Topology
from calsync.engine.treatment import FULL, Passage
from syncrules.compile import rulebook_for
from syncrules.facts import Directory
from syncrules.models import Rule
from syncrules.services import create_rule, set_enabled
from syncrules.written import draft_of
from tests.engine.builders import single
from tests.engine.rule_facts import facts
from tests.factories import NOW, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def units():
    return ensure_units(["/Sales/EMEA", "/SalesSupport"])[0]


@pytest.fixture
def ada(units):
    return UserFactory(email="ada@example.org", org_unit=units["/Sales/EMEA"])


def make(name, whom="everybody", when=None, then=None, **more):
    form = {"name": name, "for": whom, "when": when or {}, "then": then or {}, **more}
    return create_rule(draft=draft_of(form), by=None, why="test", now=NOW)


def decided(person, known=None):
    return rulebook_for([person.pk]).decide(known or facts(), person_id=person.pk).rule.name


def test_without_rules_one_query_says_that_everything_travels(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        verdict = rulebook_for([ada.pk]).decide(facts(), person_id=ada.pk)
    assert verdict.treatment == FULL


def test_the_nearest_scope_decides_then_its_parents_then_everybody(ada):
    near, far = (PeopleGroup.objects.create(name=name, rank=rank) for name, rank in (("Near", 1), ("Far", 2)))
    for group in (far, near):
        group.members.add(ada)
    scopes = ["everybody", {"unit": "/Sales"}, {"unit": "/Sales/EMEA"}, {"group": "Far"}, {"group": "Near"}]
    for whom in [*scopes, {"person": "ada@example.org"}]:
        make(str(whom), whom)
        assert decided(ada) == str(whom)
    make("support", {"unit": "/SalesSupport"})
    assert decided(ada) == str({"person": "ada@example.org"})


def test_within_a_scope_the_first_that_matches_decides(ada):
    make("series", when={"series": True})
    make("first")
    make("second")
    assert decided(ada) == "first"


def test_a_rule_out_of_force_is_not_asked(ada):
    rule = make("skip all", then={"do": "skip"})
    assert rulebook_for([ada.pk]).decide(facts(), person_id=ada.pk).treatment.passage is Passage.SKIP
    set_enabled(rule=rule, on=False, by=None, why="x", now=NOW)
    assert decided(ada).startswith("Default")


def test_the_treatment_names_the_rule_and_its_version(ada):
    rule = make("busy", then={"details": "busy"})
    verdict = rulebook_for([ada.pk]).decide(facts(), person_id=ada.pk)
    assert verdict.treatment.rule == rule.label == f"{rule.pk}v1"
    assert verdict.rule.scope == "everybody"


def test_many_people_cost_no_more_queries(ada, units, django_assert_num_queries):
    people = [UserFactory(org_unit=units["/SalesSupport"]) for _ in range(20)]
    make("sales", {"unit": "/Sales"})
    with django_assert_num_queries(3):
        book = rulebook_for([ada.pk, *(person.pk for person in people)])
    assert book.decide(facts(), person_id=ada.pk).rule.name == "sales"
    assert book.decide(facts(), person_id=people[0].pk).rule.is_default


def test_a_rule_that_cannot_be_read_holds_everything_back(ada):
    rule = make("odd")
    Rule.objects.filter(pk=rule.pk).update(conditions={"moon": "full"})
    verdict = rulebook_for([ada.pk]).decide(facts(), person_id=ada.pk)
    assert verdict.treatment.passage is Passage.SKIP
    assert "cannot be read" in verdict.rule.name


def test_rows_that_are_not_saved_can_be_asked_instead(ada):
    make("stored")
    draft = Rule(name="draft", scope="everybody", effects={"do": "skip"}, position=1, changed_at=NOW)
    book = rulebook_for([ada.pk], instead=[draft])
    assert book.decide(facts(), person_id=ada.pk).rule.name == "draft"


def test_inheritance_is_total_whatever_rules_there_are_and_in_whatever_order(ada, units):
    board = PeopleGroup.objects.create(name="Board")
    board.members.add(ada)
    targets = {
        "person": {"scope": "person", "person": ada},
        "group": {"scope": "group", "group": board},
        "unit": {"scope": "org_unit", "org_unit": units["/Sales/EMEA"]},
        "parent": {"scope": "org_unit", "org_unit": units["/Sales"]},
        "elsewhere": {"scope": "org_unit", "org_unit": units["/SalesSupport"]},
        "everybody": {"scope": "everybody"},
    }

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(list(targets)), st.integers(1, 5), st.booleans()), max_size=12))
    def check(chosen):
        rows = [
            Rule(pk=number, name=scope, is_enabled=on, position=place, changed_at=NOW, **targets[scope])
            for number, (scope, place, on) in enumerate(chosen, start=1)
        ]
        rule = rulebook_for([ada.pk], instead=rows).decide(facts(), person_id=ada.pk).rule
        inherited = [row for row in rows if row.is_enabled and row.name != "elsewhere"]
        nearness = list(targets)
        first = min(inherited, key=lambda row: (nearness.index(row.name), row.position, row.pk), default=None)
        assert rule.is_default if first is None else rule.label == first.label

    check()


def test_the_directory_knows_who_is_inside_and_where(ada, units, django_assert_num_queries):
    bo = UserFactory(email="bo@example.org", org_unit=units["/SalesSupport"], time_zone="America/New_York")
    AccountFactory(person=bo, address="bo@google.test")
    PeopleGroup.objects.create(name="Board").members.add(bo)
    guests = (Guest("bo@google.test", response="accepted"), Guest("eve@out.test"), Guest("r@x.test", resource=True))
    event = single(guests=guests, organizer="ada@example.org", categories=("Red",))
    with django_assert_num_queries(3):
        directory = Directory.of_events([event], person_ids=[ada.pk])
    way = {"source": Platform.OUTLOOK, "target": Platform.GOOGLE, "now": NOW, "topology": Topology.COLLEAGUES}
    known = directory.facts(event, person_id=bo.pk, owner_id=ada.pk, colleague_id=bo.pk, **way)
    assert [party.inside for party in known.guests] == [True, False]
    assert (known.host.unit, known.colleague.unit) == ("/Sales/EMEA", "/SalesSupport")
    assert known.colleague.groups == {"Board"}
    assert (known.response, known.hours.zone, known.categories) == ("accepted", "America/New_York", {"Red"})
    assert known.zone_distance == 6
    mine = directory.facts(event, person_id=ada.pk, owner_id=ada.pk, **way)
    assert (mine.response, mine.hours.zone) == ("organizer", "Europe/Berlin")
