"""What an idle installation would hide is seen within five minutes, at few requests: refused access, dead channels.

Calendars are watched and quiet, so that nobody reads them for a quarter of an hour; the minutes are those of the real
schedule, the clock is moved on, the providers are the pretend ones over HTTP.
"""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection as connection_of_database
from django.utils import timezone

from accounts.models import LinkedAccount, TenantConnection
from calendars import selectors, trials
from calendars.models import Calendar, Watch
from calsync.simulator.core import Fault
from calsync_site.schedules import SCHEDULES
from tests.sync.minutes import connect, minutes_until, pass_minutes
from tests.sync.test_trouble_notifications import kill_channel

pytestmark = pytest.mark.django_db(transaction=True)
PLATFORMS = ("outlook", "google")
ONE = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture
def quiet(world, live_server, settings):
    """Ada's two calendars, in step, watched and proven; the next poll is a quarter of an hour away."""
    settings.CALSYNC_PUBLIC_URL = live_server.url
    world.ada = world.person("ada")
    world.rows = connect(world)
    world.activate()
    pass_minutes(world, 3)
    assert states() == {"outlook": "healthy", "google": "healthy"}
    assert Watch.objects.announcing(now=timezone.now()).count() == 2
    Calendar.objects.update(next_poll_at=timezone.now() + selectors.timedelta(minutes=15))
    return world


def states():
    return dict(Calendar.objects.values_list("account__platform", "state"))


def connection(platform):
    return TenantConnection.objects.get(platform=platform)


def reads_since(calendar, moment):
    return Calendar.objects.get(pk=calendar.pk).last_attempt_at > moment


def shut(world, platform):
    """New tokens are refused from now on; those that are held go on being good. Returns what undoes it."""
    if platform == "outlook":
        app = next(iter(world.simulator.graph.login.apps.values()))
        app.secret_expired = True
        return lambda: setattr(app, "secret_expired", False)
    tokens = world.simulator.google.tokens
    granted, tokens.delegated = tokens.delegated, set()
    return lambda: setattr(tokens, "delegated", granted)


@ONE
def test_refused_credentials_show_within_five_minutes_though_nobody_reads(quiet, platform):
    give_back = shut(quiet, platform)
    before = timezone.now()
    assert minutes_until(quiet, lambda: connection(platform).state == "action_required", 5) <= 5
    row = connection(platform)
    assert row.state_reason
    assert row.state_remedy.startswith("Check the connection's credentials")
    assert not any(reads_since(calendar, before) for calendar in Calendar.objects.all())
    other = PLATFORMS[platform == "outlook"]
    assert connection(other).state == "healthy"
    since = row.state_since
    pass_minutes(quiet, 4)
    assert connection(platform).state_since == since
    give_back()
    assert minutes_until(quiet, lambda: connection(platform).state == "healthy", 5) <= 5
    assert connection(platform).refused_reason == ""


def test_withdrawn_consent_shows_within_five_minutes_as_the_mailboxes_are_closed(quiet):
    quiet.simulator.graph.mailboxes[quiet.ada.address].denied = True
    assert minutes_until(quiet, lambda: connection("outlook").state == "action_required", 5) <= 5
    assert "Grant the application access" in connection("outlook").state_remedy


def test_one_closed_mailbox_does_not_condemn_its_connection(quiet):
    bo = quiet.person("bo", google=False)
    LinkedAccount.objects.filter(person=bo.user).update(connection=quiet.rows["outlook"])
    quiet.activate()
    quiet.simulator.graph.mailboxes[quiet.ada.address].denied = True
    pass_minutes(quiet, 8)
    assert (connection("outlook").state, connection("outlook").refused_reason) == ("healthy", "")


@ONE
def test_passing_trouble_of_a_trial_says_nothing(quiet, platform):
    name = {"outlook": "graph", "google": "google"}[platform]
    quiet.simulator.core.faults.append(Fault(name, "status", path="/calendar|calendarList", status=503, times=99))
    pass_minutes(quiet, 6)
    assert connection(platform).refused_reason == ""
    quiet.simulator.core.faults.clear()


def test_new_credentials_are_tried_in_the_next_minute(quiet):
    give_back = shut(quiet, "outlook")
    minutes_until(quiet, lambda: connection("outlook").refused_reason, 5)
    give_back()
    row = connection("outlook")
    row.is_untried(now=timezone.now())
    row.save()
    pass_minutes(quiet, 1)
    assert connection("outlook").state == "healthy"


def test_a_trial_costs_a_few_requests_for_each_connection_however_many_mailboxes_there_are(quiet):
    for name in ("bo", "cem", "dora", "emre"):
        quiet.person(name)
    for platform, row in quiet.rows.items():
        LinkedAccount.objects.filter(platform=platform).update(connection=row)
    quiet.activate()
    pass_minutes(quiet, 4)
    quiet.simulator.core.ledger.clear()
    for _ in range(60):
        quiet.now.shift(60)
        trials.try_connections(clock=timezone.now)
    asked = Counter(call.provider for call in quiet.simulator.core.ledger.calls)
    assert asked["graph"] == 40  # a mailbox and the list of subscriptions
    assert asked["google"] == 20
    assert 20 <= asked["microsoft_login"] <= 21  # the token in use may be renewed meanwhile
    assert asked["google_token"] == 20


def test_a_connection_that_no_key_opens_leaves_the_others_their_trials(quiet):
    broken = TenantConnection.objects.create(platform="outlook", name="Old", tenant="old", state_since=timezone.now())
    with connection_of_database.cursor() as cursor:
        cursor.execute("UPDATE accounts_tenantconnection SET credentials = 'not sealed' WHERE id = %s", [broken.pk])
    bo = quiet.person("bo", google=False)
    LinkedAccount.objects.filter(person=bo.user).update(connection=broken)
    Calendar.objects.filter(account__person=bo.user).update(is_active=True)
    quiet.now.shift(300)
    assert trials.try_connections(clock=timezone.now) == {"let_in": 2, "refused": 0, "unknown": 1}


def test_two_workers_share_one_trial(quiet):
    quiet.now.shift(300)
    assert trials.try_connections(clock=timezone.now)["let_in"] == 2
    assert trials.try_connections(clock=timezone.now) == {"let_in": 0, "refused": 0, "unknown": 0}


def test_a_subscription_that_microsoft_forgot_is_found_and_replaced_within_five_minutes(quiet):
    [old] = Watch.objects.filter(calendar__account__platform="outlook", state="live")
    kill_channel(quiet, "outlook")

    def replaced():
        return Watch.objects.filter(calendar__account__platform="outlook", state="live").exclude(pk=old.pk).exists()

    assert minutes_until(quiet, replaced, 5) <= 5
    old.refresh_from_db()
    assert (old.state, old.state_reason) == ("stopped", trials.FORGOTTEN)


@ONE
def test_a_channel_that_is_dead_and_cannot_be_replaced_shows_within_five_minutes_and_leaves_again(quiet, platform):
    kill_channel(quiet, platform)
    path = "/subscriptions" if platform == "outlook" else "/watch"
    name = {"outlook": "graph", "google": "google"}[platform]
    quiet.simulator.core.faults.append(Fault(name, "status", path=path, method="POST", status=503, times=99))
    if platform == "google":  # it lists no channels: what shows the silence is a change that we made ourselves
        quiet.ada.in_outlook(subject="New")
        pass_minutes(quiet, 1)
        assert [event["summary"] for event in quiet.ada.google] == ["New"]
    assert minutes_until(quiet, lambda: states()[platform] == "delayed", 5) <= 5
    ill = Calendar.objects.get(account__platform=platform)
    assert ill.state_reason.startswith("Changes are not announced, only found by reading every 60 s")
    assert "/hooks/ can be reached" in ill.state_remedy
    assert LinkedAccount.objects.get(platform=platform).state == "delayed"
    since = ill.state_since
    pass_minutes(quiet, 3)
    ill.refresh_from_db()
    assert (ill.state, ill.state_since) == ("delayed", since)  # and reads in between do not make it flicker
    assert ill.last_success_at > since
    assert quiet.settle().idle  # later than it should be, but all is done
    quiet.simulator.core.faults.clear()
    assert minutes_until(quiet, lambda: states()[platform] == "healthy", 12) <= 12


def test_a_channel_that_never_speaks_is_not_relied_on_and_shows_within_five_minutes(world, live_server, settings):
    settings.CALSYNC_PUBLIC_URL = f"{live_server.url}/hooks/graph?swallowed="  # answered politely, heard by nobody
    world.person("ada", outlook=False)
    world.activate()
    assert minutes_until(world, lambda: states()["google"] == "delayed", 6) <= 6  # one of them makes the channel
    assert Watch.objects.get().state == "refused"
    polled = Calendar.objects.get().next_poll_at - timezone.now()
    assert polled.total_seconds() <= settings.CALSYNC_POLL_SECONDS
    settings.CALSYNC_PUBLIC_URL = live_server.url
    assert minutes_until(world, lambda: states()["google"] == "healthy", 15) <= 15
    assert Watch.objects.announcing(now=timezone.now()).count() == 1


def test_a_change_that_a_poll_found_before_it_was_announced_makes_no_channel_dead(quiet):
    quiet.simulator.core.switches.notification_delay_ms = 700
    quiet.ada.in_outlook(subject="New")
    quiet.settle()
    quiet.simulator.core.notifier.wait_idle(10)
    assert not Watch.objects.exclude(owed_since=None).exists()
    quiet.simulator.core.switches.notification_delay_ms = 0
    pass_minutes(quiet, 8)
    assert set(Watch.objects.values_list("state", flat=True)) == {"live"}


def test_a_channel_that_runs_out_unrenewed_shows_within_five_minutes(quiet):
    quiet.simulator.core.faults.append(Fault("google", "status", path="/watch", status=503, times=99))
    now = timezone.now()
    Watch.objects.filter(calendar__account__platform="google").update(renew_at=now, expires_at=now)
    assert minutes_until(quiet, lambda: states()["google"] == "delayed", 5) <= 5


def test_a_mailbox_by_its_owners_consent_is_read_often_enough_to_see_the_consent_go(quiet):
    LinkedAccount.objects.filter(platform="google").update(reached_through="consent")
    wait = {
        calendar.account.platform: selectors.poll_interval(calendar, now=timezone.now()).total_seconds()
        for calendar in Calendar.objects.select_related("account")
    }
    assert wait == {"google": 240, "outlook": 900}


def test_trials_are_scheduled_every_minute():
    assert SCHEDULES["calsync.connections"] == ("calendars.tasks.try_connections", 1)
