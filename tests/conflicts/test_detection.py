"""The detector against brute force over random calendars, and several detectors at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, WEEKLY, rrule
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calendars import rows
from calendars.models import BusySlot, Event, Finding
from calsync.engine.events import AllDay, Content, Frequency, Recurrence, Rule, ShowAs, Timed
from calsync.engine.events import Event as HubEvent
from conflicts.detection import catch_up
from conflicts.models import Case, DoubleBooking
from conflicts.services import open_cases
from tests.factories import UserFactory

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FIRST = datetime.fromisoformat("2026-03-26")  # New York has changed its clocks, Berlin has not
FREQUENCIES = {Frequency.DAILY: DAILY, Frequency.WEEKLY: WEEKLY}


def event(person, content: Content, recurrence: Recurrence | None = None) -> Event:
    row = Event(owner=person, busy_due_at=NOW)
    rows.fill_event(row, HubEvent(content, recurrence), changed_at=None)
    row.save()
    return row


def meeting(person, *, hour: int = 9, minutes: int = 60) -> Event:
    start = FIRST + timedelta(hours=hour)
    return event(person, Content(Timed(start, start + timedelta(minutes=minutes), "UTC")))


TIMED = st.builds(
    lambda quarter, length, zone, show_as: Content(
        Timed(FIRST + quarter * timedelta(minutes=15), FIRST + (quarter + length) * timedelta(minutes=15), zone),
        show_as=show_as,
    ),
    st.integers(0, 4 * 24 * 4),
    st.integers(0, 8),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Chatham"]),
    st.sampled_from([ShowAs.BUSY, ShowAs.BUSY, ShowAs.TENTATIVE, ShowAs.FREE, ShowAs.ELSEWHERE]),
)
DAYS = st.builds(
    lambda day, length: Content(AllDay((FIRST + day).date(), (FIRST + day + length).date())),
    st.integers(0, 5).map(lambda days: timedelta(days=days)),
    st.integers(1, 2).map(lambda days: timedelta(days=days)),
)
RULES = st.one_of(
    st.none(), st.builds(Rule, st.sampled_from(list(FREQUENCIES)), count=st.integers(1, 5), interval=st.integers(1, 2))
)
CALENDAR = st.lists(st.tuples(st.one_of(TIMED, DAYS), RULES), max_size=7)


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(calendar=CALENDAR)
def test_the_detector_finds_what_comparing_everything_with_everything_finds(calendar):
    """Clocks change in the middle of the days looked at; the oracle is python-dateutil."""
    Event.objects.all().delete()
    person = UserFactory(time_zone="Europe/Berlin")
    taken = {}
    for content, rule in calendar:
        row = event(person, content, Recurrence((rule,)) if rule else None)
        counts = content.show_as in (ShowAs.BUSY, ShowAs.TENTATIVE)
        taken[row.pk] = _occurrences(content, rule) if counts else []
    catch_up(now=NOW)
    found = {
        (one.first_id, one.second_id): {tuple(span[:2]) for span in one.spans}
        for one in DoubleBooking.objects.filter(person=person)
    }
    expected: dict = {}
    for (first, ours), (second, theirs) in combinations(sorted(taken.items()), 2):
        both = {(max(a[0], b[0]), min(a[1], b[1])) for a in ours for b in theirs if a[0] < b[1] and b[0] < a[1]}
        if both:
            expected[first, second] = {(start.isoformat(), end.isoformat()) for start, end in both}
    assert found == expected


def _occurrences(content: Content, rule: Rule | None) -> list[tuple[datetime, datetime]]:
    when = content.when
    zone = ZoneInfo("Europe/Berlin" if isinstance(when, AllDay) else when.zone)
    start = datetime.combine(when.start, datetime.min.time()) if isinstance(when, AllDay) else when.start
    length = when.end - when.start
    starts = [start] if rule is None else rrule(FREQUENCIES[rule.frequency], start, rule.interval, count=rule.count)
    spans = [(_instant(one, zone), _instant(one + length, zone)) for one in starts]
    return [(begins, ends) for begins, ends in spans if begins < ends]


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.django_db
def test_busy_time_between_two_instants_is_what_shares_time_with_them():
    person = UserFactory()
    for hour in range(8, 14):
        meeting(person, hour=hour, minutes=30)
    catch_up(now=NOW)
    at = FIRST.replace(tzinfo=UTC)
    found = BusySlot.objects.between(at + timedelta(hours=9, minutes=30), at + timedelta(hours=12, minutes=1))
    assert [slot.starts_at.hour for slot in found.order_by("starts_at")] == [10, 11, 12]


@pytest.mark.django_db
def test_a_deleted_event_takes_no_time_any_more():
    person = UserFactory()
    first, second = meeting(person), meeting(person)
    catch_up(now=NOW)
    Event.objects.filter(pk=first.pk).update(deleted_at=NOW, busy_due_at=NOW)
    catch_up(now=NOW)
    assert [slot.event for slot in BusySlot.objects.all()] == [second]
    assert DoubleBooking.objects.get().gone_at == NOW


@pytest.mark.needs_postgresql  # SQLite has one writer at a time, and its test database does not even wait for it
@pytest.mark.django_db(transaction=True)
def test_of_eight_who_write_overlapping_meetings_at_once_none_misses_a_collision():
    person = UserFactory()
    start = threading.Barrier(8)
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            start.wait()
            meeting(person, hour=9 + number % 2, minutes=90)
            catch_up(now=NOW)
            open_cases(now=timezone.now())
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    pairs = DoubleBooking.objects.values_list("first_id", "second_id")
    assert sorted(pairs) == list(combinations(sorted(Event.objects.values_list("pk", flat=True)), 2))
    assert Finding.objects.count() == Case.objects.count() == 28


@pytest.mark.needs_postgresql
@pytest.mark.django_db
def test_postgresql_answers_from_the_index_that_begins_with_the_person():
    people = [UserFactory() for _ in range(40)]
    taken = [meeting(person) for person in people]
    BusySlot.objects.bulk_create(
        BusySlot(person=person, event=event, starts_at=NOW + timedelta(hours=number),
                 ends_at=NOW + timedelta(hours=number, minutes=30), show_as="busy")
        for person, event in zip(people, taken, strict=True)
        for number in range(150)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE calendars_busyslot")
    middle = NOW + timedelta(hours=75)
    asked = BusySlot.objects.filter(person=people[7]).between(middle, middle + timedelta(hours=2)).order_by()
    assert "busy_slot_person_ends" in asked.explain()
    assert len(asked) == 2
