"""Conditions about what an event is: its weight, its privacy, its category, its title, its kind.

What lives here: questions about content. Reasons never repeat a text of the event, nor the pattern that it fits.
"""

from __future__ import annotations

from collections.abc import Iterator

import re2

from calsync.engine.events import Field, Sensitivity, ShowAs
from calsync.engine.rules.condition import Question, one_of
from calsync.engine.rules.facts import Facts, Level
from calsync.engine.rules.written import Written, Wrong, at, mapping, text, texts, word, words

LEVELS = {level.name.lower(): level for level in Level}
TYPES = ("appointment", "meeting", "online", "out_of_office")
_LONGEST_PATTERN = 300


def weight_of(facts: Facts) -> ShowAs:
    """How it counts in free/busy."""
    return facts.content.show_as


def sensitivity_of(facts: Facts) -> Sensitivity:
    """Its owner's wish for privacy."""
    return facts.content.sensitivity


def show_as(value: Written) -> Question:
    """How it counts in free/busy."""
    wanted = frozenset(map(ShowAs, words(value, [*ShowAs])))

    def told(facts: Facts) -> str:
        return f"It is shown as {weight_of(facts)}."

    return one_of("show_as", weight_of, wanted, told)


def sensitivity(value: Written) -> Question:
    """What its owner marked it as."""
    wanted = frozenset(map(Sensitivity, words(value, [*Sensitivity])))

    def told(facts: Facts) -> str:
        return f"It is marked {sensitivity_of(facts)}."

    return one_of("sensitivity", sensitivity_of, wanted, told)


def classification(value: Written) -> Question:
    """The higher level of the event and its calendar: some levels, or a lowest and a highest one."""
    wanted = _levels(value)

    def told(facts: Facts) -> str:
        return f"It is classified {_level_name(facts.level)}."

    return Question("classification", lambda facts: facts.level in wanted, told)


def _levels(value: Written) -> frozenset[int]:
    if not isinstance(value, dict):
        return frozenset(int(LEVELS[name]) for name in words(value, LEVELS))
    named = mapping(value, ("at_least", "at_most"))
    if not named:
        raise Wrong("say at_least, at_most or both")
    least = LEVELS[at("at_least", named, word, known=LEVELS)] if "at_least" in named else Level.PUBLIC
    most = LEVELS[at("at_most", named, word, known=LEVELS)] if "at_most" in named else Level.RESTRICTED
    return frozenset(int(level) for level in Level if least <= level <= most)


def _level_name(level: int) -> str:
    return Level(level).name.lower() if level in set(Level) else str(level)


def category(value: Written) -> Question:
    """One of its categories, whatever their case."""
    wanted = frozenset(name.casefold() for name in texts(value))

    def test(facts: Facts) -> bool:
        return any(name.casefold() in wanted for name in facts.categories)

    def told(facts: Facts) -> str:
        if not facts.categories:
            return "It has no category."
        return f"{'One' if test(facts) else 'None'} of its {len(facts.categories)} categories is asked for."

    return Question("category", test, told)


def title(value: Written) -> Question:
    """A pattern somewhere in the title. A series fits when its own title or one of a changed occurrence does.

    RE2 takes time in proportion to the title's length, whatever the pattern: nobody can stall the sync with one.
    """
    found = _pattern(value).search

    def test(facts: Facts) -> bool:
        return any(found(words) is not None for words in _titles(facts))

    def told(facts: Facts) -> str:
        return "The title fits the pattern." if test(facts) else "The title does not fit the pattern."

    return Question("title", test, told)


def _titles(facts: Facts) -> Iterator[str]:
    yield facts.content.title
    if facts.occurrence is None:
        for override in facts.event.exceptions.values():
            if Field.TITLE in override:
                yield str(override[Field.TITLE])


def _pattern(value: Written) -> re2.Pattern:
    options = re2.Options()
    options.case_sensitive, options.log_errors, options.max_mem = False, False, 1 << 20
    try:
        return re2.compile(text(value, longest=_LONGEST_PATTERN), options)
    except re2.error as error:
        problem = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise Wrong(f"the pattern is no regular expression of RE2: {problem}") from None


def type_(value: Written) -> Question:
    """What kind of event it is; an event may be of several kinds."""
    wanted = words(value, TYPES)

    def told(facts: Facts) -> str:
        return f"It is of the kind: {', '.join(sorted(types_of(facts)))}."

    return Question("type", lambda facts: not wanted.isdisjoint(types_of(facts)), told)


def types_of(facts: Facts) -> frozenset[str]:
    """An appointment or a meeting (with guests); perhaps online, perhaps an absence."""
    event = facts.event
    found = {"meeting" if event.guests or not event.organizes else "appointment"}
    if event.join:
        found.add("online")
    if event.kind == "out_of_office":
        found.add("out_of_office")
    return frozenset(found)
