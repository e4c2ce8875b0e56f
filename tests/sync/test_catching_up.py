"""Catching up: what a switch held back goes out in portions, a backlog shows while it is worked off and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from calendars import overview, standing
from calendars.models import Calendar, Operation, OperationState
from calendars.sync import doors
from calendars.sync.pacing import pace
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.simulator.core import Fault
from syncrules.services import Target, switch_off, switch_on
from tests.sync.minutes import minutes_until, pass_minutes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world, settings):
    settings.CALSYNC_CATCH_UP_PER_MINUTE = 4
    world.ada = world.person("ada")
    world.activate()
    return world.ada


def off(target=None):
    switch_off(target=target or Target.everybody(), reason="migration", by=None, now=timezone.now())


def on(target=None):
    switch_on(target=target or Target.everybody(), reason="done", by=None, now=timezone.now())


def make_events(ada, count):
    for number in range(count):
        start = f"2026-12-{number % 20 + 1:02}T{8 + number // 20:02}"
        ada.in_outlook(subject=f"Event {number}", start=f"{start}:00:00", end=f"{start}:30:00")


def google():
    return Calendar.objects.get(account__platform="google")


def waiting():
    return Operation.objects.filter(state=OperationState.PLANNED).count()


def test_what_waited_goes_out_in_portions_and_never_more_in_a_minute(world, ada):
    off()
    make_events(ada, 11)
    pass_minutes(world, 8)
    assert (ada.google, waiting()) == ([], 11)
    on()
    seen = []
    for _ in range(4):
        pass_minutes(world, 1)
        seen.append(len(ada.google))
    assert seen == [4, 8, 11, 11]
    assert waiting() == 0
    assert world.settle().idle
    assert world.mails == []


def test_what_waits_shows_as_catching_up_until_it_is_written(world, ada):
    off()
    make_events(ada, 11)
    pass_minutes(world, 6)
    assert google().state == "healthy"
    on()
    pass_minutes(world, 1)
    calendar = google()
    assert (calendar.state, calendar.state_remedy) == ("catching_up", standing.NOTHING_TO_DO)
    assert calendar.state_reason.startswith("7 changes wait to be written, the last one at 09:0")
    assert calendar.account.state == "catching_up"
    since = calendar.state_since
    pass_minutes(world, 1)
    calendar = google()
    assert (calendar.state, calendar.state_since) == ("catching_up", since)
    assert calendar.state_reason.startswith("3 changes")
    pass_minutes(world, 1)
    assert google().state == "healthy"


def test_a_worker_that_was_away_sends_no_more_at_once_than_one_that_was_there(world, ada):
    off()
    make_events(ada, 11)
    pass_minutes(world, 1)
    on()
    pass_minutes(world, 1)
    assert len(ada.google) == 4
    world.now.shift(1800)  # by now everything is due
    pass_minutes(world, 1)
    assert len(ada.google) == 8


def test_switching_off_again_holds_what_had_not_had_its_turn(world, ada):
    off()
    make_events(ada, 11)
    pass_minutes(world, 1)
    on()
    pass_minutes(world, 1)
    off()
    pass_minutes(world, 5)
    assert len(ada.google) == 4
    on()
    pass_minutes(world, 2)
    assert len(ada.google) == 11


def test_what_is_new_does_not_wait_behind_what_waited(world, ada):
    off()
    make_events(ada, 11)
    pass_minutes(world, 1)
    on()
    pass_minutes(world, 1)
    ada.in_outlook(subject="Just now", start="2026-12-24T08:00:00", end="2026-12-24T08:30:00")
    pass_minutes(world, 1)
    assert "Just now" in [event["summary"] for event in ada.google]


def test_only_those_are_let_go_whom_no_other_switch_holds(world, ada):
    bo = world.person("bo")
    world.activate()
    off()
    off(Target.one_person(ada.user))
    for person in (ada, bo):
        person.in_outlook(subject="Waits")
    pass_minutes(world, 2)
    on()
    pass_minutes(world, 6)
    assert (len(ada.google), len(bo.google)) == (0, 1)
    assert Operation.objects.get(state=OperationState.PLANNED).calendar.account.person == ada.user


def test_a_sync_by_hand_tells_what_a_switch_parks_and_goes_on_at_once_after_it(world, ada):
    off()
    make_events(ada, 6)
    report = world.settle()
    assert report.idle
    assert len(report.parked) == 6
    assert report.parked[0].reason.startswith("Sync is off for everybody since")
    assert report.parked[0].remedy == doors.SWITCH_ON
    on()
    before = timezone.now()
    report = world.settle()
    assert report.idle
    assert report.parked == []
    assert len(ada.google) == 6
    assert timezone.now() - before < timedelta(minutes=2)


@pytest.mark.parametrize(
    ("a_minute", "size", "portions"), [(1, 1, 1), (30, 30, 1), (50, 50, 1), (51, 25, 2), (120, 40, 3)]
)
def test_a_portion_is_no_larger_than_a_batch_and_a_minute_no_more_than_the_setting(settings, a_minute, size, portions):
    settings.CALSYNC_CATCH_UP_PER_MINUTE = a_minute
    assert pace() == (size, timedelta(minutes=1) / portions)


def test_a_backlog_that_moves_is_catching_up_and_one_that_does_not_is_delayed(world, ada):
    calendar = google()
    make_events(ada, 3)
    world.simulator.core.faults.append(Fault("google", "status", method="POST", status=503, times=999))
    outlook = Calendar.objects.get(account__platform="outlook")
    Calendar.objects.filter(pk=outlook.pk).ring(now=timezone.now())
    take_turn(calendar_id=outlook.pk, clock=timezone.now, tally=Tally())
    assert waiting() == 3
    now = timezone.now()
    here = Calendar.objects.filter(pk=calendar.pk)
    assert standing.backlogs(here, now=now + timedelta(minutes=1)) == {}
    assert standing.backlogs(here, now=now + timedelta(minutes=3)) == {}
    told = standing.backlogs(here, now=now + timedelta(minutes=5))[calendar.pk]
    assert (told.state, told.remedy) == ("delayed", standing.START_A_WORKER)
    here.update(lease_until=now + timedelta(minutes=6))
    told = standing.backlogs(here, now=now + timedelta(minutes=5))[calendar.pk]
    assert (told.state, told.reason) == ("catching_up", "3 changes wait to be written.")


def test_a_long_read_is_catching_up_and_an_unread_calendar_is_delayed(world, ada):
    now = timezone.now()
    calendar = google()
    here = Calendar.objects.filter(pk=calendar.pk)
    here.update(wanted=99, dirty_at=now - timedelta(minutes=6), lease_until=now + timedelta(minutes=1))
    assert standing.troubled(here, now=now)[calendar.pk].state == "catching_up"
    here.update(lease_until=None)
    assert standing.troubled(here, now=now)[calendar.pk].state == "delayed"


def test_the_progress_is_in_the_console(world, ada):
    off()
    make_events(ada, 11)
    pass_minutes(world, 2)
    root = type(ada.user).objects.create_superuser("root@example.org", "x")
    assert overview.backlog(root).held == 11
    on()
    pass_minutes(world, 1)
    found = overview.backlog(root)
    assert (found.held, found.in_turn) == (0, 7)
    assert found.last_at - timezone.now() < timedelta(minutes=2)
    assert minutes_until(world, lambda: not overview.backlog(root).in_turn, 3) == 2
