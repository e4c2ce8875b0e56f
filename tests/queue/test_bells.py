"""The bell and the schedules, in one process: bursts fold into one task, and no ring is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from calendars import services
from calendars.models import Calendar
from calendars.sync import bell, sweep
from calendars.sync import lease as leases
from calsync_site.schedules import SCHEDULES, install_schedules
from tests.factories import AccountFactory
from tests.services import free_port

NOW = timezone.now()


@pytest.fixture
def calendar(transactional_db) -> Calendar:
    """A committed, active calendar that nothing is due on."""
    services.ensure_primary_calendars([AccountFactory()])
    Calendar.objects.update(is_active=True)
    return Calendar.objects.get()


def ring(calendar: Calendar, *, after: float = 0.0) -> None:
    bell.ring(calendar_ids=[calendar.pk], now=NOW + timedelta(seconds=after))


def begin(calendar: Calendar, *, after: float = 0.0) -> leases.Lease | None:
    """What the queued task does first."""
    OrmQ.objects.all().delete()
    return leases.take(calendar_id=calendar.pk, now=NOW + timedelta(seconds=after))


def test_a_burst_of_bells_queues_one_task_and_remembers_each_ring(calendar):
    for moment in range(25):
        ring(calendar, after=moment / 10)
    assert OrmQ.objects.count() == 1
    calendar.refresh_from_db()
    assert (calendar.wanted, calendar.dirty_at) == (25, NOW)


def test_a_ring_after_the_task_has_begun_queues_another(calendar):
    ring(calendar)
    begin(calendar, after=1)
    ring(calendar, after=2)
    assert OrmQ.objects.count() == 1


def test_a_ring_after_a_task_that_found_the_calendar_taken_queues_another(calendar):
    held = begin(calendar)
    ring(calendar, after=1)
    assert begin(calendar, after=2) is None
    leases.release(held)
    ring(calendar, after=3)
    assert OrmQ.objects.count() == 1


def test_a_task_that_was_lost_is_made_good_by_the_next_ring_or_sweep(calendar):
    ring(calendar)
    OrmQ.objects.all().delete()
    late = bell.STALE_BELL.total_seconds() + 1
    assert sweep.sweep(now=NOW + timedelta(seconds=late)) == 1
    assert OrmQ.objects.count() == 1
    OrmQ.objects.all().delete()
    ring(calendar, after=2 * late)
    assert OrmQ.objects.count() == 1


def test_a_redis_server_that_is_down_does_not_stop_the_ring(calendar, monkeypatch):
    monkeypatch.setattr(Conf, "REDIS", f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setattr(Conf, "ORM", None)
    ring(calendar)
    calendar.refresh_from_db()
    assert (calendar.wanted, calendar.rung_at) == (1, None)


@pytest.mark.django_db
def test_installing_the_schedules_twice_changes_nothing():
    assert install_schedules() == sorted(SCHEDULES)
    Schedule.objects.update(next_run=NOW + timedelta(seconds=17))  # as the cluster moves them on
    before = list(Schedule.objects.order_by("pk").values())
    install_schedules()
    assert list(Schedule.objects.order_by("pk").values()) == before


@pytest.mark.django_db
def test_a_schedule_that_was_changed_is_corrected_and_a_foreign_one_is_left_alone():
    install_schedules()
    Schedule.objects.filter(name="calsync.sweep").update(func="os.getcwd", minutes=900, repeats=3)
    Schedule.objects.create(name="calsync.long_gone", func="os.getcwd")
    Schedule.objects.create(name="theirs", func="os.getcwd")
    install_schedules()
    mended = Schedule.objects.get(name="calsync.sweep")
    assert (mended.func, mended.minutes, mended.repeats) == (*SCHEDULES["calsync.sweep"], -1)
    assert set(Schedule.objects.values_list("name", flat=True)) == {*SCHEDULES, "theirs"}


def test_the_queue_never_hands_out_a_task_twice_while_it_may_still_run():
    queue = django_settings.Q_CLUSTER
    assert queue["retry"] > queue["timeout"] * (queue["queue_limit"] / queue["workers"] + 2)
