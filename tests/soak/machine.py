"""The state machine: what may happen, in any order, and what must be true whenever all is quiet again.

Every step takes plain values, so that a failing run is printed as calls that can be pasted into ``test_found``. A step
that finds nothing to act on, or that the platform refuses to a person, does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from calendars.models import Calendar, Operation
from calsync.simulator.desks import Entry
from calsync.simulator.sketches import Repeat
from tests.soak import faults
from tests.soak.deeds import DEEDS, FIRST_DAY, GUEST, MOST_EVENTS, ZONES, Hands
from tests.soak.meeting_steps import MeetingSteps
from tests.soak.meetings import Table
from tests.soak.oracle import Book, kept_in_findings
from tests.soak.seam import Interruption
from tests.soak.sides import SINCE, UNTIL, Side
from tests.soak.world import OTHER, Stage, Studio

MOST_IN_PARTS = 2  # series of one run; their parts together stay below the mass-delete brake
HUMAN_PACE = timedelta(seconds=2)  # no two edits carry the same stamp
REPEATS: dict[str, Repeat | None] = {
    "once": None,
    "daily": Repeat("daily", count=4),
    "every other day": Repeat("daily", interval=2, count=4),
    "weekly": Repeat("weekly", count=5),
    "weekly for ever": Repeat("weekly"),
    "monthly": Repeat("monthly", count=3),
    "yearly": Repeat("yearly", count=2),
}
ONLY_GOOGLE = {  # with the day of the start
    "two rules": (0, ["RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=MONTHLY;COUNT=2"]),
    "extra dates": (0, ["RRULE:FREQ=WEEKLY;COUNT=3", "RDATE;TZID=Europe/Berlin:20261224T120000"]),
    "last workday": (0, ["RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3"]),
    "first and third": (7, ["RRULE:FREQ=MONTHLY;BYDAY=1MO,3MO"]),
    "two days of the month": (15, ["RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=5"]),
    "long months": (31, ["RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4"]),
}
"""Rules that Outlook lacks: series that stand there in parts."""

SIDES = st.sampled_from(["outlook", "google"])
WHICH = st.integers(0, MOST_EVENTS - 1)
OCCURRENCE = st.integers(0, 4)
DEED = st.sampled_from(DEEDS)
PLACES = st.sampled_from(["before", "after", "statement"])
AT = st.integers(1, 6)


class Pipeline(MeetingSteps, RuleBasedStateMachine):
    """Ada's two mailboxes, CalSync between them, and everything that goes wrong."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self.stage = Stage(studio)
        self.book = Book()
        self.hands = Hands(self.stage, self.book)
        self.table: Table | None = None
        self.broken = False
        studio.examples += 1

    @initialize(habit=st.sampled_from(sorted(faults.HABITS)), colleagues=st.booleans())
    def begin(self, habit: str, colleagues: bool = False) -> None:
        """The providers' habits, an event on either side that nobody ever deletes, and the first import."""
        with self._step():
            faults.take_up(habit, self.stage.core.switches)
            if colleagues:
                self.stage.add_colleagues()
                self.table = Table(self.stage)
                self.table.settle_in()
            for side in ("outlook", "google"):
                self.hands.create(side, day=20, hour=8 if side == "outlook" else 10)
            self.stage.activate()

    # --- people ---------------------------------------------------------------------------------------------------

    @rule(side=SIDES, day=st.integers(0, 9), hour=st.integers(9, 16), zone=st.sampled_from(ZONES),
          repeat=st.sampled_from(sorted(REPEATS)))  # fmt: skip
    def create(self, side: str, day: int, hour: int, zone: str, repeat: str) -> None:
        """A timed event or series."""
        with self._step():
            self.hands.create(side, day=day, hour=hour, zone=zone, repeat=REPEATS[repeat])

    @rule(side=SIDES, day=st.integers(0, 9), days=st.integers(1, 3), repeat=st.sampled_from(["once", "weekly"]))
    def create_all_day(self, side: str, day: int, days: int, repeat: str) -> None:
        """Whole days."""
        with self._step():
            self.hands.create(side, day=day, hour=0, days=days, repeat=REPEATS[repeat])

    @rule(name=st.sampled_from(sorted(ONLY_GOOGLE)))
    def create_beyond(self, name: str) -> None:
        """A series in Google that Outlook's rules cannot say."""
        day, lines = ONLY_GOOGLE[name]
        with self._step():
            if len(self.book.beyond) >= MOST_IN_PARTS:
                return
            tag = self.hands.create("google", day=day, hour=12, google={"recurrence": lines})
            if tag is not None:
                self.book.beyond.add(tag)

    @rule(side=SIDES, which=WHICH)
    def rename(self, side: str, which: int) -> None:
        """Another title."""
        with self._step():
            self.hands.rename(side, which)

    @rule(side=SIDES, which=WHICH, place=st.booleans(), note=st.booleans())
    def rewrite(self, side: str, which: int, place: bool, note: bool) -> None:
        """Another place, another text, or both."""
        with self._step():
            self.hands.put(side, which, place=place, note=note)

    @rule(side=SIDES, which=WHICH, minutes=st.sampled_from([30, -60, 120]), days=st.sampled_from([0, 0, 1, 7]))
    def move(self, side: str, which: int, minutes: int, days: int) -> None:
        """Another time; a series keeps its days."""
        with self._step():
            self.hands.move(side, which, minutes=minutes, days=days)

    @rule(first=SIDES, which=WHICH, here=DEED, there=DEED, pause=st.booleans())
    def edit_both(self, first: str, which: int, here: str, there: str, pause: bool) -> None:
        """The same event is edited on both sides, before anybody has looked."""
        with self._step():
            _, entry = self.hands.entry(first, which)
            if entry is None:
                return
            self.hands.do(here, first, which)
            if pause:
                self.stage.move(HUMAN_PACE)
            tag = entry.title.split()[0]
            titles = [found.title.split()[0] for found in self.stage.sides[OTHER[first]].entries(now=FIRST_DAY)]
            if tag in titles:
                self.hands.do(there, OTHER[first], titles.index(tag))

    @rule(side=SIDES, which=WHICH, weeks=st.integers(1, 3))
    def end_series(self, side: str, which: int, weeks: int) -> None:
        """A series ends earlier."""

        def act(desk: Side, entry: Entry) -> None:
            if entry.is_series:
                desk.end_series(entry, (entry.start + timedelta(weeks=weeks)).date())

        with self._step():
            tag = self.hands.edit(side, which, act)
            if tag is not None:
                self.book.reshape(tag)

    @rule(side=SIDES, which=WHICH)
    def delete(self, side: str, which: int) -> None:
        """Delete an event or a whole series."""
        with self._step():
            self.hands.delete(side, which)

    @rule(side=SIDES, which=WHICH, nth=OCCURRENCE)
    def rename_occurrence(self, side: str, which: int, nth: int) -> None:
        """Another title for one occurrence."""
        with self._step():
            self.hands.rename_occurrence(side, which, nth)

    @rule(side=SIDES, which=WHICH, nth=OCCURRENCE, minutes=st.sampled_from([30, -60, 90]),
          days=st.sampled_from([0, 0, 0, 2, 9, -8]))  # fmt: skip
    def move_occurrence(self, side: str, which: int, nth: int, minutes: int, days: int = 0) -> None:
        """Another hour for one occurrence, or a day beyond its neighbour's, which Outlook refuses."""

        def act(desk: Side, entry: Entry, on: datetime, tag: int) -> None:
            by = timedelta(days=days) if entry.all_day else timedelta(minutes=minutes, days=days)
            if by and SINCE <= on + by < UNTIL:  # the judge does not look farther
                desk.move(entry, by, on=on)
                if days:
                    self.book.beyond.add(tag)

        with self._step():
            self.hands.edit_occurrence(side, which, nth, act)

    @rule(which=WHICH)
    def delete_all_parts(self, which: int) -> None:
        """Delete everything in Outlook that tells one series."""
        with self._step():
            self.hands.delete_all_parts(which)

    @rule(side=SIDES, which=WHICH, nth=OCCURRENCE)
    def cancel_occurrence(self, side: str, which: int, nth: int) -> None:
        """Delete one occurrence."""
        with self._step():
            self.hands.cancel_occurrence(side, which, nth)

    @rule(side=SIDES, which=WHICH)
    def invite(self, side: str, which: int) -> None:
        """Somebody from outside is asked to come: it becomes a meeting."""
        with self._step():
            tag = self.hands.edit(side, which, lambda desk, entry: desk.invite(entry.id, GUEST))
            if tag is not None:
                self.book.invited.setdefault(tag, set()).add(side)

    # --- workers --------------------------------------------------------------------------------------------------

    @rule(side=SIDES, ring=st.booleans())
    def turn(self, side: str, ring: bool) -> None:
        """A worker's turn on one calendar."""
        with self._step():
            self.stage.turn(side, ring=ring)

    @rule(backwards=st.booleans())
    def work_off(self, backwards: bool) -> None:
        """Workers take what is due, in either order."""
        with self._step():
            self.stage.work_off(backwards=backwards)

    @rule(side=SIDES, where=PLACES, at=AT, far=st.integers(0, 5), deed=DEED, which=WHICH)
    def killed(self, side: str, where: str, at: int, far: int, deed: str, which: int) -> None:
        """A worker is killed in the middle of its turn, which begins with something that a person did."""
        with self._step():
            self.hands.do(deed, side, which)
            point = at + far * 10 if where == "statement" else at
            plan = Interruption(point, where, self.stage.seam.die)
            self._interrupted(side, plan)
            self.studio.kills += plan.over

    @rule(side=SIDES, where=st.sampled_from(["before", "after"]), at=AT, hand=SIDES, which=WHICH,
          deed=DEED)  # fmt: skip
    def edited_in_between(self, side: str, where: str, at: int, hand: str, which: int, deed: str) -> None:
        """A person acts between two requests of a worker's turn."""

        def act() -> None:
            self.stage.move(HUMAN_PACE)
            self.hands.do(deed, hand, which)

        with self._step():
            self._interrupted(side, Interruption(at, where, act))

    @rule(side=SIDES, where=st.sampled_from(["before", "after"]), at=AT, other=SIDES, late=st.booleans())
    def two_workers(self, side: str, where: str, at: int, other: str, late: bool) -> None:
        """Another worker's turn in the middle of one; ``late``: this one hung so long that its lease ran out."""

        def act() -> None:
            if late:
                self.stage.move(timedelta(minutes=5))
            self.stage.other_turn(other)

        with self._step():
            self._interrupted(side, Interruption(at, where, act))

    @rule()
    def poll(self) -> None:
        """The schedule: due polls, windows, push channels."""
        with self._step():
            self.stage.poll()

    @rule(which=st.integers(0, 5), times=st.integers(0, 2))
    def deliver(self, which: int, times: int) -> None:
        """A notification arrives, out of order, twice or never."""
        with self._step():
            self.stage.deliver(which, times=times)

    # --- trouble --------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(sorted(faults.TROUBLE)), method=st.sampled_from(["", "", "POST", "PATCH", "DELETE"]),
          times=st.integers(1, 3), skip=st.integers(0, 3))  # fmt: skip
    def trouble(self, name: str, method: str, times: int, skip: int) -> None:
        """The next matching requests go wrong."""
        with self._step():
            self.stage.core.faults.append(faults.trouble(name, method=method, times=times, skip=skip))

    @rule(side=SIDES)
    def expire(self, side: str) -> None:
        """A provider forgets where we were."""
        with self._step():
            self.stage.expire_cursors(side)

    @rule(minutes=st.sampled_from([1, 3, 12, 70, 600, 2000]))
    def wait(self, minutes: int) -> None:
        """Time goes by and nobody works."""
        with self._step():
            self.stage.move(timedelta(minutes=minutes))

    # --- quiet ----------------------------------------------------------------------------------------------------

    @rule()
    def quiet(self) -> None:
        """All trouble ends; then everything must be in order."""
        with self._step():
            report = self.stage.quiet()
            looks = [side.look() for side in self.stage.sides.values()]
            complaints = self.book.complaints(*looks, kept_in_findings())
            complaints += self.table.complaints() if self.table is not None else []
            assert complaints == [], "\n".join(complaints)
            assert self.stage.mails() == 0
            assert not Operation.objects.open().exists(), _open_operations()
            assert report.parked == [], [operation.reason for operation in report.parked]
            assert report.idle, [f"{calendar.state}: {calendar.state_reason}" for calendar in report.troubled]
            self._check_second_pass()

    def _check_second_pass(self) -> None:
        before = self.stage.writes()
        self.stage.serve()
        assert self.stage.writes() == before, "a second pass wrote something"
        assert not Calendar.objects.filter(lease_until__isnull=False).exists()

    def teardown(self) -> None:
        """Every run ends quietly."""
        try:
            if not self.broken:
                self.quiet()
        finally:
            self.studio.acts += self.book.now
            self.stage.close()

    def _interrupted(self, side: str, plan: Interruption) -> None:
        """Read one calendar and go on with the other, as a worker follows a change."""
        with self.stage.seam.around(plan):
            self.stage.turn(side, ring=True)
            self.stage.turn(OTHER[side], ring=False)

    # --- little steps ----------------------------------------------------------------------------------

    @contextmanager
    def _step(self) -> Iterator[None]:
        self.studio.steps += 1
        self.stage.move(HUMAN_PACE)
        was_broken, self.broken = self.broken, True
        yield
        self.broken = was_broken


def _open_operations() -> list[str]:
    return [f"{op.kind} {op.state}: {op.reason}, due {op.due_at}" for op in Operation.objects.open()]
