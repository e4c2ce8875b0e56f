"""Conditions about the people of an event: organiser, guests, how many, the person's own answer.

What lives here: questions about parties. Reasons count people and never name them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calsync.engine.rules.condition import Question, one_of
from calsync.engine.rules.facts import Facts, Party
from calsync.engine.rules.written import Written, Wrong, at, bounds, mapping, text, whole, word, words

RESPONSES = ("none", "accepted", "tentative", "declined", "organizer")
_SIDES = ("inside", "outside")
_MOST_GUESTS = 100_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """Some people: whether a party is one of them, and what they are called."""

    test: Callable[[Party], bool]
    words: str
    mentions: frozenset[tuple[str, str]] = frozenset()


def answer_of(facts: Facts) -> str:
    """The person's own answer."""
    return facts.response


def organizer(value: Written) -> Question:
    """Who organises it."""
    kind = _kind(value)

    def told(facts: Facts) -> str:
        return f"The organiser is {'' if kind.test(facts.host) else 'not '}{kind.words}."

    return Question("organizer", lambda facts: kind.test(facts.host), told, mentions=kind.mentions)


def guests(value: Written) -> Question:
    """Any, all or none of its guests; without guests neither any nor all."""
    how, people = _quantity(value)
    kind: _Kind = at(how, value, _kind) if isinstance(value, dict) and how in value else _kind(people)

    def test(facts: Facts) -> bool:
        count = sum(kind.test(guest) for guest in facts.guests)
        if how == "all":
            return bool(facts.guests) and count == len(facts.guests)
        return count > 0 if how == "any" else count == 0

    def told(facts: Facts) -> str:
        count = sum(kind.test(guest) for guest in facts.guests)
        return f"{count} of {len(facts.guests)} guests {'is' if count == 1 else 'are'} {kind.words}; asked is {how}."

    return Question("guests", test, told, mentions=kind.mentions)


def _quantity(value: Written) -> tuple[str, Written]:
    if not isinstance(value, dict) or "unit" in value or "group" in value:
        return "any", value
    named = mapping(value, ("any", "all", "none", "unit", "group"))
    if len(named) != 1:
        raise Wrong("say one of any, all and none")
    return next(iter(named.items()))


def guest_count(value: Written) -> Question:
    """How many guests it has; rooms and the organiser do not count."""
    wanted = bounds(value, whole, least=0, most=_MOST_GUESTS)

    def count(facts: Facts) -> int:
        return sum(not guest.resource for guest in facts.event.guests)

    def told(facts: Facts) -> str:
        return f"It has {count(facts)} {'guest' if count(facts) == 1 else 'guests'}; asked is {wanted}."

    return Question("guest_count", lambda facts: wanted.holds(count(facts)), told)


def response(value: Written) -> Question:
    """What the person answered; ``organizer`` for one's own events."""
    wanted = words(value, RESPONSES)

    def told(facts: Facts) -> str:
        return f"The person's answer is: {facts.response}."

    return one_of("response", answer_of, wanted, told)


def _kind(value: Written) -> _Kind:
    if not isinstance(value, dict):
        is_inside = word(value, _SIDES) == "inside"
        where = "inside the organisation" if is_inside else "outside the organisation"
        return _Kind(lambda party: party.inside is is_inside, where)
    named = mapping(value, ("unit", "group"))
    if len(named) != 1:
        raise Wrong("say inside, outside, unit or group")
    if "group" in named:
        name: str = at("group", named, text)
        return _Kind(lambda party: name in party.groups, f"in the group {name}", frozenset({("group", name)}))
    path: str = "/" + at("unit", named, text, longest=500).strip("/")
    below = path + "/"
    return _Kind(
        lambda party: party.unit == path or party.unit.startswith(below),
        f"in the unit {path}",
        frozenset({("unit", path)}),
    )
