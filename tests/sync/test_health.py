"""Health: what the pipeline meets and what only time shows reaches the mailbox and its connection, and leaves again.

The check is the service that the schedule runs; the pipeline is real, over HTTP to the pretend providers; the clock is
moved on.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import LinkedAccount, TenantConnection
from calendars.health import check_health
from calendars.models import Calendar
from calsync.simulator.graph.tenant import TENANT_ID
from calsync_site.schedules import SCHEDULES
from tests.sync.endings import Patience


@pytest.fixture
def ada(world):
    return world.person("ada", google=False)


@pytest.fixture
def connection(ada):
    row = TenantConnection.objects.create(platform="outlook", name="Meridian", tenant=TENANT_ID, from_environment=True)
    LinkedAccount.objects.update(connection=row)
    return row


def told(at=None):
    """State of the calendar, the mailbox and the connection, after a check."""
    check_health(now=at or timezone.now())
    return [
        model.objects.values_list("state", flat=True).get() for model in (Calendar, LinkedAccount, TenantConnection)
    ]


def test_what_was_mapped_and_not_activated_has_not_started(connection):
    assert told() == ["waiting", "waiting", "waiting"]


def test_a_first_read_is_importing_until_it_has_ended(world, connection):
    Calendar.objects.update(is_active=True, state="importing")
    assert told() == ["importing", "importing", "importing"]
    world.activate()
    Calendar.objects.all().ring(now=timezone.now())
    world.settle()
    assert told() == ["healthy", "healthy", "healthy"]
    row = TenantConnection.objects.get()
    assert row.last_success_at == Calendar.objects.get().last_success_at
    assert row.last_success_at is not None


def test_an_expired_secret_shows_with_its_remedy_and_leaves_when_it_is_mended(world, connection):
    world.activate()
    clock = Patience()
    app = next(iter(world.simulator.graph.login.apps.values()))
    app.secret_expired = True
    world.simulator.graph.login.revoke_all()
    Calendar.objects.all().ring(now=clock.now())
    clock.settle()
    assert told(clock.now()) == ["action_required"] * 3
    row = TenantConnection.objects.get()
    assert "AADSTS7000222" in row.state_reason
    assert row.state_remedy.startswith("Check the connection's credentials")
    since = row.state_since
    told(clock.now() + timedelta(minutes=1))
    assert TenantConnection.objects.get().state_since == since
    app.secret_expired = False
    clock.sleep(600)
    Calendar.objects.all().ring(now=clock.now())
    clock.settle()
    assert told(clock.now()) == ["healthy"] * 3
    assert TenantConnection.objects.get().state_remedy == ""


def test_a_calendar_that_no_worker_reads_is_delayed_within_five_minutes_of_its_time(world, connection):
    world.activate()
    due = Calendar.objects.get().next_poll_at
    assert told(due + timedelta(minutes=3)) == ["healthy"] * 3
    assert told(due + timedelta(minutes=5)) == ["delayed"] * 3
    assert "manage.py worker" in LinkedAccount.objects.get().state_remedy
    Calendar.objects.all().ring(now=timezone.now())
    world.settle()
    assert told() == ["healthy"] * 3


def test_one_mailbox_without_a_licence_does_not_condemn_the_connection(world, connection):
    bo = world.person("bo", google=False)
    LinkedAccount.objects.update(connection=connection)
    world.simulator.graph.mailboxes[bo.address].has_calendar = False
    world.activate()
    check_health(now=timezone.now())
    assert LinkedAccount.objects.get(person=bo.user).state == "action_required"
    assert TenantConnection.objects.get().state == "healthy"


def test_a_disabled_mailbox_stays_disabled(world, connection):
    world.activate()
    account = LinkedAccount.objects.get()
    account.disable("left", now=timezone.now())
    account.save()
    check_health(now=timezone.now())
    account.refresh_from_db()
    assert (account.state, account.state_reason) == ("disabled", "left")


def test_the_check_costs_no_write_when_nothing_changed(world, connection, django_assert_num_queries):
    world.activate()
    check_health(now=timezone.now())
    with django_assert_num_queries(16) as captured:
        check_health(now=timezone.now())
    assert [query["sql"] for query in captured if query["sql"].startswith(("UPDATE", "INSERT"))] == []


def test_the_check_is_scheduled_every_minute():
    assert SCHEDULES["calsync.health"] == ("calendars.tasks.check_health", 1)
