"""An event out of an iCalendar file: its series with changed and cancelled occurrences, in whatever zone they are."""

from datetime import date, datetime

import pytest

from calsync.engine.events import AllDay, Field
from calsync.engine.recurrence import key_of
from calsync.providers.ics import NotAnEvent, read_event
from tests.engine.rule_facts import at

SERIES = "SUMMARY:Stand-up|DTSTART;TZID=Europe/Berlin:20261019T090000|DURATION:PT30M|RRULE:FREQ=WEEKLY;COUNT=6"
DAYS = "SUMMARY:Duty|DTSTART;VALUE=DATE:20261019|RRULE:FREQ=WEEKLY;COUNT=6"


def file(*events):
    bodies = [f"BEGIN:VEVENT|{event}|END:VEVENT" for event in events]
    return "|".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *bodies, "END:VCALENDAR", ""]).replace("|", "\r\n")


def read(*events, zone="Europe/Berlin"):
    return read_event(file(*(f"UID:u1|{event}" for event in events)), address="ada@example.org", zone=zone)


def key(text):
    return key_of(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (";TZID=Europe/Berlin:20261026T090000", "2026-10-26T09:00"),
        (";TZID=W. Europe Standard Time:20261026T090000", "2026-10-26T09:00"),
        (":20261019T070000Z", "2026-10-19T09:00"),  # the week before the clocks change
        (":20261026T080000Z", "2026-10-26T09:00"),  # and the week after
        (";TZID=Pacific/Kiritimati:20261026T220000", "2026-10-26T09:00"),
        (";TZID=America/New_York:20261026T040000", "2026-10-26T09:00"),  # five hours, not six, between the changes
        (":20261026T090000", "2026-10-26T09:00"),  # without a zone: the owner's
        (";VALUE=DATE:20261026", "2026-10-26T09:00"),  # the day alone
    ],
)
def test_a_changed_occurrence_is_found_by_its_instant(named, expected):
    start = f"DTSTART;TZID=Europe/Berlin:{expected[:13].replace('-', '')}0000"
    event = read(SERIES, f"RECURRENCE-ID{named}|SUMMARY:Salary|{start}|DURATION:PT30M")
    assert event.exceptions == {key(expected): {Field.TITLE: "Salary"}}
    assert event.content.title == "Stand-up"


def test_a_moved_occurrence_keeps_the_start_that_it_had():
    moved = "RECURRENCE-ID:20261026T080000Z|SUMMARY:Stand-up|DTSTART:20261027T220000Z|DTEND:20261027T230000Z"
    [(found, override)] = read(SERIES, moved).exceptions.items()
    assert found == key("2026-10-26T09:00")
    assert override == {Field.WHEN: at("2026-10-27T22:00", "2026-10-27T23:00", "UTC")}


def test_an_occurrence_that_is_as_the_series_says_is_no_exception():
    same = "RECURRENCE-ID:20261026T080000Z|SUMMARY:Stand-up|DTSTART:20261026T080000Z|DTEND:20261026T083000Z"
    assert read(SERIES, same).exceptions == {}


def test_cancelled_occurrences_are_left_out_beside_those_of_the_rule():
    gone = "RECURRENCE-ID:20261026T080000Z|STATUS:CANCELLED|DTSTART:20261026T080000Z"
    event = read(f"{SERIES}|EXDATE;TZID=Europe/Berlin:20261102T090000", gone)
    assert event.cancelled == {key("2026-10-26T09:00"), key("2026-11-02T09:00")}
    assert event.exceptions == {}


def test_the_later_of_two_changes_counts():
    first, again = (
        f"RECURRENCE-ID:20261026T080000Z|{state}|DTSTART:20261026T080000Z|DURATION:PT30M"
        for state in ("STATUS:CANCELLED", "SUMMARY:After all")
    )
    event = read(SERIES, first, again)
    assert (event.cancelled, event.exceptions) == (frozenset(), {key("2026-10-26T09:00"): {Field.TITLE: "After all"}})
    assert read(SERIES, again, first).cancelled == {key("2026-10-26T09:00")}


@pytest.mark.parametrize("named", [";VALUE=DATE:20261026", ":20261026T000000"])
def test_a_day_of_a_series_of_whole_days_is_moved(named):
    moved = f"RECURRENCE-ID{named}|SUMMARY:Duty|DTSTART;VALUE=DATE:20261028|DTEND;VALUE=DATE:20261029"
    event = read(DAYS, moved)
    assert event.exceptions == {
        key_of(date(2026, 10, 26)): {Field.WHEN: AllDay(date(2026, 10, 28), date(2026, 10, 29))}
    }


def test_occurrences_of_another_event_are_not_this_one_s():
    foreign = "UID:u2|RECURRENCE-ID:20261026T080000Z|SUMMARY:Other|DTSTART:20261026T080000Z"
    assert read_event(file(f"UID:u1|{SERIES}", foreign), address="ada@example.org", zone="UTC").exceptions == {}


def test_a_file_with_a_changed_occurrence_alone_holds_a_single_event():
    event = read("RECURRENCE-ID:20261026T080000Z|SUMMARY:Salary|DTSTART:20261026T080000Z|DURATION:PT30M")
    assert (event.content.title, event.recurrence, event.exceptions) == ("Salary", None, {})


def test_a_change_of_all_that_follow_is_refused_with_a_sentence():
    following = "RECURRENCE-ID;RANGE=THISANDFUTURE:20261026T080000Z|SUMMARY:X|DTSTART:20261026T080000Z"
    with pytest.raises(NotAnEvent, match="all that follow"):
        read(SERIES, following)


def test_a_file_without_an_event_says_so():
    with pytest.raises(NotAnEvent, match="holds no VEVENT"):
        read_event("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", address="a@b.test", zone="UTC")
