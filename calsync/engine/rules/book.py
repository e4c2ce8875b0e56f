"""Which rule decides: the first that matches in the nearest scope, else the default.

What lives here: rules in their order, the search through them, and the verdict with its reasons. What does not: which
rules concern whom (the caller puts them in order), what the conditions mean.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from calsync.engine.rules.condition import All, Answer, Condition, Feature, Question
from calsync.engine.rules.facts import Facts, Topology
from calsync.engine.treatment import FULL, Treatment


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is in force. ``label`` names the row and its version, such as ``17v3``; a default has none."""

    name: str
    condition: Condition = field(default_factory=All)
    treatment: Treatment = FULL
    label: str = ""
    scope: str = ""  # whom it was made for, in words

    @property
    def is_default(self) -> bool:
        """Whether nobody wrote it."""
        return not self.label


DEFAULTS: Mapping[Topology, Rule] = {
    Topology.OWN: Rule("Default: a person's own calendars are kept in step, with everything", scope="everybody"),
    Topology.COLLEAGUES: Rule("Default: colleagues get a copy, with everything", scope="everybody"),
}
"""What holds where no rule matches."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One rule that was looked at, and how its conditions answered."""

    rule: Rule
    answer: Answer


@dataclass(frozen=True)
class Verdict:
    """What one rule decided about one event. The reasons are worked out when somebody asks for them."""

    rule: Rule
    facts: Facts = field(repr=False)
    chain: Chain = field(repr=False)

    @property
    def treatment(self) -> Treatment:
        """What the rule says."""
        return self.rule.treatment

    @cached_property
    def trace(self) -> tuple[Looked, ...]:
        """Each rule in order up to the one that decided, each of its conditions with its reason."""
        looked = []
        for rule in (*self.chain.rules, DEFAULTS[self.facts.topology]):
            looked.append(Looked(rule, rule.condition.answer(self.facts)))
            if rule is self.rule:
                break
        return tuple(looked)


_Candidate = tuple[Rule, tuple[Callable[[Facts], bool], ...]]
_MOST_KEPT = 10_000  # combinations of values in one chain


class Chain:
    """The rules that concern somebody, the nearest first. They are sorted by features, so that few need be asked."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._index = _index_of(self.rules)
        self._left = [_left_to_ask(rule.condition) for rule in self.rules]
        self._everyone = (1 << len(self.rules)) - 1
        self._features = tuple(feature for feature, _, _ in self._index)
        self._possible: dict[tuple[Hashable, ...], tuple[_Candidate, ...]] = {}

    def decide(self, facts: Facts) -> Verdict:
        """The verdict of the first rule that matches; the default's when none does."""
        values = tuple([feature(facts) for feature in self._features])
        candidates = self._possible.get(values)
        if candidates is None:
            candidates = self._look_up(values)
        for rule, left in candidates:
            for holds in left:
                if not holds(facts):
                    break
            else:
                return Verdict(rule, facts, self)
        return Verdict(DEFAULTS[facts.topology], facts, self)

    def _look_up(self, values: tuple[Hashable, ...]) -> tuple[_Candidate, ...]:
        """The rules that events with these values of the features leave possible; kept, for there are few of them."""
        possible = self._everyone
        for (_, table, others), value in zip(self._index, values, strict=True):
            possible &= table.get(value, others)
        found = tuple(
            (rule, left)
            for place, (rule, left) in enumerate(zip(self.rules, self._left, strict=True))
            if possible >> place & 1
        )
        if len(self._possible) >= _MOST_KEPT:
            self._possible.clear()
        self._possible[values] = found
        return found


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of several people."""

    chains: Mapping[int, Chain]

    def decide(self, facts: Facts, *, person_id: int) -> Verdict:
        """What the rules of that person say. Raises KeyError for somebody whom the book was not made for."""
        return self.chains[person_id].decide(facts)


def _left_to_ask(condition: Condition) -> tuple[Callable[[Facts], bool], ...]:
    """What of a condition the index has not answered yet."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    asked = (part for part in parts if not (isinstance(part, Question) and part.exact))
    return tuple(part.test if isinstance(part, Question) else part.holds for part in asked)


def _index_of(rules: Sequence[Rule]) -> tuple[tuple[Feature, dict[Hashable, int], int], ...]:
    """For each feature asked for: the rules (as bits) that each value leaves possible, and those of any other."""
    wanted: dict[Feature, dict[int, frozenset[Hashable]]] = {}
    for place, rule in enumerate(rules):
        for feature, only in rule.condition.narrows().items():
            wanted.setdefault(feature, {})[place] = only
    return tuple((feature, *_table(asking, len(rules))) for feature, asking in wanted.items())


def _table(asking: Mapping[int, frozenset[Hashable]], count: int) -> tuple[dict[Hashable, int], int]:
    others = ((1 << count) - 1) & ~sum(1 << place for place in asking)
    table: dict[Hashable, int] = {}
    for place, only in asking.items():
        for value in only:
            table[value] = table.get(value, others) | 1 << place
    return table, others
