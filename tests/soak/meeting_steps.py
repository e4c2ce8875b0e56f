"""Steps of two colleagues on different platforms: their meetings, their mails, and workers at their calendars."""

from __future__ import annotations

from contextlib import AbstractContextManager

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.soak.meetings import MOST_MEETINGS, Table
from tests.soak.seam import Interruption
from tests.soak.world import BO, CEM, Stage

WHICH = st.integers(0, MOST_MEETINGS - 1)
PEOPLE = st.sampled_from([BO, CEM])
HOST = ("rename", "move", "put", "delete", "uninvite", "invite", "rename second", "cancel second")
GUEST = ("edit", "edit", "delete", "accept", "decline")


class MeetingSteps:
    """What Bo and Cem do; nothing in runs that they are not part of (``table`` is None then)."""

    stage: Stage
    table: Table | None

    def _step(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    @rule(host=st.sampled_from(["outlook", "google"]), day=st.integers(0, 4), hour=st.integers(9, 16),
          weekly=st.booleans(), held=st.booleans())  # fmt: skip
    def meet(self, host: str, day: int, hour: int, weekly: bool, held: bool) -> None:
        """One asks the other to a meeting; ``held``: the invitation does not arrive for now."""
        with self._step():
            if self.table is not None:
                self.table.mail(arrives=not held)
                self.table.meet(host, day=day, hour=hour, weekly=weekly)

    @rule(which=WHICH, deed=st.sampled_from(HOST))
    def host_acts(self, which: int, deed: str) -> None:
        """The organiser changes, ends or restores a meeting."""
        with self._step():
            if self.table is not None:
                self.table.host_acts(which, deed)

    @rule(which=WHICH, deed=st.sampled_from(GUEST))
    def guest_acts(self, which: int, deed: str) -> None:
        """The guest changes or deletes what stands there, or answers the invitation."""
        with self._step():
            if self.table is not None:
                self.table.guest_acts(which, deed)

    @rule(arrives=st.booleans())
    def mail(self, arrives: bool) -> None:
        """Meeting mails are held back, or arrive."""
        with self._step():
            if self.table is not None:
                self.table.mail(arrives=arrives)

    @rule(person=PEOPLE, ring=st.booleans())
    def turn_of(self, person: str, ring: bool) -> None:
        """A worker's turn on the calendar of one of them."""
        with self._step():
            if self.table is not None:
                self.stage.turn(person, ring=ring)

    @rule(first=PEOPLE, which=WHICH, where=st.sampled_from(["before", "after", "statement"]), at=st.integers(1, 40),
          death=st.booleans(), deed=st.sampled_from([*HOST, *GUEST, "mail"]))  # fmt: skip
    def turn_interrupted(self, first: str, which: int, where: str, at: int, death: bool, deed: str) -> None:
        """In the middle of the turns on both calendars somebody acts, a mail comes, or the worker is killed."""
        with self._step():
            if self.table is None:
                return
            act = self.stage.seam.die if death else lambda: self._act(which, deed)
            if where == "statement" and not death:
                where = "before"  # people act between requests
            plan = Interruption(at if where == "statement" else 1 + at // 8, where, act)
            with self.stage.seam.around(plan):
                for person in (first, BO if first == CEM else CEM):
                    self.stage.turn(person, ring=True)

    def _act(self, which: int, deed: str) -> None:
        assert self.table is not None
        if deed == "mail":
            self.table.mail(arrives=True)
        elif deed in HOST:
            self.table.host_acts(which, deed)
        else:
            self.table.guest_acts(which, deed)
