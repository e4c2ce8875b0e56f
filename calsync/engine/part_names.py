"""The names of the parts of an event: the rule of a series, or the key of the occurrence that stands alone.

What lives here: reading and making these names. What does not: the parts themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from calsync.engine.events import OccurrenceKey, Rule
from calsync.engine.rule_text import write_rule

LONGEST: Final = 255
_SERIES = "rule "


def series_name(rule: Rule) -> str:
    """The name of a series part: its rule without the end, so that a changed end leaves the name as it is."""
    return _SERIES + write_rule(replace(rule, count=None, until=None))


def part_key(name: str) -> OccurrenceKey | None:
    """The occurrence that a single part stands for; None for a series part."""
    return None if name.startswith(_SERIES) else OccurrenceKey(name)
