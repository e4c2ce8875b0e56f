"""Every condition by its name: how it is read, what it means, an example; and how conditions are joined.

What lives here: the registry that the parser, the console's help and the documentation share. A new condition is one
function in the module of its family and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from calsync.engine.rules import clocks, journey, kinds, people, repeats, working
from calsync.engine.rules.condition import All, AnyOf, Condition, Not, Question
from calsync.engine.rules.written import Written, Wrong, mapping

_DEEPEST = 8
GROUPS = ("all", "any", "not")


@dataclass(frozen=True, slots=True)
class Described:
    """One word of the language. ``examples`` are YAML, each a whole condition or effect."""

    read: Callable[[Written], Question]
    meaning: str
    examples: tuple[str, ...]


CONDITIONS: Mapping[str, Described] = {
    "provider": Described(journey.provider, "the platform on which the event was made", ("provider: outlook",)),
    "direction": Described(
        journey.direction, "from which platform to which it travels", ("direction: outlook_to_google",)
    ),
    "between": Described(
        journey.between, "a person's own calendars, or from a host to a colleague", ("between: colleagues",)
    ),
    "series": Described(
        repeats.series,
        "a single event (false) or a series: how often, without end or not, how long it goes on",
        ("series: false", "series: {frequency: [daily, weekly], endless: true}", "series: {lasts: {at_most: 12w}}"),
    ),
    "working_hours": Described(
        working.working_hours,
        "wholly inside or outside working hours, or partly in them: the person's own, also read in another zone",
        (
            "working_hours: outside",
            "working_hours: {is: inside, zone: America/New_York}",
            'working_hours: {is: partly, from: "22:00", to: "06:00", days: [mo, tu], zone: own}',
        ),
    ),
    "zone_distance": Described(
        clocks.zone_distance, "hours between the clocks of host and guest", ("zone_distance: {at_least: 6}",)
    ),
    "weekday": Described(
        clocks.weekday,
        "the weekday on which it starts, in the person's own zone, the event's, or a given one",
        ("weekday: [sa, su]", "weekday: {days: [fr], zone: Asia/Dubai}", "weekday: {days: [mo], zone: event}"),
    ),
    "duration": Described(clocks.duration, "how long it lasts", ("duration: {at_least: 30m, at_most: 2h}",)),
    "all_day": Described(clocks.all_day, "whole days or not", ("all_day: true",)),
    "ahead": Described(
        clocks.ahead, "how far ahead it starts; of a series, the next occurrence", ("ahead: {at_most: 14d}",)
    ),
    "show_as": Described(kinds.show_as, "how it counts in free/busy", ("show_as: [busy, oof]",)),
    "sensitivity": Described(
        kinds.sensitivity, "what its owner marked it as", ("sensitivity: [private, confidential]",)
    ),
    "classification": Described(
        kinds.classification,
        "the higher level of event and calendar",
        ("classification: {at_least: confidential}", "classification: [public, internal]"),
    ),
    "category": Described(kinds.category, "one of its categories", ("category: [Customer, Travel]",)),
    "title": Described(
        kinds.title,
        "a regular expression (RE2) in the title, whatever its case",
        ("title: interview|salary",),
    ),
    "type": Described(
        kinds.type_,
        "appointment (no guests), meeting, online (with a link to join), out_of_office",
        ("type: [meeting, online]",),
    ),
    "organizer": Described(
        people.organizer,
        "who organises it: inside, outside, in a unit, in a group",
        ("organizer: outside", "organizer: {unit: /Sales/EMEA}", "organizer: {group: Board}"),
    ),
    "guests": Described(
        people.guests,
        "any, all or none of the guests: inside, outside, in a unit, in a group",
        ("guests: outside", "guests: {all: inside}", "guests: {none: {unit: /Legal}}", "guests: {any: {group: Board}}"),
    ),
    "guest_count": Described(people.guest_count, "how many guests", ("guest_count: {at_least: 10}",)),
    "response": Described(
        people.response, "the person's own answer; organizer for own events", ("response: [accepted, organizer]",)
    ),
}


def read_conditions(value: Written) -> All:
    """Conditions as they are written: names with values, of which each must hold. Raises Wrong."""
    return _joined(value, depth=0)


def _joined(value: Written, *, depth: int) -> All:
    if depth > _DEEPEST:
        raise Wrong(f"conditions stand more than {_DEEPEST} deep in each other")
    named = mapping({} if value is None else value, (*CONDITIONS, *GROUPS))
    return All(tuple(_read(name, named[name], depth=depth) for name in named))


def _read(name: str, value: Written, *, depth: int) -> Condition:
    try:
        if name in GROUPS:
            return _group(name, value, depth=depth)
        return CONDITIONS[name].read(value)
    except Wrong as wrong:
        raise wrong.inside(name) from None


def _group(name: str, value: Written, *, depth: int) -> Condition:
    if name == "not":
        inner = _joined(value, depth=depth + 1)
        if not inner.parts:
            raise Wrong("say what must not hold")
        return Not(inner)
    if not isinstance(value, list) or not value:
        raise Wrong("a list of conditions is expected here, each beginning with a dash")
    parts = tuple(_member(number, one, depth=depth + 1) for number, one in enumerate(value))
    return All(parts) if name == "all" else AnyOf(parts)


def _member(number: int, value: Written, *, depth: int) -> Condition:
    try:
        joined = _joined(value, depth=depth)
        if not joined.parts:
            raise Wrong("a condition is missing here")
    except Wrong as wrong:
        raise wrong.inside(f"[{number}]") from None
    return joined.parts[0] if len(joined.parts) == 1 else joined
