""" "This and following" as people do it on both pretend platforms."""

from datetime import date, datetime

import pytest

from calsync.simulator.google.errors import Refusal
from calsync.simulator.graph.errors import GraphError
from calsync.simulator.server import Simulator

ADA = "ada@meridian.example"
FIRST, THIRD = datetime.fromisoformat("2026-12-01T09:00"), datetime.fromisoformat("2026-12-15T09:00")
SPAN = {
    "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-01T09:30:00", "timeZone": "Europe/Berlin"},
}
MARKS = {"private": {"calsyncKey": "k"}}


@pytest.fixture
def simulator():
    with Simulator() as simulator:
        simulator.google.add_mailbox(ADA, "Ada", "Europe/Berlin")
        simulator.graph.add_mailbox(ADA, "Ada", "Europe/Berlin")
        yield simulator


def in_google(simulator):
    body = SPAN | {"summary": "Weekly", "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5"], "extendedProperties": MARKS}
    return simulator.google.create_event(ADA, body)


def test_googles_tail_is_named_after_its_base_and_has_its_marks(simulator):
    made = in_google(simulator)
    tail = simulator.google.split_series(ADA, made["id"], THIRD, summary="Later")
    assert tail["id"] == f"{made['id']}_R20261215T080000"
    assert tail["iCalUID"] == f"{tail['id']}@google.com"
    assert tail["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=3"]
    assert (tail["created"], tail["extendedProperties"], tail["summary"]) == (made["created"], MARKS, "Later")
    assert simulator.google.get_event(ADA, made["id"])["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20261214T225959Z"]


def test_googles_tail_at_another_time_has_a_fresh_id(simulator):
    made = in_google(simulator)
    start = {"dateTime": "2026-12-15T15:00:00", "timeZone": "Europe/Berlin"}
    end = {"dateTime": "2026-12-15T15:30:00", "timeZone": "Europe/Berlin"}
    tail = simulator.google.split_series(ADA, made["id"], THIRD, start=start, end=end)
    assert "_R" not in tail["id"]
    assert tail["sequence"] == 1


def test_googles_exceptions_after_the_split_are_swept_away(simulator):
    made = in_google(simulator)
    simulator.google.patch_event(ADA, f"{made['id']}_20261222T080000Z", {"summary": "Special"})
    simulator.google.split_series(ADA, made["id"], THIRD)
    assert [event["summary"] for event in simulator.google.events(ADA)] == ["Weekly", "Weekly"]


@pytest.mark.parametrize("at", [FIRST, THIRD.replace(hour=10)])
def test_google_splits_at_a_later_occurrence_only(simulator, at):
    made = in_google(simulator)
    with pytest.raises(Refusal):
        simulator.google.split_series(ADA, made["id"], at)


def test_outlooks_tail_is_a_series_of_its_own(simulator):
    rule = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
        "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 5},
    }
    made = simulator.graph.create_event(ADA, SPAN | {"subject": "Weekly", "recurrence": rule})
    tail = simulator.graph.split_series(ADA, made["id"], date(2026, 12, 15), subject="Later")
    head = next(event for event in simulator.graph.events(ADA) if event["id"] == made["id"])
    assert tail["iCalUId"] != made["iCalUId"]
    assert (tail["subject"], tail["start"]["dateTime"][:16]) == ("Later", "2026-12-15T09:00")
    assert tail["recurrence"]["range"]["numberOfOccurrences"] == 3
    assert (head["recurrence"]["range"]["type"], head["recurrence"]["range"]["endDate"]) == ("endDate", "2026-12-14")


@pytest.mark.parametrize("on", [date(2026, 12, 1), date(2026, 12, 16)])
def test_outlook_splits_at_a_later_occurrence_only(simulator, on):
    rule = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
        "range": {"type": "noEnd", "startDate": "2026-12-01"},
    }
    made = simulator.graph.create_event(ADA, SPAN | {"subject": "Weekly", "recurrence": rule})
    with pytest.raises(GraphError):
        simulator.graph.split_series(ADA, made["id"], on)
