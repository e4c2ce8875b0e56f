"""Edits of a part, told of the whole event: what happens to a part happens to an occurrence of the whole.

What lives here: the path in the whole that a path of a part speaks of, and putting values there. What does not: which
edits count and who wins (merging).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from calsync.engine.events import Event, Field, FieldValue, OccurrenceKey
from calsync.engine.fingerprint import CONTENT_PATHS, field_of_path, flatten, key_of_path
from calsync.engine.inherit import without_redundant
from calsync.engine.part_names import part_key


def lifted_path(name: str, path: str) -> str | None:
    """The path in the whole that a path of the part ``name`` speaks of; None when there is none.

    The fields of a single part are those of its occurrence. Of a series part only what concerns one occurrence can be
    lifted: its master's fields and its rule belong to several parts at once.
    """
    key = part_key(name)
    if key is None:
        return path if path.startswith("@") else None
    return f"@{key}/{path}" if path in CONTENT_PATHS else None


def lift(whole: Event, name: str, read: Event, paths: Iterable[str]) -> Event:
    """The whole event with the values that the part ``name``, as read, has at ``paths`` (paths of the part).

    A value that the occurrence inherits anyway is no override; a path that the part lacks takes the override, or the
    cancellation, away. Paths that cannot be lifted are passed over.
    """
    values = flatten(read)
    exceptions = {key: dict(override) for key, override in whole.exceptions.items()}
    cancelled = set(whole.cancelled)
    for path in paths:
        target = lifted_path(name, path)
        key = key_of_path(target) if target else None
        if target is None or key is None:
            continue
        if field := field_of_path(target):
            _put(exceptions.setdefault(key, {}), Field(field), values.get(path))
        elif path in values:
            cancelled.add(key)
        else:
            cancelled.discard(key)
    return without_redundant(replace(whole, exceptions=exceptions, cancelled=frozenset(cancelled)))


def cancel(whole: Event, key: OccurrenceKey) -> Event:
    """The whole event with one occurrence cancelled; an exception of it is gone."""
    kept = {each: override for each, override in whole.exceptions.items() if each != key}
    return replace(whole, exceptions=kept, cancelled=whole.cancelled | {key})


def _put(override: dict[Field, FieldValue], field: Field, value: object) -> None:
    if value is None:
        override.pop(field, None)
    else:
        override[field] = value  # type: ignore[assignment]  # by the path
