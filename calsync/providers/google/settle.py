"""The series of a round of changes: assembled from what the round brought, or read whole where that is not enough.

Google repeats the master and all exceptions of a series whenever one of them changes, all with one etag (seen in
captured answers, not promised): so the round usually holds the whole series, and where it does not we ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from calsync.engine.recurrence import generates
from calsync.providers.base import Item, Known, ProviderError
from calsync.providers.google.batch import Job, run
from calsync.providers.google.calls import CalendarCalls
from calsync.providers.google.gathered import Gathered
from calsync.providers.google.mapping import Instance, Single
from calsync.providers.google.series import Whole, assemble, bare_instance, belongs_to, read_whole
from calsync.providers.google.times import Unreadable, key_of_original, split_instance_id

CHUNK = 250
"""Series settled at a time."""

YOUNG = timedelta(hours=1)
"""A master created and changed within this time is new: everything of it is in the round."""


def settle_series(gathered: Gathered, calls: CalendarCalls) -> Iterator[tuple[Item, ...]]:
    """The items of all series of the round, some at a time."""
    _place_strays(gathered)
    if gathered.broken:
        yield tuple(gathered.broken.values())
    done = gathered.settled | gathered.broken.keys()
    ids = [one for one in {**gathered.masters, **gathered.parts} if one not in done]
    for begin in range(0, len(ids), CHUNK):
        some = ids[begin : begin + CHUNK]
        items = _all(gathered, calls, some) if gathered.full else _changed(gathered, calls, some)
        yield tuple(items)


def _place_strays(gathered: Gathered) -> None:
    """Give tombstones that name no series (of exceptions swept away by a cut rule) to the series they may be of."""
    bases = {split[0] for stray in gathered.strays if (split := split_instance_id(stray)) is not None}
    if not bases:
        return
    known = gathered.known(sorted(bases | {base.split("_R")[0] for base in bases}))
    for stray, version in gathered.strays.items():
        for series_id in {*known, *gathered.masters}:
            part = bare_instance(stray, series_id=series_id, version=version)
            if part is not None and belongs_to(stray, series_id):
                gathered.parts[series_id].append(part)


# --- a full round -----------------------------------------------------------------------------------------


def _all(gathered: Gathered, calls: CalendarCalls, ids: Sequence[str]) -> Iterator[Item]:
    """Every series in the window; changed instances of series that are not on this calendar stand alone."""
    found: list[Single] = []
    unsure: list[_Unsure] = []
    for series_id in ids:
        master, parts = gathered.masters.pop(series_id, None), gathered.parts.pop(series_id, [])
        if master is not None:
            found.append(assemble(master, parts).as_single())
        elif any(part.is_own for part in parts):
            unsure.append(_Unsure(series_id, None, parts, is_known=bool(gathered.known([series_id]))))
        else:
            found.extend(_standing_alone(parts))
    yield from gathered.tell(found, skip_same=False)
    yield from _read_unsure(gathered, calls, unsure)


def _standing_alone(parts: Sequence[Instance]) -> Iterator[Single]:
    """Somebody may be invited to one occurrence only: then the calendar holds no master.

    One that its owner organizes waits for its master instead: alone it would be copied as an event of its own.
    """
    for part in parts:
        if part.alone is not None and not part.is_own:
            yield Single(part.remote_id, part.version, part.uid, part.alone, part.changed_at, None)


# --- a later round ----------------------------------------------------------------------------------------


def _changed(gathered: Gathered, calls: CalendarCalls, ids: Sequence[str]) -> Iterator[Item]:
    known = gathered.known(ids)
    ready: list[Single] = []
    unsure: list[_Unsure] = []
    for series_id in ids:
        master, parts = gathered.masters.pop(series_id, None), gathered.parts.pop(series_id, [])
        held = known.get(series_id)
        if _is_unchanged(held, master, parts):
            continue
        if series_id in gathered.strays:
            yield from _without_master(gathered, parts)
        elif master is not None and _is_all_here(held, master, parts):
            ready.append(assemble(master, parts).as_single())
        else:
            unsure.append(_Unsure(series_id, master, parts, is_known=held is not None))
    yield from gathered.tell(ready, skip_same=False)
    yield from _read_unsure(gathered, calls, unsure)


def _is_unchanged(held: Known | None, master: Single | None, parts: Sequence[Instance]) -> bool:
    """Whether all that came carries the version that the caller holds: our own write, told again.

    What a changed rule has swept away keeps the version of its end, hence those tombstones are not asked.
    """
    versions = {part.version for part in parts if not part.is_bare} | ({master.version} if master else set())
    return held is not None and versions == {held.version}


def _is_all_here(held: Known | None, master: Single, parts: Sequence[Instance]) -> bool:
    """Whether the round holds everything of the series, so that nothing unchanged is missing from it."""
    when, rules = master.event.content.when, master.event.recurrence
    here = {key_of_original(part.original, series=when): part.is_bare for part in parts}
    if any(bare and key and rules and generates(when, rules, key) for key, bare in here.items()):
        return False  # swept away by one change of the rule and perhaps brought back by the next
    if held is None:
        created, changed = master.created_at, master.changed_at
        return created is not None and changed is not None and changed - created < YOUNG
    return held.occurrences <= (here.keys() | master.event.cancelled)


@dataclass(frozen=True, slots=True)
class _Unsure:
    """A series of which the round may not hold everything."""

    series_id: str
    master: Single | None
    parts: Sequence[Instance]
    is_known: bool

    def read(self, calls: CalendarCalls) -> Job[Whole | Item | None]:
        """Read it whole; a problem item when it cannot be understood, None when this calendar does not hold it."""
        uid = self.master.uid if self.master else next((part.uid for part in self.parts if part.uid), "")
        try:
            return (yield from read_whole(calls, self.series_id, uid=uid))
        except Unreadable as error:
            return Item(self.series_id, "", None, problem=str(error))


def _read_unsure(gathered: Gathered, calls: CalendarCalls, unsure: Sequence[_Unsure]) -> Iterator[Item]:
    """Read these series, many in one request."""
    outcomes = run([one.read(calls) for one in unsure], calls.api.send_all)
    read: list[Single] = []
    for one, outcome in zip(unsure, outcomes, strict=True):
        if isinstance(outcome, ProviderError):
            raise outcome
        if isinstance(outcome, Item):
            yield outcome
        elif isinstance(outcome, Whole):
            read.append(outcome.as_single())
        elif one.is_known:
            yield Item(one.series_id, "", None)
        else:
            yield from _without_master(gathered, one.parts)
    yield from gathered.tell(read, skip_same=False)


def _without_master(gathered: Gathered, parts: Sequence[Instance]) -> Iterator[Item]:
    yield from gathered.tell(list(_standing_alone(parts)), skip_same=True)
    cancelled = {part.remote_id: part.version for part in parts if part.content is None}
    for remote_id in gathered.known(list(cancelled)) if cancelled else ():
        yield Item(remote_id, cancelled[remote_id], None)
