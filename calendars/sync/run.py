"""Run: serve calendars in this process until nothing is due; for commands and tests. Workers use tasks instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q

from accounts.models import Health
from calendars import selectors
from calendars.models import HELD_BY_SWITCH, Calendar, CalendarQuerySet, Operation, OperationState
from calendars.sync.clock import Clock
from calendars.sync.pacing import let_go
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.engine.plan import FindingKind

SHORT_WAIT = timedelta(seconds=60)
"""A back-off up to this long is waited for; anything longer is left to the schedule and reported."""

LOOK_AGAIN = timedelta(seconds=0.25)

Progress = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done and how much there is."""


def _unseen(stage: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


@dataclass(slots=True)
class RunReport:
    """What a run did and what it leaves."""

    tally: Tally
    seconds: float = 0.0
    due: int = 0  # calendars and operations whose time has come or comes within SHORT_WAIT, and could not be served
    later: int = 0  # planned writes that wait longer
    troubled: list[Calendar] = field(default_factory=list)
    parked: list[Operation] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether nothing is left that could not be done."""
        return not (self.due or self.later or self.troubled)


def serve(
    *,
    calendars: CalendarQuerySet,
    clock: Clock,
    until_idle: bool,
    progress: Progress = _unseen,
    sleep: Callable[[float], None] = time.sleep,
) -> RunReport:
    """Read every active calendar of the scope at least once, then serve what becomes due."""
    started = time.monotonic()
    scope = calendars.active()
    ids = list(scope.order_by("pk").values_list("pk", flat=True))
    scope.ring(now=clock())
    scope.try_again()
    let_go(calendars=_widened(scope), now=clock())
    tally = Tally()
    _first_pass(ids, clock, tally, progress)
    if until_idle:
        _until_idle(_widened(scope), clock, tally, sleep, progress)
    return _report(_widened(scope), clock, tally, time.monotonic() - started)


def _first_pass(ids: Sequence[int], clock: Clock, tally: Tally, progress: Progress) -> None:
    for position, calendar_id in enumerate(ids, start=1):
        take_turn(calendar_id=calendar_id, clock=clock, tally=tally)
        progress("Reading calendars", position, len(ids))


def _widened(scope: CalendarQuerySet) -> CalendarQuerySet:
    """The scope, its owners' other calendars, and those of colleagues: these receive the copies."""
    people = scope.values("account__person_id")
    waiting = Operation.objects.open().filter(
        Q(link__event__owner__in=people) | Q(link__event__whole__owner__in=people)
    )
    return Calendar.objects.active().filter(Q(account__person_id__in=people) | Q(pk__in=waiting.values("calendar_id")))


def _until_idle(
    scope: CalendarQuerySet, clock: Clock, tally: Tally, sleep: Callable[[float], None], progress: Progress
) -> None:
    open_operations = Operation.objects.open().filter(calendar__in=scope)
    written, most = tally.writes.total(), open_operations.count()
    while True:
        now = clock()  # one moment for both questions, so that nothing comes due between them
        due = selectors.due_calendar_ids(scope, now=now)
        for calendar_id in due:
            take_turn(calendar_id=calendar_id, clock=clock, tally=tally)
            progress("Writing copies", min(tally.writes.total() - written, most), most)
        if due:
            continue
        wait = _next_wait(scope, now)
        if wait is None:
            return
        sleep(wait.total_seconds() + 0.01)


def _next_wait(scope: CalendarQuerySet, now: datetime) -> timedelta | None:
    """How long until there may be something to do; None when there is nothing, or only after a long time."""
    wanting = scope.filter(Q(wanted__gt=F("done")) | Q(pk__in=Operation.objects.open().values("calendar_id")))
    if wanting.filter(lease_until__gt=now).exists():
        return LOOK_AGAIN  # another worker is at it; should it be dead, its lease runs out
    paused = wanting.filter(not_before__gt=now).exclude(state=Health.ACTION_REQUIRED)
    waiting = Operation.objects.open().filter(calendar__in=scope, due_at__gt=now)
    times = [
        *paused.order_by("not_before").values_list("not_before", flat=True)[:1],
        *waiting.order_by("due_at").values_list("due_at", flat=True)[:1],
    ]
    soonest = min((moment for moment in times if moment is not None), default=None)
    if soonest is None or soonest - now > SHORT_WAIT:
        return None
    return min(soonest - now, timedelta(seconds=1))  # another worker may finish it earlier


def _report(scope: CalendarQuerySet, clock: Clock, tally: Tally, seconds: float) -> RunReport:
    now = clock()
    open_operations = Operation.objects.open().filter(calendar__in=scope)
    # What a brake or a switch makes wait is no failure: its case says so, and it stands among what is parked.
    meant = (FindingKind.STORM, HELD_BY_SWITCH)
    late = open_operations.filter(due_at__gt=now + SHORT_WAIT).exclude(error_code__in=meant).count()
    # Delayed without a failure and without a pause: read all the same, if later than it should be.
    unserved = Q(failures__gt=0) | Q(not_before__gt=now)
    troubled = scope.filter(Q(state=Health.ACTION_REQUIRED) | Q(unserved, state=Health.DELAYED))
    held = Q(state=OperationState.PARKED) | Q(state=OperationState.PLANNED, error_code=HELD_BY_SWITCH)
    parked = Operation.objects.filter(held, calendar__in=scope).select_related("calendar__account")
    return RunReport(
        tally=tally,
        seconds=round(seconds, 3),
        due=len(selectors.due_calendar_ids(scope, now=now))
        + open_operations.filter(due_at__lte=now + SHORT_WAIT).count(),
        later=late,
        troubled=list(troubled.select_related("account").order_by("pk")),
        parked=list(parked.order_by("pk")),
    )
