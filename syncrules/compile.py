"""Rows to the engine's policy."""

from __future__ import annotations

from accounts.models import User
from calsync.engine.policy import Policy

_DEFAULT = Policy()


def policy_for(person: User) -> Policy:  # noqa: ARG001 - what rules will ask about
    """The policy for a person's events. Without rules everybody has the default: newest wins, edit beats delete."""
    return _DEFAULT
