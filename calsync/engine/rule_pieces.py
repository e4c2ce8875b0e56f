"""One recurrence rule taken to pieces: simpler rules that a platform has a form for.

What lives here: which simpler rules a rule is made of. Every piece begins at its own first occurrence, ends with a day
(never a count) and has no occurrence that the rule lacks; what no piece has is left to single events. What does not:
several rules, overlaps, names (``splitting``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import gcd
from typing import Final

from calsync.engine.canonical_rule import WEEKDAYS, canonical
from calsync.engine.events import AllDay, Frequency, Recurrence, Rule, Weekday, When
from calsync.engine.expansion import last_day, wall_times

Expressible = Callable[[Recurrence], bool]

WATCHED: Final = timedelta(days=366 * 100)
"""How far a piece is looked at; what begins or overlaps later than that is nobody's calendar."""
_MOST_PIECES = 12
_MONTHS = 12
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Piece:
    """A series of one rule that begins at its own first occurrence."""

    when: When
    rule: Rule


def pieces_of(rule: Rule, start: When, expressible: Expressible) -> tuple[Piece, ...]:
    """The pieces of a canonical rule of a series that begins at ``start``: itself if a day as end makes it fit."""
    closed = _closed(rule, start)
    cut = _Cut(start, expressible, is_counted=rule.count is not None)
    if whole := cut.piece(closed, start):
        return (whole,)
    match closed.frequency:
        case Frequency.DAILY:
            return tuple(cut.all(_weekdays_of_days(closed, start)))
        case Frequency.WEEKLY:
            return tuple(cut.all(_positions_of_weeks(closed, start)))
    return _by_month(closed, cut)


def days_of(piece: Piece) -> frozenset[date]:
    """The days of a piece, as far as it is watched."""
    first = _wall(piece.when)
    return frozenset(wall.date() for wall in wall_times(piece.rule, piece.when, lower=first, upper=_horizon(first)))


def moved_to(when: When, day: date) -> When:
    """The span on another day, at the same wall clock time."""
    if isinstance(when, AllDay):
        return AllDay(day, day + (when.end - when.start))
    start = datetime.combine(day, when.start.time())
    return replace(when, start=start, end=start + (when.end - when.start))


Candidate = tuple[Rule, When]  # a simpler rule, and a start not after its first occurrence


@dataclass(frozen=True, slots=True)
class _Cut:
    """What every piece of one rule shares."""

    start: When
    expressible: Expressible
    is_counted: bool

    def piece(self, rule: Rule, start: When) -> Piece | None:
        """The rule at its first occurrence; None when it has none or the platform has no form for it."""
        day = _first_day(rule, start)
        if day is None:
            return None
        when = moved_to(start, day)
        for ended in self._ends(canonical(canonical(rule, start), when), when):
            if self.expressible(Recurrence((ended,))):
                return Piece(when, ended)
        return None

    def all(self, candidates: Sequence[Candidate]) -> list[Piece]:
        """The pieces of those candidates that give one."""
        return [piece for rule, start in candidates if (piece := self.piece(rule, start))]

    def _ends(self, rule: Rule, when: When) -> Iterator[Rule]:
        """The rule with its own last day, when it was counted; without an end when that is beyond all calendars."""
        if self.is_counted:
            rule = replace(rule, until=last_day(when, Recurrence((rule,))))
        yield rule
        if rule.until is not None and rule.until - _wall(when).date() > 4 * WATCHED:
            yield replace(rule, until=None)


def _closed(rule: Rule, start: When) -> Rule:
    """A count becomes the day on which it runs out: it would not run alike in the pieces."""
    if rule.count is None:
        return rule
    return replace(rule, count=None, until=last_day(start, Recurrence((rule,))))


def _first_day(rule: Rule, start: When) -> date | None:
    first = _wall(start)
    walls = wall_times(rule, start, lower=first, upper=_horizon(first))
    return next((wall.date() for wall in walls), None)


def _wall(when: When) -> datetime:
    return datetime.combine(when.start, time()) if isinstance(when, AllDay) else when.start.replace(microsecond=0)


def _horizon(first: datetime) -> datetime:
    return first + min(WATCHED, datetime(9999, 1, 1) - first)  # noqa: DTZ001 - wall clock


# --- days and weeks ---------------------------------------------------------------------------------------


def _weekdays_of_days(rule: Rule, start: When) -> list[Candidate]:
    """Every n-th day if it is a Monday or a Friday: each weekday comes round every n weeks."""
    if rule.by_month or rule.by_month_day or rule.by_set_pos or not rule.by_day:
        return []
    turns = 1 if rule.interval % _WEEK == 0 else _WEEK
    weeks = rule.interval * turns // _WEEK  # until the same weekday comes round
    found: dict[int, list[date]] = {}
    for turn in range(turns):
        day = _wall(start).date() + timedelta(days=turn * rule.interval)
        if (None, WEEKDAYS[day.weekday()]) in rule.by_day:
            monday = day - timedelta(days=day.weekday())
            found.setdefault(monday.toordinal() // _WEEK % weeks, []).append(day)
    weekly = replace(rule, frequency=Frequency.WEEKLY, interval=weeks, week_start=Weekday.MO)
    return [
        (replace(weekly, by_day=tuple((None, WEEKDAYS[day.weekday()]) for day in days)), moved_to(start, days[0]))
        for days in found.values()
    ]


def _positions_of_weeks(rule: Rule, start: When) -> list[Candidate]:
    """The n-th of some weekdays in a week is a weekday, but for the first week, of which only the rest counts."""
    if rule.by_month or not rule.by_set_pos:
        return []
    begin = WEEKDAYS.index(rule.week_start)
    places = sorted((WEEKDAYS.index(weekday) - begin) % _WEEK for _, weekday in rule.by_day)
    into_week = (_wall(start).weekday() - begin) % _WEEK
    left = [place for place in places if place >= into_week]
    regular, first_week = _picked(places, rule.by_set_pos), _picked(left, rule.by_set_pos)
    if not regular:
        return []
    if [place for place in regular if place >= into_week] != first_week:
        start = moved_to(start, _wall(start).date() + timedelta(days=rule.interval * _WEEK - into_week))
    by_day = tuple((None, WEEKDAYS[(place + begin) % _WEEK]) for place in regular)
    return [(replace(rule, by_day=by_day, by_set_pos=()), start)]


def _picked(places: Sequence[int], positions: Sequence[int]) -> list[int]:
    count = len(places)
    indexes = {position - 1 if position > 0 else count + position for position in positions}
    return [places[index] for index in sorted(indexes) if 0 <= index < count]


# --- months and years -------------------------------------------------------------------------------------


def _by_month(rule: Rule, cut: _Cut) -> tuple[Piece, ...]:
    """The pieces of each day that the rule names, the days with the fewest first in line as long as there is room."""
    by_day = [_pieces_of_day(day, cut) for day in _single_days(rule)]
    room, chosen = _MOST_PIECES, set()
    for place in sorted(range(len(by_day)), key=lambda place: len(by_day[place])):
        if len(by_day[place]) <= room:
            room -= len(by_day[place])
            chosen.add(place)
    return tuple(piece for place, pieces in enumerate(by_day) if place in chosen for piece in pieces)


def _single_days(rule: Rule) -> list[Rule]:
    """A rule for each day that the rule names within its month."""
    if rule.by_year_day or rule.by_week_no:
        return []
    if rule.by_set_pos:
        if rule.frequency is Frequency.YEARLY and len(rule.by_month) != 1:
            return []  # positions count within the whole year
        return [replace(rule, by_set_pos=(position,)) for position in rule.by_set_pos]
    if rule.by_day and rule.by_month_day:
        return []
    if rule.by_month_day:
        return [replace(rule, by_month_day=(day,)) for day in rule.by_month_day]
    return [replace(rule, by_day=(day,)) for day in rule.by_day if day[0] is not None]


def _pieces_of_day(rule: Rule, cut: _Cut) -> list[Piece]:
    """One piece, or one yearly piece for each month when no series has the day in all of them.

    Should some month have no form, none has: what is half told as series is better told as single events. The 29th is
    worth it: only that of February is lacking.
    """
    if whole := cut.piece(rule, cut.start):
        return [whole]
    if rule.frequency is Frequency.YEARLY and not rule.by_month and rule.by_day:
        return []  # ordinals count within the year
    found = []
    for month, start in _month_starts(rule, cut.start):
        yearly = replace(rule, frequency=Frequency.YEARLY, interval=_years(rule), by_month=(month,))
        if piece := cut.piece(yearly, start):
            found.append(piece)
        elif rule.by_month_day != (29,) and _first_day(yearly, start) is not None:
            return []
    return found


def _years(rule: Rule) -> int:
    """After how many years a rule comes to the same month again."""
    return rule.interval if rule.frequency is Frequency.YEARLY else rule.interval // gcd(rule.interval, _MONTHS)


def _month_starts(rule: Rule, start: When) -> Iterator[tuple[int, When]]:
    """The months that a rule visits, each with the start of its first visit."""
    first = _wall(start).date()
    if rule.frequency is Frequency.YEARLY:
        for month in rule.by_month or range(1, _MONTHS + 1):
            yield month, start
        return
    for turn in range(_MONTHS // gcd(rule.interval, _MONTHS)):
        years, month = divmod(first.month - 1 + turn * rule.interval, _MONTHS)
        is_wanted = not rule.by_month or month + 1 in rule.by_month
        if is_wanted and years * 366 < WATCHED.days and first.year + years < 9999:
            yield month + 1, moved_to(start, date(first.year + years, month + 1, 1)) if turn else start
