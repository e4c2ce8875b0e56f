"""Conditions about the way of an event: from where, to where, between whose calendars.

What lives here: providers, direction, own calendars or colleagues. What does not: the people in it (``people``).
"""

from __future__ import annotations

from calsync.engine.events import Platform
from calsync.engine.rules.condition import Question, one_of
from calsync.engine.rules.facts import Facts, Topology
from calsync.engine.rules.written import Written, word, words

_DIRECTIONS = {f"{source}_to_{target}": (source, target) for source in Platform for target in Platform}
_TOPOLOGIES = {Topology.OWN: "the person's own calendars", Topology.COLLEAGUES: "calendars of colleagues"}
_NAMES = {Platform.OUTLOOK: "Outlook", Platform.GOOGLE: "Google"}


def source_of(facts: Facts) -> Platform:
    """The platform that the event comes from."""
    return facts.source


def direction_of(facts: Facts) -> tuple[Platform, Platform]:
    """From which platform to which."""
    return facts.source, facts.target


def topology_of(facts: Facts) -> Topology:
    """Between whose calendars."""
    return facts.topology


def provider(value: Written) -> Question:
    """The platform on which the event was made."""
    wanted = frozenset(map(Platform, words(value, [*Platform])))

    def told(facts: Facts) -> str:
        return f"The event comes from {_NAMES[facts.source]}."

    return one_of("provider", source_of, wanted, told)


def direction(value: Written) -> Question:
    """From one platform to the other."""
    known = [name for name, (source, target) in _DIRECTIONS.items() if source is not target]
    wanted = _DIRECTIONS[word(value, known)]

    def told(facts: Facts) -> str:
        return f"The event goes from {_NAMES[facts.source]} to {_NAMES[facts.target]}."

    return one_of("direction", direction_of, frozenset({wanted}), told)


def between(value: Written) -> Question:
    """One person's own calendars, or those of colleagues."""
    wanted = Topology(word(value, [*Topology]))

    def told(facts: Facts) -> str:
        return f"It travels between {_TOPOLOGIES[facts.topology]}."

    return one_of("between", topology_of, frozenset({wanted}), told)
