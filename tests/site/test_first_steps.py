"""The start page of a new installation: what is left to do, read from rows, for those who can do it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import Success

from accounts.models import TenantConnection, User
from accounts.roles import Role
from accounts.services.roles import grant_role
from calendars.models import Calendar
from calsync_site.first_steps import first_steps
from tests.factories import NOW, AccountFactory, ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db
NEEDED = ["Connect Microsoft 365", "Connect Google Workspace", "Bring people in", "Start a worker", "Switch sync on"]


@pytest.fixture
def empty(settings, tmp_path):
    settings.VAR_DIR = tmp_path  # no worker has beaten there
    settings.CALSYNC_PUBLIC_URL = ""


def left():
    return [step.title for step in first_steps(now=timezone.now()) if not step.done and not step.optional]


def finish():
    """Do everything that is needed."""
    for platform in ("outlook", "google"):
        row = ConnectionFactory(platform=platform)
        row.works(now=NOW)
        row.save()
    Calendar.objects.create(account=AccountFactory(), is_active=True)
    now = timezone.now()
    Success.objects.create(id="1" * 32, name="one", func="x", started=now, stopped=now, success=True)


def test_an_empty_installation_names_every_step_in_order(empty):
    assert left() == NEEDED


def test_what_is_done_is_ticked_by_itself(empty):
    finish()
    assert left() == []


def test_a_connection_that_does_not_work_is_still_to_do_and_leads_to_the_list(empty):
    finish()
    TenantConnection.objects.filter(platform="google").update(state="action_required")
    step = next(step for step in first_steps(now=timezone.now()) if not step.done and not step.optional)
    assert (step.title, step.link) == (
        "Connect Google Workspace", reverse("admin:accounts_tenantconnection_changelist"),
    )  # fmt: skip


def test_the_start_page_shows_them_until_all_is_done(client, empty):
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    assert "First steps" in client.get(reverse("admin:index")).content.decode()
    finish()
    assert "First steps" not in client.get(reverse("admin:index")).content.decode()


def test_those_who_cannot_do_them_are_not_asked(client, empty):
    root = User.objects.create_superuser("root@example.org", "x")
    auditor = UserFactory(email="auditor@example.org")
    grant_role(role=Role.AUDITOR, person=auditor, unit=None, by=root, reason="x", now=NOW)
    client.force_login(auditor)
    page = client.get(reverse("admin:index"))
    assert (page.status_code, "First steps" in page.content.decode()) == (200, False)
