"""Writes as jobs: create, update and delete of single events and of whole series.

What lives here: the order of requests, guards, repeats and echoes. What does not: bodies (``bodies``), which
occurrences to write (``steps``), sending (``transport``, ``batch``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from googleapiclient.http import HttpRequest

from calsync.engine.differing import with_edits_of
from calsync.engine.events import Event
from calsync.engine.fingerprint import key_of_path
from calsync.engine.recurrence import BadRecurrence
from calsync.engine.zones import UnknownZone
from calsync.providers.base import (
    AccessDenied,
    AlreadyExists,
    CannotRepresent,
    NotFound,
    ProviderError,
    Rejected,
    VersionMismatch,
    Write,
    WriteKind,
    Written,
)
from calsync.providers.google import mapping
from calsync.providers.google.batch import Job, ask
from calsync.providers.google.bodies import insert_body, master_patch
from calsync.providers.google.calls import CalendarCalls
from calsync.providers.google.series import Whole, assemble, read_whole
from calsync.providers.google.steps import Step, Steps, steps_between
from calsync.providers.google.times import Unreadable, instance_id, original_start
from calsync.providers.google.transport import Raw

ROUNDS = 2
"""How often a series is compared with what is wanted and corrected; what Google still tells otherwise stays so."""


def carry_out(calls: CalendarCalls, write: Write) -> Job[Written]:
    """One write from first request to echo."""
    try:
        if write.kind is WriteKind.DELETE:
            return (yield from _delete(calls, write))
        if write.event is None:
            raise Rejected("A create or update needs an event.")
        if write.kind is WriteKind.CREATE:
            return (yield from _create(calls, write.key, write.event))
        return (yield from _update(calls, write, write.event))
    except Unreadable as error:
        raise Rejected(f"Google's answer to the write cannot be understood: {error}") from None
    except (UnknownZone, BadRecurrence):
        raise CannotRepresent("The event's time zone or recurrence has no form at Google.") from None


# --- create -----------------------------------------------------------------------------------------------


def _create(calls: CalendarCalls, key: str, wanted: Event) -> Job[Written]:
    try:
        raw = yield from ask(calls.insert(insert_body(wanted, key=key)))
    except AlreadyExists as error:
        return (yield from _adopt(calls, key, wanted, error))
    made = _alone(calls, raw)
    whole = yield from _converged(calls, made, wanted, before=made.event)
    return replace(whole.as_written(), made=made.event)


def _adopt(calls: CalendarCalls, key: str, wanted: Event, refusal: AlreadyExists) -> Job[Written]:
    """The event that an earlier attempt with this key made, brought to what is wanted now: that attempt may have been
    cut short. An id that was deleted is never free again."""
    remote_id = mapping.event_id(key)
    try:
        raw = yield from ask(calls.get(remote_id))
    except NotFound:
        raise refusal from None
    if mapping.is_cancelled(raw) or mapping.marker(raw) not in {"", key}:
        raise AlreadyExists(str(refusal), status=refusal.status, code=refusal.code, existing_id=remote_id)
    whole: Whole | None = _alone(calls, raw)
    if wanted.recurrence is not None or raw.get("recurrence"):
        whole = yield from read_whole(calls, remote_id, uid=str(raw.get("iCalUID") or ""))
    if whole is None:
        raise refusal
    written = (yield from _converged(calls, whole, wanted, version=whole.single.version)).as_written()
    return replace(written, found=whole.event)


def _alone(calls: CalendarCalls, raw: Raw) -> Whole:
    """A write's answer as the whole event: a single one, or a master without changed instances."""
    if mapping.is_cancelled(raw):
        raise NotFound("The event was deleted at Google.", status=200)
    return assemble(mapping.single(raw, zone=calls.mailbox.zone, address=calls.mailbox.address), [])


# --- update -----------------------------------------------------------------------------------------------


def _update(calls: CalendarCalls, write: Write, wanted: Event) -> Job[Written]:
    before = write.before
    try:
        if before is None or _restores(before, wanted):
            return (yield from _update_after_reading(calls, write, wanted))
        if before.recurrence is None and wanted.recurrence is None:
            return (yield from _update_single(calls, write, before, wanted))
        return (yield from _update_series(calls, write, before, wanted))
    except VersionMismatch as refusal:
        return (yield from _already_so(calls, write, wanted, refusal))


def _restores(before: Event, wanted: Event) -> bool:
    """Whether cancelled occurrences come back: only a read tells whether a line of the master cancels them."""
    return bool(before.cancelled - wanted.cancelled) and wanted.recurrence is not None


def _update_single(calls: CalendarCalls, write: Write, before: Event, wanted: Event) -> Job[Written]:
    body = master_patch(before, wanted)
    if not body:
        return (yield from _update_after_reading(calls, write, wanted))
    raw = yield from ask(calls.patch(write.remote_id, body, version=write.version))
    return _alone(calls, raw).as_written()


def _update_after_reading(calls: CalendarCalls, write: Write, wanted: Event) -> Job[Written]:
    whole = yield from _present(calls, write.remote_id)
    if write.version and whole.single.version != write.version:
        raise VersionMismatch("The event was changed at Google in the meantime.", status=412)
    _refuse_edited(write, whole, steps_between(whole.event, wanted, by_line=whole.by_line))
    return (yield from _converged(calls, whole, wanted, before=whole.event, version=write.version)).as_written()


def _update_series(calls: CalendarCalls, write: Write, before: Event, wanted: Event) -> Job[Written]:
    steps = steps_between(before, wanted)
    if not steps:
        return (yield from _update_after_reading(calls, write, wanted))
    if len(steps) > 1:  # only the first of them is guarded by the version
        _refuse_edited(write, (yield from _present(calls, write.remote_id)), steps)
    raw = yield from _write_steps(calls, write.remote_id, steps, version=write.version, write=write)
    if raw and write.version and not _has_occurrences(before) and not _has_occurrences(wanted):
        return _alone(calls, raw).as_written()
    whole = yield from _present(calls, write.remote_id, uid=str(raw.get("iCalUID") or ""))
    return (yield from _converged(calls, whole, wanted, before=before, sent=steps)).as_written()


def _refuse_edited(write: Write, whole: Whole, steps: Steps) -> None:
    """Raise VersionMismatch when somebody has changed an occurrence that the steps would write over.

    A series may have one version for all of it or one for each occurrence; in the latter case the master's, which is
    the one we know, does not tell.
    """
    edited = write.edited_in(whole.event) if write.edited_in is not None and write.version else frozenset()
    if {key_of_path(path) for path in edited} & {step.key for step in steps.occurrences}:
        raise VersionMismatch("An occurrence was changed at Google in the meantime.", status=412)


def _has_occurrences(event: Event) -> bool:
    return bool(event.exceptions or event.cancelled)


def _already_so(calls: CalendarCalls, write: Write, wanted: Event, refusal: VersionMismatch) -> Job[Written]:
    """A guard also fails when an earlier attempt of ours got through and its answer was lost: then all is well."""
    whole = yield from _present(calls, write.remote_id)
    if steps_between(whole.event, wanted, by_line=whole.by_line):
        raise refusal
    return whole.as_written()


def _present(calls: CalendarCalls, remote_id: str, *, uid: str = "") -> Job[Whole]:
    whole = yield from read_whole(calls, remote_id, uid=uid)
    if whole is None:
        raise NotFound("The event is gone at Google.", status=404)
    return whole


# --- series -----------------------------------------------------------------------------------------------


def _converged(
    calls: CalendarCalls,
    whole: Whole,
    wanted: Event,
    *,
    before: Event | None = None,
    version: str = "",
    sent: Steps | None = None,
) -> Job[Whole]:
    """Write what ``whole`` lacks to be ``wanted``, read again, compare again. ``sent`` was just tried.

    With ``before``, which the write began from, what others change meanwhile is left as they want it.
    """
    for _ in range(ROUNDS):
        goal = with_edits_of(whole.event, wanted, before=before) if before else wanted
        steps = steps_between(whole.event, goal, by_line=whole.by_line)
        if not steps or steps == sent:
            break
        raw = yield from _write_steps(calls, whole.single.remote_id, steps, whole=whole, version=version)
        if raw and wanted.recurrence is None:
            return _alone(calls, raw)
        whole = yield from _present(calls, whole.single.remote_id, uid=whole.single.uid)
        sent, version = steps, ""
    return whole


def _write_steps(
    calls: CalendarCalls,
    remote_id: str,
    steps: Steps,
    *,
    whole: Whole | None = None,
    version: str = "",
    write: Write | None = None,
) -> Job[Raw]:
    """Send the steps, the first one alone and guarded; returns the master's answer when it was written.

    The others cannot be guarded: every write to a series gives all its parts a new version. Nor could they travel with
    the first: the parts of a batch run in any order.
    """
    rest = list(steps.occurrences)
    raw: Raw = {}
    if steps.master:
        raw = yield from ask(calls.patch(remote_id, steps.master, version=version))
        if mapping.is_cancelled(raw):
            raise NotFound("The event was deleted at Google.", status=200)
    elif version and rest:
        yield from _write_guarded(calls, remote_id, rest.pop(0), whole, version, write)
    yield from _write_occurrences(calls, remote_id, rest, whole)
    return raw


def _write_guarded(
    calls: CalendarCalls, remote_id: str, step: Step, whole: Whole | None, version: str, write: Write | None
) -> Job[None]:
    """One occurrence under the series' version. Should it have a version of its own, a look decides."""
    try:
        yield from _write_occurrences(calls, remote_id, [step], whole, version=version)
    except VersionMismatch:
        now = yield from _present(calls, remote_id)
        if now.single.version != version:
            raise
        if write is not None:
            _refuse_edited(write, now, Steps(occurrences=(step,)))
        yield from _write_occurrences(calls, remote_id, [step], now)


def _write_occurrences(
    calls: CalendarCalls, remote_id: str, steps: Sequence[Step], whole: Whole | None, *, version: str = ""
) -> Job[None]:
    """Write occurrences in one go; those that are not found under the id made by the rule are looked up."""
    if not steps:
        return
    answers = yield [_request(calls, _id_of(remote_id, step, whole), step, version) for step in steps]
    missing = [step for step, answer in zip(steps, answers, strict=True) if isinstance(answer, NotFound)]
    for answer in answers:
        if isinstance(answer, ProviderError) and not isinstance(answer, NotFound):
            raise answer
    for step in missing:
        yield from _write_under_looked_up_id(calls, remote_id, step, version)


def _id_of(remote_id: str, step: Step, whole: Whole | None) -> str:
    known = (whole.ids or {}).get(step.key) if whole else None
    return known or instance_id(remote_id, step.key, series=step.series)


def _request(calls: CalendarCalls, occurrence_id: str, step: Step, version: str) -> HttpRequest:
    if step.body is None:
        return calls.delete(occurrence_id, version=version)
    return calls.patch(occurrence_id, step.body, version=version)


def _write_under_looked_up_id(calls: CalendarCalls, remote_id: str, step: Step, version: str) -> Job[None]:
    """A series that began as the tail of a split has instance ids of another base. Not found at all: nothing to do,
    and the comparison that follows tells what is missing."""
    try:
        start = original_start(step.key, series=step.series)
        found = yield from ask(calls.instances(remote_id, original_start=start))
        items = [raw for raw in found.get("items") or () if isinstance(raw, dict) and raw.get("id")]
        alive = [raw for raw in items if step.body is not None or not mapping.is_cancelled(raw)]
        if alive:
            yield from ask(_request(calls, str(alive[0]["id"]), step, version))
    except NotFound:
        return


# --- delete -----------------------------------------------------------------------------------------------


def _delete(calls: CalendarCalls, write: Write) -> Job[Written]:
    """Delete; what is gone is a success.

    A guarded second delete answers 412, because the first gave a new version, and sometimes 403: look before believing.
    """
    gone = Written(write.remote_id, "", None)
    try:
        yield from ask(calls.delete(write.remote_id, version=write.version))
    except NotFound:
        return gone
    except (VersionMismatch, AccessDenied) as refusal:
        try:
            raw = yield from ask(calls.get(write.remote_id))
        except NotFound:
            return gone
        if not mapping.is_cancelled(raw):
            raise refusal from None
    return gone
