"""What a rule says: effects as they are written, made into a Treatment.

What lives here: every effect by its name, with its meaning and an example. What does not: what effects do (masking,
planning, pushing).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calsync.engine.events import Field
from calsync.engine.policy import ConflictPolicy, DeletePolicy
from calsync.engine.rules.written import Written, Wrong, at, mapping, text, whole, word, words, zone
from calsync.engine.treatment import Detail, Details, Leaving, Passage, Treatment

_CHOOSABLE = (Field.TITLE, Field.BODY, Field.LOCATION, Field.SHOW_AS)
_APPROVERS = ("guest", "manager", "unit")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_STANDING_FOR = ("title", "organizer", "show_as")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_FARTHEST = 3650


@dataclass(frozen=True, slots=True)
class Effect:
    """One word of what a rule may say."""

    meaning: str
    examples: tuple[str, ...]


EFFECTS: Mapping[str, Effect] = {
    "do": Effect(
        "sync: it travels (unless said otherwise); skip: it does not; hold: it waits for an approval",
        ("do: sync", "do: skip", "do: hold"),
    ),
    "approver": Effect(
        "who approves what is held: the guest, the host's manager, whoever approves for the unit, or an address",
        ("approver: manager", "approver: ada@example.org"),
    ),
    "details": Effect(
        "what the other side shows: full, title, busy, or a list of fields; times always travel",
        ("details: busy", "details: [title, location]"),
    ),
    "title": Effect(
        "the title on the other side; {title}, {organizer} and {show_as} stand for the event's own",
        ('title: "Busy ({show_as})"',),
    ),
    "conflict": Effect("who wins when both sides changed the same field", ("conflict: ask", "conflict: outlook")),
    "on_delete": Effect("who wins when one side deleted what the other edited", ("on_delete: delete_wins",)),
    "leaving": Effect(
        "what becomes of a copy that no rule lets travel any more: keep, mask or remove", ("leaving: remove",)
    ),
    "priority": Effect("of a double booking, the event with the higher number stays", ("priority: 10",)),
    "horizon": Effect("how many days ahead events travel", ("horizon: 90",)),
    "pin_zone": Effect("the zone in which a series is written, wherever it was made", ("pin_zone: Europe/Berlin",)),
}


def read_effects(value: Written) -> Treatment:
    """Effects as they are written. Raises Wrong."""
    named = mapping({} if value is None else value, EFFECTS)
    passage = Passage(at("do", named, word, known=[*Passage])) if "do" in named else Passage.SYNC
    if ("approver" in named) is not (passage is Passage.HOLD):
        raise Wrong("do: hold and approver belong together: say who decides")
    return Treatment(passage=passage, details=_details(named), **_others(named))


def _others(named: Mapping[str, Written]) -> dict[str, Any]:
    readers: dict[str, tuple[str, Any]] = {
        "approver": ("approver", _approver),
        "conflict": ("conflict", lambda value: ConflictPolicy(word(value, [*ConflictPolicy]))),
        "on_delete": ("on_delete", lambda value: DeletePolicy(word(value, [*DeletePolicy]))),
        "leaving": ("leaving", lambda value: Leaving(word(value, [*Leaving]))),
        "priority": ("priority", lambda value: whole(value, least=-1000, most=1000)),
        "horizon_days": ("horizon", lambda value: whole(value, least=1, most=_FARTHEST)),
        "pinned_zone": ("pin_zone", zone),
    }
    return {name: at(written, named, read) for name, (written, read) in readers.items() if written in named}


def _details(named: Mapping[str, Written]) -> Details:
    level, fields = at("details", named, _level) if "details" in named else (Detail.FULL, frozenset())
    return Details(level, fields, at("title", named, _template) if "title" in named else "")


def _level(value: Written) -> tuple[Detail, frozenset[Field]]:
    if isinstance(value, list):
        return Detail.CHOSEN, frozenset(map(Field, words(value, [*_CHOOSABLE])))
    plain = [level.value for level in Detail if level is not Detail.CHOSEN]
    return Detail(word(value, plain)), frozenset()


def _template(value: Written) -> str:
    written = text(value)
    for name in _IN_BRACES.findall(written):
        if name not in _STANDING_FOR:
            raise Wrong(f"{{{name}}} stands for nothing; use {{title}}, {{organizer}} or {{show_as}}")
    if "{" in _IN_BRACES.sub("", written) or "}" in _IN_BRACES.sub("", written):
        raise Wrong("a brace is open or closed alone")
    return written


def _approver(value: Written) -> str:
    folded = text(value).lower()
    if folded not in _APPROVERS and not _ADDRESS.fullmatch(folded):
        raise Wrong("the approver is guest, manager, unit, or an e-mail address")
    return folded
