"""Whether one series goes on where another was cut: "this and following" makes two series of one on either platform.

What lives here: recognising predecessor and successor. What does not: what is done with it (the caller keeps the
relation; both stay series of their own).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from calsync.engine.events import Event, Recurrence
from calsync.engine.recurrence import expand, last_day, start_of

TOGETHER = timedelta(minutes=10)
"""How far apart the cut and the new series may lie: one click makes both."""

NEAR = timedelta(days=6)
"""How far what follows may have been moved from the day on which the old rule would have gone on."""

_AHEAD = timedelta(days=366 * 4 + 1)  # a rule that makes nothing for so long has no next day worth comparing
_TAIL = re.compile(r"(.+)_R\d{8}(?:T\d{6})?")


@dataclass(frozen=True, slots=True)
class Series:
    """A series as one calendar shows it. ``known_at``: since when the hub holds it, None for one that is new to it."""

    remote_id: str
    event: Event
    changed_at: datetime | None = None
    known_at: datetime | None = None


def base_of(remote_id: str) -> str:
    """The id that Google's own screens made the id of a tail from (``<base>_R<start>``); '' for any other id."""
    found = _TAIL.fullmatch(remote_id)
    return found.group(1) if found else ""


def predecessor_of(newcomer: Series, others: Sequence[Series]) -> int | None:
    """The index of the one series that ``newcomer`` goes on; None when there is none, or no telling which.

    Google's id is proof: of several with its base the latest that begins earlier. Else the shape must fit: see
    ``follows``.
    """
    by_id = [index for index, other in enumerate(others) if _is_of_same_base(newcomer, other)]
    if by_id:
        return max(by_id, key=lambda index: _first_day(others[index].event))
    by_shape = [index for index, other in enumerate(others) if _fits(newcomer, other)]
    return by_shape[0] if len(by_shape) == 1 else None


def follows(newcomer: Series, other: Series) -> bool:
    """Whether ``newcomer`` goes on where ``other`` was cut.

    By id, or by shape: the other one was changed at about the same time after the hub had known it, its rule ends
    before the newcomer begins, and the newcomer begins on the day on which that rule would have gone on (with the same
    rhythm or title) or near it (with both).
    """
    return _is_of_same_base(newcomer, other) or _fits(newcomer, other)


def _is_of_same_base(newcomer: Series, other: Series) -> bool:
    base = base_of(newcomer.remote_id)
    if not base or other.remote_id == newcomer.remote_id:
        return False
    return base in (other.remote_id, base_of(other.remote_id)) and _first_day(other.event) < _first_day(newcomer.event)


def _fits(newcomer: Series, other: Series) -> bool:
    if other.remote_id == newcomer.remote_id or not _were_touched_together(newcomer, other):
        return False
    if newcomer.event.organizer != other.event.organizer:
        return False
    due, begins = _would_go_on(other.event), _first_day(newcomer.event)
    if due is None or abs(begins - due) > NEAR:
        return False
    alike = [_rhythm(newcomer.event) == _rhythm(other.event), _title(newcomer.event) == _title(other.event)]
    return any(alike) if begins == due else all(alike)


def _were_touched_together(newcomer: Series, other: Series) -> bool:
    if newcomer.changed_at is None or other.changed_at is None or other.known_at is None:
        return False
    return other.known_at <= other.changed_at and abs(newcomer.changed_at - other.changed_at) <= TOGETHER


def _would_go_on(event: Event) -> date | None:
    """The first day after its end on which a series' rule would have made another occurrence."""
    when, rules = event.content.when, event.recurrence
    last = last_day(when, rules) if rules is not None else None
    if rules is None or last is None or len(rules.rules) != 1:
        return None
    endless = Recurrence((replace(rules.rules[0], count=None, until=None),))
    after = datetime.combine(last, time(), UTC)
    days = (_day_of(start_of(key)) for key in expand(when, endless, after=after, before=after + _AHEAD, limit=4))
    return next((day for day in days if day > last), None)


def _rhythm(event: Event) -> tuple[object, ...]:
    rules = event.recurrence.rules if event.recurrence else ()
    return tuple((rule.frequency, rule.interval) for rule in rules)


def _title(event: Event) -> str:
    return " ".join(event.content.title.split()).casefold()


def _first_day(event: Event) -> date:
    return _day_of(event.content.when.start)


def _day_of(start: date) -> date:
    return start.date() if isinstance(start, datetime) else start
