"""What rules name survives new names and places; what is still named cannot go; what is gone is told."""

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import OrgUnit, PeopleGroup, User
from accounts.services.units import delete_unit, ensure_units, merge_units, place_unit
from calsync.engine.events import Guest, Platform
from calsync_site.doctor.rules import look_at_rules
from syncrules.compile import rulebook_for
from syncrules.facts import Directory
from syncrules.models import Mention, Rule, RuleVersion
from syncrules.names import Names, kept
from syncrules.services import change_rule, create_rule, import_rules, restore_version
from syncrules.services.exchange import export_rules
from syncrules.services.rules import draft_as_it_is
from syncrules.written import draft_of, problems_of
from tests.engine.builders import single
from tests.factories import NOW, UserFactory

WHEN = {"guests": {"any": {"unit": "/Sales/EMEA"}}, "not": {"organizer": {"group": "Board"}}}


@pytest.fixture
def units(db):
    return ensure_units(["/Sales/EMEA", "/Legal"])[0]


@pytest.fixture
def board(db):
    return PeopleGroup.objects.create(name="Board")


@pytest.fixture
def rule(units, board):
    return make("EMEA is masked", when=WHEN, **{"for": {"unit": "/Legal"}})


def make(name, **form):
    return create_rule(draft=draft_of({"name": name, **form}), by=None, why="test", now=NOW)


def decides(guest) -> bool:
    """Whether the rule speaks about a meeting of somebody in Legal with this guest."""
    host = UserFactory(org_unit=OrgUnit.objects.get(name="Legal"))
    event = single(guests=(Guest(guest.email),))
    directory = Directory.of_events([event], person_ids=[host.pk])
    facts = directory.facts(
        event, person_id=host.pk, owner_id=host.pk, source=Platform.OUTLOOK, target=Platform.GOOGLE, now=NOW
    )
    return rulebook_for([host.pk]).decide(facts, person_id=host.pk).rule.name == "EMEA is masked"


def test_a_condition_follows_its_unit_to_a_new_name_and_place(rule, units):
    guest = UserFactory(org_unit=units["/Sales/EMEA"])
    assert decides(guest)
    place_unit(unit=units["/Sales"], name="Commerce", parent=None, now=NOW)
    assert decides(guest)
    place_unit(unit=OrgUnit.objects.get(name="EMEA"), name="Europe", parent=None, now=NOW)
    assert decides(guest)
    exported = yaml.safe_load(export_rules())["rules"][0]
    assert exported["when"]["guests"] == {"any": {"unit": "/Europe"}}
    assert Rule.objects.get().version == 1


def test_a_condition_follows_its_group_to_a_new_name(rule, board):
    PeopleGroup.objects.filter(pk=board.pk).update(name="Directors")
    assert draft_as_it_is(rule).conditions["not"] == {"organizer": {"group": "Directors"}}
    assert problems_of([rule]) == {}


def test_an_export_names_what_is_and_comes_back_unchanged(rule, units):
    place_unit(unit=units["/Legal"], name="Law", parent=None, now=NOW)
    lines = import_rules(text=export_rules(), by=None, why="x", now=NOW)
    assert [line.outcome for line in lines] == ["unchanged"]


def test_an_old_version_is_restored_under_the_new_names(rule, units):
    change_rule(rule=rule, draft=draft_of({"name": rule.name}), by=None, why="wider", now=NOW)
    place_unit(unit=OrgUnit.objects.get(path="/Sales/EMEA"), name="Europe", parent=None, now=NOW)
    place_unit(unit=units["/Legal"], name="Law", parent=None, now=NOW)
    restored = restore_version(rule=rule, number=1, by=None, why="narrower", now=NOW)
    assert draft_as_it_is(restored).conditions["guests"] == {"any": {"unit": "/Europe"}}
    assert restored.org_unit.path == "/Law"


def test_what_a_condition_names_is_neither_deleted_nor_merged_away(rule, units, board, client):
    emea = OrgUnit.objects.get(path="/Sales/EMEA")
    with pytest.raises(ValidationError, match="is still used by: conditions of rules"):
        delete_unit(unit=emea, now=NOW)
    with pytest.raises(ValidationError, match="is still used by: conditions of rules"):
        merge_units(units=[emea], into=units["/Legal"], now=NOW)
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    client.post(reverse("admin:accounts_peoplegroup_delete", args=[board.pk]), {"post": "yes"})
    assert PeopleGroup.objects.filter(pk=board.pk).exists()

    change_rule(rule=rule, draft=draft_of({"name": rule.name}), by=None, why="not needed", now=NOW)
    assert not Mention.objects.exists()
    delete_unit(unit=emea, now=NOW)


def test_what_is_gone_all_the_same_is_told_in_the_console_and_by_the_doctor(rule, client):
    Mention.objects.all().delete()
    OrgUnit.objects.filter(path="/Sales/EMEA").delete()  # past the services
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    told = "There is no org unit &#x27;/Sales/EMEA&#x27;."
    assert told in client.get(reverse("admin:syncrules_rule_changelist")).content.decode()
    assert told in client.get(reverse("admin:syncrules_rule_change", args=[rule.pk])).content.decode()
    assert [finding.text for finding in look_at_rules()] == [
        "The rule EMEA is masked: There is no org unit '/Sales/EMEA'."
    ]
    assert not decides(UserFactory())


def test_the_form_and_the_history_show_names(rule, units, client):
    place_unit(unit=OrgUnit.objects.get(path="/Sales/EMEA"), name="Europe", parent=None, now=NOW)
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    version = RuleVersion.objects.get()
    for page in (
        reverse("admin:syncrules_rule_change", args=[rule.pk]),
        reverse("admin:syncrules_rule_history_of_rule", args=[rule.pk]),
        reverse("admin:syncrules_ruleversion_change", args=[version.pk]),
    ):
        shown = client.get(page).content.decode()
        assert "unit: /Europe" in shown
        assert "was:" not in shown


def test_looking_names_up_costs_no_query_where_nothing_is_named(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Names.of([{"title": "x", "any": [{"series": True}]}]).shown({"title": "x"}) == {"title": "x"}


names = st.sampled_from(["/Sales/EMEA", "/Nowhere"])
people = st.one_of(
    st.just("inside"), st.fixed_dictionaries({"unit": names}),
    st.fixed_dictionaries({"group": st.sampled_from(["Board", "None"])}),
)  # fmt: skip
leaves = st.one_of(
    st.fixed_dictionaries({"organizer": people}),
    st.fixed_dictionaries({"guests": st.one_of(people, st.fixed_dictionaries({"none": people}))}),
    st.fixed_dictionaries({"title": st.text(max_size=5)}),
)
forms = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}), st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)


@pytest.mark.django_db(transaction=True)
@given(form=forms)
def test_kept_and_shown_are_each_other_s_way_back(form):
    OrgUnit.objects.get_or_create(path="/Sales/EMEA", defaults={"name": "EMEA"})
    PeopleGroup.objects.get_or_create(name="Board")
    stored = kept(form)
    assert kept(stored) == stored
    assert Names.of([stored]).shown(stored) == form


@pytest.mark.django_db(transaction=True)
def test_rules_that_were_kept_by_name_are_carried_over_and_back():
    unit = OrgUnit.objects.create(name="EMEA", path="/EMEA")
    executor = MigrationExecutor(connection)
    executor.migrate([("syncrules", "0004_what_conditions_name")])
    old = executor.loader.project_state([("syncrules", "0004_what_conditions_name")]).apps
    conditions = {"guests": {"any": {"unit": "/EMEA"}}, "title": "unit"}
    rule = old.get_model("syncrules", "Rule").objects.create(name="A", conditions=conditions, changed_at=NOW)
    version = old.get_model("syncrules", "RuleVersion").objects.create(
        rule=rule, number=1, written={"for": {"unit": "/EMEA"}, "when": conditions}, made_at=NOW, reason="x"
    )
    MigrationExecutor(connection).migrate([("syncrules", "0005_names_by_number")])
    number = {"id": unit.pk, "was": "/EMEA"}
    assert Rule.objects.get().conditions == {"guests": {"any": {"unit": number}}, "title": "unit"}
    assert RuleVersion.objects.get(pk=version.pk).written["for"] == {"unit": number}
    assert Mention.objects.get().org_unit == unit

    OrgUnit.objects.update(path="/Europe")
    MigrationExecutor(connection).migrate([("syncrules", "0004_what_conditions_name")])
    rule.refresh_from_db()
    assert rule.conditions == {"guests": {"any": {"unit": "/Europe"}}, "title": "unit"}
    MigrationExecutor(connection).migrate([("syncrules", "0005_names_by_number")])
