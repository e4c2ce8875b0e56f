"""The table of what a person may decide about a finding, each with the words of its button and what will happen.

What lives here: words and which of them are open. What does not: carrying a decision out (``decisions``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from calendars.models import Finding
from calsync.engine.plan import FindingKind


class Decision(models.TextChoices):
    """What may be decided."""

    RELEASE = "release", "Release"
    PUT_BACK = "put_back", "Put back"
    SWAP = "swap", "Swap"
    SWAP_BACK = "swap_back", "Swap back"
    ACCEPT = "accept", "Leave as it is"
    REFUSE = "refuse", "Refuse"


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision that is open: the words of its button, and a sentence that says what will happen."""

    decision: Decision
    label: str
    sentence: str


_SWAP_BACK = Choice(Decision.SWAP_BACK, "Swap back", "The two versions change places once more, on both sides.")
_SEEN = Choice(Decision.ACCEPT, "Seen", "Nothing is changed; the case is closed.")
_DELETIONS = (
    Choice(Decision.RELEASE, "Carry out the deletions", "Each event is looked up once more; those that are gone are "
           "deleted in the person's other calendars, too."),
    Choice(Decision.PUT_BACK, "Put the events back", "The events are made again in the calendar they vanished from."),
    Choice(Decision.ACCEPT, "Leave as it is", "The events stay away here and stay where they are elsewhere."),
)  # fmt: skip
_WRITES = (
    Choice(Decision.RELEASE, "Write now", "The event is written as it is now, and its writes are counted anew."),
    Choice(Decision.ACCEPT, "Do not write", "What waited is dropped; the event is written when it changes again."),
)
_VERSIONS = (
    Choice(Decision.SWAP, "Take the other version", "The version kept here takes the place of the one that won, on "
           "both sides; that one is kept here instead."),
    Choice(Decision.ACCEPT, "Leave as it is", "The version that won stays."),
)  # fmt: skip
_LIFE = (
    Choice(Decision.SWAP, "Turn it round", "If the event was kept it is deleted, if it was deleted it is made again."),
    Choice(Decision.ACCEPT, "Leave as it is", "What was decided stays."),
)

CHOICES: Mapping[str, tuple[Choice, ...]] = {
    FindingKind.MASS_DELETE: _DELETIONS,
    FindingKind.EMPTY_SIDE: _DELETIONS,
    FindingKind.STORM: _WRITES,
    FindingKind.RESURRECTION: (
        Choice(Decision.RELEASE, "Make it again", "The copy is made again, and its returns are counted anew."),
        Choice(Decision.ACCEPT, "Leave it away", "The event stays where it is and is not copied here any more."),
    ),
    FindingKind.APPROVAL: (
        Choice(
            Decision.RELEASE,
            "Approve",
            "The copy is written as the event is now. A new time, place or guest asks again.",
        ),
        Choice(
            Decision.REFUSE,
            "Refuse",
            "It is not written; a copy that stands there at another time is taken out. A "
            "new time, place or guest asks again.",
        ),
    ),
    FindingKind.BOTH_EDITED: _VERSIONS,
    FindingKind.COPY_EDITED: _VERSIONS,
    FindingKind.DELETE_AGAINST_EDIT: _LIFE,
    FindingKind.COPY_DELETED: (_SEEN,),
    FindingKind.CANNOT_REPRESENT: (_SEEN,),
    FindingKind.MALFORMED: (_SEEN,),
    FindingKind.PART_EDITED: (_SEEN,),
    FindingKind.DOUBLE_BOOKING: (
        Choice(
            Decision.ACCEPT,
            "Keep both",
            "Both stay as they are. Should they collide at yet another time, it is told again.",
        ),
    ),
}


def choices(finding: Finding) -> tuple[Choice, ...]:
    """What may be decided about a finding now."""
    if finding.decision == Decision.SWAP:
        return (_SWAP_BACK,)
    if finding.decision == Decision.SWAP_BACK:
        return tuple(choice for choice in CHOICES[finding.kind] if choice.decision == Decision.SWAP)
    return () if finding.settled_at or finding.decision else CHOICES[finding.kind]
