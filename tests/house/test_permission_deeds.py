"""Everything of the matrix that changes something, tried by every role on rows of every place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import Model
from django.urls import reverse

from accounts.models import Clearance, OrgUnit, User
from accounts.reach import roles_for_all, unit_roles
from accounts.roles import Role
from accounts.services.roles import grant_role
from accounts.services.units import ensure_units
from calendars.models import Finding, Link, PolicyChange
from calsync.engine import serial
from calsync.engine.masking import dump
from calsync.engine.treatment import Passage, Treatment
from conflicts.models import Case
from syncrules.services import change_rule, create_rule
from syncrules.written import Draft, Whom
from tests.factories import NOW
from tests.house.company import PLACES
from tests.house.test_permission_matrix import ACTIONS, CHANGES, CONSOLE_PAGES, DELETED
from tests.house.test_permission_pages import BY_CAST, list_of, model_of, own_page, page_of, reach, seat

pytestmark = pytest.mark.django_db
REASON = {"reason": "matrix"}


@dataclass(frozen=True)
class Deed:
    """How an action is made to change a row: what the row has to be like, and what else the form takes."""

    first: dict[str, Any] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)


DEEDS: dict[str, Deed] = {  # what is not here needs a reason and nothing else
    "enable": Deed({"state": "disabled"}),
    "single_platform_is_right": Deed({"single_platform": False}),
    "merge": Deed(more={"into": "/Quiet"}),
    "choose": Deed(more={"person": "mailless@colleagues.test"}),
    "as_internal": Deed({"classification": 20}),
    "as_restricted": Deed({"classification": 20}),
}
NOT_OPEN = {"release_chosen", "put_back_chosen", "refuse_chosen"}  # two versions are no held plan: see below


@contextmanager
def tried() -> Iterator[None]:
    """What happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state_of(row: Model) -> list[dict[str, Any]]:
    """The row as it is in the database; nothing if it is gone."""
    return list(type(row)._base_manager.filter(pk=row.pk).values())


def all_places(company: Any, who: str, label: str) -> dict[str, Model]:
    """The rows of a model by place; a row of the installation's own stands for all places."""
    if label in company.house:
        return {"house": company.house[label]}
    return {place: rows[label] for place in PLACES if (rows := company.at(place, who))}


def within(who: str, place: str) -> bool:
    return place in reach(who) or (place == "house" and "other" in reach(who))


# --- actions of lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "action"), [(label, action) for label, actions in ACTIONS.items() for action in actions]
)
@BY_CAST
def test_an_action_changes_rows_for_the_roles_of_the_matrix_and_within_reach(company, who, label, action):
    client, deed = company.client(who), DEEDS.get(action, Deed())
    for place, row in all_places(company, who, label).items():
        with tried():
            target = prepared(row, action, deed)
            before = state_of(target)
            chosen = {"action": action, ACTION_CHECKBOX_NAME: [target.pk], **REASON, **deed.more}
            client.post(list_of(label), chosen)
            expected = seat(who) in ACTIONS[label][action] and within(who, place)
            assert (state_of(target) != before) == (expected and action not in NOT_OPEN), place


def prepared(row: Model, action: str, deed: Deed) -> Model:
    """The row in a state in which the action changes it."""
    if action in ("merge", "delete_empty"):
        ensure_units(["/Quiet"])
        return ensure_units([f"{OrgUnit.objects.get(pk=row.pk).path}/Empty"])[0].popitem()[1]
    if deed.first:
        type(row)._base_manager.filter(pk=row.pk).update(**deed.first)
    return row


@BY_CAST
@pytest.mark.parametrize("action", sorted(NOT_OPEN))
def test_held_plans_are_decided_in_reach_too(company, who, action):
    """The same as above, with a case for which that is to be decided."""
    client = company.client(who)
    kind = "approval" if action == "refuse_chosen" else "mass_delete"
    for place, case in all_places(company, who, "conflicts.case").items():
        with tried():
            hold(case, kind)
            client.post(list_of("conflicts.case"), {"action": action, ACTION_CHECKBOX_NAME: [case.pk], **REASON})
            expected = who in ACTIONS["conflicts.case"][action] and within(who, place)
            assert (Case.objects.get(pk=case.pk).state != "open") == expected, place


def hold(case: Model, kind: str) -> None:
    """Make it a case about something that waits."""
    finding = Finding.objects.get(pk=case.finding_id)
    link = Link.objects.get(event=finding.event)
    waiting = dump(Treatment(passage=Passage.HOLD, approver="manager"))
    is_brake = kind == "mass_delete"
    Link.objects.filter(pk=link.pk).update(
        state="held" if is_brake else "active", treatment={} if is_brake else waiting
    )
    held = {"links": serial.dump_value(str(link.pk))} if is_brake else {}
    Finding.objects.filter(pk=finding.pk).update(kind=kind, link=link, values=held)


# --- forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", sorted(CHANGES))
@BY_CAST
def test_a_row_s_form_is_taken_from_the_roles_of_the_matrix_and_within_reach(company, who, label):
    """An empty form: it is saved, or comes back with what is missing, where it is taken at all."""
    client = company.client(who)
    for place, row in all_places(company, who, label).items():
        with tried():
            answer = client.post(page_of(row), {})
            expected = (who == "it" or who in CHANGES[label]) and within(who, place)
            is_taken = answer.status_code == 200 or answer.get("Location") == list_of(label)
            assert is_taken == expected, place


@BY_CAST
def test_no_other_row_has_a_form(company, who):
    client = company.client(who)
    for label in {*company.house, *company.rows["unit"]} - CHANGES.keys():
        for row in all_places(company, who, label).values():
            with tried():
                before = state_of(row)
                assert client.post(page_of(row), {"state": "x", "reason": "x", "name": "x"}).status_code != 200
                assert state_of(row) == before


@BY_CAST
def test_rows_are_deleted_by_nobody_but_it_and_only_where_the_matrix_says(company, who):
    client = company.client(who)
    for label in {*company.house, *company.rows["unit"]}:
        for place, row in all_places(company, who, label).items():
            with tried():
                client.post(page_of(row, "delete"), {"post": "yes"})
                assert (not state_of(row)) == (who == "it" and label in DELETED), (label, place)


@BY_CAST
def test_new_rows_are_taken_from_it_administrators(company, who):
    client = company.client(who)
    for label in {*company.house, *company.rows["unit"]} - {"accounts.secret"}:
        if who != "it":
            assert client.post(list_of(label, "add"), {"name": "x"}).status_code in (302, 403), label
    assert OrgUnit.objects.filter(path="/Made").exists() is False
    client.post(list_of("accounts.orgunit", "add"), {"name": "Made", "parent": ""})
    assert OrgUnit.objects.filter(path="/Made").exists() == (who == "it")


# --- pages of our own -----------------------------------------------------------------------------------------


GRANT = {"role": "approver", **REASON}
PASSWORD = "a long and quiet river"
FORMS: dict[str, Callable[[Any], dict[str, Any]]] = {  # page of our own -> what makes it do its work on these rows
    "accounts_user_grant_a_role": lambda rows: {**GRANT, "person": email_in(rows), "unit": unit_in(rows)},
    "accounts_user_revoke_a_role": lambda rows: {**GRANT, "person": email_in(rows), "unit": unit_in(rows)},
    "accounts_orgunit_grant_a_role": lambda rows: {**GRANT, "person": email_in(rows), "unit": unit_in(rows)},
    "accounts_orgunit_revoke_a_role": lambda rows: {**GRANT, "person": email_in(rows), "unit": unit_in(rows)},
    "auth_user_password_change": lambda _: {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    "calendars_policychange_preview": lambda _: REASON,
    "calendars_policychange_step": lambda _: REASON,
    "conflicts_case_decide": lambda _: REASON,
    "syncrules_rule_history_of_rule": lambda _: {**REASON, "number": 1},
    "syncrules_rule_move": lambda _: {**REASON, "position": 2},
    "syncrules_switch_switch_sync_off": lambda rows: {"scope": "person", "person": email_in(rows), "reason": "again"},
}
CHANGE_NOTHING = {
    "accounts_user_from_file",
    "syncrules_rule_export_file",
    "syncrules_rule_import_file",
    "syncrules_rule_try_it",
}


def email_in(rows: dict[str, Any]) -> str:
    return rows["accounts.user"].email


def unit_in(rows: dict[str, Any]) -> str:
    return rows["accounts.orgunit"].path


def test_every_page_of_our_own_that_changes_something_is_driven():
    assert FORMS.keys() == CONSOLE_PAGES.keys() - CHANGE_NOTHING


@pytest.mark.parametrize("name", sorted(FORMS))
@BY_CAST
def test_a_page_of_our_own_does_its_work_for_the_roles_of_the_matrix_and_within_reach(company, who, name):
    for place in PLACES:
        rows = {**company.house, **company.at(place, who)}
        if "accounts.user" in rows:
            with tried():
                set_the_scene(name, rows, company)
                before = scene(rows)
                company.client(who).post(own_page(name, rows), FORMS[name](rows))
                is_house = model_of(name) in company.house
                expected = who in CONSOLE_PAGES[name] and within(who, "house" if is_house else place)
                assert (scene(rows) != before) == expected, place


def set_the_scene(name: str, rows: dict[str, Any], company: Any) -> None:
    """Whatever has to be there for the page to have something to do."""
    if "revoke" in name:
        person = User.objects.get(pk=rows["accounts.user"].pk)
        unit = rows["accounts.orgunit"]
        grant_role(role=Role.APPROVER, person=person, unit=unit, by=company.people["it"], reason="x", now=NOW)
    if name == "calendars_policychange_preview":
        PolicyChange.objects.update(state="done")
    rule = rows["syncrules.rule"]
    if name == "syncrules_rule_history_of_rule":
        change_rule(rule=rule, draft=Draft(rule.name, Whom(), {}, {"do": "skip"}), by=None, why="x", now=NOW)
    if name == "syncrules_rule_move":
        create_rule(draft=Draft("Second", Whom(), {}, {}), by=None, why="x", now=NOW)


def scene(rows: dict[str, Any]) -> object:
    """What pages of our own could change."""
    person = User.objects.get(pk=rows["accounts.user"].pk)
    labels = ("conflicts.case", "calendars.policychange", "syncrules.rule", "syncrules.switch")
    return (
        unit_roles(person),
        person.password,
        PolicyChange.objects.count(),
        [state_of(rows[label]) for label in labels],
    )


# --- two roles in one hand -------------------------------------------------------------------------------------


@pytest.fixture
def two_roles(company):
    """The auditor of /Sales administers /Legal as well."""
    person, unit = User.objects.get(email="auditor@example.org"), company.rows["other"]["accounts.orgunit"]
    by = company.people["it"]
    grant_role(role=Role.UNIT_ADMINISTRATOR, person=person, unit=unit, by=by, reason="matrix", now=NOW)
    return company


@pytest.mark.parametrize("label", sorted(label for label, roles in CHANGES.items() if "unit_admin" in roles))
def test_whoever_audits_one_unit_and_administers_another_has_forms_for_the_second_alone(two_roles, label):
    client = two_roles.client("auditor")
    for place in PLACES:
        with tried():
            answer = client.post(page_of(two_roles.at(place, "auditor")[label]), {})
            is_taken = answer.status_code == 200 or answer.get("Location") == list_of(label)
            assert is_taken == (place == "other"), place


@pytest.mark.parametrize(
    ("label", "action"),
    [
        (label, action)
        for label, actions in ACTIONS.items()
        for action, roles in actions.items()
        if "auditor" not in roles
    ],
)
def test_whoever_audits_one_unit_and_administers_another_changes_the_second_alone(two_roles, label, action):
    """They see both in the same lists, and the list offers them the action."""
    for place, row in all_places(two_roles, "auditor", label).items():
        with tried():
            target = prepared(row, action, DEEDS.get(action, Deed()))
            before = state_of(target)
            chosen = {"action": action, ACTION_CHECKBOX_NAME: [target.pk], **REASON, **DEEDS.get(action, Deed()).more}
            two_roles.client("auditor").post(list_of(label), chosen)
            expected = place == "other" and "unit_admin" in ACTIONS[label][action] and action not in NOT_OPEN
            assert (state_of(target) != before) == expected, place


# --- what a form must not be talked into ----------------------------------------------------------------------


@BY_CAST
def test_sync_of_others_is_switched_off_by_those_who_reach_them(company, who):
    client, page = company.client(who), reverse("admin:syncrules_switch_switch_sync_off")
    for target, allowed in (
        ({"scope": "everybody"}, {"it"}),
        ({"scope": "platform", "platform": "google"}, {"it"}),
        ({"scope": "clearance", "clearance": "10"}, {"it"}),
        ({"scope": "org_unit", "org_unit": "/Legal"}, {"it"}),
        ({"scope": "org_unit", "org_unit": "/Sales/EMEA"}, {"it", "unit_admin"}),
    ):
        with tried():
            answer = client.post(page, {**target, "reason": "matrix"})
            assert (answer.status_code == 302 and answer["Location"].endswith("/switch/")) == (who in allowed), target


@BY_CAST
def test_roles_are_given_within_what_the_giver_holds(company, who):
    """By the form of a person in reach: other roles, other units, other people."""
    client, rows = company.client(who), company.rows["unit"]
    page, cem = own_page("accounts_user_grant_a_role", rows), company.people["cem"]
    for asked, allowed in (
        ({"role": "approver", "unit": "/Sales"}, {"it", "unit_admin"}),
        ({"role": "unit_administrator", "unit": "/Sales/EMEA"}, {"it", "unit_admin"}),
        ({"role": "auditor", "unit": "/Sales"}, {"it"}),
        ({"role": "integration", "unit": "/Sales"}, {"it"}),
        ({"role": "approver", "unit": "/Legal"}, {"it"}),
        ({"role": "auditor", "unit": ""}, {"it"}),
        ({"role": "it_administrator", "unit": ""}, {"it"}),
    ):
        with tried():
            client.post(page, {"person": cem.email, "reason": "matrix", **asked})
            fresh = User.objects.get(pk=cem.pk)
            assert bool(unit_roles(fresh) or roles_for_all(fresh)) == (who in allowed), asked


def test_a_unit_administrator_cannot_raise_anybody(company):
    client, person = company.client("unit_admin"), company.rows["unit"]["accounts.user"]
    form = {
        "name": "New name",
        "org_unit": person.org_unit_id,
        "time_zone": "Europe/Berlin",
        "work_starts_at": "09:00",
        "work_ends_at": "17:00",
        "work_days": "[1]",
        "is_active": "on",
        "clearance": Clearance.RESTRICTED,
        "is_superuser": "on",
        "is_staff": "on",
        "email": "stolen@example.org",
        "password": "x",
    }
    assert client.post(page_of(person), form).status_code == 302
    fresh = User.objects.get(pk=person.pk)
    assert (fresh.name, fresh.email, fresh.clearance) == ("New name", person.email, Clearance.INTERNAL)
    assert (fresh.is_superuser, fresh.is_staff, fresh.password) == (False, False, person.password)
    legal = OrgUnit.objects.get(path="/Legal")
    assert client.post(page_of(person), {**form, "org_unit": legal.pk}).status_code == 200
