"""Importing a tenant's directory in the console: seen first, then applied, and said in words when it cannot be."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Health, LinkedAccount, TenantConnection, TrailEntry, User
from accounts.services.connections import ensure_connections_from_environment
from calendars.directory_page import NotRead, take_directory
from calendars.models import Calendar
from calsync.simulator.core import Fault
from calsync.simulator.server import Simulator
from tests.accounts.directories import Directories, point_at
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
FORM = {"time_zone": "Europe/Berlin", "unit_from": "department"}


@pytest.fixture
def world(settings, tmp_path):
    with Simulator() as simulator:
        point_at(settings, simulator, tmp_path)
        yield Directories(simulator)


@pytest.fixture
def microsoft(world):
    return ensure_connections_from_environment(now=NOW)["outlook"]


@pytest.fixture
def root(client, db):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


def page_of(row):
    return reverse("admin:accounts_tenantconnection_people", args=[row.pk])


def people():
    return set(User.objects.filter(is_superuser=False).values_list("email", flat=True))


def test_the_first_button_shows_and_the_second_applies(world, microsoft, root):
    world.hire_outlook("ada", unit="Sales/EMEA")
    page = root.post(page_of(microsoft), FORM).content.decode()
    assert "ada@lark.example: created in /Sales/EMEA" in page
    assert people() == set()
    answer = root.post(page_of(microsoft), {**FORM, "apply": "1"})
    assert answer["Location"] == reverse("admin:accounts_user_changelist")
    assert people() == {"ada@lark.example"}
    assert Calendar.objects.count() == 1
    assert TrailEntry.objects.get(action="directory.imported").actor_name == "root@example.org"


def test_google_s_directory_has_units_of_its_own(world, root):
    world.hire_google("root", unit="/")
    world.hire_google("ada", unit="/Sales")
    row = ensure_connections_from_environment(now=NOW)["google"]
    assert b"unit_from" not in root.get(page_of(row)).content
    root.post(page_of(row), {"time_zone": "UTC", "apply": "1"})
    assert User.objects.get(email="ada@g.lark.example").org_unit.path == "/Sales"


def test_suspiciously_many_leavers_are_refused_until_it_is_meant(world, microsoft, root):
    for number in range(20):
        world.hire_outlook(f"p{number}")
    root.post(page_of(microsoft), {**FORM, "apply": "1"})
    for number in range(15):
        world.simulator.graph.remove_user(f"p{number}@lark.example")
    page = root.post(page_of(microsoft), {**FORM, "apply": "1"}).content.decode()
    assert "no longer shows 15 of the 20 people" in page
    assert LinkedAccount.objects.filter(state=Health.DISABLED).count() == 0
    root.post(page_of(microsoft), {**FORM, "apply": "1", "force": "on"})
    assert LinkedAccount.objects.filter(state=Health.DISABLED).count() == 15


@pytest.mark.parametrize(("form", "words"), [({"time_zone": "Berlin"}, "not an IANA time zone"), ({}, "required")])
def test_a_wrong_form_reads_nothing(world, microsoft, root, form, words):
    world.simulator.core.ledger.clear()
    assert words in root.post(page_of(microsoft), {"unit_from": "department", **form}).content.decode()
    assert world.simulator.core.ledger.calls == []


def test_a_directory_that_may_not_be_read_says_what_helps(world, microsoft, root):
    next(iter(world.simulator.graph.login.apps.values())).roles.remove("User.Read.All")
    page = root.post(page_of(microsoft), FORM).content.decode()
    assert "The directory could not be read, nothing was changed." in page


def test_a_directory_that_takes_too_long_is_for_the_command(world, microsoft):
    world.simulator.core.faults.append(Fault("graph", "delay", times=99, seconds=3.0))
    with pytest.raises(NotRead, match=r"manage\.py import_directory --from microsoft --connection 'Microsoft 365"):
        take_directory(microsoft, time_zone="UTC", force=False, dry_run=True, patience=0.3)


def test_others_may_not(world, microsoft, client):
    client.force_login(UserFactory(email="cy@example.org", is_staff=True))
    assert client.post(page_of(microsoft), {**FORM, "apply": "1"}).status_code == 404
    assert TenantConnection.objects.count() == 2
    assert not TrailEntry.objects.filter(action="directory.imported").exists()
