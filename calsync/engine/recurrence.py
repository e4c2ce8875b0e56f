"""Everything about recurring events, under one name.

What lives here: the public names of the modules that do the work. ``canonical_rule`` (one spelling for rules that
mean the same), ``recurrence_text`` (iCalendar lines), ``expansion`` (occurrences and equivalence), ``occurrences``
(keys, inherited spans, overrides). Other rooms import from here.
"""

from __future__ import annotations

from calsync.engine.canonical_rule import canonical
from calsync.engine.expansion import aligned, equivalent, expand, generates, last_day
from calsync.engine.occurrences import (
    apply_override,
    key_at,
    key_of,
    occurrence_when,
    override_of,
    same_span,
    start_of,
)
from calsync.engine.recurrence_text import Parsed, normal_form, parse, to_lines, to_text
from calsync.engine.rule_text import BadRecurrence

__all__ = [
    "BadRecurrence",
    "Parsed",
    "aligned",
    "apply_override",
    "canonical",
    "equivalent",
    "expand",
    "generates",
    "key_at",
    "key_of",
    "last_day",
    "normal_form",
    "occurrence_when",
    "override_of",
    "parse",
    "same_span",
    "start_of",
    "to_lines",
    "to_text",
]
