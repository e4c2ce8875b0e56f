"""The pretend company's people at work: random, plausible edits by hand on either platform."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from calsync.simulator.company import Company, Platforms
from calsync.simulator.desks import Desk, Entry
from calsync.simulator.diaries import Diarist
from calsync.simulator.google.errors import Refusal
from calsync.simulator.graph.errors import GraphError
from calsync.simulator.roster import Person

ATTEMPTS = 20
WORDS = ("moved room", "v2", "final", "urgent", "with notes", "short", "rescheduled")


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did: mailbox, verb, event. Holds no event text."""

    mailbox: str
    verb: str
    event_id: str


class People:
    """Acts as the company's end users. The same seed and the same state give the same acts."""

    def __init__(self, company: Company, simulator: Platforms, seed: int = 1) -> None:
        self._company = company
        self._core = simulator.core
        self._chance = random.Random(seed)  # noqa: S311 - pretend data
        self._persons = {
            address: one for one in company.people for address in (one.outlook_mailbox, one.google_mailbox)
        }

    def act(self) -> Act | None:
        """One edit on a random mailbox; None when nobody found anything to do."""
        for _ in range(ATTEMPTS):
            desk = self._chance.choice(self._company.desks)
            verb = self._chance.choices(list(VERBS), weights=[weight for weight, _ in VERBS.values()])[0]
            try:
                done = VERBS[verb][1](self, desk)
            except (Refusal, GraphError):
                continue  # the platform does not allow this edit: a person would do something else
            if done:
                return Act(desk.address, verb, done)
        return None

    def _person(self, desk: Desk) -> Person:
        return self._persons[desk.address]

    def _choose(self, desk: Desk, *, series: bool) -> Entry | None:
        now = self._core.clock.now().replace(tzinfo=None)
        entries = [entry for entry in desk.entries(now=now) if entry.is_series is series]
        if series:
            entries = [entry for entry in entries if entry.upcoming]
        else:
            entries = [entry for entry in entries if entry.start > now - timedelta(days=2)]
        return self._chance.choice(entries) if entries else None

    def create(self, desk: Desk) -> str:
        """A new event of any kind."""
        today = self._core.clock.now().date()
        diarist = Diarist(today=today, chance=self._chance, colleagues=self._company.people)
        diarist.skip(self._chance.randrange(1000))
        return desk.create(diarist.plan(self._person(desk)).sketch)

    def rename(self, desk: Desk) -> str:
        """Another title for a single event."""
        entry = self._choose(desk, series=False)
        if entry:
            desk.rename(entry.id, self._title(entry))
        return entry.id if entry else ""

    def move(self, desk: Desk) -> str:
        """Another time for a single event."""
        entry = self._choose(desk, series=False)
        if entry:
            desk.move(entry, self._distance(entry))
        return entry.id if entry else ""

    def delete(self, desk: Desk) -> str:
        """One single event less."""
        entry = self._choose(desk, series=False)
        if entry:
            desk.delete(entry.id)
        return entry.id if entry else ""

    def rename_series(self, desk: Desk) -> str:
        """Another title for a whole series."""
        entry = self._choose(desk, series=True)
        if entry:
            desk.rename(entry.id, self._title(entry))
        return entry.id if entry else ""

    def rename_occurrence(self, desk: Desk) -> str:
        """Another title for one occurrence."""
        entry = self._choose(desk, series=True)
        if entry:
            desk.rename(entry.id, self._title(entry), on=self._chance.choice(entry.upcoming))
        return entry.id if entry else ""

    def move_occurrence(self, desk: Desk) -> str:
        """Another hour for one occurrence of a timed series."""
        entry = self._choose(desk, series=True)
        if entry is None or entry.all_day:
            return ""
        on = self._chance.choice(entry.upcoming)
        desk.move(entry, timedelta(hours=1 if on.hour < 20 else -1), on=on)
        return entry.id

    def cancel_occurrence(self, desk: Desk) -> str:
        """One occurrence less."""
        entry = self._choose(desk, series=True)
        if entry is None or len(entry.upcoming) < 2:
            return ""
        desk.delete(entry.id, on=self._chance.choice(entry.upcoming))
        return entry.id

    def end_series(self, desk: Desk) -> str:
        """A series that ends earlier than planned."""
        entry = self._choose(desk, series=True)
        if entry is None or len(entry.upcoming) < 3:
            return ""
        desk.end_series(entry, entry.upcoming[-1].date())
        return entry.id

    def _title(self, entry: Entry) -> str:
        base = entry.title.partition(" - ")[0] or "Untitled"
        return f"{base} - {self._chance.choice(WORDS)} {self._chance.randrange(1000)}"

    def _distance(self, entry: Entry) -> timedelta:
        if entry.all_day:
            return timedelta(days=self._chance.choice((-1, 1, 2, 7)))
        return timedelta(minutes=self._chance.choice((-60, 30, 60, 120, 24 * 60, 7 * 24 * 60)))


VERBS: dict[str, tuple[int, Callable[[People, Desk], str]]] = {
    "create": (20, People.create),
    "rename": (20, People.rename),
    "move": (20, People.move),
    "delete": (8, People.delete),
    "rename series": (6, People.rename_series),
    "rename occurrence": (8, People.rename_occurrence),
    "move occurrence": (8, People.move_occurrence),
    "cancel occurrence": (6, People.cancel_occurrence),
    "end series": (4, People.end_series),
}
