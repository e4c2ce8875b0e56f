"""Fields that a form does not have, sent to every form of the console: they change nothing, whoever sends them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import models
from django.db.models import Model

from accounts.models import User
from conflicts.models import Case
from syncrules.models import Switch
from tests.factories import AccountFactory
from tests.house.company import Company
from tests.house.test_permission_deeds import tried
from tests.house.test_permission_matrix import CHANGES
from tests.house.test_permission_pages import list_of, own_page, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
FOLLOWS = {  # columns that the services write by themselves when a form is saved
    "accounts.tenantconnection": {"state", "state_since", "state_reason", "state_remedy"},
}
NEVER = {  # columns that are tried even though the page shows them: no form may write them
    "accounts.user": {"password", "last_login", "is_staff", "is_superuser"},
    "accounts.linkedaccount": {"person", "address", "platform"},
}
NEEDS = {  # what a form asks for that it does not show filled in
    "syncrules.rule": {"why": "matrix"},
    "accounts.tenantconnection": {"mail_domains": "x.test", "key_file": "", "client_secret": ""},
}


def hostile(field: models.Field[Any, Any], stranger: User) -> object:
    """Something else than what stands in a column."""
    if isinstance(field, models.ForeignKey):
        return stranger.pk if field.related_model is User else 1
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.IntegerField | models.FloatField):
        return 30
    if isinstance(field, models.DateTimeField):
        return "2000-01-01 00:00:00"
    if isinstance(field, models.DateField):
        return "2000-01-01"
    return '{"stolen": true}' if isinstance(field, models.JSONField) else "stolen"


def filled_in(page: Any) -> dict[str, Any]:
    """A form as a browser would send it back untouched."""
    form = page.context["adminform"].form
    sent: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is True:
            sent[bound.html_name] = "on"
        elif value is not None and value is not False:  # 0 is a value
            sent[bound.html_name] = getattr(value, "pk", value)
    return sent


def columns_of(row: Model) -> dict[str, Any]:
    return type(row)._base_manager.filter(pk=row.pk).values().get()


def changed(row: Model, before: dict[str, Any]) -> set[str]:
    return {name for name, value in columns_of(row).items() if value != before[name]}


@pytest.mark.parametrize(("label", "who"), list(itertools.product(sorted(CHANGES), ("it", "unit_admin"))))
def test_fields_that_a_form_does_not_have_change_nothing(company: Company, label: str, who: str):
    row: Any = company.house.get(label) or company.rows["unit"][label]
    if who != "it" and who not in CHANGES[label]:
        return
    page = company.client(who).get(page_of(row))
    offered = set(page.context["adminform"].form.fields)
    never, stranger = NEVER.get(label, set()), company.rows["other"]["accounts.user"]
    extra = {
        name: hostile(field, stranger)
        for field in row._meta.concrete_fields
        if not field.primary_key and (field.name not in offered or field.name in never)
        for name in (field.name, field.attname)
    }
    with tried():
        before = columns_of(row)
        answer = company.client(who).post(page_of(row), {**filled_in(page), **NEEDS.get(label, {}), **extra})
        assert answer.get("Location") == list_of(label), answer.context and answer.context["errors"]
        assert changed(row, before) <= FOLLOWS.get(label, set())


def test_a_case_is_decided_by_whoever_decides_it(company: Company):
    row, stranger = company.rows["unit"]["conflicts.case"], company.rows["other"]["accounts.user"]
    form = {
        "reason": "mine",
        "decided_by": stranger.pk,
        "person": stranger.pk,
        "kind": "storm",
        "closed_at_0": "2000-01-01",
    }
    company.client("approver").post(own_page("conflicts_case_decide", company.rows["unit"]), form)
    case = Case.objects.get(pk=row.pk)
    assert (case.decided_by, case.person_id, case.kind) == (company.people["approver"], row.person_id, row.kind)


def test_a_switch_is_thrown_by_whoever_throws_it(company: Company):
    person, stranger = (company.rows[place]["accounts.user"] for place in ("unit", "other"))
    form = {"scope": "person", "person": person.email, "reason": "mine", "changed_by": stranger.pk, "is_on": "on"}
    company.client("unit_admin").post(own_page("syncrules_switch_switch_sync_off", company.rows["unit"]), form)
    switch = Switch.objects.get(person=person)
    assert (switch.changed_by, switch.is_on) == (company.people["unit_admin"], False)


def test_a_sign_in_makes_nobody_more_than_they_are(client):
    person = User.objects.create_user("plain@example.org", "correct horse battery")
    AccountFactory(person=person)
    form = {"login": person.email, "password": "correct horse battery", "is_staff": "on", "is_superuser": "on"}
    assert client.post("/accounts/login/", {**form, "clearance": 30, "name": "Boss"}).status_code == 302
    before, after = person, User.objects.get(pk=person.pk)
    for name in ("is_staff", "is_superuser", "clearance", "name"):
        assert getattr(after, name) == getattr(before, name)
