"""Notifications that come twice, late, in the wrong order or never; channels that die. They only ever ring a bell."""

import random
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from django_q.models import OrmQ

from calendars import tasks
from calendars.models import Calendar, Watch
from calendars.sync import sweep
from calendars.sync.watch import ensure_watches
from calsync.simulator.core import Fault
from tests.sync.endings import Patience, assert_well, titles
from tests.sync.minutes import work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reachable(world, live_server, settings):
    """The world, with a web server that the providers can call, both calendars watched."""
    settings.CALSYNC_PUBLIC_URL = live_server.url
    world.ada = world.person("ada")
    world.activate()
    assert ensure_watches(clock=timezone.now)["made"] == 2
    heard(world)
    work_off()
    world.settle()
    OrmQ.objects.all().delete()
    return world


def heard(world):
    """Wait until every notification was delivered: the web server's thread shares our connection to SQLite."""
    assert world.simulator.core.notifier.wait_idle(10)


def edit_by_hand(world):
    """Something new on either side."""
    world.ada.in_outlook(subject="One")
    world.ada.in_google(summary="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")


def test_news_that_arrive_twice_are_one_turn(reachable):
    reachable.simulator.core.switches.duplicate_notifications = True
    edit_by_hand(reachable)
    heard(reachable)
    assert OrmQ.objects.count() == 2  # one turn for each calendar, however often it rang
    work_off()
    heard(reachable)
    work_off()  # the echoes of our own writes
    assert_well(reachable, Patience(), reachable.ada, ["One", "Two"])


def test_news_that_come_long_after_the_change_tell_nothing_new(reachable):
    reachable.simulator.core.switches.notification_delay_ms = 700
    edit_by_hand(reachable)
    reachable.settle()  # a poll was faster
    assert titles(reachable.ada) == (["One", "Two"], ["One", "Two"])
    reachable.simulator.core.ledger.clear()
    heard(reachable)
    work_off()
    assert reachable.provider_writes() == 0
    assert_well(reachable, Patience(), reachable.ada, ["One", "Two"])


def test_news_in_any_order_end_alike(reachable, client):
    calls = recorded_calls(reachable)
    random.Random(7).shuffle(calls)
    for path, body, headers in calls:
        client.post(path, body, content_type="application/json", headers=headers)
        work_off()
    assert_well(reachable, Patience(), reachable.ada, ["One", "Two 2"])


def recorded_calls(world):
    """What both providers say about a few edits, kept back until all of them are made."""
    watches = list(Watch.objects.select_related("calendar__account"))
    edit_by_hand(world)
    two = next(event for event in world.ada.google if event["summary"] == "Two")
    world.ada.edit_google(two["id"], summary="Two 2")
    world.simulator.core.notifier.stop()
    OrmQ.objects.all().delete()
    Calendar.objects.update(rung_at=None)
    calls = []
    for watch in watches:
        for number in range(3):
            if watch.calendar.account.platform == "outlook":
                item = {"subscriptionId": watch.subscription_id, "clientState": watch.secret, "changeType": "updated"}
                calls.append(("/hooks/graph", {"value": [item]}, {}))
            else:
                headers = {
                    "X-Goog-Channel-ID": watch.subscription_id,
                    "X-Goog-Channel-Token": watch.secret,
                    "X-Goog-Resource-State": "exists",
                    "X-Goog-Message-Number": str(number),
                }
                calls.append(("/hooks/google", {}, headers))
    return calls


def test_news_that_are_lost_are_made_good_by_the_next_poll(reachable, settings):
    reachable.simulator.core.switches.notifications = False
    edit_by_hand(reachable)
    heard(reachable)
    assert work_off() == 0
    later = timezone.now() + timedelta(seconds=settings.CALSYNC_POLL_WATCHED_SECONDS + 60)
    assert sweep.poll_due(now=later) == 2
    work_off()
    assert_well(reachable, Patience(), reachable.ada, ["One", "Two"])


def test_a_channel_that_the_provider_ends_is_made_anew_and_the_gap_is_read(reachable):
    graph = Watch.objects.get(calendar__account__platform="outlook")
    reachable.simulator.graph.subscriptions.lifecycle(graph.subscription_id, "subscriptionRemoved")
    reachable.ada.in_outlook(subject="One")  # announced by nobody
    heard(reachable)
    tasks.renew_watches()
    heard(reachable)
    work_off()
    Patience().settle()
    live = Watch.objects.get(calendar__account__platform="outlook", state="live")
    assert live.subscription_id != graph.subscription_id
    assert_well(reachable, Patience(), reachable.ada, ["One"])


@pytest.mark.parametrize("platform", ["outlook", "google"])
def test_a_channel_that_dies_in_silence_is_found_by_its_renewal(reachable, platform):
    dead = Watch.objects.get(calendar__account__platform=platform)
    kill_channel(reachable, platform)
    edit_by_hand(reachable)
    heard(reachable)
    Watch.objects.filter(pk=dead.pk).update(renew_at=timezone.now() - timedelta(seconds=1))
    tasks.renew_watches()
    heard(reachable)
    work_off()
    assert Watch.objects.filter(calendar__account__platform=platform, state="live").count() == 1
    assert not Watch.objects.filter(pk=dead.pk, state="live", subscription_id=dead.subscription_id).exists()
    world_rings(reachable, platform)
    Patience().settle()
    assert_well(reachable, Patience(), reachable.ada, ["One", "Two", "Three"])


def test_channels_that_ended_while_no_worker_ran_are_made_anew_and_the_gap_is_read(reachable):
    before = set(Watch.objects.values_list("subscription_id", flat=True))
    for platform in ("outlook", "google"):
        kill_channel(reachable, platform)
    edit_by_hand(reachable)
    heard(reachable)
    assert work_off() == 0
    later = max(Watch.objects.values_list("expires_at", flat=True)) + timedelta(days=3)
    with time_machine.travel(later, tick=True):
        tasks.renew_watches()
        heard(reachable)
        reachable.simulator.core.switches.notifications = False  # of our own writes, which are of no interest here
        assert sweep.sweep(now=timezone.now()) == 2  # nobody announces what happened in between
        work_off()
        assert titles(reachable.ada) == (["One", "Two"], ["One", "Two"])
        live = Watch.objects.filter(state="live", expires_at__gt=later).exclude(subscription_id__in=before)
        assert {watch.calendar.account.platform for watch in live} == {"outlook", "google"}
        assert_well(reachable, Patience(), reachable.ada, ["One", "Two"])


def kill_channel(world, platform):
    """The provider forgets the channel and tells nobody."""
    if platform == "outlook":
        subscriptions = world.simulator.graph.subscriptions
        for found in subscriptions.listed():
            subscriptions._forget(found)
    else:
        channels = world.simulator.google.channels
        for channel in list(channels.live.values()):
            channels._drop(channel)


def world_rings(world, platform):
    """The new channel works."""
    OrmQ.objects.all().delete()
    Calendar.objects.update(rung_at=None)
    span = {"start": "2026-12-03T09:00:00", "end": "2026-12-03T10:00:00"}
    if platform == "outlook":
        world.ada.in_outlook(subject="Three", **span)
    else:
        world.ada.in_google(summary="Three", **span)
    heard(world)
    assert OrmQ.objects.count() >= 1


def test_a_channel_that_is_refused_is_asked_for_later_and_its_calendar_is_polled_often(reachable, settings):
    kill_channel(reachable, "google")
    calendar = Calendar.objects.get(account__platform="google")
    Watch.objects.filter(calendar=calendar).update(expires_at=timezone.now(), renew_at=timezone.now())
    reachable.simulator.core.faults.append(Fault("google", "status", path="/watch", status=503))
    assert ensure_watches(clock=timezone.now)["refused"] == 1
    reachable.settle()
    calendar.refresh_from_db()
    assert calendar.next_poll_at - timezone.now() <= timedelta(seconds=settings.CALSYNC_POLL_SECONDS)
    later = timezone.now() + timedelta(minutes=11)
    ensure_watches(clock=lambda: later)
    assert Watch.objects.filter(calendar=calendar, state="live", expires_at__gt=later).count() == 1
    heard(reachable)
