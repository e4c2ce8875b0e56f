"""Reading what somebody wrote into a rule: each value checked, each refusal a sentence that says what to write.

What lives here: the small values that conditions and effects are made of. What does not: conditions and effects.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, TypeVar

from calsync.engine import zones

Written = Any  # what JSON or YAML holds: every reader below checks what it gets
T = TypeVar("T", int, float, timedelta)

_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(m|min|h|d|w)\s*", re.IGNORECASE)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_LONGEST = timedelta(days=3650)
WEEKDAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")


class Wrong(ValueError):
    """What was written cannot be meant. ``where`` is the way to it, such as ``when.any[1].weekday``."""

    def __init__(self, problem: str, where: str = "") -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem, self.where = problem, where

    def inside(self, name: str) -> Wrong:
        """The same, seen from one step further out."""
        rest = f".{self.where}" if self.where and not self.where.startswith("[") else self.where
        return Wrong(self.problem, f"{name}{rest}")


@dataclass(frozen=True, slots=True)
class Bounds:
    """From ``at_least`` to ``at_most``, both included; None is open."""

    at_least: int | float | timedelta | None
    at_most: int | float | timedelta | None

    def holds(self, value: Any) -> bool:  # Any: of the kind that the bounds were read as
        """Whether the value lies between."""
        if self.at_least is not None and value < self.at_least:
            return False
        return self.at_most is None or bool(value <= self.at_most)

    def __str__(self) -> str:
        told = [("at least", self.at_least), ("at most", self.at_most)]
        return " and ".join(f"{word} {amount(value)}" for word, value in told if value is not None)


def flag(value: Written) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Wrong(f"{_shown(value)} is neither true nor false")
    return value


def words(value: Written, known: Collection[str]) -> frozenset[str]:
    """One word, or a list of words, out of the known ones."""
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise Wrong(f"the list is empty: name some of {', '.join(known)}")
    return frozenset(word(one, known) for one in listed)


def word(value: Written, known: Collection[str]) -> str:
    """One of the known words, whatever its case."""
    folded = value.strip().lower() if isinstance(value, str) else value
    if folded not in known or not isinstance(folded, str):
        raise Wrong(f"{_shown(value)} is not known here{_nearest(value, known)}; use {', '.join(known)}")
    return folded


def texts(value: Written) -> frozenset[str]:
    """One text, or a list of texts."""
    return frozenset(text(one) for one in value) if isinstance(value, list) and value else frozenset({text(value)})


def text(value: Written, *, longest: int = 200) -> str:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise Wrong("a text is missing here")
    if len(value) > longest:
        raise Wrong(f"the text is longer than {longest} characters")
    return value.strip()


def whole(value: Written, *, least: int, most: int) -> int:
    """A whole number in a range."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Wrong(f"{_shown(value)} is not a whole number from {least} to {most}")
    return value


def hours(value: Written) -> float:
    """A number of hours, such as 6 or 5.5."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 26:
        raise Wrong(f"{_shown(value)} is not a number of hours from 0 to 26")
    return float(value)


def span(value: Written) -> timedelta:
    """A length of time: ``30m``, ``2h``, ``3d``, ``2w``."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    length = float(found[1]) * _UNITS[found[2][0].lower()] if found and len(found[1]) < 9 else None
    if length is None or length > _LONGEST:
        raise Wrong(f"{_shown(value)} is not a length of time: write 30m, 2h, 3d or 2w")
    return length


def clock(value: Written) -> time:
    """A time of day. YAML reads an unquoted 17:00 as the number of minutes since midnight; that is understood."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(*divmod(value, 60))
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f"{_shown(value)} is not a time of day: write 09:00")
    return time(int(found[1]), int(found[2]))


def weekdays(value: Written) -> frozenset[int]:
    """Weekdays as ISO numbers (1 is Monday)."""
    return frozenset(WEEKDAYS.index(day) + 1 for day in words(value, WEEKDAYS))


def zone(value: Written) -> str:
    """The IANA name of a time zone."""
    name = zones.to_iana(text(value))
    if name is None:
        raise Wrong(f"{_shown(value)} is not a time zone: write its IANA name, such as Europe/Berlin")
    return name


def mapping(value: Written, known: Iterable[str]) -> Mapping[str, Written]:
    """Names with values; every name must be a known one."""
    known = tuple(known)
    if not isinstance(value, Mapping):
        raise Wrong(f"names with values are expected here: {', '.join(known)}")
    for name in value:
        if name not in known:
            raise Wrong(f"{_shown(name)} is not known here{_nearest(name, known)}; use {', '.join(known)}")
    return value


def at(name: str, value: Mapping[str, Written], read: Any, **more: Any) -> Any:  # Any: whatever the reader returns
    """What a reader makes of the value of that name; a refusal tells the way to it."""
    try:
        return read(value[name], **more)
    except Wrong as wrong:
        raise wrong.inside(name) from None


def bounds(value: Written, read: Any, **more: Any) -> Bounds:  # Any: the reader of either bound
    """``{at_least: ..., at_most: ...}``, of which one may be missing."""
    named = mapping(value, ("at_least", "at_most"))
    if not named:
        raise Wrong("say at_least, at_most or both")
    lower, upper = (at(name, named, read, **more) if name in named else None for name in ("at_least", "at_most"))
    if lower is not None and upper is not None and lower > upper:
        raise Wrong("at_least is more than at_most")
    return Bounds(lower, upper)


def amount(value: int | float | timedelta) -> str:
    """A number or a length of time in short words: ``90 min``, ``2 h``, ``3 days``."""
    if not isinstance(value, timedelta):
        return f"{value:g}"
    minutes = value / timedelta(minutes=1)
    if abs(minutes) >= 2880:
        return f"{minutes / 1440:.3g} days"
    return f"{minutes:g} min" if minutes % 60 and abs(minutes) < 1440 else f"{minutes / 60:.3g} h"


def _nearest(value: Written, known: Collection[str]) -> str:
    near = difflib.get_close_matches(value.lower(), list(known), n=1) if isinstance(value, str) else []
    return f" (did you mean {near[0]}?)" if near else ""


def _shown(value: Written) -> str:
    return repr(value) if isinstance(value, str | int | float | bool) else "this"
