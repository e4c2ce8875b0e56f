"""SIGKILL at every request and between any two statements of a sync: the next one finishes, and doubles nothing."""

from __future__ import annotations

import random
import signal
from collections import Counter
from datetime import date

from tests.queue import databases
from tests.queue.forks import Forks
from tests.queue.installation import ADA, Installation
from tests.queue.test_killed_sync import WEEKLY

SAMPLE = 10  # of the statements of a sync with everything in it
SEED = 20261122


class Course:
    """Rounds of edits of every kind on both sides, one after the other, and what must stand after each of them."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.simulator = installation, installation.simulator
        self.series = installation.in_outlook("Jour fixe", day=7, **WEEKLY)
        self.yoga = installation.in_google("Yoga", day=8, recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
        self.lasting = installation.in_google("Lasting", day=3)
        self.passing = installation.in_outlook("Passing", day=1)
        self.number = 0

    def go_on(self) -> None:
        """Create, change and delete events on either side; change, cancel and restore occurrences."""
        self.number += 1
        number, graph, google = self.number, self.simulator.graph, self.simulator.google
        graph.delete_event(ADA, self.passing)
        self.passing = self.installation.in_outlook(f"Passing {number}", day=1 + number % 6)
        google.patch_event(ADA, self.lasting, {"summary": f"Lasting {number}"})
        event, _ = graph.find(graph.mailbox(ADA), self.series)
        graph.update_event(ADA, event.frame.instance(date(2026, 12, 14)), {"subject": f"Jour fixe {number}"})
        google.patch_event(ADA, f"{self.yoga}_20261215T100000Z", {"summary": f"Yoga {number}"})
        if number == 1:
            graph.delete_event(ADA, event.frame.instance(date(2026, 12, 21)))
            google.delete_event(ADA, f"{self.yoga}_20261222T100000Z")

    def shown(self) -> Counter[str]:
        """What Ada must see on both sides."""
        number = self.number
        once = ["Passing", "Lasting", "Jour fixe", "Yoga"]
        return Counter({f"{title} {number}": 1 for title in once} | {"Jour fixe": 3, "Yoga": 3})

    def assert_in_step(self, what: str) -> None:
        assert self.installation.in_step(self.shown()), (what, self.installation.shown())
        assert self.installation.mails == []


def assert_each_stands_once(installation: Installation, forks: Forks) -> None:
    """Nothing is left to do or to write, and no row is left over."""
    again = forks.clean_up()
    assert (again["idle"], again["writes"]) == (True, 0)
    open_ones = "SELECT COUNT(*) FROM calendars_operation WHERE state IN ('planned', 'in_flight', 'parked')"
    assert installation.query(open_ones) == [(0,)]
    assert installation.query("SELECT COUNT(*) FROM calendars_finding") == [(0,)]
    living = "FROM calendars_link l JOIN calendars_event e ON l.event_id = e.id WHERE e.deleted_at IS NULL"
    counts = installation.query(f"SELECT COUNT(*), COUNT(DISTINCT e.id) {living} AND l.state = 'active'")
    assert counts == [(8, 4)]


def test_a_sync_killed_at_any_request_is_finished_by_the_next_one(installation, forks):
    course = Course(installation)
    request = 0
    while True:
        request += 1
        course.go_on()
        code = forks.sync_killed_at(request)
        assert code in (0, -signal.SIGKILL), installation.log("forks")
        assert forks.clean_up()["idle"]
        course.assert_in_step(f"request {request}")
        if code == 0:
            break
    assert request > 10
    assert_each_stands_once(installation, forks)


def test_a_sync_killed_between_any_statements_is_finished_by_the_next_one(installation, forks):
    course = Course(installation)
    course.go_on()
    forks.clean_up()
    course.go_on()
    assert forks.sync() == 0
    statements = forks.report()["statements"]
    chance = random.Random(SEED)
    for number in sorted(chance.sample(range(1, statements + 1), SAMPLE)):
        how = chance.choice(["kill_before", "kill_after"])
        course.go_on()
        assert forks.sync(**{how: number}) == -signal.SIGKILL, (number, installation.log("forks"))
        assert forks.clean_up()["idle"]
        course.assert_in_step(f"{how} statement {number} of {statements}")
    assert_each_stands_once(installation, forks)


def test_a_small_sync_killed_after_any_statement_is_finished_by_the_next_one(installation, forks):
    """The odd ones on SQLite, the even ones on PostgreSQL: each of them costs two processes."""
    forks.clean_up()
    title, made, number = "", "", bool(databases.SERVER) - 1
    while True:
        number += 2
        if made and number % 3 == 0:
            installation.simulator.graph.delete_event(ADA, made)
            title = made = ""
        elif made:
            title = f"Budget {number}"
            installation.simulator.graph.update_event(ADA, made, {"subject": title})
        else:
            title = f"Budget {number}"
            made = installation.in_outlook(title, day=1)
        code = forks.sync(kill_after=number)
        assert code in (0, -signal.SIGKILL), installation.log("forks")
        assert forks.clean_up()["idle"]
        assert installation.in_step(Counter([title] if title else [])), (number, installation.shown())
        if code == 0:
            break
    assert number > 30
    assert installation.mails == []
