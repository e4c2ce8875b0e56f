"""Questions about cases, each with a name; above all who may see what a case holds."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.models.people import Clearance
from conflicts.models import Case
from conflicts.wording import Kept, kept_values


def may_see_values(viewer: User | AnonymousUser) -> bool:
    """Whether somebody may see event text in a case. Calendars and events have no classification yet, so each counts as
    the highest.
    """
    return isinstance(viewer, User) and viewer.may_see(Clearance.RESTRICTED)


def values_for(viewer: User | AnonymousUser, case: Case) -> Sequence[Kept]:
    """What a case keeps, opened for those who may see it; nothing for everybody else."""
    return kept_values(case.finding) if may_see_values(viewer) else ()
