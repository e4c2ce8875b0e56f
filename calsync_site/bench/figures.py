"""A figure beside its floor, as a JSON line and as a row of a table; and the goals that figures are held against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``floor`` is what the same HTTP calls cost a bare loop; None where no floor is known."""

    name: str
    value: float
    unit: str
    floor: float | None
    setting: str

    @property
    def ratio(self) -> float | None:
        """Value by floor."""
        return self.value / self.floor if self.floor else None

    def line(self) -> str:
        """The figure as one line of JSON."""
        numbers = {"value": _short(self.value), "unit": self.unit, "floor": _short(self.floor)}
        return json.dumps({"figure": self.name, **numbers, "ratio": _short(self.ratio), "setting": self.setting})


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to reach at 50 ms: at most ``most``, at least ``least``, or at least ``share`` of its floor."""

    most: float | None = None
    share: float | None = None
    least: float | None = None

    def met_by(self, figure: Figure) -> bool:
        """Whether the figure is good enough."""
        if self.most is not None and figure.value > self.most:
            return False
        if self.least is not None and figure.value < self.least:
            return False
        return self.share is None or (figure.ratio is not None and figure.ratio >= self.share)

    def __str__(self) -> str:
        if self.least is not None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}" if self.most is not None else f"at least {self.share:g} of the floor"


def table(figures: Sequence[Figure], goals: dict[str, Goal]) -> Table:
    """All figures below each other."""
    made = Table(title="CalSync beside its floor")
    for heading in ("figure", "value", "unit", "floor", "ratio", "goal", "setting"):
        made.add_column(heading, justify="right" if heading in ("value", "floor", "ratio") else "left")
    for figure in figures:
        goal = goals.get(figure.name)
        told = "" if goal is None else f"{goal}: {'met' if goal.met_by(figure) else 'MISSED'}"
        numbers = [_text(figure.value), figure.unit, _text(figure.floor), _text(figure.ratio)]
        made.add_row(figure.name, *numbers, told, figure.setting)
    return made


def show(figures: Sequence[Figure], goals: dict[str, Goal]) -> None:
    """Print the table for a reader."""
    Console(width=None if Console().is_terminal else 160).print(table(figures, goals))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed (nearest rank). ``values`` is not empty."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:.4g}"
