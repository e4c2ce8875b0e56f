"""What a person does by hand, on either side, and the line in the book that it makes.

What lives here: choosing an event by its place in the list, acting, noting. What does not: when that happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial

from calsync.simulator.desks import Entry
from calsync.simulator.google.errors import Refusal
from calsync.simulator.graph.errors import GraphError
from calsync.simulator.sketches import Repeat, Sketch
from tests.soak.oracle import ALONE, Book
from tests.soak.sides import Shown, Side
from tests.soak.world import Stage

MOST_EVENTS = 6  # of one run: the mass-delete brake needs more than ten deletions
ALWAYS_THERE = 28  # a later day is left out in short months, where Outlook takes the last one instead
FIRST_DAY = datetime.fromisoformat("2026-11-30")  # a Monday; wall clock
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
GUEST = "guest@elsewhere.example"
DEEDS = ("rename", "move", "put", "delete", "rename second", "cancel second")


class Hands:
    """Ada at her two calendars. What a platform refuses to a person did not happen."""

    def __init__(self, stage: Stage, book: Book) -> None:
        self.stage = stage
        self.book = book
        self.words = 0
        self.made = 0

    @contextmanager
    def _refusable(self) -> Iterator[None]:
        """What the platform refuses to a person did not happen."""
        with suppress(Refusal, GraphError):
            yield

    def _word(self, letter: str) -> str:
        self.words += 1
        return f"{letter}{self.words:04d}"

    def create(
        self, side: str, *, day: int, hour: int, zone: str = ZONES[0], repeat: Repeat | None = None, days: int = 0,
        google: dict[str, object] | None = None,
    ) -> int | None:  # fmt: skip
        if self.made >= MOST_EVENTS:
            return None
        self.made += 1
        start = FIRST_DAY + timedelta(days=day, hours=hour)
        if repeat is not None and repeat.frequency == "weekly":
            repeat = Repeat("weekly", days=(start.weekday(),), count=repeat.count)
        sketch = Sketch(
            title=f"E{self.made} {self._word('t')}",
            start=start,
            end=start + (timedelta(days=days) if days else timedelta(minutes=45)),
            zone=zone,
            all_day=bool(days),
            location=f"Room {self._word('r')}",
            body=f"Note {self._word('n')}",
            repeat=repeat,
            google=google or {},
        )
        self.stage.sides[side].create(sketch)
        if repeat is not None and repeat.frequency == "monthly" and start.day > ALWAYS_THERE:
            self.book.beyond.add(self.made)
        self.book.made(self.made, side, self.stage.sides[side].look()[self.made])
        return self.made

    def entry(self, side: str, which: int) -> tuple[Side, Entry | None]:
        desk = self.stage.sides[side]
        entries = desk.entries(now=FIRST_DAY)
        return desk, entries[which % len(entries)] if entries else None

    def _known(self, side: str, entry: Entry) -> tuple[int, Shown]:
        tag = int(entry.title.split()[0].removeprefix("E"))
        return tag, self.stage.sides[side].show(entry.id)

    def _part(self, side: str, tag: int, entry: Entry) -> str:
        """How the book calls a single event that may be an occurrence of a series told in parts; '' if it is none."""
        return f"{ALONE}{entry.id}" if side == "outlook" and tag in self.book.beyond and not entry.is_series else ""

    def edit(self, side: str, which: int, act: Callable[[Side, Entry], None]) -> int | None:
        desk, entry = self.entry(side, which)
        if entry is None:
            return None
        tag, before = self._known(side, entry)
        with self._refusable():
            act(desk, entry)
            self.book.edited(tag, side, "", before, desk.show(entry.id), called=self._part(side, tag, entry))
            return tag
        return None

    def do(self, deed: str, side: str, which: int) -> None:
        """One of the deeds that other steps have in them."""
        deeds: dict[str, Callable[[], object]] = {
            "rename": lambda: self.rename(side, which),
            "move": lambda: self.move(side, which, minutes=30, days=0),
            "put": lambda: self.put(side, which, place=True, note=True),
            "delete": lambda: self.delete(side, which),
            "rename second": lambda: self.rename_occurrence(side, which, 1),
            "cancel second": lambda: self.cancel_occurrence(side, which, 1),
        }
        deeds[deed]()

    def move(self, side: str, which: int, *, minutes: int, days: int) -> None:
        """Another time; a series keeps its days."""
        self.edit(side, which, partial(_move, minutes=minutes, days=days))

    def rename(self, side: str, which: int) -> None:
        word = self._word("t")
        self.edit(side, which, lambda desk, entry: desk.rename(entry.id, f"{entry.title.split()[0]} {word}"))

    def edit_occurrence(
        self, side: str, which: int, nth: int, act: Callable[[Side, Entry, datetime, int], None]
    ) -> None:
        desk, entry = self.entry(side, which)
        starts = desk.starts(entry.id) if entry is not None else []
        if entry is None or not starts:
            return
        on, key = starts[nth % len(starts)]
        tag, before = self._known(side, entry)
        with self._refusable():
            act(desk, entry, on, tag)
            self.book.edited(tag, side, key, before, desk.show(entry.id))

    def put(self, side: str, which: int, *, place: bool, note: bool) -> None:
        changes = {"place": f"Room {self._word('r')}"} if place else {}
        changes |= {"note": f"Note {self._word('n')}"} if note else {}
        if changes:
            self.edit(side, which, lambda desk, entry: desk.put(entry.id, **changes))

    def rename_occurrence(self, side: str, which: int, nth: int) -> None:
        title = self._word("t")
        self.edit_occurrence(
            side, which, nth, lambda desk, entry, on, tag: desk.rename(entry.id, f"E{tag} {title}", on=on)
        )

    def cancel_occurrence(self, side: str, which: int, nth: int) -> None:
        desk, entry = self.entry(side, which)
        starts = desk.starts(entry.id) if entry is not None else []
        if entry is None or len(starts) < 3:
            return
        on, key = starts[nth % len(starts)]
        tag, before = self._known(side, entry)
        with self._refusable():
            desk.delete(entry.id, on=on)
            self.book.removed(tag, side, key, before)

    def delete_all_parts(self, which: int) -> None:
        """Every event in Outlook of a series that may stand there in parts."""
        tags = sorted(self.book.beyond)
        if not tags:
            return
        desk = self.stage.sides["outlook"]
        for entry in desk.entries(now=FIRST_DAY):
            if entry.title.split()[0] == f"E{tags[which % len(tags)]}":
                self._delete(desk, "outlook", entry)

    def delete(self, side: str, which: int) -> None:
        desk, entry = self.entry(side, which)
        if entry is not None:
            self._delete(desk, side, entry)

    def _delete(self, desk: Side, side: str, entry: Entry) -> None:
        tag, before = self._known(side, entry)
        if tag <= 2:
            return  # an empty calendar would be taken for a broken one
        with self._refusable():
            everything = desk.look()[tag]
            desk.delete(entry.id)
            key = self._part(side, tag, entry)
            left = [one for one in desk.entries(now=FIRST_DAY) if one.title.split()[0] == entry.title.split()[0]]
            if any(key or one.is_series for one in left):  # else: the series, beside which single ones may be left
                self.book.removed_part(tag, side, key, before)
            else:
                self.book.removed(tag, side, "", everything)


def _move(desk: Side, entry: Entry, *, minutes: int, days: int) -> None:
    by = timedelta(days=days or 1) if entry.all_day else timedelta(minutes=minutes, days=days)
    if entry.is_series:
        by = timedelta() if entry.all_day else timedelta(minutes=minutes)
    if by:
        desk.move(entry, by)
