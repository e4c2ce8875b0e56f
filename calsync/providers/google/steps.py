"""Which writes turn a series as it is into the series that is wanted. Pure.

What lives here: comparing two aggregates, in terms of Google's requests. What does not: sending them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from calsync.engine.events import Event, OccurrenceKey, When
from calsync.engine.recurrence import generates
from calsync.providers.google.bodies import (
    Body,
    content_patch,
    master_patch,
    occurrence_content,
    whole_body,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One write to one occurrence: a PATCH with ``body``, or its cancellation when ``body`` is None.

    ``series`` is the span of the master by which the occurrence's id is made.
    """

    key: OccurrenceKey
    series: When
    body: Body | None


@dataclass(frozen=True, slots=True)
class Steps:
    """What is to be written: first the master (nothing when empty), then occurrences."""

    master: Body = field(default_factory=dict)
    occurrences: tuple[Step, ...] = ()

    def __len__(self) -> int:
        return bool(self.master) + len(self.occurrences)


def steps_between(before: Event, wanted: Event, *, by_line: frozenset[OccurrenceKey] = frozenset()) -> Steps:
    """The writes that make ``wanted`` of ``before``. ``by_line``: occurrences that an EXDATE line cancels."""
    restored = {key for key in before.cancelled - wanted.cancelled if _occurs(wanted, key)}
    master = master_patch(before, wanted, spare_lines=not (restored & by_line))
    if wanted.recurrence is None:
        return Steps(master)
    steps: dict[OccurrenceKey, Step] = {}
    for key in before.exceptions.keys() - wanted.exceptions.keys():
        steps[key] = _undo_override(before, wanted, key)
    for key in restored - by_line:
        steps[key] = Step(key, wanted.content.when, whole_body(occurrence_content(wanted, key)))
    for key in wanted.exceptions.keys() - (restored - by_line):
        steps.update(_override(before, wanted, key))
    if "recurrence" not in master:
        cancelled = {key for key in wanted.cancelled - before.cancelled if _occurs(wanted, key)}
        steps.update({key: Step(key, wanted.content.when, None) for key in cancelled})
    return Steps(master, tuple(steps[key] for key in sorted(steps) if _says_something(steps[key])))


def _says_something(step: Step) -> bool:
    return step.body is None or bool(step.body)


def _occurs(event: Event, key: OccurrenceKey) -> bool:
    return event.recurrence is not None and generates(event.content.when, event.recurrence, key)


def _undo_override(before: Event, wanted: Event, key: OccurrenceKey) -> Step:
    """An exception that shall be regular again, or vanish because the rule does not yield it (any more)."""
    if key in wanted.cancelled or not _occurs(wanted, key):
        return Step(key, before.content.when, None)
    is_now, shall_be = occurrence_content(before, key), occurrence_content(wanted, key)
    return Step(key, wanted.content.when, content_patch(is_now, shall_be))


def _override(before: Event, wanted: Event, key: OccurrenceKey) -> dict[OccurrenceKey, Step]:
    """A new exception, against what it inherits; or a changed one, against what it held."""
    if before.exceptions.get(key) == wanted.exceptions[key] or not _occurs(wanted, key):
        return {}
    if key in before.exceptions and _occurs(before, key):
        is_now = occurrence_content(before, key)
    else:
        is_now = occurrence_content(_regular(wanted), key)
    return {key: Step(key, wanted.content.when, content_patch(is_now, occurrence_content(wanted, key)))}


def _regular(event: Event) -> Event:
    return Event(content=event.content, recurrence=event.recurrence)
