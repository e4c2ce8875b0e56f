"""Bringing the occurrences of a series into the wanted form: patched, deleted, or restored.

What lives here: comparing what is there with what is wanted, and the loop that reads back after each step. Graph
has no call that restores an occurrence: only a change of the series' span or rule does, and that forgets all the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from calsync.engine.differing import with_edits_of
from calsync.engine.events import AllDay, Event, Field, OccurrenceKey, Timed, When
from calsync.engine.recurrence import apply_override, generates
from calsync.providers.base import Item, NotFound, ProviderError, Rejected, Transient, VersionMismatch
from calsync.providers.graph.batch import Outcome, read_all, send_all
from calsync.providers.graph.client import Json, Request, segment
from calsync.providers.graph.instances import ids_by_key, list_instances, spans_around
from calsync.providers.graph.mapping import version_of
from calsync.providers.graph.payload import occurrence_changes, recurrence_on_wire
from calsync.providers.graph.reading import EventReader
from calsync.providers.graph.times import on_wire

STEPS = 5


@dataclass(frozen=True, slots=True)
class Todo:
    """What is missing: occurrences to delete, to patch (with the body to send), and to bring back."""

    delete: frozenset[OccurrenceKey]
    patch: dict[OccurrenceKey, Json]
    restore: frozenset[OccurrenceKey]

    @property
    def in_order(self) -> list[OccurrenceKey]:
        """The occurrences to be written; deletions first, since they make room for moved neighbours."""
        return [*sorted(self.delete), *sorted(self.patch)]

    def without(self, sent: dict[OccurrenceKey, Json]) -> Todo:
        """Less what was sent before: what a server makes of it afterwards is its own affair, no reason to repeat."""
        return replace(self, patch={key: body for key, body in self.patch.items() if sent.get(key) != body})

    def __bool__(self) -> bool:
        return bool(self.delete or self.patch or self.restore)


def occurrences_todo(wanted: Event, actual: Event) -> Todo:
    """How the occurrences of ``actual`` differ from those of ``wanted``; keys that its rule does not yield are left."""
    gone = _real(wanted, wanted.cancelled - actual.cancelled)
    restore = _real(wanted, actual.cancelled - wanted.cancelled)
    touched = (wanted.exceptions.keys() | actual.exceptions.keys()) - wanted.cancelled - actual.cancelled
    patches = {key: _patch(key, wanted, actual) for key in sorted(_real(wanted, touched))}
    return Todo(delete=gone, patch={key: body for key, body in patches.items() if body}, restore=restore)


def _real(series: Event, keys: set[OccurrenceKey] | frozenset[OccurrenceKey]) -> frozenset[OccurrenceKey]:
    if series.recurrence is None:
        return frozenset()
    when, rule = series.content.when, series.recurrence
    return frozenset(key for key in keys if generates(when, rule, key))


def _patch(key: OccurrenceKey, wanted: Event, actual: Event) -> Json:
    """What to send for one occurrence. A field that it inherits on both sides is the master's affair."""
    own, there = wanted.exceptions.get(key, {}), actual.exceptions.get(key, {})
    body = occurrence_changes(
        apply_override(wanted.content, key, own),
        apply_override(actual.content, key, there),
        only=own.keys() | there.keys(),
    )
    if Field.BODY in wanted.pinned | actual.pinned:
        body.pop("body", None)
    return body


class Converger:
    """Works on one series until it is as wanted."""

    def __init__(self, reader: EventReader, series_id: str, wanted: Event, *, before: Event | None = None) -> None:
        """With ``before``, which the write began from, what others change meanwhile is left as they want it."""
        self._reader = reader
        self._series_id = series_id
        self._wanted = wanted
        self._before = before
        self._sent: dict[OccurrenceKey, Json] = {}
        self._rebuilt = 0

    def run(self, actual: Event, *, guard: str = "") -> Item:
        """From ``actual`` to the wanted occurrences; the item as read back afterwards.

        ``guard`` is the version that ``actual`` was seen at, checked before the first write when no write has been
        guarded yet. Raises VersionMismatch, Rejected when Graph will not take a form, or whatever stands in the way.
        """
        for _ in range(STEPS):
            self._take_in_edits_of_others(actual)
            todo = occurrences_todo(self._wanted, actual).without(self._sent)
            if todo.restore:
                self._rebuild(guard)
            elif todo:
                self._write(todo, actual, guard)
            item = self._read()
            if item.event is None:
                raise NotFound("The series was deleted while it was being written.")
            actual, guard = item.event, ""
            self._take_in_edits_of_others(actual)
            if not occurrences_todo(self._wanted, actual).without(self._sent):
                return item
        raise Rejected("Outlook does not take the exceptions of this series as they are wanted.")

    def _take_in_edits_of_others(self, actual: Event) -> None:
        if self._before is not None:
            self._wanted = with_edits_of(actual, self._wanted, before=self._before)

    def _read(self) -> Item:
        return self._reader.series([self._series_id])[0]

    def _path(self, event_id: str) -> str:
        return f"/users/{segment(self._reader.mailbox.address)}/events/{segment(event_id)}"

    def _check(self, guard: str) -> None:
        if not guard:
            return
        request = Request("GET", self._path(self._series_id), {"$select": "id,changeKey"})
        answer = read_all(self._reader.client, [request])[0].checked()
        if version_of(answer.body) != guard:
            raise VersionMismatch("The series was changed in Outlook in the meantime.", status=412)

    def _write(self, todo: Todo, actual: Event, guard: str) -> None:
        """Delete and patch the occurrences; the guard is checked as late as can be, after their ids are known."""
        spans = spans_around(todo.in_order, self._wanted, actual)
        reader = self._reader
        listed = list_instances(reader.client, mailbox=reader.mailbox, master_id=self._series_id, spans=spans)
        ids = ids_by_key(listed, self._wanted.content.when)
        self._check(guard)
        found = [key for key in todo.in_order if key in ids]
        self._sent |= {key: todo.patch[key] for key in found if key in todo.patch}
        # One after the other: changes of one series that run side by side meet as conflicts.
        outcomes = send_all(reader.client, [self._request(key, ids[key], todo) for key in found], chained=True)
        for key, outcome in zip(found, outcomes, strict=True):
            error = _error_of(outcome)
            if error is not None:
                self._sent.pop(key, None)
            if isinstance(error, NotFound | VersionMismatch):
                return  # somebody else was here: the next look shows what is left to do
            if error is not None:
                raise error

    def _request(self, key: OccurrenceKey, instance_id: str, todo: Todo) -> Request:
        if key in todo.delete:
            return Request("DELETE", self._path(instance_id), label="occurrence")
        return Request("PATCH", self._path(instance_id), body=todo.patch[key], label="occurrence")

    def _rebuild(self, guard: str) -> None:
        """Bring cancelled occurrences back: change the span or the rule, and change it back in the same round trip.

        Which change wipes is not the same everywhere: first the end is moved, then the rule is taken away altogether.
        """
        self._rebuilt += 1
        self._before = None  # from here on all exceptions are gone, by our doing
        if self._rebuilt > 2:
            raise Rejected("Outlook does not restore the cancelled occurrences of this series.")
        self._sent.clear()
        when = self._wanted.content.when
        shape = {**on_wire(when), "recurrence": recurrence_on_wire(self._wanted)}
        aside = nudged(when) if self._rebuilt == 1 else None
        away = {**shape, **on_wire(aside)} if aside else {**on_wire(when), "recurrence": None}
        path, guarded = self._path(self._series_id), {"If-Match": guard} if guard else {}
        requests = [
            Request("PATCH", path, body=away, headers=guarded, label="series"),
            Request("PATCH", path, body=shape, label="series"),
        ]
        outcomes = send_all(self._reader.client, requests, chained=True)
        if _error_of(outcomes[0]) is None and isinstance(_error_of(outcomes[1]), Transient):
            outcomes = send_all(self._reader.client, requests[1:])  # not to be left half way
        for outcome in outcomes:
            if (error := _error_of(outcome)) is not None:
                raise error


def nudged(when: When) -> When | None:
    """A span that differs as little as can be without reaching into the next occurrence; None when there is none."""
    if isinstance(when, AllDay):
        shorter = when.end - timedelta(days=1)
        return replace(when, end=shorter) if shorter > when.start else None
    return _shorter(when) if when.end - when.start > timedelta(minutes=1) else None


def _shorter(when: Timed) -> Timed:
    return replace(when, end=when.end - timedelta(minutes=1))


def _error_of(outcome: Outcome) -> ProviderError | None:
    return outcome if isinstance(outcome, ProviderError) else outcome.error
