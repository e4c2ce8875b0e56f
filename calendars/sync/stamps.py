"""When the stages of a change passed: the times from which latency is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stamps:
    """When the stages of a change passed, aware UTC."""

    noticed_at: datetime | None
    pulled_at: datetime
    planned_at: datetime
