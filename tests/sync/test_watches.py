"""Push channels: validated by the real web server, ringing the real bell, renewed with overlap, and a mere comfort."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calendars.models import Calendar, Watch
from calendars.sync.watch import ensure_watches, stop_watches

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reachable(world, live_server, settings):
    """The world, with a web server that the providers can call."""
    settings.CALSYNC_PUBLIC_URL = live_server.url
    return world


def heard(world):
    """Wait until every notification was delivered: the web server's thread shares our connection to SQLite."""
    assert world.simulator.core.notifier.wait_idle(10)


def test_without_a_public_address_nothing_is_asked_for(world):
    world.person("ada")
    world.activate()
    assert ensure_watches(clock=timezone.now) == {"made": 0, "renewed": 0, "refused": 0}
    assert not Watch.objects.exists()


def test_both_providers_validate_the_channel_and_their_news_ring_the_bell(reachable):
    ada = reachable.person("ada")
    reachable.activate()
    assert ensure_watches(clock=timezone.now)["made"] == 2
    heard(reachable)
    before = dict(Calendar.objects.values_list("account__platform", "wanted"))
    ada.in_outlook(subject="One")
    ada.in_google(summary="Two", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    heard(reachable)
    now = dict(Calendar.objects.values_list("account__platform", "wanted"))
    assert {platform: now[platform] > before[platform] for platform in now} == {"outlook": True, "google": True}


def test_a_second_look_asks_for_nothing(reachable):
    reachable.person("ada")
    reachable.activate()
    ensure_watches(clock=timezone.now)
    assert ensure_watches(clock=timezone.now) == {"made": 0, "renewed": 0, "refused": 0}
    assert Watch.objects.filter(state="live").count() == 2


def test_channels_are_renewed_before_they_end_and_never_missing(reachable):
    reachable.person("ada")
    reachable.activate()
    ensure_watches(clock=timezone.now)
    Watch.objects.update(renew_at=timezone.now() - timedelta(minutes=1))
    assert ensure_watches(clock=timezone.now)["renewed"] == 2
    live = Watch.objects.filter(state="live")
    assert {watch.calendar.account.platform for watch in live} == {"outlook", "google"}
    assert all(watch.renew_at > timezone.now() for watch in live)


def test_a_callback_that_cannot_be_reached_leaves_the_calendar_polled(world, settings):
    settings.CALSYNC_PUBLIC_URL = "http://127.0.0.1:9"
    world.person("ada", google=False)
    world.activate()
    assert ensure_watches(clock=timezone.now)["refused"] == 1
    watch = Watch.objects.get()
    assert watch.state == "refused"
    assert watch.state_reason
    assert ensure_watches(clock=timezone.now) == {"made": 0, "renewed": 0, "refused": 0}  # not again at once


def test_stopped_channels_are_silent(reachable):
    reachable.person("ada")
    reachable.activate()
    ensure_watches(clock=timezone.now)
    for calendar in Calendar.objects.all():
        stop_watches(calendar, clock=timezone.now)
    assert set(Watch.objects.values_list("state", flat=True)) == {"stopped"}


def test_a_watched_calendar_is_polled_rarely(reachable, settings):
    reachable.person("ada")
    reachable.activate()
    ensure_watches(clock=timezone.now)
    heard(reachable)
    reachable.settle()
    soonest = min(Calendar.objects.values_list("next_poll_at", flat=True))
    assert soonest - timezone.now() > timedelta(seconds=settings.CALSYNC_POLL_WATCHED_SECONDS - 60)
