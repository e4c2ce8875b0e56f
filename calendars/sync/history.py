"""The history of events: one line for each thing decided about an event or done to it, without its content.

What lives here: the kinds of lines, their words, and gathering them for one bulk insert in the transaction that stores
the rest. What does not: deciding (``decide``, ``settle``), telling it to a person (``calendars.explain``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import models

from calendars.models import Calendar, Event, EventEntry, Link, Operation, OperationState
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.fingerprint import flatten, texts
from calsync.engine.plan import ConflictPolicy, EventPlan, FindingKind, Policy
from calsync.engine.plan import Finding as FoundByEngine
from calsync.providers.base import ProviderError

MOST_PATHS = 20  # named in one line; a reshaped series could change hundreds


class Kind(models.TextChoices):
    """What a line tells; the labels go on with "in" or "by" a calendar."""

    MADE = "made", "seen for the first time"
    LEFT_ALONE = "left_alone", "seen for the first time and left alone"
    ADOPTED = "adopted", "recognised as the same event"
    FOUND_AGAIN = "found_again", "our own copy recognised"
    CHANGED = "changed", "changed"
    DELETED = "deleted", "deleted"
    HIDDEN = "hidden", "not kept in this calendar any more"
    BOTH_EDITED = "both_edited", "changed on both sides"
    PUT_BACK = "put_back", "put back"
    NOT_HELD = "not_held", "cannot stand in this calendar"
    FOUND = "found", "put before a person"
    COPIED = "copied", "copy written"
    UPDATED = "updated", "copy brought up to date"
    COPY_DELETED = "copy_deleted", "copy deleted"
    WAITING = "waiting", "write refused, tried again later"
    PARKED = "parked", "write refused and parked"
    HELD = "held", "held by a brake"
    RELEASED = "released", "released"
    WITHHELD = "withheld", "not let through by a rule"
    LEFT = "left", "left as it is, not kept in step any more"
    LET_THROUGH = "let_through", "kept in step again"
    RULED = "ruled", "shown otherwise by a rule"
    TAKEN_OUT = "taken_out", "copy taken out by an operator"


def told(entry: EventEntry) -> str:
    """What a line tells, in words."""
    return str(Kind(entry.kind).label) if entry.kind in Kind.values else entry.kind


BEGINNINGS = (Kind.MADE, Kind.LEFT_ALONE, Kind.ADOPTED)
"""Kept as long as the event itself; everything else is dropped after a while."""

_OF_FINDINGS = {
    FindingKind.BOTH_EDITED: Kind.BOTH_EDITED,
    FindingKind.COPY_EDITED: Kind.PUT_BACK,
    FindingKind.COPY_DELETED: Kind.PUT_BACK,
    FindingKind.CANNOT_REPRESENT: Kind.NOT_HELD,
}
_OF_WRITES = {"create": Kind.COPIED, "update": Kind.UPDATED, "delete": Kind.COPY_DELETED}
_POLICIES = {
    ConflictPolicy.NEWEST: "the newer edit wins",
    ConflictPolicy.ORIGIN: "the calendar where the event was made wins",
    ConflictPolicy.OUTLOOK: "Outlook wins",
    ConflictPolicy.GOOGLE: "Google wins",
    ConflictPolicy.ASK: "a person decides",
}


@dataclass(slots=True)
class History:
    """The lines of one page or batch. Notes take rows that may be unsaved until ``save``."""

    calendar: Calendar
    at: datetime
    policy: Policy = field(default_factory=Policy)
    entries: list[EventEntry] = field(default_factory=list)
    _before: dict[int, HubEvent] = field(default_factory=dict)

    def note(
        self,
        event: Event,
        kind: Kind,
        *,
        text: str = "",
        paths: Iterable[str] = (),
        calendar_id: int | None = None,
    ) -> None:
        """One line, about this calendar unless another is named."""
        listed = sorted(paths)
        left_out = f"{len(listed) - MOST_PATHS} more fields are not named." if len(listed) > MOST_PATHS else ""
        self.entries.append(
            EventEntry(
                event=event,
                calendar_id=calendar_id or self.calendar.pk,
                at=self.at,
                kind=kind,
                paths=listed[:MOST_PATHS],
                text=" ".join(filter(None, (text, left_out)))[:500],
            )
        )

    def made(self, event: Event, *, changed_at: datetime | None, left_alone: bool) -> None:
        """An event that the hub did not know."""
        text = "It stood there before sync was switched on from that moment. " if left_alone else ""
        self.note(event, Kind.LEFT_ALONE if left_alone else Kind.MADE, text=text + _stamped(changed_at))

    def adopted(self, event: Event, *, changed_at: datetime | None) -> None:
        """An event of this calendar that the hub knows from another one."""
        self.note(event, Kind.ADOPTED, text=_stamped(changed_at))

    def change(self, event: Event, plan: EventPlan, *, changed_at: datetime | None) -> None:
        """What a plan does to the hub's event; to be called before the row is filled anew."""
        if plan.event is None:
            self.note(event, Kind.DELETED, text=_stamped(changed_at))
        if not (plan.findings or (plan.changed and plan.event is not None)):
            return
        before = self._before[event.pk] = serial.load(event.content)
        if plan.changed and plan.event is not None:
            paths = _differing(before, plan.event)
            text = "" if paths else "Only who organises it or who is invited. "
            self.note(event, Kind.CHANGED, paths=paths, text=text + _stamped(changed_at))

    def found(self, event: Event, found: FoundByEngine) -> None:
        """What was put before a person."""
        kind = _OF_FINDINGS.get(found.kind, Kind.FOUND)
        text = found.text
        if found.kind is FindingKind.BOTH_EDITED and event.pk in self._before:
            text += f" {self._who_won(self._before[event.pk], found.values)}"
        self.note(event, kind, text=text, paths=found.paths, calendar_id=found.calendar_id)

    def written(self, operation: Operation) -> None:
        """A write that came through, and how long it took on its way."""
        paths = operation.paths if operation.kind == "update" else ()
        kind = Kind.HIDDEN if operation.reason else _OF_WRITES[operation.kind]
        self.note(operation.link.event, kind, text=operation.reason or _pace(operation), paths=paths)

    def refused(self, operation: Operation, error: ProviderError, *, reason_before: str) -> None:
        """A write that did not come through; the same refusal is told once, however often it is tried again."""
        parked = operation.state == OperationState.PARKED
        if not parked and operation.reason == reason_before:
            return
        code = f", {error.code}" if error.code else ""
        text = f"{operation.kind}: {error} ({type(error).__name__}{code})"
        ending = error.remedy if parked else f"Next attempt {_moment(operation.due_at)}."
        self.note(operation.link.event, Kind.PARKED if parked else Kind.WAITING, text=f"{text} {ending}")

    def held(self, links: Iterable[Link], *, text: str) -> None:
        """Links whose deletion waits for a person."""
        for link in links:
            self.note(link.event, Kind.HELD, text=text)

    def save(self) -> None:
        """Insert all lines at once."""
        parked = {(entry.event_id, entry.calendar_id) for entry in self.entries if entry.kind == Kind.PARKED}
        told_twice = [e for e in self.entries if e.kind == Kind.NOT_HELD and (e.event_id, e.calendar_id) in parked]
        EventEntry.objects.bulk_create(entry for entry in self.entries if entry not in told_twice)
        self.entries.clear()

    def _who_won(self, before: HubEvent, lost: Mapping[str, object]) -> str:
        ours = flatten(before)
        taken = all(ours.get(path) == value for path, value in lost.items())
        kept = not any(ours.get(path) == value for path, value in lost.items())
        rule = _POLICIES[self.policy.conflict]
        if taken or kept:
            whose = "The version of this calendar" if taken else "The version of the other side"
            return f"{whose} was taken; the rule is: {rule}."
        return f"Some fields were taken from this calendar, some from the other side; the rule is: {rule}."


def _differing(before: HubEvent, after: HubEvent) -> set[str]:
    was, now = texts(before), texts(after)
    return {path for path in {*was, *now} if was.get(path) != now.get(path)}


def _stamped(changed_at: datetime | None) -> str:
    return f"The provider's stamp: {_moment(changed_at)}." if changed_at else ""


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _pace(operation: Operation) -> str:
    """From the change to the copy, in seconds; an old event that is copied for the first time has no such tale."""
    written, changed, planned = operation.written_at, operation.changed_at, operation.planned_at
    if written is None:
        return ""
    noticed = f", noticed {_seconds(planned - operation.noticed_at)} before that" if operation.noticed_at else ""
    tale = f"{_seconds(written - planned)} after it was planned{noticed}"
    if changed is not None and timedelta() <= written - changed < timedelta(hours=1):
        tale = f"{_seconds(written - changed)} after the change; {tale}"
    attempts = f", at attempt {operation.attempts}" if operation.attempts > 1 else ""
    return f"{tale}{attempts}."


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.1f} s"
