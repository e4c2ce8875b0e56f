"""Carrying out writes: creates, updates and deletes, the first request of each batched with the others'.

What lives here: idempotency (``transactionId``, adoption of what an earlier try made), guards (If-Match), and echoes.
What does not: field names (``payload``), the occurrences of a series (``converge``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from calsync.engine.differing import with_edits_of
from calsync.engine.events import Event, OccurrenceKey
from calsync.providers.base import (
    AccessDenied,
    AlreadyExists,
    Item,
    NotFound,
    ProviderError,
    Rejected,
    VersionMismatch,
    Write,
    WriteKind,
    Written,
)
from calsync.providers.graph.batch import Outcome, send_all
from calsync.providers.graph.client import Answer, Json, Request, segment
from calsync.providers.graph.converge import Converger, occurrences_todo
from calsync.providers.graph.mapping import is_series, series_item, single_item
from calsync.providers.graph.payload import (
    MARKER,
    begun_at_first_occurrence,
    changed_event,
    content_changes,
    new_event,
    reshapes,
)
from calsync.providers.graph.reading import EventReader
from calsync.providers.graph.resuming import is_half_done


@dataclass(slots=True)
class _Job:
    """One write on its way. ``request`` is its first call, None when no field of the event itself differs."""

    write: Write
    wanted: Event | None = None
    before: Event | None = None
    version: str = ""
    request: Request | None = None
    result: Written | ProviderError | None = None


class Writer:
    """Writes into one calendar."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._client = reader.client
        self._mailbox = reader.mailbox

    def apply(self, writes: Sequence[Write]) -> list[Written | ProviderError]:
        """One outcome per write, in order."""
        jobs = [_Job(write, before=write.before, version=write.version) for write in writes]
        self._look_up([job for job in jobs if job.write.kind is WriteKind.UPDATE and job.before is None])
        for job in jobs:
            self._guarded(job, self._prepare)
        ready = [job for job in jobs if job.request is not None and job.result is None]
        outcomes = send_all(self._client, [job.request for job in ready if job.request is not None])
        answers = {id(job): outcome for job, outcome in zip(ready, outcomes, strict=True)}
        for job in jobs:
            self._guarded(job, lambda job: self._finish(job, answers.get(id(job))))
        return [job.result or Rejected("The write had no outcome.") for job in jobs]

    def _guarded(self, job: _Job, step: Callable[[_Job], Written | None]) -> None:
        """Take a step of a job that is not settled yet; an error is the outcome of this write alone."""
        if job.result is not None:
            return
        try:
            job.result = step(job)
        except ProviderError as error:
            job.result = error

    # --- before the first request ---------------------------------------------------------------------------

    def _look_up(self, jobs: list[_Job]) -> None:
        """Fill in what is there now for updates that do not say what they believe is there."""
        if not jobs:
            return
        try:
            items = self._reader.events([job.write.remote_id for job in jobs])
        except ProviderError as error:
            for job in jobs:
                job.result = error
            return
        for job, item in zip(jobs, items, strict=True):
            job.before = item.event
            if item.event is None:
                job.result = (
                    Rejected(item.problem) if item.problem else NotFound("The event is not in Outlook any more.")
                )
            elif job.version and job.version != item.version:
                job.result = VersionMismatch("The event was changed in Outlook in the meantime.", status=412)
            else:
                job.version = item.version

    def _prepare(self, job: _Job) -> None:
        write = job.write
        if write.kind is WriteKind.DELETE:
            job.request = Request("DELETE", self._path(write.remote_id), headers=_if_match(job.version))
            return
        if write.event is None:
            raise Rejected("There is nothing to write.")
        job.wanted = begun_at_first_occurrence(write.event)
        if write.kind is WriteKind.CREATE:
            job.request = Request("POST", self._collection(), body=new_event(job.wanted, key=write.key))
            return
        job.before = begun_at_first_occurrence(job.before) if job.before else None
        if fields := changed_event(job.wanted, job.before):
            job.request = Request("PATCH", self._path(write.remote_id), body=fields, headers=_if_match(job.version))

    # --- after it -------------------------------------------------------------------------------------------

    def _finish(self, job: _Job, outcome: Outcome | None) -> Written:
        if isinstance(outcome, ProviderError):
            raise outcome
        match job.write.kind:
            case WriteKind.DELETE:
                return self._deleted(job, outcome)
            case WriteKind.CREATE:
                return self._created(job, outcome)
            case WriteKind.UPDATE:
                return self._updated(job, outcome)

    def _deleted(self, job: _Job, answer: Answer | None) -> Written:
        """Gone is gone. A 403 is also what a delete of an already cancelled meeting gets: then a look decides."""
        error = answer.error if answer else None
        if isinstance(error, AccessDenied):
            item = self._reader.events([job.write.remote_id])[0]
            error = None if item.event is None and not item.problem else error
        if error is not None and not isinstance(error, NotFound):
            raise error
        return Written(remote_id=job.write.remote_id, version="", event=None)

    def _created(self, job: _Job, answer: Answer | None) -> Written:
        if answer is None or job.wanted is None:
            raise Rejected("There is nothing to write.")
        if answer.status == 409 or isinstance(answer.error, AlreadyExists):
            return self._adopted(job, answer)
        raw = answer.checked().body
        if not raw.get("id"):
            return self._adopted(job, answer)
        echo = self._bare(raw)
        if echo.event is None:
            raise Rejected("What Outlook made of the event is not understood.", status=answer.status)
        if answer.status == 200 or _drifted(echo.event, job.wanted):
            # Not new: the answer to an earlier try with this key, and perhaps edited since or half done.
            return self._resumed(job, self._reader.events([echo.remote_id])[0])
        if not _has_occurrences(job.wanted):
            return _written(echo)
        whole = self._with_occurrences(echo.remote_id, echo.event, job.wanted)
        return replace(_written(whole), made=echo.event)

    def _with_occurrences(self, remote_id: str, made: Event, wanted: Event) -> Item:
        """A series just made, brought to its exceptions. When Outlook refuses one, the regular half goes again.

        Left there, it would be read as somebody's wish and undo the exceptions where the event comes from.
        """
        try:
            return Converger(self._reader, remote_id, wanted, before=made).run(made)
        except Rejected:
            self._client.send(Request("DELETE", self._path(remote_id), label="half a series"))
            raise

    def _updated(self, job: _Job, answer: Answer | None) -> Written:
        """The update with all that belongs to it; one of our own that was interrupted is taken up again."""
        wanted, before = job.wanted, job.before
        if wanted is None or before is None:
            raise Rejected("There is nothing to write.")
        try:
            return self._carried_on(job, answer, wanted, before)
        except VersionMismatch:
            item = self._reader.events([job.write.remote_id])[0]
            if item.event is None or not is_half_done(item.event, before=before, wanted=wanted):
                raise
            return self._turned_into(job, item)

    def _carried_on(self, job: _Job, answer: Answer | None, wanted: Event, before: Event) -> Written:
        """What follows the first request: the occurrences, and the echo of the whole."""
        remote_id = job.write.remote_id
        if answer is None and not occurrences_todo(wanted, before):
            item = self._reader.events([remote_id])[0]
            return _written(item)
        if answer is None:
            return _written(Converger(self._reader, remote_id, wanted, before=before).run(before, guard=job.version))
        raw = answer.checked().body
        echo = self._bare(raw) if raw.get("id") else self._reader.events([remote_id])[0]
        if wanted.is_series:
            # Even one without exceptions may hold an occurrence that was put back to what the series said: Exchange
            # keeps it as a value of its own, and it shows as soon as the series says something else.
            written = echo.version
            echo = self._reader.series([remote_id])[0]
            goal = with_edits_of(echo.event, wanted, before=before) if echo.event is not None else wanted
            if echo.event is not None and (todo := occurrences_todo(goal, echo.event)):
                if echo.version != written and not todo.patch.keys() <= _occurrences_of(wanted, before):
                    raise VersionMismatch("An occurrence was changed in Outlook in the meantime.", status=412)
                echo = Converger(self._reader, remote_id, wanted, before=before).run(echo.event)
        elif echo.event is None:
            echo = self._reader.events([remote_id])[0]
        return _written(echo)

    def _adopted(self, job: _Job, answer: Answer) -> Written:
        """The event that an earlier try made, brought to the wanted state; a burnt key when it is gone."""
        error = answer.error
        told = error.existing_id if isinstance(error, AlreadyExists) else ""
        existing = told or self._find(job.write.key)
        code, status = (error.code, answer.status) if error else ("", answer.status)
        if existing:
            item = self._reader.events([existing])[0]
            if item.event is not None or item.problem:
                return self._resumed(job, item)
        raise AlreadyExists(
            "The key of this new event was used for one that is gone.", status=status, code=code, existing_id=existing
        )

    def _find(self, key: str) -> str:
        """The id of the event that carries our key; '' when there is none.

        A person's copy of an event carries its marker too, but not its transactionId.
        """
        condition = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARKER}' and ep/value eq '{key}')"
        params = {"$filter": condition, "$select": "id,transactionId"}
        found = self._client.get(Request("GET", self._collection(), params, label="find by key")).get("value")
        marked = [raw for raw in found if isinstance(raw, dict)] if isinstance(found, list) else []
        own = (raw for raw in marked if raw.get("transactionId", key) == key)
        return str(next(own, {}).get("id") or "")

    def _resumed(self, job: _Job, item: Item) -> Written:
        """A create that had come through before, brought to the wanted state; what it had become is told."""
        return replace(self._turned_into(job, item), found=item.event)

    def _turned_into(self, job: _Job, item: Item) -> Written:
        """An existing event brought to the wanted state."""
        if item.event is None or job.wanted is None:
            raise Rejected(item.problem or "What Outlook holds under this key is not understood.")
        if item.event.guests and not job.wanted.guests:
            # Its owner has invited people since: from here on every write of ours would mail them.
            raise VersionMismatch("The event has become a meeting with guests.", status=412)
        again = _Job(
            replace(job.write, kind=WriteKind.UPDATE, remote_id=item.remote_id), before=item.event, version=item.version
        )
        self._prepare(again)
        answer = self._client.send(again.request) if again.request else None
        if answer is None and not occurrences_todo(job.wanted, item.event):
            return _written(item)
        if again.wanted is None or again.before is None:
            raise Rejected("There is nothing to write.")
        return self._carried_on(again, answer, again.wanted, again.before)

    def _bare(self, raw: Json) -> Item:
        """The echo of a write: a single event, or a series that has no exceptions."""
        if is_series(raw):
            return series_item(raw, exceptions=(), cancelled=(), mailbox=self._mailbox)
        return single_item(raw, mailbox=self._mailbox)

    def _path(self, event_id: str) -> str:
        return f"/users/{segment(self._mailbox.address)}/events/{segment(event_id)}"

    def _collection(self) -> str:
        whose = f"/users/{segment(self._mailbox.address)}"
        primary = self._mailbox.calendar_id == "primary"
        return f"{whose}/events" if primary else f"{whose}/calendars/{segment(self._mailbox.calendar_id)}/events"


def _if_match(version: str) -> dict[str, str]:
    return {"If-Match": version} if version else {}


def _has_occurrences(event: Event) -> bool:
    return bool(event.exceptions or event.cancelled)


def _occurrences_of(*events: Event) -> set[OccurrenceKey]:
    """The occurrences that any of these series tells apart from the rest."""
    return {key for event in events for key in (*event.exceptions, *event.cancelled)}


def _drifted(echo: Event, wanted: Event) -> bool:
    """Whether an echo is of something else than was just sent; bodies are left out, servers rewrite those."""
    fields = content_changes(wanted.content, echo.content)
    return bool(fields.keys() - {"body"}) or reshapes(wanted, echo)


def _written(item: Item) -> Written:
    if item.event is None:
        if item.problem:
            raise Rejected(item.problem)
        raise NotFound("The event is not in Outlook any more.")
    return Written(remote_id=item.remote_id, version=item.version, event=item.event, changed_at=item.changed_at)
