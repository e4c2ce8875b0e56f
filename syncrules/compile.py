"""Rows to the engine's policy and rules."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from accounts.models import User
from calsync.engine.policy import ConflictPolicy, DeletePolicy, Policy
from calsync.engine.rules.book import Chain, Rulebook


def policy_for(person: User) -> Policy:  # noqa: ARG001 - rules say more about single events
    """The policy for a person's events where no rule says anything else: the installation's, for everybody."""
    return Policy(
        conflict=ConflictPolicy(settings.CALSYNC_CONFLICT_POLICY),
        on_delete=DeletePolicy(settings.CALSYNC_DELETE_POLICY),
    )


def rulebook_for(person_ids: Collection[int]) -> Rulebook:
    """The rules that concern these people, nearest first, in a few queries however many they are."""
    return Rulebook(dict.fromkeys(person_ids, Chain()))
