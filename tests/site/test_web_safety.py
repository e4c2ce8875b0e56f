"""What an attacker tries on our pages: frames, foreign forms, redirects elsewhere, other people's rows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import LinkedAccount, User
from tests.factories import AccountFactory, UserFactory

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(db) -> User:
    cache.clear()
    return User.objects.create_superuser("admin@example.org", PASSWORD)


def sign_in(client: Client, **more):
    return client.post(reverse("account_login"), {"login": "admin@example.org", "password": PASSWORD, **more})


@pytest.mark.parametrize("page", ["account_login", "home", "mfa_index"])
def test_our_pages_run_no_inline_script_or_style_and_stand_in_no_frame(client, admin, page):
    client.force_login(admin) if page != "account_login" else None
    answer = client.get(reverse(page))
    policy = answer.headers["Content-Security-Policy"]

    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert {"default-src 'none'", "frame-ancestors 'none'", "script-src 'self'"} <= set(policy.split("; "))
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert b" style=" not in answer.content
    assert b"onclick" not in answer.content


def test_the_policy_is_relaxed_for_the_console_alone(client, admin):
    client.force_login(admin)
    policy = client.get(reverse("admin:index")).headers["Content-Security-Policy"]

    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in client.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"])
def test_a_sign_in_leads_nowhere_else(client, admin, elsewhere):
    assert sign_in(client, next=elsewhere).headers["Location"] == "/"


def test_a_sign_in_leads_to_the_page_that_was_asked_for(client, admin):
    wanted = reverse("admin:accounts_user_changelist")

    assert sign_in(client, next=wanted).headers["Location"] == wanted


@pytest.mark.parametrize("page", ["account_login", "account_logout", "mfa_activate_totp", "microsoft_login"])
def test_a_form_of_another_site_is_refused(admin, page):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)

    assert client.post(reverse(page), {"login": "x", "password": "y"}).status_code == 403


def test_signing_out_takes_a_form_not_a_picture_on_another_site(client, admin):
    client.force_login(admin)
    client.get(reverse("account_logout"))
    assert client.get("/").status_code == 200

    client.post(reverse("account_logout"))

    assert client.get("/").status_code == 302


def test_people_see_their_own_mailboxes_and_nobody_else_s(client, db):
    mine, theirs = AccountFactory(address="mine@google.test"), AccountFactory(address="theirs@google.test")
    client.force_login(mine.person)

    for query in ("", f"?person={theirs.person_id}", f"?id={theirs.pk}"):
        page = client.get(f"/{query}").content
        assert b"mine@google.test" in page
        assert b"theirs@google.test" not in page


def test_fields_that_no_form_has_change_nothing(client, db):
    person = UserFactory(email="ada@example.org")
    client.force_login(person)

    client.post("/", {"is_staff": "on", "is_superuser": "on", "clearance": "30", "email": "boss@example.org"})

    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser, person.clearance, person.email) == (
        False,
        False,
        10,
        "ada@example.org",
    )
    assert not LinkedAccount.objects.exists()


def test_text_of_people_and_providers_is_shown_as_text(client, db):
    account = AccountFactory(person__name="<script>alert(1)</script>", state_reason="<img src=x onerror=alert(1)>")
    client.force_login(account.person)

    page = client.get("/").content

    assert b"<script>alert" not in page
    assert b"<img src=x" not in page
    assert b"&lt;img src=x" in page


def test_a_deployment_behind_tls_has_no_warning_of_the_deployment_check(tmp_path, repository):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CALSYNC_", "DJANGO_"))}
    environment |= {
        "CALSYNC_PUBLIC_URL": "https://calsync.example.org",
        "CALSYNC_VAR": str(tmp_path),
        "CALSYNC_SEALING_KEYS": "q" * 43 + "=",
        "DJANGO_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz!@#%^&*()ABCDEFGHIJKLMNOP",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
    }
    told = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=repository, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 0, told.stderr
    assert "no issues" in told.stdout
