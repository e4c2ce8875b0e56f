"""What a mailbox is believed to hold, told apart from a wanted event by field paths alone.

The rows remember fingerprints, not the provider's old values. An adapter that writes only differences still needs
something to compare with: an event that differs from the wanted one in exactly the given paths.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from calsync.engine.events import (
    AllDay,
    Event,
    Field,
    Frequency,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    When,
)
from calsync.engine.fingerprint import CANCELLED, changed, field_of_path, flatten, key_of_path, texts, unflatten
from calsync.engine.wanted import NOTE


def differing(event: Event, paths: Iterable[str]) -> Event:
    """An event that differs from ``event`` in exactly ``paths``: other values where it has some, else additions."""
    flat = flatten(event)
    for path in {Field.BODY.value if path == NOTE else path for path in paths}:  # the guest note stands in the body
        if path not in flat:
            flat[path] = _addition(event, path)
        elif path == Field.RECURRENCE or not path.startswith("@"):
            flat[path] = _other(flat[path])
        else:
            del flat[path]
    return unflatten(flat, like=event)


def with_edits_of(actual: Event, wanted: Event, *, before: Event) -> Event:
    """``wanted``, but with what somebody else has changed in ``actual`` since a write from ``before`` to it began.

    Only the paths in which ``before`` and ``wanted`` differ are ours, and what exceptions make of a field that was
    written to their master. A new time or rule moves exceptions by itself, so then all that is wanted counts.
    """
    ours = changed(texts(before), texts(wanted))
    if ours & {Field.WHEN.value, Field.RECURRENCE.value}:
        return wanted
    paths, target = flatten(actual), flatten(wanted)
    for path in [path for path in {*paths, *target} if path in ours or field_of_path(path) in ours]:
        paths.pop(path, None)
        if path in target:
            paths[path] = target[path]
    return unflatten(paths, like=wanted)


def _addition(event: Event, path: str) -> object:
    """A value for a path that the wanted event lacks: an occurrence to restore, a rule or an override to drop."""
    key = key_of_path(path)
    if key is None:
        return Recurrence(rules=(Rule(Frequency.YEARLY),))
    name = field_of_path(path)
    return _other(getattr(event.content, name)) if name else CANCELLED


def _other(value: object) -> object:
    """Some value of the same kind that is not ``value``."""
    if isinstance(value, Timed | AllDay):
        return _moved(value)
    if isinstance(value, ShowAs):
        return ShowAs.FREE if value != ShowAs.FREE else ShowAs.BUSY
    if isinstance(value, Sensitivity):
        return Sensitivity.PRIVATE if value != Sensitivity.PRIVATE else Sensitivity.NORMAL
    if isinstance(value, Recurrence):
        return _other_rule(value)
    return f"{value}\N{SYMBOL FOR SUBSTITUTE}"


def _other_rule(recurrence: Recurrence) -> Recurrence:
    """An endless rule that makes other occurrences, however few the given one makes."""
    years = max((rule.interval for rule in recurrence.rules), default=0) + 1
    return Recurrence(rules=(Rule(Frequency.YEARLY, interval=years),))


def _moved(when: When) -> When:
    """A span that begins a day earlier and is longer: an adapter may move a series' start to the first day of its rule,
    and the moved span must still be another one then.
    """
    day, minute = timedelta(days=1), timedelta(minutes=1)
    if isinstance(when, AllDay):
        return AllDay(when.start - day, when.end)
    return replace(when, start=when.start - day, end=when.end - day + minute)
