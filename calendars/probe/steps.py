"""One step of a probe: what was tried, how it went, and what helps; without secrets and without event text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a step went. A warning is worth knowing; a problem keeps calendars from being in step."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNTRIED = "untried"


WORST_FIRST = (Outcome.PROBLEM, Outcome.WARNING, Outcome.OK, Outcome.UNTRIED)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a probe. ``name`` is stable; ``remedy`` is '' when there is nothing to do."""

    name: str
    outcome: Outcome
    text: str
    remedy: str = ""

    @property
    def title(self) -> str:
        """What the step is about, for a page."""
        return TITLES[self.name]

    def as_json(self) -> dict[str, str]:
        """For the connection's row."""
        return asdict(self)


TITLES = {
    "reach": "The provider answers",
    "clock": "The clocks agree",
    "credentials": "Our credentials are accepted",
    "expiry": "They last for a while",
    "permissions": "The permissions are granted",
    "mailbox": "A mailbox can be read and written",
    "zones": "Time zones can be read",
    "directory": "The directory can be imported",
}
"""By name, in the order in which they are shown."""


def ok(name: str, text: str) -> Step:
    """It works."""
    return Step(name, Outcome.OK, text)


def warning(name: str, text: str, remedy: str = "") -> Step:
    """Worth knowing."""
    return Step(name, Outcome.WARNING, text, remedy)


def problem(name: str, text: str, remedy: str) -> Step:
    """Something has to be done."""
    return Step(name, Outcome.PROBLEM, text, remedy)


def untried(name: str, text: str, remedy: str = "") -> Step:
    """It could not be tried, for something else comes first."""
    return Step(name, Outcome.UNTRIED, text, remedy)


def in_order(steps: Sequence[Step]) -> list[Step]:
    """As a page shows them; what was never reached is there, too."""
    told = {step.name for step in steps}
    missing = [untried(name, "Not reached: see above.") for name in TITLES if name not in told]
    return sorted([*steps, *missing], key=lambda step: list(TITLES).index(step.name))


def worst(steps: Sequence[Step]) -> Outcome:
    """How all of it went."""
    return min((step.outcome for step in steps), key=WORST_FIRST.index, default=Outcome.UNTRIED)


def from_json(rows: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Steps that ``as_json`` wrote; those of names that are no more are left out."""
    known = [row for row in rows if row.get("name") in TITLES]
    return [Step(row["name"], Outcome(row["outcome"]), row["text"], row.get("remedy", "")) for row in known]
