"""Entering tenant connections in the console: what is sealed, what is refused, and whose mailboxes are attached."""

import json
from datetime import date

import pytest
from django.db import connection as database
from django.urls import reverse

from accounts.models import TenantConnection, TrailEntry, User
from calsync.simulator.google.oauth import CLIENT_EMAIL, service_account_info
from tests.certificates import pem
from tests.factories import AccountFactory, ConnectionFactory

pytestmark = pytest.mark.django_db
ADD = "admin:accounts_tenantconnection_add"
MICROSOFT = {
    "platform": "outlook", "name": "Larkfield", "tenant": "tenant-2", "client": "app-2",
    "mail_domains": "Larkfield.example, annex.example", "client_secret": "hunter2-9f3", "secret_ends_on": "2027-05-01",
}  # fmt: skip


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


def test_a_secret_is_sealed_never_shown_again_and_reaches_the_mailboxes_of_its_domains(root):
    mine = AccountFactory(platform="outlook", address="cem@larkfield.example")
    chosen = AccountFactory(platform="outlook", address="eve@annex.example", connection=ConnectionFactory())
    answer = root.post(reverse(ADD), MICROSOFT)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = TenantConnection.objects.get(tenant="tenant-2")
    assert json.loads(row.credentials) == {"client_secret": "hunter2-9f3"}
    assert (row.domains, row.expires_on) == (["larkfield.example", "annex.example"], date(2027, 5, 1))
    with database.cursor() as cursor:
        cursor.execute("SELECT credentials FROM accounts_tenantconnection WHERE id = %s", [row.pk])
        assert "hunter2" not in cursor.fetchone()[0]
    page = root.get(reverse("admin:accounts_tenantconnection_change", args=[row.pk]))
    assert b"hunter2" not in page.content
    assert reverse("admin:accounts_tenantconnection_own_guide", args=[row.pk]).encode() in page.content
    mine.refresh_from_db()
    chosen.refresh_from_db()
    assert (mine.connection_id, chosen.connection.platform) == (row.pk, "google")


def test_changing_the_name_keeps_the_credentials_and_a_new_secret_replaces_them(root):
    root.post(reverse(ADD), MICROSOFT)
    row = TenantConnection.objects.get()
    page = reverse("admin:accounts_tenantconnection_change", args=[row.pk])
    root.post(page, MICROSOFT | {"name": "Lark", "client_secret": "", "secret_ends_on": ""})
    row.refresh_from_db()
    assert (row.name, row.expires_on) == ("Lark", date(2027, 5, 1))
    assert "hunter2-9f3" in row.credentials
    root.post(page, MICROSOFT | {"client_secret": "the next", "secret_ends_on": "2028-05-01"})
    row.refresh_from_db()
    assert json.loads(row.credentials) == {"client_secret": "the next"}
    told = TrailEntry.objects.filter(action="connection.saved").order_by("pk")
    assert [entry.facts["credentials"] for entry in told] == ["new", "kept", "new"]
    assert row.expires_on == date(2028, 5, 1)


def test_a_certificate_s_last_day_is_read_from_it(root):
    root.post(reverse(ADD), MICROSOFT | {"client_secret": "", "certificate": pem()})
    assert TenantConnection.objects.get().expires_on == date(2027, 3, 4)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"client_secret": ""}, "Give a client secret or a certificate"),
        ({"certificate": "no certificate"}, "not both"),
        ({"client_secret": "", "certificate": "no certificate"}, "must hold a private key"),
        ({"client_secret": "", "certificate": pem(other_key=True)}, "does not belong"),
        ({"platform": "google", "key_file": "{"}, "is no JSON"),
        ({"platform": "google", "key_file": "{}"}, "no service account"),
        ({"platform": "google", "key_file": '{"type": "service_account"}'}, "cannot be used"),
    ],
)
def test_credentials_that_cannot_work_are_refused_with_a_sentence_that_quotes_nothing(root, fields, words):
    answer = root.post(reverse(ADD), MICROSOFT | fields)
    errors = str(answer.context["adminform"].form.errors)
    assert words in errors
    assert "hunter2" not in errors
    assert not TenantConnection.objects.exists()


def test_a_google_key_file_brings_its_own_client(root):
    key = json.dumps(service_account_info("http://127.0.0.1:1"))
    form = {**MICROSOFT, "platform": "google", "tenant": "larkfield.example", "client": "", "client_secret": "",
            "secret_ends_on": "", "key_file": key}  # fmt: skip
    assert root.post(reverse(ADD), form).status_code == 302
    assert TenantConnection.objects.get().client == CLIENT_EMAIL


def test_the_environment_s_connection_is_for_looking(root):
    row = ConnectionFactory(platform="outlook", from_environment=True)
    page = reverse("admin:accounts_tenantconnection_change", args=[row.pk])
    assert root.get(page).status_code == 200
    assert root.post(page, MICROSOFT).status_code == 403
