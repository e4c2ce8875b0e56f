"""The health page: counts by connection and unit, every trouble with its remedy, and nothing beyond one's reach."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Health, TenantConnection, User
from accounts.roles import Role
from accounts.services.roles import grant_role
from accounts.services.units import ensure_units
from calendars.models import Calendar
from tests.factories import AccountFactory, ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db
REMEDY = "Grant the application access to this mailbox and its calendar permissions."


@pytest.fixture
def units():
    return ensure_units(["/Sales/EMEA", "/Sales/Asia", "/Legal"])[0]


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.org", "x")


def shown(person, query="", **more):
    client = Client()
    client.force_login(person)
    return client.get(reverse("health") + query, **more)


def calendar(unit, state="healthy", connection=None, **more):
    account = AccountFactory(person=UserFactory(org_unit=unit), connection=connection)
    fields = {"state": state, "is_active": state not in ("waiting", "disabled"), **more}
    return Calendar.objects.create(account=account, **fields)


def chips(tallies):
    return {tally.name: [chip.text for chip in tally.chips] for tally in tallies}


def test_nobody_mapped_is_told_what_to_do_first(root):
    page = shown(root).content.decode()
    assert "There is no calendar yet" in page
    assert "manage.py activate_sync" in page


def test_every_state_is_counted_by_connection_and_by_unit_with_all_below(root, units):
    near, far = ConnectionFactory(name="Near"), ConnectionFactory(name="Far")
    for state in Health.values:
        calendar(units["/Sales/EMEA"], state, near)
    calendar(units["/Sales/Asia"], "healthy", near)
    calendar(units["/Legal"], "healthy", far)
    calendar(None, "healthy")
    context = shown(root).context
    assert context["every"].total == 10
    assert chips(context["connections"])["Near"] == [
        "1 action required", "1 delayed", "1 catching up", "1 importing", "2 healthy", "1 not started yet", "1 disabled"
    ]  # fmt: skip
    assert chips(context["connections"])["Far"] == ["1 healthy"]
    assert chips(context["connections"])["Other Google mailboxes"] == ["1 healthy"]
    assert list(chips(context["units"])) == ["In no unit", "/Legal", "/Sales"]
    assert chips(context["units"])["/Sales"][4] == "2 healthy"


def test_a_unit_is_opened_to_those_right_below_it_and_to_its_own_people(root, units):
    calendar(units["/Sales/EMEA"], "delayed")
    calendar(units["/Sales"])
    calendar(units["/Legal"])
    context = shown(root, f"?unit={units['/Sales'].pk}").context
    assert chips(context["units"]) == {"Directly in /Sales": ["1 healthy"], "/Sales/EMEA": ["1 delayed"]}


def test_each_number_leads_to_the_list_of_just_these_calendars(root, units):
    connection = ConnectionFactory()
    calendar(units["/Sales/EMEA"], "delayed", connection)
    calendar(units["/Sales"], "delayed", connection)
    calendar(units["/Legal"], "delayed")
    switched_off = calendar(units["/Sales"], "delayed", connection).account
    switched_off.disable("left", now=timezone.now())
    switched_off.save()
    context = shown(root).context
    client = Client()
    client.force_login(root)
    for tally in [context["every"], *context["connections"], *context["units"]]:
        for chip in (chip for chip in tally.chips if chip.page):
            found = client.get(chip.page).context["cl"].result_count
            assert f"{found} " == chip.text[: len(str(found)) + 1], (tally.name, chip)


def test_a_trouble_says_since_when_why_what_helps_and_when_it_last_succeeded(root, units):
    now = timezone.now()
    ill = calendar(
        units["/Legal"], "action_required", state_since=now - timedelta(hours=2), state_reason="403 for request 7",
        state_remedy=REMEDY, last_success_at=now - timedelta(hours=3),
    )  # fmt: skip
    page = shown(root)
    [trouble] = page.context["troubles"]
    assert (trouble.name, trouble.reason, trouble.remedy) == (str(ill), "403 for request 7", REMEDY)
    assert trouble.page == reverse("admin:calendars_calendar_change", args=[ill.pk])
    text = page.content.decode().replace("\xa0", " ")
    assert "Last success 3 hours ago" in text
    assert "(2 hours)" in text
    assert f'href="{trouble.page}"' in text


def test_one_cause_is_told_once_however_many_calendars_it_hits(root, units):
    connection = ConnectionFactory(name="Meridian", state="action_required", state_reason="consent was withdrawn")
    for number in range(30):
        calendar(units["/Legal"], "action_required", connection, state_reason=f"401 for {number}", state_remedy=REMEDY)
    found = shown(root).context["troubles"]
    assert [(trouble.name.partition(",")[0], trouble.kind) for trouble in found] == [
        ("Meridian", "connection"),
        ("30 calendars", "calendars"),
    ]
    client = Client()
    client.force_login(root)
    assert client.get(found[1].page).context["cl"].result_count == 30


def test_a_page_full_of_troubles_names_the_rest(root, units):
    for number in range(45):
        calendar(units["/Legal"], "action_required", state_reason="x", state_remedy=f"remedy {number}")
    page = shown(root)
    assert len(page.context["troubles"]) == 40
    assert "And 5 more causes" in " ".join(page.content.decode().split())


def test_credentials_that_end_soon_are_shown_beside_their_connection(root, units):
    soon, late = timezone.now().date() + timedelta(days=20), timezone.now().date() + timedelta(days=60)
    calendar(units["/Legal"], connection=ConnectionFactory(expires_on=soon))
    calendar(units["/Legal"], connection=ConnectionFactory(expires_on=late))
    assert shown(root).content.decode().count("Its credentials end on") == 1


def test_a_unit_administrator_sees_their_own_unit_and_no_connection(root, units):
    connection = ConnectionFactory(name="Secret project", state="action_required", state_reason="why")
    mine = calendar(units["/Sales/EMEA"], "delayed", connection, state_reason="slow")
    theirs = calendar(units["/Legal"], "action_required", connection, state_reason="theirs")
    admin = UserFactory(org_unit=units["/Sales"])
    grant_role(
        role=Role.UNIT_ADMINISTRATOR, person=admin, unit=units["/Sales"], by=root, reason="x", now=timezone.now()
    )
    admin.refresh_from_db()
    page = shown(admin)
    text = page.content.decode()
    assert page.context["every"].total == 1
    assert [trouble.name for trouble in page.context["troubles"]] == [str(mine)]
    assert chips(page.context["connections"]) == {"Google mailboxes": ["1 delayed"]}
    assert chips(page.context["units"]) == {"/Sales": ["1 delayed"]}
    assert "Secret project" not in text
    assert theirs.account.address not in text
    assert "/Legal" not in text
    assert shown(admin, f"?unit={units['/Legal'].pk}").status_code == 404


def test_somebody_with_the_console_and_no_role_is_refused():
    assert shown(UserFactory(is_staff=True)).status_code == 403


def test_a_unit_that_does_not_exist_is_not_found(root, units):
    for unit in ("0", "x", "9" * 40, "²"):
        assert shown(root, f"?unit={unit}").status_code == 404


def test_without_a_worker_the_page_says_that_it_may_be_old(root, units):
    calendar(units["/Legal"])
    assert "manage.py worker" in shown(root).content.decode()


def test_the_number_of_queries_does_not_grow_with_the_organisation(root, units, django_assert_max_num_queries):
    connection = ConnectionFactory(state="delayed")
    for number in range(30):
        calendar(units["/Sales/EMEA"], "action_required", connection, state_remedy=f"remedy {number}")
    assert TenantConnection.objects.count() == 1
    client = Client()
    client.force_login(root)
    with django_assert_max_num_queries(14):
        client.get(reverse("health"))
