"""What one platform can hold. The engine projects an event onto a platform's traits before it compares or writes.

The values themselves live with each provider; here is only their shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calsync.engine.events import Field, Platform, Recurrence, Sensitivity, ShowAs


def as_it_is(_: Field, words: str, __: str) -> str:
    """No text is too long."""
    return words


@dataclass(frozen=True, slots=True)
class Traits:
    """The limits of one platform's event model.

    ``show_as`` and ``sensitivities`` map every level onto one that the platform keeps. Events shorter than
    ``shortest_minutes`` are written with that length. ``expressible`` says whether it has a form for a recurrence.
    ``neighbour_bound``: an exception may not move to or across the day of a neighbouring occurrence.
    ``wipes_on_reshape``: a series there loses its exceptions and cancelled occurrences when its time or rule changes.
    ``fit`` gives as much of a title, body or place as it holds, with some more text still to come below.
    """

    platform: Platform
    show_as: dict[ShowAs, ShowAs]
    sensitivities: dict[Sensitivity, Sensitivity]
    expressible: Callable[[Recurrence], bool]
    shortest_minutes: int = 0
    neighbour_bound: bool = False
    wipes_on_reshape: bool = False
    fit: Callable[[Field, str, str], str] = as_it_is
