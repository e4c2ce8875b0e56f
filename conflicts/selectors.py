"""Questions about cases, each with a name; above all who may see what a case holds."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.reach import Viewer
from calendars.selectors import may_see_kept
from conflicts.models import Case
from conflicts.wording import Kept, kept_values


def values_for(viewer: Viewer, case: Case) -> Sequence[Kept]:
    """What a case keeps, opened for those who may see it; nothing for everybody else."""
    return kept_values(case.finding) if may_see_kept(viewer, case.finding) else ()
