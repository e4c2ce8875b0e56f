"""A recurrence that a platform cannot hold as one series, told as several that it can.

What lives here: the strands of a recurrence, their names, and that no occurrence stands in two of them. What does not:
the pieces of one rule (``rule_pieces``), events, exceptions and the single events that stand for the rest (``parts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import combinations

from calsync.engine import zones
from calsync.engine.events import Frequency, OccurrenceKey, Recurrence, Rule, Timed, When
from calsync.engine.part_names import LONGEST, series_name
from calsync.engine.recurrence import key_at, key_of, normal_form
from calsync.engine.rule_pieces import Expressible, Piece, days_of, moved_to, pieces_of

_MOST_SHARED = 60  # occurrences of one strand that another one has: more are told as single events


@dataclass(frozen=True, slots=True)
class Strand:
    """One series among those that a recurrence is split into."""

    name: str
    when: When
    rule: Rule
    elsewhere: frozenset[OccurrenceKey] = frozenset()  # occurrences that an earlier strand has

    @property
    def recurrence(self) -> Recurrence:
        """The recurrence of the series."""
        return Recurrence((self.rule,))


@lru_cache(maxsize=1024)
def strands_of(start: When, recurrence: Recurrence, expressible: Expressible) -> tuple[Strand, ...]:
    """The series that a recurrence is split into, in an order and with names that its ends do not change.

    Together they have no occurrence that the recurrence lacks, and each of them once. Occurrences that none has are
    left to single events.
    """
    rules = sorted(normal_form(recurrence, start=start).rules, key=series_name)
    pieces = _named(piece for rule in rules for piece in pieces_of(rule, start, expressible))
    # By name once more: a rule that ends soon may be told as another, whose pieces then come up earlier.
    return tuple(_disjoint(dict(sorted(pieces.items()))))


def _named(pieces: Iterable[Piece]) -> dict[str, Piece]:
    """The pieces by name. Of two that differ in their end the longer has the other's occurrences too."""
    found: dict[str, Piece] = {}
    for piece in pieces:
        name = series_name(piece.rule)
        if len(name) <= LONGEST and _ends_later(piece, found.setdefault(name, piece)):
            found[name] = piece
    return found


def _ends_later(one: Piece, other: Piece) -> bool:
    if one.when != other.when or other.rule.until is None:
        return False
    return one.rule.until is None or one.rule.until > other.rule.until


def _disjoint(pieces: dict[str, Piece]) -> Iterable[Strand]:
    """Strands that share nothing. One that always meets another is left out: nobody can cancel without end."""
    pairs = combinations((piece.rule for piece in pieces.values()), 2)
    if all(_never_meet(one, other) for one, other in pairs):
        return [Strand(name, piece.when, piece.rule) for name, piece in pieces.items()]
    days = {name: days_of(piece) for name, piece in pieces.items()}
    strands: list[Strand] = []
    for name in _not_covered(pieces, days):
        piece = pieces[name]
        shared = [(other, common) for other in strands if (common := days[name] & days[other.name])]
        common = frozenset[date]().union(*(some for _, some in shared))
        is_endless = piece.rule.until is None and any(other.rule.until is None for other, _ in shared)
        if not is_endless and len(common) <= _MOST_SHARED:
            strands.append(Strand(name, piece.when, piece.rule, _keys(common, piece.when)))
    return strands


def _never_meet(one: Rule, other: Rule) -> bool:
    """Whether two rules plainly have no day in common; False when only a look at their days can tell."""
    pairs = zip(_traits_of_days(one), _traits_of_days(other), strict=True)
    return any(a and b and a.isdisjoint(b) for a, b in pairs)


def _traits_of_days(rule: Rule) -> tuple[set[object], ...]:
    """What all days of a rule share: month, weekday, ordinal in the month, day of the month; empty when unknown."""
    ordinals = {ordinal for ordinal, _ in rule.by_day}
    in_month = rule.frequency is Frequency.MONTHLY or bool(rule.by_month)
    return (
        {*rule.by_month},
        {weekday for _, weekday in rule.by_day},
        {*ordinals} if in_month and all(ordinal and ordinal > 0 for ordinal in ordinals) else set(),
        {*rule.by_month_day} if all(day > 0 for day in rule.by_month_day) else set(),
    )


def _not_covered(pieces: dict[str, Piece], days: dict[str, frozenset[date]]) -> Sequence[str]:
    """The names of the pieces that have an occurrence which no other piece has."""
    left = list(pieces)
    for name in reversed(list(pieces)):
        if any(other != name and _covers(other, name, pieces, days) for other in left):
            left.remove(name)
    return left


def _covers(one: str, other: str, pieces: dict[str, Piece], days: dict[str, frozenset[date]]) -> bool:
    is_endless = pieces[other].rule.until is None and pieces[one].rule.until is not None
    return not is_endless and days[other] <= days[one]


def _keys(days: Iterable[date], start: When) -> frozenset[OccurrenceKey]:
    return frozenset(_key(moved_to(start, day)) for day in days)


def _key(when: When) -> OccurrenceKey:
    """The key of an occurrence at its wall clock time; one in the spring gap is named by what clocks really show."""
    if isinstance(when, Timed):
        return key_at(zones.to_instant(when.start, when.zone), start=when)
    assert not isinstance(when.start, datetime)
    return key_of(when.start)
