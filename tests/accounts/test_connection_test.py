"""The console's test of a connection, against the pretend providers: what is wrong is named, with what helps."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.credentials import secret_proof
from accounts.models import Health, LinkedAccount, TenantConnection, TrailEntry, User
from accounts.roles import Role
from accounts.services.connections import ensure_connections_from_environment, save_connection
from accounts.services.roles import grant_role
from calendars import services
from calendars.probe.service import probe_connection
from calendars.probe.steps import Outcome
from calsync.simulator.core import Fault
from calsync.simulator.google.oauth import SCOPE
from calsync.simulator.server import Simulator
from tests.accounts.directories import point_at
from tests.certificates import pem
from tests.factories import NOW, AccountFactory, UserFactory
from tests.services import free_port

pytestmark = pytest.mark.django_db

CEM, EVE = "cem@larkfield.example", "eve@larkfield.example"
SECRET = "the secret of Larkfield"


@pytest.fixture
def simulator(settings):
    with Simulator() as simulator:
        settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = settings.GOOGLE_API_URL = simulator.url
        yield simulator


@pytest.fixture
def app(simulator):
    """A tenant of its own with two mailboxes, as its administrator sees it."""
    app = simulator.graph.login.add_tenant("larkfield.example", client_id="app-2", secret=SECRET)
    for address in (CEM, EVE):
        simulator.graph.add_mailbox(address, address.partition("@")[0], "Europe/Berlin")
    return app


@pytest.fixture
def larkfield(app):
    """The connection to it; Cem is mapped."""
    row = TenantConnection.objects.create(
        platform="outlook", name="Larkfield", tenant=app.tenant_id, client="app-2", domains=["larkfield.example"],
        credentials=json.dumps({"client_secret": SECRET}),
    )  # fmt: skip
    AccountFactory(person=UserFactory(email=CEM), platform="outlook", address=CEM)
    return row


@pytest.fixture
def account(simulator):
    """The service account of a Workspace with Cem, and Eve who administers it."""
    for address in (CEM, EVE):
        simulator.google.add_mailbox(address, address.partition("@")[0], "Europe/Berlin", admin=address == EVE)
    return simulator.google.tokens.add_account("larkfield.example")


@pytest.fixture
def workspace(account, simulator):
    """The connection to it; nobody is mapped, and Eve is who it acts as for the directory."""
    key = json.dumps({"service_account": account.info(simulator.url)})
    return TenantConnection.objects.create(
        platform="google", name="Larkfield Workspace", tenant="larkfield.example", domains=["larkfield.example"],
        credentials=key, directory_admin=EVE,
    )  # fmt: skip


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


def probe(row, **options):
    """The steps by name; the worst one of each."""
    steps = probe_connection(connection=row, now=timezone.now(), **options)
    order = list(Outcome)
    return {step.name: step for step in sorted(steps, key=lambda step: order.index(step.outcome))}


def store(row, **held):
    row.credentials = json.dumps(held)
    row.save()


# -- Microsoft 365 ---------------------------------------------------------------------------------------------


def test_a_sound_tenant_passes_every_step_and_is_healthy(larkfield):
    found = probe(larkfield)
    assert {name: step.outcome for name, step in found.items()} == dict.fromkeys(found, "ok") | {"expiry": "untried"}
    assert found["mailbox"].text.endswith(f"lets us read and write {CEM}.")
    larkfield.refresh_from_db()
    assert (larkfield.state, len(larkfield.last_test)) == (Health.HEALTHY, 8)


@pytest.mark.parametrize(
    ("spoil", "sentence", "remedy"),
    [
        (lambda app, row: store(row, client_secret="wrong"), "The client secret is wrong.", "copy its value (not its"),
        (lambda app, row: setattr(app, "secret_expired", True), "The client secret has expired.", "new client secret"),
        (lambda app, row: setattr(row, "client", "app-3"), "The tenant does not know the app.", "application (client)"),
        (lambda app, row: setattr(row, "tenant", "nowhere"), "does not know the tenant", "directory (tenant) id"),
    ],
)
def test_refused_credentials_are_told_apart(app, larkfield, spoil, sentence, remedy):
    spoil(app, larkfield)
    found = probe(larkfield)
    assert (found["reach"].outcome, found["credentials"].outcome) == ("ok", "problem")
    assert sentence in found["credentials"].text
    assert remedy in found["credentials"].remedy
    assert (found["permissions"].outcome, found["mailbox"].outcome) == ("untried", "untried")
    larkfield.refresh_from_db()
    assert larkfield.state == Health.ACTION_REQUIRED
    assert remedy in larkfield.state_remedy


def test_a_certificate_that_is_not_registered_is_told(app, larkfield):
    app.certificate = pem(other_key=True)
    store(larkfield, client_certificate=pem())
    found = probe(larkfield)["credentials"]
    assert (found.outcome, "certificate is not registered" in found.text) == ("problem", True)
    assert "Upload the certificate" in found.remedy


def test_a_missing_permission_is_named_and_where_to_grant_it(app, larkfield):
    app.roles.remove("Calendars.ReadWrite")
    found = probe(larkfield)["permissions"]
    assert (found.outcome, found.text) == ("problem", "The permission Calendars.ReadWrite is missing.")
    assert "Grant admin consent" in found.remedy


def test_a_token_without_any_permission_means_that_consent_is_missing(app, larkfield):
    app.roles.clear()
    assert "admin consent is missing" in probe(larkfield)["permissions"].text


def test_what_was_granted_a_moment_ago_counts_at_once(app, larkfield):
    app.roles.remove("Calendars.ReadWrite")
    assert probe(larkfield)["permissions"].outcome == "problem"
    app.roles.add("Calendars.ReadWrite")
    assert probe(larkfield)["permissions"].outcome == "ok"


def test_a_mailbox_outside_of_the_access_policy_is_told_from_a_missing_permission(simulator, larkfield):
    simulator.graph.mailbox(EVE).denied = True
    found = probe(larkfield, address=EVE)
    assert (found["permissions"].outcome, found["mailbox"].outcome) == ("ok", "problem")
    assert f"{EVE} is outside of what the app may reach" in found["mailbox"].text
    assert f"Test-ApplicationAccessPolicy -Identity {EVE} -AppId app-2" in found["mailbox"].remedy
    larkfield.refresh_from_db()
    assert larkfield.state == Health.WAITING  # one mailbox says nothing about the connection


def test_an_address_that_does_not_exist_is_told(larkfield):
    found = probe(larkfield, address="nobody@larkfield.example")["mailbox"]
    assert (found.outcome, "has an Exchange Online licence" in found.remedy) == ("problem", True)


@pytest.mark.parametrize(("role", "step"), [("MailboxSettings.Read", "zones"), ("User.Read.All", "directory")])
def test_permissions_that_only_some_things_need_are_warnings(app, larkfield, role, step):
    app.roles.remove(role)
    found = probe(larkfield)
    assert (found["mailbox"].outcome, found[step].outcome) == ("ok", "warning")
    assert role in found[step].text
    assert role in found[step].remedy


def test_a_tenant_that_cannot_be_reached_names_the_hosts(larkfield, settings):
    settings.MICROSOFT_LOGIN_URL = f"http://127.0.0.1:{free_port()}"
    found = probe(larkfield)
    assert (found["reach"].outcome, found["credentials"].outcome) == ("problem", "untried")
    assert "127.0.0.1" in found["reach"].remedy


def test_a_tenant_that_does_not_answer_in_time_keeps_nobody_waiting(simulator, larkfield):
    simulator.core.faults.append(Fault("graph", "delay", times=99, seconds=5.0))
    assert probe(larkfield, patience=0.5)["reach"].text == "Microsoft 365 does not answer in time."


def test_without_a_mailbox_the_test_asks_for_one(larkfield):
    larkfield.linked_accounts.all().delete()
    from_domain = User.objects.get(email=CEM).linked_accounts
    from_domain.all().delete()
    found = probe(larkfield)["mailbox"]
    assert (found.outcome, "Type an address" in found.remedy) == ("warning", True)


def test_the_end_of_a_secret_is_a_step(larkfield):
    larkfield.expires_on = timezone.now().date()
    assert probe(larkfield)["expiry"].outcome == "warning"


def test_a_clock_that_is_off_is_told(simulator, larkfield):
    simulator.core.clock.advance(timezone.timedelta(seconds=90))
    assert probe(larkfield)["clock"].text.endswith("s slow.")


# -- Google Workspace ------------------------------------------------------------------------------------------


def test_a_sound_workspace_passes_every_step_as_its_administrator(workspace):
    found = probe(workspace)
    assert {name: step.outcome for name, step in found.items()} == dict.fromkeys(found, "ok")
    assert EVE in found["mailbox"].text


def test_scopes_that_are_not_delegated_are_named_one_by_one(account, workspace):
    account.delegated.remove(SCOPE + "calendar.settings.readonly")
    found = probe(workspace)["permissions"]
    assert found.outcome == "problem"
    assert found.text.endswith(f"gives the service account not {SCOPE}calendar.settings.readonly.")
    assert SCOPE + "calendar.events," in found.remedy


def test_no_delegation_at_all_names_the_client_and_all_scopes(account, workspace, simulator):
    account.delegated.clear()
    found = probe(workspace)
    assert f"none of {SCOPE}calendar.events" in found["permissions"].text
    assert account.info(simulator.url)["client_id"] in found["permissions"].remedy
    assert found["directory"].outcome == "warning"


def test_a_key_of_another_account_is_told(workspace, account, simulator):
    info = account.info(simulator.url)
    store(workspace, service_account=info | {"private_key": pem(other_key=True).partition("-----BEGIN CERT")[0]})
    found = probe(workspace)["credentials"]
    assert (found.outcome, "Google does not know the key" in found.text) == ("problem", True)


def test_an_api_that_is_not_switched_on_is_told(workspace, simulator):
    body = {"error": {"code": 403, "errors": [{"reason": "accessNotConfigured"}]}}
    simulator.core.faults.append(Fault("google", "status", times=9, status=403, body=body, path="calendarList"))
    assert "Enable the Google Calendar API" in probe(workspace)["mailbox"].remedy


def test_an_administrator_without_the_rights_is_told(workspace):
    workspace.directory_admin = CEM
    found = probe(workspace)
    assert (found["mailbox"].outcome, found["directory"].outcome) == ("ok", "warning")
    assert "right to read users" in found["directory"].remedy


def test_without_an_administrator_the_directory_is_left_untried(workspace):
    workspace.directory_admin = ""
    found = probe(workspace, address=CEM)
    assert (found["mailbox"].outcome, found["directory"].outcome) == ("ok", "untried")


# -- the environment's -----------------------------------------------------------------------------------------


def test_the_environment_s_connections_are_tested_alike(simulator, settings, tmp_path):
    simulator.graph.add_mailbox("ada@meridian.example", "Ada", "UTC")
    point_at(settings, simulator, tmp_path)
    for row in ensure_connections_from_environment(now=NOW).values():
        assert probe(row)["credentials"].outcome == "ok"
    settings.MICROSOFT_CLIENT_SECRET = "wrong"
    found = probe(TenantConnection.objects.get(platform="outlook"))["credentials"]
    assert found.remedy.endswith("a registered certificate.")
    assert "MICROSOFT_CLIENT_SECRET" in found.remedy


# -- the page --------------------------------------------------------------------------------------------------


def page_of(row):
    return reverse("admin:accounts_tenantconnection_test", args=[row.pk])


def test_the_button_tests_and_shows_what_helps(root, larkfield):
    store(larkfield, client_secret="wrong-9f3")
    answer = root.post(page_of(larkfield), {"address": ""}, follow=True)
    text = answer.content.decode()
    assert "The client secret is wrong." in text
    assert "copy its value (not its id)" in text
    assert "wrong-9f3" not in text
    told = TrailEntry.objects.get(action="connection.tested")
    assert (told.actor_name, told.facts["outcome"], told.facts["problems"]) == ("root@example.org", "problem", 1)


def test_credentials_that_no_key_opens_are_a_step_and_no_crash(root, larkfield, settings):
    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode()]
    page = root.post(page_of(larkfield), {"address": ""}, follow=True).content.decode()
    assert "Our credentials are accepted" in page
    assert "CALSYNC_SEALING_KEYS" in page


def test_looking_tests_nothing(root, larkfield, simulator):
    simulator.core.ledger.clear()
    assert root.get(page_of(larkfield)).status_code == 200
    assert simulator.core.ledger.calls == []
    assert not TrailEntry.objects.filter(action="connection.tested").exists()


def test_what_is_no_address_is_refused(root, larkfield, simulator):
    simulator.core.ledger.clear()
    assert root.post(page_of(larkfield), {"address": "cem"}).status_code == 200
    assert simulator.core.ledger.calls == []


def test_new_credentials_are_untested(root, larkfield):
    root.post(page_of(larkfield), {"address": ""})
    larkfield.refresh_from_db()
    assert larkfield.tested_at is not None
    save_connection(connection=larkfield, proof=secret_proof("another", None), now=NOW)
    larkfield.refresh_from_db()
    assert (larkfield.last_test, larkfield.tested_at, larkfield.state) == ([], None, Health.WAITING)
    assert b"It was not tested yet." in root.get(page_of(larkfield)).content


def test_a_foreign_page_cannot_press_the_button(larkfield):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("root@example.org", "x"))
    assert browser.post(page_of(larkfield), {"address": ""}).status_code == 403
    assert not TrailEntry.objects.filter(action="connection.tested").exists()


def test_an_auditor_sees_the_result_and_may_not_test(root, client, larkfield):
    root.post(page_of(larkfield), {"address": ""})
    auditor = UserFactory(email="auditor@example.org", is_staff=True)
    by = User.objects.get(email="root@example.org")
    grant_role(role=Role.AUDITOR, person=auditor, unit=None, by=by, reason="test", now=NOW)
    client.force_login(auditor)
    page = client.get(reverse("admin:accounts_tenantconnection_change", args=[larkfield.pk])).content.decode()
    assert ("lets us read and write" in page, "Test the connection" in page) == (True, False)
    assert client.get(page_of(larkfield)).status_code == 403
    assert client.post(page_of(larkfield), {"address": ""}).status_code == 403
    assert TrailEntry.objects.filter(action="connection.tested").count() == 1


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_others_see_nothing(client, larkfield, who):
    if who == "stranger":
        client.force_login(UserFactory(email="cy@example.org", is_staff=True))
    for page in (page_of(larkfield), reverse("admin:accounts_tenantconnection_guide", args=["outlook"])):
        assert client.get(page).status_code in (302, 403, 404)
        assert client.post(page).status_code in (302, 403, 404)
    assert not TrailEntry.objects.filter(action="connection.tested").exists()


# -- activating ------------------------------------------------------------------------------------------------


def test_sync_is_activated_through_a_connection_of_the_console_alone(larkfield):
    services.ensure_primary_calendars(list(User.objects.get(email=CEM).linked_accounts.all()))
    out = StringIO()
    call_command("activate_sync", "--all", "--dry-run", stdout=out)
    assert out.getvalue().startswith("Would activate 1 calendars of 1 people")


def test_a_mailbox_that_no_connection_reaches_is_named_before_anything_is_done(larkfield):
    AccountFactory(person=UserFactory(email="ada@far.example"), platform="outlook", address="ada@far.example")
    services.ensure_primary_calendars(list(LinkedAccount.objects.all()))
    with pytest.raises(CommandError, match=r"No connection to outlook reaches ada@far\.example"):
        call_command("activate_sync", "--all")
