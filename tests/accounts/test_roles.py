"""Giving and taking roles: who may, that it is recorded, and that the pages do it."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from accounts.models import TrailEntry, User
from accounts.reach import may, unit_roles
from accounts.roles import Role
from accounts.services.roles import grant_role, revoke_role
from accounts.services.units import ensure_units
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def units():
    return ensure_units(["/Sales/EMEA", "/Legal"])[0]


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.org", "x")


def test_a_role_counts_below_its_unit_and_is_recorded(units, root):
    ada = UserFactory(org_unit=units["/Sales"])
    grant_role(role=Role.APPROVER, person=ada, unit=units["/Sales"], by=root, reason="leads it", now=NOW)
    assert may(ada, "accounts.view_orgunit", units["/Sales/EMEA"])
    assert not may(ada, "accounts.view_orgunit", units["/Legal"])
    revoke_role(role=Role.APPROVER, person=ada, unit=units["/Sales"], by=root, reason="left it", now=NOW)
    assert not may(ada, "accounts.view_orgunit", units["/Sales"])
    ada.refresh_from_db()
    assert not ada.is_staff
    lines = TrailEntry.objects.order_by("pk").values_list("action", "actor_name", "reason")
    assert list(lines) == [
        ("role.granted", "root@example.org", "leads it"),
        ("role.revoked", "root@example.org", "left it"),
    ]


@pytest.mark.parametrize(
    ("role", "where"), [(Role.AUDITOR, "/Sales"), (Role.APPROVER, "/Legal"), (Role.IT_ADMINISTRATOR, None)]
)
def test_a_unit_administrator_gives_no_more_than_they_hold(units, root, role, where):
    ada, cem = UserFactory(org_unit=units["/Sales"]), UserFactory(org_unit=units["/Sales/EMEA"])
    grant_role(role=Role.UNIT_ADMINISTRATOR, person=ada, unit=units["/Sales"], by=root, reason="x", now=NOW)
    with pytest.raises(PermissionDenied):
        grant_role(role=role, person=cem, unit=units[where] if where else None, by=ada, reason="x", now=NOW)
    with pytest.raises(PermissionDenied):
        grant_role(role=Role.APPROVER, person=ada, unit=units["/Sales"], by=cem, reason="x", now=NOW)
    grant_role(role=Role.APPROVER, person=cem, unit=units["/Sales/EMEA"], by=ada, reason="x", now=NOW)
    assert [held for held, _ in unit_roles(cem)] == [Role.APPROVER]


def test_the_last_it_administrator_stays(root):
    with pytest.raises(ValidationError, match="last IT administrator"):
        revoke_role(role=Role.IT_ADMINISTRATOR, person=root, unit=None, by=root, reason="x", now=NOW)


def test_the_pages_of_a_unit_and_of_a_person_give_and_take(client, units, root):
    ada = UserFactory(email="ada@example.org", org_unit=units["/Sales"])
    client.force_login(root)
    give = reverse("admin:accounts_orgunit_grant_a_role", args=[units["/Sales"].pk])
    assert "/Sales" in client.get(give).content.decode()
    answer = client.post(give, {"person": "ada@example.org", "role": "approver", "unit": "/Sales", "reason": "x"})
    assert answer.status_code == 302
    page = client.get(reverse("admin:accounts_user_change", args=[ada.pk])).content.decode()
    assert "approver, /Sales" in page
    take = reverse("admin:accounts_user_revoke_a_role", args=[ada.pk])
    assert client.post(take, {"person": "ada@example.org", "role": "approver", "unit": "/Sales", "reason": "x"}).url
    assert unit_roles(ada) == []


def test_rights_are_not_given_by_the_form_of_a_person(client, root):
    ada = UserFactory(email="ada@example.org")
    client.force_login(root)
    form = {
        "email": "ada@example.org",
        "name": "Ada",
        "time_zone": "Europe/Berlin",
        "work_starts_at": "09:00",
        "work_ends_at": "17:00",
        "work_days": ["1"],
        "clearance": 10,
        "is_active": "on",
        "is_superuser": "on",
        "is_staff": "on",
    }
    assert client.post(reverse("admin:accounts_user_change", args=[ada.pk]), form).status_code == 302
    ada.refresh_from_db()
    assert not ada.is_superuser
    assert not ada.is_staff
