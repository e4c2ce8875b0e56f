"""Removal: take out every copy that CalSync wrote in some calendars, and nothing else.

What lives here: the scope, switching it off first, and the whole report. What does not: one calendar
(``calendars.sync.remove``), asking the operator (the command).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from accounts.trail import record
from calendars import services
from calendars.models import Calendar, CalendarQuerySet
from calendars.sync.clock import Clock
from calendars.sync.remove import Removed, Sleep, copies_in, preview_removal, remove_from
from calendars.sync.watch import stop_watches

REASON = "Switched off to take its copies out."

Progress = Callable[[str, int, int], object]
"""Called with a stage, how much of it is done and how much there is."""


@dataclass(slots=True)
class RemovalReport:
    """What happened, calendar by calendar."""

    calendars: list[Removed] = field(default_factory=list)

    @property
    def removed(self) -> int:
        """Copies that were deleted (or would be)."""
        return sum(len(one.removed) for one in self.calendars)

    @property
    def gone(self) -> int:
        """Copies that somebody else had deleted already."""
        return sum(len(one.gone) for one in self.calendars)

    @property
    def kept(self) -> int:
        """Events that only look like copies: adopted ones, and meetings."""
        return sum(len(one.kept) for one in self.calendars)

    @property
    def left(self) -> int:
        """Copies, and whole calendars, that could not be dealt with."""
        return sum(len(one.left) for one in self.calendars)


def count_copies(calendars: CalendarQuerySet) -> int:
    """How many events are to be looked at; which of them are ours is proven one by one."""
    return sum(copies_in(calendar).count() for calendar in calendars)


def preview(*, calendars: CalendarQuerySet, progress: Progress) -> RemovalReport:
    """Prove every copy and delete none."""
    return _each(calendars, "Looking at copies", progress, preview_removal)


def remove_copies(
    *, calendars: CalendarQuerySet, clock: Clock, progress: Progress, sleep: Sleep = time.sleep
) -> RemovalReport:
    """Switch the calendars off and take our copies out of them. Safe to repeat; it goes on over errors."""
    services.deactivate(calendars=calendars, now=clock(), reason=REASON)
    for calendar in _in_order(calendars):
        stop_watches(calendar, clock=clock)
    report = _each(calendars, "Taking copies out", progress, partial(remove_from, clock=clock, sleep=sleep))
    for one in report.calendars:
        record("copies.removed", target=one.calendar, now=clock(), removed=len(one.removed), left=len(one.left))
    return report


def _each(calendars: CalendarQuerySet, stage: str, progress: Progress, do: Callable[..., Removed]) -> RemovalReport:
    total, report = count_copies(calendars), RemovalReport()
    for calendar in _in_order(calendars):
        before = sum(one.done for one in report.calendars)
        report.calendars.append(do(calendar, progress=partial(_advance, progress, stage, total, before)))
    return report


def _advance(progress: Progress, stage: str, total: int, before: int, done: int) -> None:
    progress(stage, before + done, total)


def _in_order(calendars: CalendarQuerySet) -> list[Calendar]:
    return list(calendars.select_related("account__person").order_by("account__address", "pk"))
