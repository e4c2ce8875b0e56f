"""Two processes pull and push the same calendars at the same moment, while people edit: one wins, nothing is lost."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter

import pytest

from tests.queue.forks import Forks
from tests.queue.installation import ADA, Installation
from tests.queue.test_killed_sync import WEEKLY

ROUNDS = 3
BOTH = ({}, {})
ONE_EACH = ({"platform": "outlook", "times": 4}, {"platform": "google", "times": 4})


class Office:
    """Ada at work in both programs while two processes sync."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.simulator = installation, installation.simulator
        self.numbers = itertools.count(1)
        self.outlook = {f"Outlook {day}": installation.in_outlook(f"Outlook {day}", day=day) for day in (1, 2, 3)}
        self.google = {f"Google {day}": installation.in_google(f"Google {day}", day=day) for day in (1, 2, 3)}
        self.series = 0

    def edit(self) -> None:
        """Create and rename on either side, a little apart."""
        for _ in range(2):
            number = next(self.numbers)
            self._rename(self.outlook, number, lambda event, title: self.simulator.graph.update_event(
                ADA, event, {"subject": title}))  # fmt: skip
            time.sleep(0.1)
            self._rename(self.google, number, lambda event, title: self.simulator.google.patch_event(
                ADA, event, {"summary": title}))  # fmt: skip
            made = f"New {number}"
            self.outlook[made] = self.installation.in_outlook(made, day=4 + number % 20)
            time.sleep(0.1)

    def make_series(self, count: int) -> None:
        """Series with an exception each, whose writing takes many requests."""
        for number in range(self.series, self.series + count):
            made = self.installation.in_google(f"Run {number}", day=8, recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"])
            self.simulator.google.patch_event(ADA, f"{made}_20261215T100000Z", {"summary": f"Run {number} (long)"})
            self.installation.in_outlook(f"Walk {number}", day=7, **WEEKLY)
        self.series += count

    def titles(self) -> Counter[str]:
        """What must stand on both sides."""
        series = Counter[str]()
        for number in range(self.series):
            series |= Counter({f"Run {number}": 2, f"Run {number} (long)": 1, f"Walk {number}": 5})
        return Counter([*self.outlook, *self.google]) + series

    def _rename(self, events, number, write) -> None:
        title, event = next(iter(events.items()))
        del events[title]
        events[f"{title.split('#')[0].strip()} #{number}"] = event
        write(event, f"{title.split('#')[0].strip()} #{number}")


def sync_twice_at_once(forks: Forks, orders, meanwhile) -> None:
    """Both begin together; somebody edits until they are through."""
    editor = threading.Thread(target=meanwhile)
    pids = [forks.start(name, patient=True, **order) for name, order in zip(("first", "second"), orders, strict=True)]
    editor.start()
    for pid in pids:
        assert forks.wait(pid) == 0, forks.installation.log("forks")
    editor.join()


def assert_each_was_made_once(office: Office, forks: Forks) -> None:
    installation = office.installation
    assert forks.clean_up()["idle"]
    assert installation.in_step(office.titles()), installation.shown()
    assert forks.clean_up()["writes"] == 0
    ledger = installation.simulator.core.ledger.calls
    made = [call for call in ledger if call.method == "POST" and call.is_write and call.status in (200, 201)]
    assert len(made) == len(office.titles()) - office.series  # a series with its exception is made by one request
    kinds = "SELECT COUNT(*), COUNT(DISTINCT link_id) FROM calendars_operation WHERE kind = 'create' AND state = 'done'"
    [(done, distinct)] = installation.query(kinds)
    assert done == distinct == len(made)
    assert installation.query("SELECT COUNT(*) FROM calendars_finding") == [(0,)]
    assert installation.mails == []


@pytest.mark.needs_postgresql
@pytest.mark.parametrize("orders", [BOTH, ONE_EACH], ids=["both calendars each", "one calendar each"])
def test_two_processes_at_once_while_people_edit_lose_and_double_nothing(installation, forks, orders):
    office = Office(installation)
    for _ in range(ROUNDS):
        sync_twice_at_once(forks, orders, office.edit)
        forks.ahead += 700
    assert_each_was_made_once(office, forks)


@pytest.mark.needs_postgresql
def test_two_processes_whose_leases_run_out_in_the_middle_of_their_work_double_nothing(installation, forks):
    """Every request takes so long that reading and writing a few series outlasts the lease many times over."""
    office = Office(installation)
    office.make_series(2)
    installation.simulator.core.switches.latency_ms = 600  # without longer leases they would go on like this for ever
    fast = {"lease": 1}
    sync_twice_at_once(forks, (fast, fast), office.edit)
    installation.simulator.core.switches.latency_ms = 0
    assert "turn.lease_lost" in installation.log("forks")
    assert_each_was_made_once(office, forks)
