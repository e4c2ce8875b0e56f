"""What the doctor found: one sentence and one remedy, without secrets and without event text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is. A warning is worth knowing; a problem keeps calendars from being in step."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``remedy`` is '' when there is nothing to do."""

    name: str
    state: State
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """The keys are a contract."""
        return asdict(self)


def ok(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, text)


def warning(name: str, text: str, remedy: str = "") -> Finding:
    """Worth knowing."""
    return Finding(name, State.WARNING, text, remedy)


def problem(name: str, text: str, remedy: str) -> Finding:
    """Something has to be done."""
    return Finding(name, State.PROBLEM, text, remedy)
