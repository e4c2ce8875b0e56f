"""Pull (stage 2): read a calendar's changes since its cursor, outside any transaction, and have each page decided.

What lives here: one round of reading, proven deletions and their brake. What does not: what an item means (``decide``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Case, F, QuerySet, Value, When

from calendars import rows, selectors, standing
from calendars.models import Calendar, Event, Finding, Link, LinkState, Watch, Withheld
from calendars.sync import lease as leases
from calendars.sync.clock import Clock
from calendars.sync.complete import complete_links
from calendars.sync.decide import decide, decide_deletions
from calendars.sync.held import hold_back
from calendars.sync.lease import Lease, LeaseLost
from calendars.sync.parts import roll_parts
from calendars.sync.stamps import Stamps
from calendars.sync.store import NATIVE_GRACE
from calendars.sync.tally import Tally
from calendars.sync.trouble import log_defect
from calsync.engine import serial
from calsync.engine.brakes import empty_side, mass_delete
from calsync.engine.plan import FindingKind
from calsync.engine.recurrence import expand
from calsync.providers.base import CalendarProvider, Item, Known, Window

logger = logging.getLogger(__name__)

CLOCKS_APART = timedelta(seconds=30)
"""Between the machine that hears news and the one that reads."""


@dataclass(slots=True)
class Round:
    """One reading of one calendar, from its cursor to the end."""

    lease: Lease
    calendar: Calendar
    provider: CalendarProvider
    clock: Clock
    tally: Tally
    window: Window
    wanted: int
    noticed_at: datetime | None
    begun_at: datetime
    since: str = ""  # the cursor that the round goes on from; none in a complete read
    seen: set[str] = field(default_factory=set)
    tombstones: list[str] = field(default_factory=list)
    sound: set[str] = field(default_factory=set)  # events that were understood
    found: int = 0
    cursor: str = ""
    complete: bool = False

    def known(self, remote_ids: Sequence[str]) -> dict[str, Known]:
        """What we hold about these ids; the adapter asks for every id that it meets."""
        self.seen.update(remote_ids)
        return selectors.known_items(self.calendar.pk, remote_ids)

    def stamps(self) -> Stamps:
        """The stage times of what is decided now."""
        now = self.clock()
        return Stamps(noticed_at=self.noticed_at, pulled_at=now, planned_at=now)


def pull_changes(
    *, lease: Lease, calendar: Calendar, provider: CalendarProvider, clock: Clock, tally: Tally, anew: bool = False
) -> None:
    """Read and decide everything since the cursor, or ``anew`` everything in today's window; then move cursor and bell
    together.

    Raises any ProviderError (the cursor then stays where it was and goes on being used; pages already decided are met
    again as known) and LeaseLost.
    """
    now = clock()
    since = "" if anew or not (calendar.window_start and calendar.window_end) else calendar.cursor
    reading = Round(
        lease=lease,
        calendar=calendar,
        provider=provider,
        clock=clock,
        tally=tally,
        window=_window(calendar, now, since),
        wanted=calendar.wanted,
        noticed_at=calendar.dirty_at,
        begun_at=now,
        since=since,
    )
    _read(reading)
    if reading.complete:
        reading.tombstones += _absent(reading)
    if reading.tombstones:
        _delete(reading)
    _finish(reading)


def _read(reading: Round) -> None:
    calendar = reading.calendar
    pages = reading.provider.changes(
        rows.mailbox_of(calendar), cursor=reading.since, window=reading.window, known=reading.known
    )
    for page in pages:
        living = [item for item in page.items if item.event is not None or item.problem]
        reading.seen.update(item.remote_id for item in page.items)
        reading.tombstones += [item.remote_id for item in page.items if item.event is None and not item.problem]
        reading.sound.update(item.remote_id for item in living if not item.problem)
        reading.found += len(living)
        if living:
            _decide(reading, living)
        reading.cursor = page.cursor or reading.cursor
        reading.complete = reading.complete or page.complete


def _decide(reading: Round, living: Sequence[Item]) -> None:
    """Have a page decided; if an item of it breaks the decision, only that one is put aside."""
    try:
        _decide_all(reading, living)
    except (LeaseLost, DatabaseError):
        raise
    except Exception as error:
        log_defect(logger, "page.undecided", error, calendar=reading.calendar.pk, items=len(living))
        for item in living:
            _decide_alone(reading, item)


def _decide_alone(reading: Round, item: Item) -> None:
    try:
        _decide_all(reading, [item])
    except (LeaseLost, DatabaseError):
        raise
    except Exception as error:
        log_defect(logger, "item.undecided", error, calendar=reading.calendar.pk)
        reading.sound.discard(item.remote_id)
        _decide_all(reading, [replace(item, event=None, problem="CalSync itself failed on it; the log has the place.")])


def _decide_all(reading: Round, living: Sequence[Item]) -> None:
    decide(
        lease=reading.lease,
        calendar=reading.calendar,
        items=living,
        stamps=reading.stamps(),
        tally=reading.tally,
    )


def _absent(reading: Round) -> list[str]:
    """Known events inside the window that a complete read did not show, each checked by reading it."""
    standing = _standing(reading.calendar).filter(
        event__deleted_at__isnull=True, event__starts_at__lt=reading.window.end
    )
    missing = [
        link.remote_id
        for link in standing.select_related("event").iterator()
        if link.remote_id not in reading.seen and reaches_into(reading.window, link.event)
    ]
    if _brake(reading, missing):
        return []
    gone: list[Item] = []
    alive: list[Item] = []
    for remote_id in missing:
        leases.hold(reading.lease, now=reading.clock())
        item = reading.provider.read(rows.mailbox_of(reading.calendar), remote_id)
        (gone if item.event is None and not item.problem else alive).append(item)
    if alive:
        _decide(reading, alive)
    return [item.remote_id for item in gone]


def reaches_into(window: Window, event: Event) -> bool:
    """Whether an event that began before the window's end has any part of itself inside the window."""
    if not event.is_series:
        return event.ends_at > window.start
    hub = serial.load(event.content)
    if hub.recurrence is None:
        return True
    longest = event.ends_at - event.starts_at
    return any(expand(hub.content.when, hub.recurrence, after=window.start - longest, before=window.end, limit=1))


def _delete(reading: Round) -> None:
    links = list(
        _standing(reading.calendar).filter(remote_id__in=reading.tombstones).select_related("event").order_by("pk")
    )
    _forget_left(reading)
    ours = [link.remote_id for link in links if link.event.deleted_at is None]
    if _brake(reading, ours):
        links = [link for link in links if link.event.deleted_at is not None]
    decide_deletions(
        lease=reading.lease,
        calendar=reading.calendar,
        links=links,
        stamps=reading.stamps(),
        tally=reading.tally,
    )


def _forget_left(reading: Round) -> None:
    """A copy that a rule had left as it is, and that its person has deleted: there is nothing to go on with."""
    left = Link.objects.filter(calendar=reading.calendar, withheld=Withheld.KEPT, remote_id__in=reading.tombstones)
    left.update(withheld="", generation=F("generation") + 1)


def _brake(reading: Round, deleted: Sequence[str]) -> bool:
    """Park a suspicious number of deletions for a person instead of carrying them out."""
    total = _standing(reading.calendar).filter(event__deleted_at__isnull=True).count() if deleted else 0
    empty = reading.complete and empty_side(reading.found + len(reading.seen), total)
    if not deleted or not (empty or mass_delete(len(deleted), total)):
        return False
    kind = FindingKind.EMPTY_SIDE if empty else FindingKind.MASS_DELETE
    hold_back(
        lease=reading.lease,
        calendar=reading.calendar,
        remote_ids=deleted,
        total=total,
        kind=kind,
        stamps=reading.stamps(),
        tally=reading.tally,
    )
    return True


def _standing(calendar: Calendar) -> QuerySet[Link]:
    return Link.objects.filter(calendar=calendar, state=LinkState.ACTIVE).exclude(remote_id="")


def _finish(reading: Round) -> None:
    calendar, now = reading.calendar, reading.clock()
    first = calendar.imported_at is None
    _expect_news(reading)
    verdict = standing.after_reading(calendar, now=now)
    calendar.enter(verdict.state, now=now, reason=verdict.reason, remedy=verdict.remedy)
    with transaction.atomic():
        leases.hold(
            reading.lease,
            now=now,
            cursor=reading.cursor,
            done=reading.wanted,
            dirty_at=Case(When(wanted__gt=reading.wanted, then=Value(now)), default=None),
            next_poll_at=now + selectors.poll_interval(calendar, now=now),
            imported_at=calendar.imported_at or now,
            window_start=reading.window.start,
            window_end=reading.window.end,
            last_success_at=now,
            failures=0,
            not_before=None,
            **calendar.state_values(),
            generation=calendar.generation + reading.complete,
            reread_at=_still_wanted(reading),
        )
        _settle_mended(reading, now)
    calendar.imported_at = calendar.imported_at or now
    if reading.complete:  # at first for the series of colleagues that this calendar waits for
        reading.tally.rung |= roll_parts(calendar, stamps=reading.stamps(), grace=NATIVE_GRACE)
    if first or reading.tally.reopened:
        reading.tally.reopened = 0
        for side in [calendar, *selectors.partners_of(calendar)]:
            complete_links(calendar=side, now=now, tally=reading.tally)


def _expect_news(reading: Round) -> None:
    """What was found should have been announced since the read before this one."""
    before = reading.calendar.last_success_at
    if reading.since and before is not None and (reading.found or reading.tombstones):
        Watch.objects.filter(calendar=reading.calendar).expect_news(since=before - CLOCKS_APART, now=reading.clock())


def _settle_mended(reading: Round, now: datetime) -> None:
    """Findings of events that could not be understood are settled when these are, or are gone."""
    if not (reading.sound or reading.tombstones or reading.complete):
        return
    waiting = Finding.objects.filter(calendar=reading.calendar, kind=FindingKind.MALFORMED, settled_at__isnull=True)
    mended = {*reading.sound, *reading.tombstones}
    settled = [
        pk
        for pk, remote_id in waiting.order_by("pk").values_list("pk", "remote_id")
        if remote_id in mended or (reading.complete and remote_id not in reading.seen)
    ]
    if settled:
        Finding.objects.filter(pk__in=settled).update(settled_at=now)


def _still_wanted(reading: Round) -> Case | F:
    """A wish for a complete read that came while this one was under way stands."""
    if not reading.complete:
        return F("reread_at")
    return Case(When(reread_at__gt=reading.begun_at, then=F("reread_at")), default=None)


def _window(calendar: Calendar, now: datetime, since: str) -> Window:
    """The window of the cursor that the round goes on from, or one around today."""
    if since and calendar.window_start and calendar.window_end:
        return Window(calendar.window_start, calendar.window_end)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(
        day - timedelta(days=settings.CALSYNC_WINDOW_BACK_DAYS),
        day + timedelta(days=settings.CALSYNC_WINDOW_AHEAD_DAYS),
    )
