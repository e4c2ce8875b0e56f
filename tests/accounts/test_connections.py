"""Tenant connections: what the environment names has a row, without any secret, and says how it is doing."""

import json
from datetime import timedelta

import pytest
from django.core import serializers
from django.db import IntegrityError, transaction

from accounts.models import TenantConnection
from accounts.services.connections import ensure_connections_from_environment, report_connection
from calsync.engine.events import Platform
from tests.factories import NOW, ConnectionFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def microsoft(settings):
    settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID = "tenant-1", "client-1"
    settings.MICROSOFT_CLIENT_SECRET = "hunter2"
    return settings


@pytest.fixture
def google(settings, tmp_path):
    file = tmp_path / "key.json"
    key = {"type": "service_account", "project_id": "p", "client_email": "sync@p.example", "private_key": "hunter3"}
    file.write_text(json.dumps(key))
    settings.GOOGLE_SERVICE_ACCOUNT_FILE, settings.GOOGLE_ADMIN_SUBJECT = str(file), "root@Example.org"
    return file


def test_nothing_configured_makes_nothing():
    assert ensure_connections_from_environment(now=NOW) == {}
    assert TenantConnection.objects.count() == 0


def test_both_tenants_get_a_row_that_holds_no_secret(microsoft, google):
    made = ensure_connections_from_environment(now=NOW)
    assert (made[Platform.OUTLOOK].tenant, made[Platform.OUTLOOK].client) == ("tenant-1", "client-1")
    assert (made[Platform.GOOGLE].tenant, made[Platform.GOOGLE].client) == ("example.org", "sync@p.example")
    assert {row.state for row in made.values()} == {"waiting"}
    assert "hunter" not in serializers.serialize("json", TenantConnection.objects.all())


def test_asking_again_keeps_rows_and_their_state(microsoft):
    row = ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK]
    report_connection(connection_id=row.pk, now=NOW)
    again = ensure_connections_from_environment(now=LATER)[Platform.OUTLOOK]
    assert (again.pk, again.state, again.state_since) == (row.pk, "healthy", NOW)


def test_another_tenant_takes_over_the_row_and_was_not_tried_yet(microsoft):
    row = ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK]
    report_connection(connection_id=row.pk, now=NOW)
    microsoft.MICROSOFT_TENANT_ID = "tenant-2"
    again = ensure_connections_from_environment(now=LATER)[Platform.OUTLOOK]
    assert (again.pk, again.tenant, again.state, again.state_since) == (row.pk, "tenant-2", "waiting", LATER)


def test_a_tenant_that_is_not_named_any_more_is_a_problem_until_it_is_again(microsoft):
    row = ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK]
    microsoft.MICROSOFT_TENANT_ID = ""
    assert ensure_connections_from_environment(now=LATER) == {}
    row.refresh_from_db()
    assert (row.state, row.state_since) == ("action_required", LATER)
    assert "does not name" in row.state_reason
    microsoft.MICROSOFT_TENANT_ID = "tenant-1"
    row = ensure_connections_from_environment(now=LATER)[Platform.OUTLOOK]
    assert (row.state, row.state_reason) == ("waiting", "")


def test_half_a_configuration_is_a_problem_that_names_what_is_missing(microsoft):
    microsoft.MICROSOFT_CLIENT_SECRET = ""
    row = ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK]
    assert (row.state, row.state_reason) == ("action_required", "MICROSOFT_CLIENT_SECRET or _CERTIFICATE is not set.")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"type": "authorized_user"}', '{"type": "service_account"}'])
def test_a_key_file_of_no_use_is_a_problem_that_quotes_nothing(google, content):
    google.unlink() if content is None else google.write_text(content)
    row = ensure_connections_from_environment(now=NOW)[Platform.GOOGLE]
    assert row.state == "action_required"
    assert row.state_reason.startswith("GOOGLE_SERVICE_ACCOUNT_FILE")


def test_without_an_admin_the_project_stands_for_the_domain(google, settings):
    settings.GOOGLE_ADMIN_SUBJECT = ""
    assert ensure_connections_from_environment(now=NOW)[Platform.GOOGLE].tenant == "p"


def test_a_row_made_by_hand_for_the_same_tenant_is_taken_over(microsoft):
    row = ConnectionFactory(platform="outlook", tenant="tenant-1")
    assert ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK].pk == row.pk


def test_the_state_changes_its_date_only_when_it_changes(microsoft):
    row = ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK]
    report_connection(connection_id=row.pk, problem="first", now=NOW)
    report_connection(connection_id=row.pk, problem="second", now=LATER)
    row.refresh_from_db()
    assert (row.state, row.state_since, row.state_reason) == ("action_required", NOW, "second")
    report_connection(connection_id=row.pk, now=LATER)
    row.refresh_from_db()
    assert (row.state, row.state_since, row.state_reason) == ("healthy", LATER, "")


def test_a_working_connection_costs_no_write(microsoft, django_assert_num_queries):
    row = ensure_connections_from_environment(now=NOW)[Platform.OUTLOOK]
    report_connection(connection_id=row.pk, now=NOW)
    with django_assert_num_queries(1) as captured:
        report_connection(connection_id=row.pk, now=LATER)
    assert captured.captured_queries[0]["sql"].startswith("SELECT")


def test_one_tenant_has_one_row():
    ConnectionFactory(tenant="example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        ConnectionFactory(tenant="example.org")
