"""Rows to the engine's policy."""

from __future__ import annotations

from django.conf import settings

from accounts.models import User
from calsync.engine.policy import ConflictPolicy, DeletePolicy, Policy


def policy_for(person: User) -> Policy:  # noqa: ARG001 - what rules will ask about
    """The policy for a person's events. Without rules it is the installation's, for everybody."""
    return Policy(
        conflict=ConflictPolicy(settings.CALSYNC_CONFLICT_POLICY),
        on_delete=DeletePolicy(settings.CALSYNC_DELETE_POLICY),
    )
