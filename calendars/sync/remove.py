"""Remove: take our own copies out of one calendar, each proven to be ours right before it is deleted.

What lives here: proof, deletion under the calendar's lease, and recording it. What does not: which calendars, and
switching them off (``calendars.removal``). An event that we did not create, or that has become a meeting, stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from calendars import gateway, rows
from calendars.models import Calendar, Finding, Link, LinkState, Operation, OperationState
from calendars.sync import lease as leases
from calendars.sync.clock import Clock
from calendars.sync.history import History, Kind
from calendars.sync.lease import Lease, LeaseLost
from calendars.sync.locks import lock_person
from calendars.sync.saving import update_rows
from calsync.engine.plan import FindingKind
from calsync.engine.policy import Role
from calsync.providers.base import (
    AccessDenied,
    AuthenticationFailed,
    CalendarProvider,
    Item,
    MailboxUnavailable,
    NotFound,
    ProviderError,
    QuotaPaused,
    Transient,
    VersionMismatch,
    Window,
    Write,
    WriteKind,
)

logger = logging.getLogger(__name__)

PORTION = 20  # copies that are proven, deleted and recorded together
ROUNDS = 4  # how often a copy is looked at again after trouble that passes
LONGEST_WAIT = 30.0  # seconds between two rounds, whatever the provider asks for
LOOK_AGAIN = 0.25  # seconds, while another worker finishes its step
ENDS_CALENDAR = (AuthenticationFailed, AccessDenied, MailboxUnavailable, QuotaPaused)

NOT_OURS = "CalSync did not create it: it stood there already."
A_MEETING = "People are invited to it: deleting it would cancel their meeting."

Sleep = Callable[[float], None]


@dataclass(slots=True)
class Removed:
    """What happened to the copies of one calendar. ``kept`` are not ours to delete; ``left`` could not be deleted."""

    calendar: Calendar
    removed: list[Link] = field(default_factory=list)
    gone: list[Link] = field(default_factory=list)  # somebody had deleted them already
    kept: list[tuple[Link, str]] = field(default_factory=list)
    left: list[tuple[Link | None, str]] = field(default_factory=list)  # None: the calendar as a whole

    @property
    def done(self) -> int:
        """How many copies were dealt with."""
        return len(self.removed) + len(self.gone) + len(self.kept) + len(self.left)


def copies_in(calendar: Calendar) -> QuerySet[Link]:
    """The links that may be copies of ours: wherever we or a person made them, never an origin nor a native."""
    standing = Link.objects.filter(calendar=calendar, role__in=[Role.TWIN, Role.COPY]).exclude(remote_id="")
    standing = standing.exclude(state=LinkState.GONE, withheld="")  # what a rule has left there is ours, too
    return standing.select_related("event").defer("event__content").order_by("pk")


def preview_removal(calendar: Calendar, *, progress: Callable[[int], object]) -> Removed:
    """Prove every copy of a calendar without deleting any: ``removed`` holds those that would be."""
    report = Removed(calendar)
    try:
        provider = _reached(calendar)
        for link in copies_in(calendar).iterator():
            if _is_ours(report, link, provider.read(rows.mailbox_of(calendar), link.remote_id)):
                report.removed.append(link)
            progress(report.done)
    except ProviderError as error:
        report.left.append((None, _told(error)))
    return report


def remove_from(calendar: Calendar, *, clock: Clock, sleep: Sleep, progress: Callable[[int], object]) -> Removed:
    """Take our copies out of a calendar that is switched off. Safe to repeat; trouble is reported, never raised."""
    report = Removed(calendar)
    lease = _take_lease(calendar.pk, clock, sleep)
    if lease is None:
        report.left.append((None, "Another worker is at this calendar. Repeat the command in a minute."))
        return report
    try:
        _Work(lease, report, clock, sleep).run(progress)
    except LeaseLost:
        report.left.append((None, "Another worker took this calendar over. Repeat the command."))
    finally:
        leases.release(lease)
    return report


def _take_lease(calendar_id: int, clock: Clock, sleep: Sleep) -> Lease | None:
    """The calendar's lease: a worker ends after its step, because the calendar is off; a dead one's lease runs out."""
    until = clock() + timedelta(seconds=2 * settings.CALSYNC_LEASE_SECONDS)
    while (lease := leases.take(calendar_id=calendar_id, now=clock())) is None:
        if clock() >= until:
            return None
        sleep(LOOK_AGAIN)
    return lease


def _reached(calendar: Calendar) -> CalendarProvider:
    """The provider of a calendar that is really there: else every copy in it would seem to be gone."""
    provider = gateway.provider_for(calendar.account)
    told = provider.calendars(calendar.account.address)
    if not any(info.calendar_id == calendar.remote_id or (calendar.is_primary and info.is_primary) for info in told):
        raise MailboxUnavailable("The calendar is not in its mailbox any more.")
    return provider


def _is_ours(report: Removed, link: Link, item: Item) -> bool:
    """Whether what stands at the provider now is ours to delete; the report takes every other."""
    if item.event is None and not item.problem:
        report.gone.append(link)
    elif item.event is None:
        report.left.append((link, f"It cannot be understood, so nothing proves that it is ours: {item.problem}"))
    elif item.event.guests or not item.event.organizes:
        report.kept.append((link, A_MEETING))
    elif item.key not in link.used_keys():
        report.kept.append((link, NOT_OURS))
    else:
        return True
    return False


class _Work:
    """The removal in one calendar, under its lease."""

    def __init__(self, lease: Lease, report: Removed, clock: Clock, sleep: Sleep) -> None:
        self.lease, self.report, self.clock, self.sleep = lease, report, clock, sleep
        self.calendar = report.calendar
        self.mailbox = rows.mailbox_of(report.calendar)
        self.pause = 0.0

    def run(self, progress: Callable[[int], object]) -> None:
        """All portions; trouble with the mailbox as a whole ends it."""
        try:
            provider = _reached(self.calendar)
            self._find_unrecorded(provider)
            for portion in _portions(list(copies_in(self.calendar))):
                self._take_out(provider, portion)
                progress(self.report.done)
        except ProviderError as error:
            self.report.left.append((None, _told(error)))
        # A later activation begins with a complete read, and makes again what is missing.
        afresh = {"cursor": "", "imported_at": None, "window_start": None, "window_end": None}
        leases.hold(self.lease, now=self.clock(), **afresh)

    def _find_unrecorded(self, provider: CalendarProvider) -> None:
        """Creates without a known answer may have come through: their copies are found by the key that they carry."""
        tried = Operation.objects.filter(calendar=self.calendar, kind="create", attempts__gt=0)
        lacking = Link.objects.filter(calendar=self.calendar, remote_id="", pk__in=tried.values("link_id"))
        by_key = {key: link for link in lacking for key in link.used_keys()}
        if not by_key:
            return
        known = set(Link.objects.filter(calendar=self.calendar).values_list("remote_id", flat=True))
        for page in provider.changes(self.mailbox, cursor="", window=_window(self.clock()), known=lambda _: {}):
            leases.hold(self.lease, now=self.clock())
            found = [(by_key[item.key], item.remote_id) for item in page.items if item.key in by_key]
            for link, remote_id in found:
                if remote_id not in known:
                    Link.objects.filter(pk=link.pk).update(remote_id=remote_id, state=LinkState.ACTIVE)

    def _take_out(self, provider: CalendarProvider, links: Sequence[Link]) -> None:
        """Prove, delete and record one portion; what changed or failed for the moment is looked at again."""
        waiting: Sequence[Link] = links
        reasons: dict[int, str] = {}
        for _ in range(ROUNDS):
            doomed, reasons = self._prove(provider, waiting)
            reasons |= self._delete(provider, doomed)
            waiting = [link for link in waiting if link.pk in reasons]
            if not waiting:
                return
            self.sleep(self.pause)
        self.report.left += [(link, reasons[link.pk]) for link in waiting]

    def _prove(
        self, provider: CalendarProvider, links: Sequence[Link]
    ) -> tuple[list[tuple[Link, str]], dict[int, str]]:
        """Those that are ours with their versions, and why others could not be read for the moment."""
        doomed: list[tuple[Link, str]] = []
        reasons: dict[int, str] = {}
        gone_before = len(self.report.gone)
        for link in links:
            leases.hold(self.lease, now=self.clock())
            try:
                item = provider.read(self.mailbox, link.remote_id)
            except ProviderError as error:
                self._note(link, error, reasons)
                continue
            if _is_ours(self.report, link, item):
                doomed.append((link, item.version))
        self._record(self.report.gone[gone_before:], text="It had been deleted already.")
        return doomed, reasons

    def _delete(self, provider: CalendarProvider, doomed: Sequence[tuple[Link, str]]) -> dict[int, str]:
        """Delete what was proven, guarded by the version that was read; the reasons of what did not succeed."""
        if not doomed:
            return {}
        writes = [Write(WriteKind.DELETE, remote_id=link.remote_id, version=version) for link, version in doomed]
        outcomes = provider.apply(self.mailbox, writes)
        answered = list(zip([link for link, _ in doomed], outcomes, strict=True))
        deleted = [link for link, outcome in answered if not isinstance(outcome, ProviderError)]
        self._record(deleted, text="")
        self.report.removed += deleted
        reasons: dict[int, str] = {}
        for link, outcome in answered:
            if isinstance(outcome, ProviderError):
                self._note(link, outcome, reasons)
        return reasons

    def _note(self, link: Link, error: ProviderError, reasons: dict[int, str]) -> None:
        """Look again after trouble that passes; leave the copy after any other; raise what concerns the mailbox."""
        if isinstance(error, ENDS_CALENDAR):
            raise error
        logger.info(
            "removal.refused link=%s calendar=%s error=%s status=%s code=%s",
            link.pk, self.calendar.pk, type(error).__name__, error.status, error.code,
        )  # fmt: skip
        if isinstance(error, Transient | VersionMismatch | NotFound):
            reasons[link.pk] = f"{error} Repeat the command."
            asked = error.retry_after or (1.0 if isinstance(error, Transient) else 0.0)
            self.pause = min(max(self.pause, asked), LONGEST_WAIT)
        else:
            self.report.left.append((link, _told(error)))

    def _record(self, links: Sequence[Link], *, text: str) -> None:
        """The links are gone, what was planned for them is void, and their events' history tells it."""
        if not links:
            return
        now = self.clock()
        history = History(self.calendar, now)
        for link in links:
            link.take_out()
            history.note(link.event, Kind.TAKEN_OUT, text=text)
        places = self._places_of_parts(links)
        planned = Operation.objects.open().filter(link__in=[link.pk for link in links])
        reason = "the copies of this calendar were taken out"
        with transaction.atomic():
            leases.hold(self.lease, now=now)
            lock_person(self.calendar.account.person_id)
            update_rows([*links, *places], ["state", "key", "generation"])
            planned.update(state=OperationState.DROPPED, closed_at=now, reason=reason)
            # A copy that is made anew one day is tried anew.
            refused = Finding.objects.filter(kind=FindingKind.CANNOT_REPRESENT, link__in=links)
            refused.filter(settled_at__isnull=True).update(settled_at=now)
            history.save()

    def _places_of_parts(self, links: Sequence[Link]) -> list[Link]:
        """Of series that stand here in parts only: their own empty links, taken out with the parts."""
        wholes = {link.event.whole_id for link in links if link.event.whole_id}
        empty = Link.objects.filter(calendar=self.calendar, event__in=wholes, remote_id="")
        places = list(empty.exclude(state=LinkState.GONE)) if wholes else []
        for link in places:
            link.take_out()
        return places


def _portions(links: Sequence[Link]) -> Iterator[Sequence[Link]]:
    for start in range(0, len(links), PORTION):
        yield links[start : start + PORTION]


def _window(now: datetime) -> Window:
    back, ahead = settings.CALSYNC_WINDOW_BACK_DAYS, settings.CALSYNC_WINDOW_AHEAD_DAYS
    return Window(now - timedelta(days=back), now + timedelta(days=ahead))


def _told(error: ProviderError) -> str:
    """An error's sentence and what helps; nothing here is tried again by itself."""
    return f"{error} {'Repeat the command.' if isinstance(error, Transient) else error.remedy}"
