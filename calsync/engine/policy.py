"""The choices that decide a merge, and the role that a copy of an event plays.

What lives here: names of roles and policies, and their defaults. What does not: their effect (``merge``, ``plan``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What one calendar's copy of an event is to the hub."""

    ORIGIN = "origin"  # where it was made
    TWIN = "twin"  # same person, other platform, may be edited
    COPY = "copy"  # guest-free placeholder on a colleague's calendar, read-only
    NATIVE = "native"  # the attendee's own copy that the provider's invitation made


class ConflictPolicy(StrEnum):
    """Who wins when both sides changed the same field since they last agreed."""

    NEWEST = "newest"
    ORIGIN = "origin"
    OUTLOOK = "outlook"
    GOOGLE = "google"
    ASK = "ask"  # the hub's value stays until a person decides


class DeletePolicy(StrEnum):
    """Who wins when one side deleted what the other side edited."""

    EDIT_WINS = "edit_wins"
    DELETE_WINS = "delete_wins"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policies that apply to one event."""

    conflict: ConflictPolicy = ConflictPolicy.NEWEST
    on_delete: DeletePolicy = DeletePolicy.EDIT_WINS
    colleague_copies: bool = True  # guests on the other platform get a copy where no invitation reaches them
