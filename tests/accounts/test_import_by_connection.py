"""Directories that are imported through connections of the console, beside the environment's."""

import json

import pytest
from django.core.management import CommandError

from accounts.models import LinkedAccount, TenantConnection, User
from calsync.simulator.server import Simulator
from tests.accounts.directories import Directories, point_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings, tmp_path):
    with Simulator() as simulator:
        point_at(settings, simulator, tmp_path)
        yield Directories(simulator)


def elsewhere(world):
    """A tenant and a Workspace of their own, whose connections are sealed in the database."""
    domain, simulator = "far.example", world.simulator
    app = simulator.graph.login.add_tenant(domain, client_id="far-app", secret="far secret")
    account = simulator.google.tokens.add_account(domain)
    simulator.graph.add_mailbox(f"zoe@{domain}", "Zoe", "UTC", "Shipping")
    simulator.google.add_mailbox(f"yan@{domain}", "Yan", "UTC", "/Harbour", admin=True)
    for platform, tenant, client, held in (
        ("outlook", app.tenant_id, "far-app", {"client_secret": "far secret"}),
        ("google", domain, account.email, {"service_account": account.info(simulator.url)}),
    ):
        TenantConnection.objects.create(
            platform=platform, name=f"Far {platform}", tenant=tenant, client=client, domains=[domain],
            credentials=json.dumps(held), directory_admin=f"yan@{domain}" if platform == "google" else "",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "platform", "who", "unit"),
    [("microsoft", "outlook", "zoe@far.example", "/Shipping"), ("google", "google", "yan@far.example", "/Harbour")],
)
def test_a_directory_is_imported_through_a_connection_of_the_console(world, source, platform, who, unit):
    world.hire_outlook("ada")
    elsewhere(world)
    told = world.read(source, connection=f"Far {platform}")
    assert told["people"]["created"] == 1
    assert User.objects.get(email=who).org_unit.path == unit
    assert LinkedAccount.objects.get().connection.name == f"Far {platform}"


def test_the_only_connection_needs_no_name_and_no_environment(world, settings):
    elsewhere(world)
    settings.MICROSOFT_TENANT_ID = settings.MICROSOFT_CLIENT_ID = settings.MICROSOFT_CLIENT_SECRET = ""
    assert world.read("microsoft")["people"]["created"] == 1


@pytest.mark.parametrize("name", [None, "Far awry"])
def test_several_connections_ask_which_one_and_name_them(world, name):
    elsewhere(world)
    with pytest.raises(CommandError, match=r"--connection: 'Far outlook', 'Microsoft 365 [-0-9a-f]+'\.") as refused:
        world.read("microsoft", connection=name)
    assert refused.value.returncode == 2
    assert not User.objects.exists()


def test_a_google_connection_without_an_administrator_says_where_to_name_one(world):
    elsewhere(world)
    TenantConnection.objects.filter(platform="google").update(directory_admin="")
    with pytest.raises(CommandError, match="names no administrator to act as"):
        world.read("google", connection="Far google")


def test_people_of_two_tenants_stay_apart(world):
    world.hire_outlook("ada")
    elsewhere(world)
    world.read("microsoft", connection="Far outlook")
    first = TenantConnection.objects.get(platform="outlook", from_environment=True)
    assert world.read("microsoft", connection=first.name)["people"]["created"] == 1
    assert world.read("microsoft", connection="Far outlook")["left"] == 0
    assert {row.address: row.connection.name for row in LinkedAccount.objects.all()} == {
        "zoe@far.example": "Far outlook",
        "ada@lark.example": first.name,
    }
