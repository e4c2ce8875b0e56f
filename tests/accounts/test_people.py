"""People: one spelling of an address, sane values by constraint, visibility by clearance."""

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import RequestFactory

from accounts.models import Clearance, User
from tests.factories import OrgUnitFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_an_address_has_one_spelling_when_stored_and_when_asked_for():
    person = User.objects.create_user(" Ada@Example.ORG ")
    assert person.email == "ada@example.org"
    assert User.objects.get(email="ADA@example.org") == person


def test_two_people_cannot_share_an_address_in_different_case():
    UserFactory(email="ada@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(email="ADA@example.org")


def test_a_person_without_an_address_is_refused():
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("")


def test_people_log_in_by_address_in_any_case():
    User.objects.create_user("ada@example.org", "correct horse", is_staff=True)
    request = RequestFactory().post("/accounts/login/")
    assert authenticate(request, username="Ada@Example.org", password="correct horse")
    assert authenticate(request, username="ada@example.org", password="wrong") is None


def test_createsuperuser_needs_only_an_address(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse")
    call_command("createsuperuser", "--noinput", "--email", "Root@example.org", verbosity=0)
    root = User.objects.get(email="root@example.org")
    assert root.is_superuser
    assert root.is_staff
    assert root.check_password("correct horse")


def test_an_unknown_zone_is_refused():
    person = UserFactory.build(org_unit=None, time_zone="Mars/Olympus")
    with pytest.raises(ValidationError, match="Mars/Olympus"):
        person.full_clean()


@pytest.mark.parametrize("days", [[0], [8], [1, 1], "12345", {"1": True}])
def test_weekdays_outside_the_week_are_refused(days):
    person = UserFactory.build(org_unit=None, work_days=days)
    with pytest.raises(ValidationError, match="weekdays"):
        person.full_clean()


def test_nobody_is_their_own_manager():
    person = UserFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk).update(manager=person)


def test_a_higher_clearance_includes_the_lower_ones():
    person = UserFactory.build(org_unit=None, clearance=Clearance.CONFIDENTIAL)
    assert person.may_see(Clearance.INTERNAL)
    assert person.may_see(Clearance.CONFIDENTIAL)
    assert not person.may_see(Clearance.RESTRICTED)


def test_a_deactivated_person_sees_nothing():
    assert not UserFactory.build(org_unit=None, is_active=False).may_see(Clearance.PUBLIC)


def test_people_of_a_unit_include_those_below_and_not_those_of_a_longer_name():
    sales = OrgUnitFactory(name="Sales")
    here = UserFactory(org_unit=sales)
    below = UserFactory(org_unit=OrgUnitFactory(name="EMEA", parent=sales))
    UserFactory(org_unit=OrgUnitFactory(name="Sales Support"))
    UserFactory(org_unit=OrgUnitFactory(name="EMEA", parent=OrgUnitFactory(name="sales")))
    assert set(User.objects.in_unit(sales)) == {here, below}
