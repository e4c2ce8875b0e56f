"""The doctor and connections beside the environment's: each is tried with mailboxes of its own, and its end is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import TenantConnection
from calendars.probe.subject import subject_of
from calsync.engine.events import Platform
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.server import Simulator
from calsync_site.doctor.checkup import examine
from calsync_site.doctor.connections import late
from calsync_site.doctor.finding import State
from tests.factories import AccountFactory, UserFactory

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CEM = "cem@larkfield.example"
SECRET = "the secret of Larkfield"


@pytest.fixture
def larkfield(db, settings):
    """A tenant of its own, whose connection is in the database; the environment names none."""
    with time_machine.travel(NOW, tick=True), Simulator() as simulator:
        settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = settings.GOOGLE_API_URL = simulator.url
        app = simulator.graph.login.add_tenant("larkfield.example", client_id="app-2", secret=SECRET)
        simulator.graph.add_mailbox(CEM, "Cem", "UTC")
        TenantConnection.objects.create(
            platform="outlook", name="Larkfield", tenant=app.tenant_id, client="app-2",
            credentials=json.dumps({"client_secret": SECRET}), domains=["larkfield.example"],
        )  # fmt: skip
        AccountFactory(person=UserFactory(email=CEM), platform="outlook", address=CEM)
        yield app


def checkup(name):
    return {finding.name: finding for finding in examine(now=NOW)}.get(name)


def own():
    return checkup(f"connection.{TenantConnection.objects.get().pk}")


def test_an_own_connection_is_tried_with_a_mailbox_of_its_domain(larkfield):
    assert (own().state, own().text) == (
        State.OK,
        f"Larkfield: Microsoft 365 gives a token and lets us read and write {CEM}.",
    )
    assert checkup("connection.outlook").state == State.WARNING  # nobody needs the environment's


def test_an_expired_secret_is_told_with_where_to_enter_the_next(larkfield):
    larkfield.secret_expired = True
    found = own()
    assert found.state == State.PROBLEM
    assert "AADSTS7000222" in found.text
    assert found.remedy.endswith("enter it on the connection's page in the console.")


def test_a_permission_that_was_not_granted_is_named(larkfield):
    larkfield.roles.remove("Calendars.ReadWrite")
    found = own()
    assert found.state == State.PROBLEM
    assert "Calendars.ReadWrite" in found.remedy


@pytest.mark.parametrize(("days", "state"), [(31, None), (30, State.WARNING), (0, State.WARNING), (-1, State.PROBLEM)])
def test_the_end_of_a_secret_is_told_thirty_days_ahead(larkfield, days, state):
    TenantConnection.objects.update(expires_on=NOW.date() + timedelta(days=days))
    found = checkup(f"expiry.{TenantConnection.objects.get().pk}")
    assert (found and found.state) == state


def test_a_delegation_that_is_missing_names_the_client_of_the_connection_itself(db, settings, tmp_path):
    with time_machine.travel(NOW, tick=True), Simulator() as simulator:
        settings.GOOGLE_API_URL = simulator.url
        default = tmp_path / "key.json"
        default.write_text(json.dumps({**service_account_info(simulator.url), "client_id": "999"}))
        settings.GOOGLE_SERVICE_ACCOUNT_FILE = str(default)
        account = simulator.google.tokens.add_account("larkfield.example")
        key = account.info(simulator.url)
        TenantConnection.objects.create(
            platform="google", name="Larkfield", tenant="larkfield.example", client=account.email,
            credentials=json.dumps({"service_account": key}), domains=["larkfield.example"],
        )  # fmt: skip
        simulator.google.add_mailbox(CEM, "Cem", "UTC")
        AccountFactory(person=UserFactory(email=CEM), platform="google", address=CEM)
        account.delegated.clear()
        found = own()
    assert found.state == State.PROBLEM
    assert key["client_id"] != "999"
    assert f"the client id {key['client_id']} with the scopes" in found.remedy


def test_a_connection_that_is_late_is_named():
    row = TenantConnection(
        pk=7,
        platform="google",
        name="Larkfield",
        credentials=json.dumps({"service_account": service_account_info("https://tokens.larkfield.example")}),
    )
    found = late(subject_of(row, Platform.GOOGLE, mailboxes=[], now=NOW), row)
    assert found.name == "connection.7"
    assert found.text.startswith("Larkfield: ")
    assert "tokens.larkfield.example" in found.remedy
