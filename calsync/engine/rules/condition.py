"""Conditions as values: one question, or several joined by all, any and not.

What lives here: how they are asked and how they answer for themselves. What does not: the questions (one module for
each family), how they are written (``language``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

from calsync.engine.rules.facts import Facts

Feature = Callable[[Facts], Hashable]
"""Something about an event that has few values, by which a book sorts its rules; the same function each time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one condition: a sentence for a person, without a word of the event's texts."""

    name: str
    ok: bool
    reason: str
    parts: tuple[Answer, ...] = ()


class Condition(Protocol):
    """Anything that can be asked about an event."""

    def holds(self, facts: Facts) -> bool:
        """Whether it is so. Quick: this is asked for every rule."""

    def answer(self, facts: Facts) -> Answer:
        """Whether it is so, and why."""

    def narrows(self) -> dict[Feature, frozenset[Hashable]]:
        """Features that must have one of these values, or the condition cannot hold."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``words`` tells what is so of the event; ``only`` names the values of a feature that it wants.

    ``exact``: that feature alone decides. ``mentions``: what it names outside the event, as (kind, name): a unit's
    path, a group.
    """

    name: str
    test: Callable[[Facts], bool]
    words: Callable[[Facts], str]
    feature: Feature | None = None
    only: frozenset[Hashable] = frozenset()
    mentions: frozenset[tuple[str, str]] = frozenset()
    exact: bool = False

    def holds(self, facts: Facts) -> bool:
        """Whether it is so."""
        return self.test(facts)

    def answer(self, facts: Facts) -> Answer:
        """Whether it is so, and why."""
        return Answer(self.name, self.test(facts), self.words(facts))

    def narrows(self) -> dict[Feature, frozenset[Hashable]]:
        """The feature that it asks for."""
        return {} if self.feature is None else {self.feature: self.only}


def one_of(name: str, feature: Feature, only: frozenset[Hashable], words: Callable[[Facts], str]) -> Question:
    """The question whether a feature has one of some values."""
    return Question(name, lambda facts: feature(facts) in only, words, feature, only, exact=True)


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold; without parts it always does."""

    parts: tuple[Condition, ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Whether each part holds."""
        for part in self.parts:  # noqa: SIM110 - a third faster than all(...), and asked for every rule
            if not part.holds(facts):
                return False
        return True

    def answer(self, facts: Facts) -> Answer:
        """All parts, each with its reason."""
        answers = tuple(part.answer(facts) for part in self.parts)
        failed = sum(not answer.ok for answer in answers)
        if not answers:
            return Answer("all", True, "It asks for nothing: it holds for every event.")
        reason = f"{failed} of {len(answers)} conditions {'does' if failed == 1 else 'do'} not hold."
        return Answer("all", not failed, reason if failed else "Every condition holds.", answers)

    def narrows(self) -> dict[Feature, frozenset[Hashable]]:
        """What all parts ask for together."""
        found: dict[Feature, frozenset[Hashable]] = {}
        for part in self.parts:
            for feature, only in part.narrows().items():
                found[feature] = found[feature] & only if feature in found else only
        return found


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part must hold."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether a part holds."""
        return any(part.holds(facts) for part in self.parts)

    def answer(self, facts: Facts) -> Answer:
        """All parts, each with its reason."""
        answers = tuple(part.answer(facts) for part in self.parts)
        held = sum(answer.ok for answer in answers)
        return Answer("any", held > 0, f"{held} of {len(answers)} alternatives hold.", answers)

    def narrows(self) -> dict[Feature, frozenset[Hashable]]:
        """Nothing: the parts may ask for different things."""
        return {}


@dataclass(frozen=True, slots=True)
class Not:
    """The part must not hold."""

    part: Condition

    def holds(self, facts: Facts) -> bool:
        """Whether the part does not hold."""
        return not self.part.holds(facts)

    def answer(self, facts: Facts) -> Answer:
        """The part with its reason, turned round."""
        inner = self.part.answer(facts)
        reason = "What must not hold does." if inner.ok else "What must not hold does not."
        return Answer("not", not inner.ok, reason, (inner,))

    def narrows(self) -> dict[Feature, frozenset[Hashable]]:
        """Nothing."""
        return {}


def mentioned(condition: Condition) -> frozenset[tuple[str, str]]:
    """Everything that a condition and its parts name outside the event."""
    match condition:
        case Question():
            return condition.mentions
        case All() | AnyOf():
            return frozenset().union(*(mentioned(part) for part in condition.parts))
        case Not():
            return mentioned(condition.part)
    return frozenset()
