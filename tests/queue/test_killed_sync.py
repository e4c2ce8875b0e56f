"""``manage.py sync`` in real processes: killed in the middle of a push, and two at once."""

from __future__ import annotations

from collections import Counter
from datetime import date

from calsync.simulator.core import Fault
from tests.queue.installation import ADA, Installation
from tests.queue.processes import PATIENCE

WEEKLY = {
    "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
        "range": {"type": "numbered", "startDate": "2026-12-07", "numberOfOccurrences": 5},
    }
}
FILLED = (
    {"Budget": 1, "Dentist": 1, "Interview": 1, "Choir": 1}
    | {"Jour fixe": 3, "Jour fixe (long)": 1}  # of five, one is cancelled
    | {"Yoga": 3, "Yoga (short)": 1}
)


def fill(installation: Installation) -> tuple[str, str]:
    """Three singles and a series with two special occurrences on either side; returns the ids of the series."""
    simulator = installation.simulator
    for day, title in enumerate(("Budget", "Dentist"), start=1):
        installation.in_outlook(title, day=day)
    installation.in_google("Interview", day=3)
    outlook = installation.in_outlook("Jour fixe", day=7, **WEEKLY)
    event, _ = simulator.graph.find(simulator.graph.mailbox(ADA), outlook)
    simulator.graph.update_event(ADA, event.frame.instance(date(2026, 12, 14)), {"subject": "Jour fixe (long)"})
    simulator.graph.delete_event(ADA, event.frame.instance(date(2026, 12, 21)))
    google = installation.in_google("Yoga", day=8, recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
    simulator.google.patch_event(ADA, f"{google}_20261215T100000Z", {"summary": "Yoga (short)"})
    simulator.google.delete_event(ADA, f"{google}_20261222T100000Z")
    installation.in_google("Choir", day=9)
    return outlook, google


def assert_in_step(installation: Installation, titles: dict[str, int]) -> None:
    assert installation.in_step(Counter(titles)), installation.shown()
    assert installation.mails == []


def test_a_sync_killed_several_times_while_it_makes_copies_loses_and_doubles_nothing(installation):
    fill(installation)
    installation.sync_killed(at_change=1)  # Google made the copies; the occurrences of the series are still to do
    installation.sync_killed(at_change=1)  # those are done as well, and nothing of it is recorded
    installation.sync_killed(at_change=2)  # the same in Outlook
    installation.sync()
    assert_in_step(installation, FILLED)


def test_a_sync_killed_while_it_writes_changes_finishes_them_the_next_time(installation):
    outlook, google = fill(installation)
    installation.sync()
    simulator = installation.simulator
    event, _ = simulator.graph.find(simulator.graph.mailbox(ADA), outlook)
    simulator.graph.update_event(ADA, event.frame.instance(date(2026, 12, 28)), {"subject": "Jour fixe (short)"})
    simulator.graph.update_event(ADA, event.frame.instance(date(2027, 1, 4)), {"subject": "Jour fixe (last)"})
    simulator.google.patch_event(ADA, f"{google}_20261229T100000Z", {"summary": "Yoga (long)"})
    simulator.google.delete_event(ADA, f"{google}_20270105T100000Z")
    installation.sync_killed(at_change=1)
    installation.sync_killed(at_change=2)
    installation.sync()
    changed = {"Jour fixe": 1, "Jour fixe (short)": 1, "Jour fixe (last)": 1, "Yoga": 1, "Yoga (long)": 1}
    assert_in_step(installation, FILLED | changed)


def test_two_syncs_at_once_on_one_database_double_nothing(installation):
    fill(installation)
    # Both have begun before either has read a calendar to its end; the slow reads outlast their lease.
    installation.simulator.core.faults.append(
        Fault("", "delay", path="calendarView/delta|/events\\?", times=2, seconds=3)
    )
    first = installation.manage("sync", "--until-idle", name="first")
    second = installation.manage("sync", "--until-idle", name="second")
    ends = first.wait(PATIENCE), second.wait(PATIENCE)
    assert ends == (0, 0), installation.log("first") + installation.log("second")
    assert_in_step(installation, FILLED)
    assert installation.sync()["writes"] == {}
