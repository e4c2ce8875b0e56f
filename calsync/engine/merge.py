"""The three-way merge of one event, field by field.

What was changed on one side only is taken silently; what was changed on both goes by policy, and the losing value is
always handed back. What lives here: who wins. What does not: who was allowed to edit (``plan_known``), and keeping the
exceptions of a merged series in line with its rule (``merge_series``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from calsync.engine import zones
from calsync.engine.events import Event, FieldValue, OccurrenceKey, Platform, Timed
from calsync.engine.events import Field as SyncedField
from calsync.engine.fingerprint import alike, flatten, key_of_path, texts, unflatten
from calsync.engine.inherit import map_fields, without_redundant
from calsync.engine.merge_series import SHAPE, begins_with_its_start, realign, shape_of
from calsync.engine.policy import ConflictPolicy, DeletePolicy, Policy

Paths = frozenset[str]


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome. ``won``: paths taken from theirs. ``lost``: losing values by path, whichever side they came from
    (None: the path is absent in the losing version).

    ``asked``: paths in which the hub's value stays until a person decides (theirs is among the lost).
    """

    event: Event
    won: frozenset[str] = frozenset()
    lost: Mapping[str, object] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both versions as paths, and which of them each side changed since they last agreed."""

    hub: Mapping[str, object]
    theirs: Mapping[str, object]
    by_hub: Paths
    by_them: Paths


@dataclass(frozen=True, slots=True)
class _Clash:
    """Paths that are decided together because both sides changed them."""

    paths: Paths
    theirs_win: bool
    asked: bool = False


def merge(
    *,
    hub: Event,
    theirs: Event,
    changed_here: frozenset[str],
    changed_hub: frozenset[str],
    policy: Policy,
    here: Platform,
    here_is_origin: bool,
    hub_changed_at: datetime | None,
    theirs_changed_at: datetime | None,
) -> Merged:
    """The hub's event with ``theirs`` merged in: paths in ``changed_here``; the rest of theirs is ignored.

    ``changed_hub`` holds the paths that the hub changed since the two last agreed. Times (aware UTC, None counts as
    older) break ties under the newest-wins policy and nothing else.
    """
    newest = _is_newer(theirs_changed_at, than=hub_changed_at, or_else=here_is_origin)
    theirs_win = _theirs_win(policy.conflict, here=here, here_is_origin=here_is_origin, newest=newest)
    sides = _sides(hub, _in_hub_zone(theirs, hub), changed_here=changed_here, changed_hub=changed_hub)
    if not sides.by_them:
        return Merged(event=hub)
    clashes = _clashes(sides, policy=policy, theirs_win=theirs_win)
    return _with_markup(_outcome(hub, sides, clashes), theirs)


def _with_markup(merged: Merged, theirs: Event) -> Merged:
    """A body goes with its formatting."""
    if SyncedField.BODY.value not in merged.won:
        return merged
    content = replace(merged.event.content, markup=theirs.content.markup)
    return replace(merged, event=replace(merged.event, content=content))


def _is_newer(at: datetime | None, *, than: datetime | None, or_else: bool) -> bool:
    if at == than:
        return or_else
    return than is None or (at is not None and at > than)


def _theirs_win(conflict: ConflictPolicy, *, here: Platform, here_is_origin: bool, newest: bool) -> bool:
    return {
        ConflictPolicy.NEWEST: newest,
        ConflictPolicy.ORIGIN: here_is_origin,
        ConflictPolicy.OUTLOOK: here is Platform.OUTLOOK,
        ConflictPolicy.GOOGLE: here is Platform.GOOGLE,
        ConflictPolicy.ASK: False,
    }[conflict]


def _in_hub_zone(theirs: Event, hub: Event) -> Event:
    """Theirs with the hub's name of the zone wherever theirs is only another spelling of it."""
    ours = hub.content.when
    if not isinstance(ours, Timed):
        return theirs
    zone = ours.zone

    def respelled(_: SyncedField, value: FieldValue) -> FieldValue:
        if not isinstance(value, Timed) or not zones.same(value.zone, zone):
            return value
        end_zone = value.end_zone if value.end_zone and not zones.same(value.end_zone, zone) else None
        return replace(value, zone=zone, end_zone=end_zone)

    return map_fields(theirs, respelled)


def _sides(hub: Event, theirs: Event, *, changed_here: Paths, changed_hub: Paths) -> _Sides:
    """A change that both made alike is no change of theirs any more."""
    by_them = changed_here - alike(changed_here, texts(hub), texts(theirs))
    return _Sides(flatten(hub), flatten(theirs), by_hub=changed_hub, by_them=by_them)


def _clashes(sides: _Sides, *, policy: Policy, theirs_win: bool) -> list[_Clash]:
    asks = policy.conflict is ConflictPolicy.ASK
    clashes = [
        *_occurrence_clashes(sides, policy=policy, theirs_win=theirs_win),
        *_shape_clash(sides, theirs_win, asks),
    ]
    grouped = frozenset(path for clash in clashes for path in clash.paths)
    single = sorted(sides.by_them & sides.by_hub - grouped)
    return [*clashes, *(_Clash(frozenset({path}), theirs_win, asks) for path in single)]


def _occurrence_clashes(sides: _Sides, *, policy: Policy, theirs_win: bool) -> list[_Clash]:
    """Occurrences that one side cancelled and the other edited: decided whole, by the delete policy."""
    asks = policy.conflict is ConflictPolicy.ASK
    found = []
    for key in sorted(_keys(sides.by_them) & _keys(sides.by_hub)):
        theirs_cancelled, hub_cancelled = f"@{key}" in sides.theirs, f"@{key}" in sides.hub
        if theirs_cancelled == hub_cancelled:
            continue
        paths = _of_key(key, sides.hub) | _of_key(key, sides.theirs) | _of_key(key, sides.by_them)
        edited = _of_key(key, sides.hub if theirs_cancelled else sides.theirs)
        if edited:
            edit_wins = policy.on_delete is DeletePolicy.EDIT_WINS
            found.append(_Clash(paths, theirs_win=edit_wins != theirs_cancelled))
        else:  # a regular occurrence against a cancelled one: nobody's words are at stake
            found.append(_Clash(paths, theirs_win, asks))
    return found


def _shape_clash(sides: _Sides, theirs_win: bool, asks: bool) -> list[_Clash]:
    """Time and rule are decided together when taken one by one they would not fit each other."""
    if not (sides.by_them & SHAPE and sides.by_hub & SHAPE):
        return []
    taken = {path for path in sides.by_them & SHAPE if theirs_win or path not in sides.by_hub}
    mixed = {path: (sides.theirs if path in taken else sides.hub).get(path) for path in SHAPE}
    if begins_with_its_start(*shape_of(mixed)):
        return []
    return [_Clash(SHAPE & (sides.by_them | sides.by_hub), theirs_win, asks)]


def _outcome(hub: Event, sides: _Sides, clashes: list[_Clash]) -> Merged:
    won = _won(sides, clashes)
    lost = _lost(sides, clashes)
    paths = {path: value for path, value in sides.hub.items() if path not in won}
    paths |= {path: sides.theirs[path] for path in won if path in sides.theirs}
    if (sides.by_them | sides.by_hub) & SHAPE:
        paths, orphans = realign(paths, trusted=_trusted(sides, won))
        lost |= {path: value for path, value in orphans.items() if path in sides.by_them | sides.by_hub}
        won -= orphans.keys()
    event = without_redundant(unflatten(paths, like=hub))
    asked = frozenset(path for clash in clashes if clash.asked for path in clash.paths & sides.by_them)
    return Merged(event=event, won=won, lost=dict(sorted(lost.items())), asked=asked)


def _won(sides: _Sides, clashes: list[_Clash]) -> Paths:
    clashing = frozenset(path for clash in clashes for path in clash.paths)
    return sides.by_them - clashing | frozenset(path for clash in clashes if clash.theirs_win for path in clash.paths)


def _lost(sides: _Sides, clashes: list[_Clash]) -> dict[str, object]:
    lost: dict[str, object] = {}
    for clash in clashes:
        losers, paths = (sides.hub, clash.paths) if clash.theirs_win else (sides.theirs, clash.paths & sides.by_them)
        lost |= {path: losers.get(path) for path in paths}
    return lost


def _trusted(sides: _Sides, won: Paths) -> frozenset[OccurrenceKey]:
    """The keys of the side that supplies both time and rule; none when they come from both."""
    moved = SHAPE & (sides.by_them | sides.by_hub)
    if moved <= won:
        return _keys(sides.theirs)
    return frozenset() if moved & won else _keys(sides.hub)


def _keys(paths: Mapping[str, object] | Paths) -> frozenset[OccurrenceKey]:
    return frozenset(key for path in paths if (key := key_of_path(path)) is not None)


def _of_key(key: OccurrenceKey, paths: Mapping[str, object] | Paths) -> Paths:
    return frozenset(path for path in paths if key_of_path(path) == key)
