"""Series that Outlook cannot hold as one: they stand there in parts, and what is done to a part reaches the whole."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from calendars.models import Event, Finding, Link
from calendars.sync.sweep import roll_windows
from tests.sync.agenda import in_google, in_outlook
from tests.sync.conftest import NOW
from tests.sync.test_horizon import settle_at

pytestmark = pytest.mark.one_database

FIRST_AND_THIRD = "RRULE:FREQ=MONTHLY;BYDAY=1MO,3MO"
RULES = {
    FIRST_AND_THIRD: "2026-12-07",
    "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15": "2026-12-15",
    "RRULE:FREQ=MONTHLY;BYMONTHDAY=31": "2026-12-31",
    "RRULE:FREQ=MONTHLY;BYDAY=5FR": "2027-01-29",
    "RRULE:FREQ=YEARLY;BYMONTH=1,6;BYMONTHDAY=7": "2027-01-07",
    "RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=7": "2026-12-15",
    "RRULE:FREQ=YEARLY;BYYEARDAY=10,200": "2027-01-10",
    "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=4": "2026-12-07",  # Google counts a start that the rule does not make
}
DAILY = "RRULE:FREQ=DAILY;COUNT=6"


def series(ada, *rules, start="2026-12-07T09:00:00", end="2026-12-07T09:30:00", **more):
    return ada.in_google(summary="Review", start=start, end=end, recurrence=list(rules), **more)


def agendas(ada, **window):
    simulator = ada.world.simulator
    return in_outlook(simulator, ada.address, **window), in_google(simulator, ada.address, **window)


def in_step(world, ada, **window):
    """Both sides show the same occurrences, no mail went out, the audit agrees and a second pass writes nothing."""
    outlook, google = agendas(ada, **window)
    assert outlook == google
    assert world.mails == []
    report = world.audit()
    assert (report.match_rate, report.differences) == (100.0, [])
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    return google


def spans(start, end, zone="Europe/Berlin"):
    return {"start": {"dateTime": start, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}


def titled(ada, title, *, on):
    there = (event for event in ada.outlook if event["start"]["dateTime"].startswith(on))
    return next(event for event in there if event["subject"] == title)


@pytest.mark.parametrize(("rule", "day"), RULES.items())
def test_a_rule_that_outlook_lacks_shows_the_same_occurrences_there(world, rule, day):
    ada = world.person("ada")
    series(ada, rule, start=f"{day}T09:00:00", end=f"{day}T09:30:00")
    world.activate()
    assert len(in_step(world, ada)) > 1


def test_extra_dates_beside_a_rule_stand_as_single_events(world):
    ada = world.person("ada")
    series(ada, "RRULE:FREQ=WEEKLY;COUNT=3", "RDATE;TZID=Europe/Berlin:20270106T090000")
    world.activate()
    assert len(in_step(world, ada)) == 4
    assert len(ada.outlook) == 2


def test_an_extra_date_deleted_in_outlook_is_gone_in_google(world):
    ada = world.person("ada")
    series(ada, "RRULE:FREQ=WEEKLY;COUNT=3", "RDATE;TZID=Europe/Berlin:20270106T090000")
    world.activate()
    ada.delete_outlook(titled(ada, "Review", on="2027-01-06")["id"])
    world.settle()
    assert len(in_step(world, ada)) == 3


def test_a_changed_title_reaches_every_part(world):
    ada = world.person("ada")
    made = series(ada, FIRST_AND_THIRD)
    world.activate()
    ada.edit_google(made["id"], summary="Retrospective")
    world.settle()
    assert {title for _, _, title in in_step(world, ada)} == {"Retrospective"}


def test_a_changed_end_keeps_the_parts_and_moves_their_end(world):
    ada = world.person("ada")
    made = series(ada, FIRST_AND_THIRD)
    world.activate()
    before = {event["id"] for event in ada.outlook}
    ada.edit_google(made["id"], recurrence=[f"{FIRST_AND_THIRD};UNTIL=20270601T000000Z"])
    world.settle()
    in_step(world, ada)
    assert {event["id"] for event in ada.outlook} == before


def test_an_occurrence_changed_in_google_is_an_exception_of_its_part(world):
    ada = world.person("ada")
    made = series(ada, FIRST_AND_THIRD)
    world.activate()
    ada.edit_google(f"{made['id']}_20270104T080000Z", summary="New year")
    ada.delete_google(f"{made['id']}_20270118T080000Z")
    world.settle()
    assert "New year" in {title for _, _, title in in_step(world, ada)}


def test_an_occurrence_changed_in_outlook_reaches_the_series_in_google(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD)
    world.activate()
    third = titled(ada, "Review", on="2026-12-21")
    ada.edit_outlook(ada.occurrence_in_outlook(third["id"], date(2027, 1, 18)), subject="Guest speaker")
    ada.delete_outlook(ada.occurrence_in_outlook(third["id"], date(2027, 2, 15)))
    world.settle()
    shown = in_step(world, ada)
    assert [title for start, _, title in shown if start.startswith("2027-01-18")] == ["Guest speaker"]
    assert not [start for start, _, _ in shown if start.startswith("2027-02-15")]
    assert Finding.objects.count() == 0


def test_a_part_edited_as_a_whole_is_put_back_and_told(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD)
    world.activate()
    ada.edit_outlook(titled(ada, "Review", on="2026-12-21")["id"], subject="Only the third Monday")
    world.settle()
    assert {title for _, _, title in in_step(world, ada)} == {"Review"}
    assert [found.kind for found in Finding.objects.all()] == ["part_edited"]


def test_a_part_deleted_as_a_whole_is_made_again_and_told(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD)
    world.activate()
    ada.delete_outlook(titled(ada, "Review", on="2026-12-21")["id"])
    world.settle()
    in_step(world, ada)
    assert [found.kind for found in Finding.objects.all()] == ["part_edited"]


def test_deleting_every_part_deletes_the_series(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD)
    world.activate()
    for part in ada.outlook:
        ada.delete_outlook(part["id"])
    world.settle()
    assert in_step(world, ada) == []


def test_deleting_the_series_deletes_every_part(world):
    ada = world.person("ada")
    made = series(ada, "RRULE:FREQ=MONTHLY;BYDAY=5FR")
    world.activate()
    assert len(ada.outlook) > 2
    ada.delete_google(made["id"])
    world.settle()
    assert in_step(world, ada) == []


@pytest.mark.parametrize("change", ["rename", "move", "cancel"])
def test_a_single_part_changed_in_outlook_becomes_an_exception_in_google(world, change):
    ada = world.person("ada")
    series(ada, "RRULE:FREQ=MONTHLY;BYDAY=5FR", start="2027-01-29T09:00:00", end="2027-01-29T09:30:00")
    world.activate()
    part = titled(ada, "Review", on="2027-04-30")
    if change == "rename":
        ada.edit_outlook(part["id"], subject="Spring review")
    elif change == "move":
        zone = "W. Europe Standard Time"
        ada.edit_outlook(part["id"], **spans("2027-04-29T15:00:00", "2027-04-29T15:30:00", zone))
    else:
        ada.delete_outlook(part["id"])
    before = len(agendas(ada)[1])
    world.settle()
    assert len(in_step(world, ada)) == before - (change == "cancel")
    assert len(ada.google) == 1


def test_a_series_that_becomes_expressible_stands_as_one_again_and_the_reverse(world):
    ada = world.person("ada")
    made = series(ada, FIRST_AND_THIRD)
    world.activate()
    ada.edit_google(made["id"], recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=8"])
    world.settle()
    assert len(in_step(world, ada)) == 8
    assert len(ada.outlook) == 1
    ada.edit_google(made["id"], recurrence=[FIRST_AND_THIRD])
    world.settle()
    in_step(world, ada)
    assert len(ada.outlook) == 2


def test_a_rule_from_google_that_outlooks_own_series_cannot_take_changes_the_roles(world):
    ada = world.person("ada")
    weekly = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "sunday"}
    bounds = {"type": "noEnd", "startDate": "2026-12-07"}
    ada.in_outlook(
        start="2026-12-07T09:00:00", end="2026-12-07T09:30:00", recurrence={"pattern": weekly, "range": bounds}
    )
    world.activate()
    ada.edit_google(ada.google[0]["id"], recurrence=[FIRST_AND_THIRD])
    world.settle()
    in_step(world, ada)
    ada.edit_google(ada.google[0]["id"], summary="After")
    world.settle()
    assert {title for _, _, title in in_step(world, ada)} == {"After"}


# --- occurrences that move over a neighbour's day ----------------------------------------------------------------


def test_an_occurrence_moved_over_its_neighbours_day_stands_beside_the_series(world):
    ada = world.person("ada")
    made = series(ada, DAILY)
    world.activate()
    moved = spans("2026-12-11T15:00:00", "2026-12-11T16:00:00")
    ada.edit_google(f"{made['id']}_20261208T080000Z", summary="Moved", **moved)
    world.settle()
    assert len(in_step(world, ada)) == 6
    assert sorted(event["type"] for event in ada.outlook) == ["seriesMaster", "singleInstance"]
    part = next(event for event in ada.outlook if event["type"] == "singleInstance")
    ada.edit_outlook(part["id"], subject="Moved again")
    world.settle()
    assert "Moved again" in {title for _, _, title in in_step(world, ada)}
    ada.edit_google(f"{made['id']}_20261208T080000Z", **spans("2026-12-08T11:00:00", "2026-12-08T12:00:00"))
    world.settle()
    assert len(in_step(world, ada)) == 6
    assert [event["type"] for event in ada.outlook] == ["seriesMaster"]


def test_a_detached_occurrence_deleted_in_outlook_is_cancelled_in_google(world):
    ada = world.person("ada")
    made = series(ada, DAILY)
    ada.edit_google(f"{made['id']}_20261208T080000Z", **spans("2026-12-11T15:00:00", "2026-12-11T16:00:00"))
    world.activate()
    assert len(in_step(world, ada)) == 6
    ada.delete_outlook(next(event for event in ada.outlook if event["type"] == "singleInstance")["id"])
    world.settle()
    assert len(in_step(world, ada)) == 5


# --- people and time ---------------------------------------------------------------------------------------------


def test_guests_stand_as_text_in_every_part(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD, attendees=[{"email": "guest@partner.example"}])
    world.activate()
    assert len(ada.outlook) == 2
    for part in ada.outlook:
        assert part["attendees"] == []
        assert "guest@partner.example" in part["body"]["content"]
    assert world.mails == []


def test_parts_follow_the_window_and_what_leaves_it_stays(world):
    ada = world.person("ada")
    series(ada, "RRULE:FREQ=MONTHLY;BYDAY=5FR", start="2027-01-29T09:00:00", end="2027-01-29T09:30:00")
    world.activate()
    before = agendas(ada)[0]
    later = timezone.now() + timedelta(days=120)
    with time_machine.travel(later, tick=True):
        roll_windows(now=later)
        world.settle()
        outlook, google = agendas(ada, high=datetime(2028, 3, 1, tzinfo=UTC))
    assert outlook == google
    assert set(before) < set(outlook)


def after_a_year_and_a_half(world, act):
    """The schedule rolls the window month by month until half of the series has left it; then somebody acts."""
    for month in range(1, 18):
        settle_at(world, NOW + timedelta(days=31 * month))
    with time_machine.travel(NOW + timedelta(days=31 * 18), tick=True):
        act()
        world.settle()


FIFTH_FRIDAY = "RRULE:FREQ=MONTHLY;BYDAY=5FR"
LATE = datetime(2028, 12, 1, tzinfo=UTC)


def fifth_fridays(ada):
    return series(ada, FIFTH_FRIDAY, start="2027-01-29T09:00:00", end="2027-01-29T09:30:00")


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (spans("2027-01-29T14:00:00", "2027-01-29T14:30:00"), ("2027-01-29T13:00", "2027-01-29T13:30", "Review")),
        ({"summary": "Renamed"}, ("2027-01-29T08:00", "2027-01-29T08:30", "Renamed")),
    ],
    ids=["moved", "renamed"],
)
def test_a_changed_series_changes_its_parts_that_have_left_the_window_too(world, change, first):
    ada = world.person("ada")
    made = fifth_fridays(ada)
    world.activate()
    after_a_year_and_a_half(world, lambda: ada.edit_google(made["id"], **change))
    outlook, google = agendas(ada, high=LATE)
    assert outlook == google
    assert (len(google), google[0]) == (8, first)
    assert world.mails == []


def test_parts_that_have_left_the_window_are_edited_and_deleted_like_the_others(world):
    ada = world.person("ada")
    fifth_fridays(ada)
    world.activate()

    def act():
        ada.edit_outlook(titled(ada, "Review", on="2027-01-29")["id"], subject="Minutes")
        ada.delete_outlook(titled(ada, "Review", on="2027-04-30")["id"])

    after_a_year_and_a_half(world, act)
    outlook, google = agendas(ada, high=LATE)
    assert outlook == google
    assert [(start[:10], title) for start, _, title in google][:2] == [
        ("2027-01-29", "Minutes"),
        ("2027-07-30", "Review"),
    ]
    assert not Finding.objects.exists()


def test_parts_are_no_events_of_their_own(world):
    ada = world.person("ada")
    series(ada, FIRST_AND_THIRD)
    world.activate()
    whole = Event.objects.get(whole__isnull=True)
    assert {part.whole_id for part in Event.objects.exclude(pk=whole.pk)} == {whole.pk}
    assert Link.objects.filter(event=whole, remote_id="").count() == 1
