"""IT administrators are told when a connection is shut and before credentials end: once for each cause."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import TenantConnection, User
from accounts.services.connections import ensure_connections_from_environment
from calendars import tasks
from calsync.engine.events import Platform
from notifications import tasks as mailing
from notifications.models import Message
from tests.certificates import pem
from tests.sync.minutes import connect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meridian(world, settings):
    settings.CALSYNC_EMAIL_URL = "smtp://mail.invalid"
    world.person("ada", google=False)
    User.objects.create_superuser("it@example.org", "x")
    world.rows = connect(world)
    world.activate()
    return world


def pass_time(world, minutes, step=1):
    for _ in range(0, minutes, step):
        world.now.shift(60 * step)
        tasks.try_connections()
        tasks.check_health()
        mailing.send_mail()


def test_a_connection_that_is_shut_is_told_within_five_minutes_and_once_a_day(meridian):
    pass_time(meridian, 4)
    assert mail.outbox == []
    app = next(iter(meridian.simulator.graph.login.apps.values()))
    app.secret_expired = True
    pass_time(meridian, 5)
    [told] = mail.outbox
    assert told.to == ["it@example.org"]
    assert "Meridian outlook does not let CalSync in" in told.body
    assert "AADSTS7000222" in told.body
    assert "Check the connection's credentials" in told.body
    assert "ada@" not in told.body
    pass_time(meridian, 23 * 60, step=30)
    assert len(mail.outbox) == 1
    pass_time(meridian, 90, step=30)
    assert len(mail.outbox) == 2  # it lasts
    app.secret_expired = False
    pass_time(meridian, 2 * 24 * 60, step=60)
    assert TenantConnection.objects.get(platform="outlook").refused_reason == ""
    assert len(mail.outbox) == 2


def test_credentials_that_end_are_told_thirty_seven_and_one_day_ahead(meridian):
    today = timezone.now().date()
    TenantConnection.objects.filter(platform="outlook").update(expires_on=today + timedelta(days=32))
    told = []
    for _ in range(34):
        tasks.check_health()
        left = (TenantConnection.objects.get(platform="outlook").expires_on - timezone.now().date()).days
        told += [left] * (Message.objects.count() - len(told))
        meridian.now.shift(24 * 3600)
    assert told == [30, 7, 1]
    assert "end on" in Message.objects.first().sentence


def test_a_worker_that_was_away_tells_the_nearest_step_alone(meridian):
    today = timezone.now().date()
    TenantConnection.objects.filter(platform="outlook").update(expires_on=today + timedelta(days=3))
    for _ in range(3):
        tasks.check_health()
    assert Message.objects.count() == 1


def test_the_end_of_the_environments_certificate_is_known(meridian, settings, tmp_path):
    file = tmp_path / "certificate.pem"
    file.write_text(pem())
    settings.MICROSOFT_CLIENT_SECRET, settings.MICROSOFT_CLIENT_CERTIFICATE = "", str(file)
    rows = ensure_connections_from_environment(now=timezone.now())
    assert rows[Platform.OUTLOOK].expires_on == date(2027, 3, 4)
    settings.MICROSOFT_CLIENT_CERTIFICATE = str(tmp_path)
    rows = ensure_connections_from_environment(now=timezone.now())
    assert rows[Platform.OUTLOOK].expires_on is None
