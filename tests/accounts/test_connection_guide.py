"""The pages that guide through setting up a connection: right values to copy, of this site, and how far one is."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import TenantConnection, User
from calsync.providers.google.directory import SCOPES as DIRECTORY_SCOPES
from calsync.providers.google.provider import SCOPES
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


@pytest.fixture
def public(settings):
    settings.CALSYNC_PUBLIC_URL = "https://calsync.example.org"


def guide(root, platform):
    answer = root.get(reverse("admin:accounts_tenantconnection_guide", args=[platform]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_microsoft_s_page_has_permissions_both_limits_and_the_addresses_of_this_site(root, public):
    page = guide(root, "outlook")
    for text in (
        "Calendars.ReadWrite", "MailboxSettings.Read", "User.Read.All", "New-ManagementScope",
        "New-ApplicationAccessPolicy", "https://calsync.example.org/accounts/microsoft/login/callback/",
        "https://calsync.example.org/hooks/graph", "https://calsync.example.org/mailboxes/outlook/linked",
    ):  # fmt: skip
        assert f'data-copy="{text}' in page or text in page
    assert "&lt;client id&gt;" in page


def test_google_s_page_has_all_scopes_in_one_line_and_says_that_delegation_has_no_limits(root, public):
    page = guide(root, "google")
    assert f'data-copy="{",".join([*SCOPES, *DIRECTORY_SCOPES])}"' in page
    assert "cannot be limited to an org unit" in page
    assert "https://calsync.example.org/accounts/oidc/google/login/callback/" in page
    assert "https://calsync.example.org/mailboxes/google/linked" in page


def test_without_a_public_address_the_page_says_what_is_missing(root, settings):
    settings.CALSYNC_PUBLIC_URL = ""
    assert "CALSYNC_PUBLIC_URL is no https address" in guide(root, "outlook")
    assert "http://testserver/accounts/microsoft/login/callback/" in guide(root, "outlook")


def test_a_connection_s_own_page_names_its_client_and_shows_how_each_step_went(root):
    row = TenantConnection(platform="outlook", name="Larkfield", tenant="t-2", client="app-2")
    told = {"outcome": "problem", "text": "The permission Calendars.ReadWrite is missing.", "remedy": "Grant it."}
    row.was_tested([{"name": "permissions", **told}], now=NOW)
    row.save()
    page = root.get(reverse("admin:accounts_tenantconnection_own_guide", args=[row.pk])).content.decode()
    assert "New-ServicePrincipal -AppId app-2" in page
    assert "Last test: The permission Calendars.ReadWrite is missing." in page
    assert "Secret ID" in page


def test_a_platform_that_does_not_exist_has_no_page(root):
    assert root.get(reverse("admin:accounts_tenantconnection_guide", args=["zimbra"])).status_code == 404


def test_the_form_shows_the_fields_of_the_platform_that_was_asked_for(root):
    add = reverse("admin:accounts_tenantconnection_add")
    microsoft, google = (root.get(add, {"platform": one}).content.decode() for one in ("outlook", "google"))
    assert ('name="client_secret"' in microsoft, 'name="key_file"' in microsoft) == (True, False)
    assert ('name="client_secret"' in google, 'name="key_file"' in google) == (False, True)


def test_what_was_entered_leads_to_its_test(root):
    form = {"platform": "outlook", "name": "Larkfield", "tenant": "t-2", "client": "app-2",
            "mail_domains": "larkfield.example", "client_secret": "9f3"}  # fmt: skip
    answer = root.post(reverse("admin:accounts_tenantconnection_add"), form)
    assert answer["Location"] == reverse(
        "admin:accounts_tenantconnection_test", args=[TenantConnection.objects.get().pk]
    )


def test_steps_of_an_older_release_are_left_out(root):
    row = TenantConnection(platform="google", name="Lark", tenant="lark.example", credentials=json.dumps({}))
    row.was_tested([{"name": "gone", "outcome": "ok", "text": "x", "remedy": ""}], now=timezone.now())
    row.save()
    assert root.get(reverse("admin:accounts_tenantconnection_test", args=[row.pk])).status_code == 200
