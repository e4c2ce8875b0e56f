"""Bo, who has Outlook only, and Cem, who has Google only: their meetings with each other, and the judge of these.

What lives here: what both do by hand, what was last seen of each meeting, and the complaints. What does not: Ada's own
events (``deeds``, ``oracle``), when something happens (``meeting_steps``).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from calendars.models import Finding
from calsync.simulator.google.errors import Refusal
from calsync.simulator.graph.errors import GraphError
from calsync.simulator.sketches import Repeat, Sketch
from tests.soak.sides import Face, Google, Outlook, Shown
from tests.soak.world import BO, CEM, OTHER, ZONE, Stage

MOST_MEETINGS = 3
MONDAY = datetime.fromisoformat("2026-11-30")
NUMBER = re.compile(r"\bM(\d+)\b")
WEEKLY = Repeat("weekly", days=(0,), count=4)


@dataclass(slots=True)
class Meeting:
    """One meeting, as its people last left it."""

    number: int
    host: str  # the organiser's platform; the guest has the other one
    id: str
    invited: bool = True
    over: bool = False
    hidden: bool = False  # the guest took it away, and was not asked anew
    unsure: bool = False  # whether it stays away: nobody may have seen what was taken away, or a mail came since
    seen: set[str] = field(default_factory=set)  # ids at the guest's when all was quiet: known to everybody
    edits: list[tuple[str, str]] = field(default_factory=list)  # of the guest's: id of the copy, word


@dataclass(frozen=True, slots=True)
class Item:
    """One event in the guest's calendar."""

    id: str
    native: bool  # an invitation brought it
    is_series: bool
    shown: Shown


class Table:
    """Bo and Cem at their calendars, and what must be true of these when all is quiet."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        graph, google = stage.simulator.graph, stage.simulator.google
        self.outlook, self.google = Outlook(graph, BO), Google(google, CEM)
        self.desks: dict[str, Outlook | Google] = {"outlook": self.outlook, "google": self.google}
        self.address = {"outlook": BO, "google": CEM}
        self.meetings: list[Meeting] = []
        self.words = 0

    def settle_in(self) -> None:
        """An event of their own for both: an empty calendar would be taken for a broken one."""
        for desk in self.desks.values():
            desk.create(Sketch("Own", MONDAY, MONDAY + timedelta(hours=1), ZONE))

    # --- the organiser --------------------------------------------------------------------------------------------

    def meet(self, host: str, *, day: int, hour: int, weekly: bool) -> None:
        if len(self.meetings) >= MOST_MEETINGS:
            return
        number, start = len(self.meetings) + 1, MONDAY + timedelta(days=0 if weekly else day, hours=hour)
        guests = (self.address[OTHER[host]],)
        sketch = Sketch(
            f"M{number} {self._word('t')}", start, start + timedelta(minutes=45), ZONE,
            location=f"Room {self._word('r')}", body=f"Note {self._word('n')}", guests=guests,
            repeat=WEEKLY if weekly else None,
        )  # fmt: skip
        self.meetings.append(Meeting(number, host, self.desks[host].create(sketch)))

    def host_acts(self, which: int, deed: str) -> None:
        meeting = self._meeting(which)
        if meeting is None or meeting.over:
            return
        deeds: dict[str, Callable[[Meeting], None]] = {
            "rename": self._rename, "move": self._move, "put": self._put, "delete": self._delete,
            "uninvite": self._uninvite, "invite": self._invite, "rename second": self._rename_second,
            "cancel second": self._cancel_second,
        }  # fmt: skip
        with suppress(Refusal, GraphError):
            deeds[deed](meeting)

    def _rename(self, meeting: Meeting) -> None:
        self.desks[meeting.host].rename(meeting.id, f"M{meeting.number} {self._word('t')}")

    def _move(self, meeting: Meeting) -> None:
        desk = self.desks[meeting.host]
        entry = next(entry for entry in desk.entries(now=MONDAY) if entry.id == meeting.id)
        desk.move(entry, timedelta(minutes=30))

    def _put(self, meeting: Meeting) -> None:
        self.desks[meeting.host].put(meeting.id, place=f"Room {self._word('r')}", note=f"Note {self._word('n')}")

    def _delete(self, meeting: Meeting) -> None:
        self.desks[meeting.host].delete(meeting.id)
        meeting.over = True

    def _uninvite(self, meeting: Meeting) -> None:
        self._ask(meeting, [])
        meeting.invited = False

    def _invite(self, meeting: Meeting) -> None:
        if not meeting.invited:
            self._ask(meeting, [self.address[OTHER[meeting.host]]])
            meeting.invited = True
            meeting.unsure |= meeting.hidden

    def _ask(self, meeting: Meeting, guests: list[str]) -> None:
        if meeting.host == "outlook":
            told = [{"emailAddress": {"address": guest}, "type": "required"} for guest in guests]
            self.outlook.store.update_event(BO, meeting.id, {"attendees": told})
        else:
            body = {"attendees": [{"email": guest} for guest in guests]}
            self.google.store.patch_event(CEM, meeting.id, body, send_updates="all")

    def _rename_second(self, meeting: Meeting) -> None:
        desk = self.desks[meeting.host]
        for on, _ in desk.starts(meeting.id)[1:2]:
            desk.rename(meeting.id, f"M{meeting.number} {self._word('t')}", on=on)

    def _cancel_second(self, meeting: Meeting) -> None:
        desk = self.desks[meeting.host]
        if len(starts := desk.starts(meeting.id)) > 2:
            desk.delete(meeting.id, on=starts[1][0])

    # --- the guest ------------------------------------------------------------------------------------------------

    def guest_acts(self, which: int, deed: str) -> None:
        meeting = self._meeting(which)
        items = [] if meeting is None else self._items(meeting)
        if meeting is None or not items:
            return
        item = items[which % len(items)]
        with suppress(Refusal, GraphError):
            if deed == "delete":
                self.desks[OTHER[meeting.host]].delete(item.id)
                meeting.hidden = True
                meeting.unsure |= item.id not in meeting.seen
            elif item.native:
                self._answers(meeting, item, deed)
            else:
                self._edits(meeting, item)

    def _edits(self, meeting: Meeting, item: Item) -> None:
        word = self._word("t")
        self.desks[OTHER[meeting.host]].rename(item.id, f"M{meeting.number} {word}")
        standing = (
            item.id,
            item.shown.whole.title.split()[-1],
        )  # their own last edit, if nobody has put it back: replaced
        meeting.edits = [edit for edit in meeting.edits if edit != standing] + [(item.id, word)]

    def _answers(self, meeting: Meeting, item: Item, deed: str) -> None:
        answer = "declined" if deed == "decline" else "accepted"
        if meeting.host == "google":
            self.outlook.store.answer_event(BO, item.id, answer)
        else:
            own = [{"email": CEM, "responseStatus": answer}]
            self.google.store.patch_event(CEM, item.id, {"attendees": own}, send_updates="all")
        if answer == "declined":
            meeting.hidden = meeting.unsure = True  # some clients take it away then

    # --- the post -------------------------------------------------------------------------------------------------

    def mail(self, *, arrives: bool) -> None:
        """Meeting mails are held back from now on, or arrive, also those that were held."""
        core = self.stage.core
        if arrives:
            core.release_mails()
        else:
            core.switches.mail_arrives = False
        for meeting in self.meetings:
            meeting.unsure |= meeting.hidden and arrives

    # --- judgement ------------------------------------------------------------------------------------------------

    def complaints(self) -> list[str]:
        """What is wrong with the meetings, in sentences. To be asked when all is quiet."""
        told = json.dumps([[finding.values, sorted(finding.paths)] for finding in Finding.objects.all()])
        found = [f"M{meeting.number} {text}" for meeting in self.meetings for text in self._of_one(meeting, told)]
        for meeting in self.meetings:
            meeting.seen |= {item.id for item in self._items(meeting)}
            if meeting.hidden and not meeting.invited:
                meeting.hidden = meeting.unsure = False  # everybody has seen that nobody is asked any more
        return found

    def _of_one(self, meeting: Meeting, told: str) -> list[str]:
        at_host = self._at(meeting.host, meeting.number)
        items = [item for item in self._items(meeting) if not _is_lone_occurrence(item, at_host)]
        copies = [item for item in items if not item.native]
        found = [] if len(at_host) == (not meeting.over) else [f"stands {len(at_host)} times at its organiser's"]
        if len(items) > 1:
            found.append(f"stands {len(items)} times at its guest's, {len(copies)} of these are copies")
        if (meeting.over or not meeting.invited) and copies:
            found.append("has a copy although its guest is not asked (any more)")
        if meeting.over or not meeting.invited:
            return found
        if not items and not meeting.hidden:
            found.append("does not stand at its guest's")
        if copies and meeting.hidden and not meeting.unsure:
            found.append("has a copy again that its guest had deleted")
        return found + [text for copy in copies for text in self._of_copy(meeting, copy, at_host, told)]

    @staticmethod
    def _of_copy(meeting: Meeting, copy: Item, at_host: list[Item], told: str) -> list[str]:
        found = [f"lost its guest's edit {word}" for id_, word in meeting.edits if id_ == copy.id and word not in told]
        if copy.shown.has_guests:
            found.append("has a copy with guests")
        here, there = (Counter[Face](item.shown.faces) for item in (*at_host[:1], copy))
        return found + ([] if here == there else [f"has a copy that differs: {sorted(here)} and {sorted(there)}"])

    # --- little steps ---------------------------------------------------------------------------------------------

    def _meeting(self, which: int) -> Meeting | None:
        return self.meetings[which % len(self.meetings)] if self.meetings else None

    def _items(self, meeting: Meeting) -> list[Item]:
        return self._at(OTHER[meeting.host], meeting.number)

    def _at(self, side: str, number: int) -> list[Item]:
        with self.stage.core.lock:
            return [
                Item(id_, native, is_series, self.desks[side].show(id_))
                for id_, title, native, is_series in self._rows(side)
                if (named := NUMBER.search(title)) and int(named.group(1)) == number
            ]

    def _rows(self, side: str) -> list[tuple[str, str, bool, bool]]:
        """Id, title, whether somebody else organises it, whether it is a series."""
        if side == "outlook":
            events = self.outlook.store.mailbox(BO).default.events.values()
            return [
                (one.id, str(one.props["subject"]), not one.is_organizer(), one.series is not None) for one in events
            ]
        rows = self.google.store.calendars[CEM].rows
        living = [row for row in rows if row.master is None and not row.cancelled]
        return [(row.id, str(row.fields.get("summary", "")), row.organizer != CEM, row.recurring) for row in living]

    def _word(self, letter: str) -> str:
        self.words += 1
        return f"{letter}9{self.words:04d}"  # a nine: not one of Ada's words


def _is_lone_occurrence(item: Item, at_host: list[Item]) -> bool:
    """Whether a mail about one occurrence came to a guest who had deleted the series."""
    return item.native and not item.is_series and any(one.is_series for one in at_host)
