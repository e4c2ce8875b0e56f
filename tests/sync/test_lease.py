"""One holder at a time, and a stale holder can store nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calendars.models import Calendar
from calendars.sync import lease as leases
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def calendar() -> Calendar:
    return Calendar.objects.create(account=AccountFactory(), is_active=True)


def test_only_one_gets_the_lease(calendar):
    now = timezone.now()
    assert leases.take(calendar_id=calendar.pk, now=now) is not None
    assert leases.take(calendar_id=calendar.pk, now=now) is None


def test_a_released_lease_can_be_taken_again(calendar):
    now = timezone.now()
    leases.release(leases.take(calendar_id=calendar.pk, now=now))
    assert leases.take(calendar_id=calendar.pk, now=now) is not None


def test_an_expired_holder_can_store_nothing(calendar):
    now = timezone.now()
    stale = leases.take(calendar_id=calendar.pk, now=now)
    later = now + timedelta(minutes=5)
    fresh = leases.take(calendar_id=calendar.pk, now=later)
    with pytest.raises(leases.LeaseLost):
        leases.hold(stale, now=later, cursor="stale")
    leases.hold(fresh, now=later, cursor="fresh")
    leases.release(stale)
    calendar.refresh_from_db()
    assert calendar.cursor == "fresh"
    assert calendar.lease_owner == fresh.owner


def test_a_holder_that_goes_on_keeps_the_lease(calendar):
    now = timezone.now()
    lease = leases.take(calendar_id=calendar.pk, now=now)
    leases.hold(lease, now=now + timedelta(seconds=80))
    assert leases.take(calendar_id=calendar.pk, now=now + timedelta(seconds=120)) is None


def test_each_lease_that_runs_out_makes_the_next_twice_as_long_up_to_a_limit(calendar):
    now, lengths = timezone.now(), []
    for _ in range(7):
        lengths.append(leases.take(calendar_id=calendar.pk, now=now).length)
        assert leases.take(calendar_id=calendar.pk, now=now + lengths[-1]) is None
        now += lengths[-1] + timedelta(seconds=1)
    assert [length / lengths[0] for length in lengths] == [1, 2, 4, 8, 16, 16, 16]


def test_a_lease_given_back_makes_the_next_one_as_long_as_usual(calendar):
    now = timezone.now()
    usual = leases.take(calendar_id=calendar.pk, now=now).length
    now += timedelta(minutes=5)
    leases.release(leases.take(calendar_id=calendar.pk, now=now))
    assert leases.take(calendar_id=calendar.pk, now=now).length == usual
