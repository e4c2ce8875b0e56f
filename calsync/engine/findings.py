"""The sentences of findings: what a person is told when a plan had to choose. No event text in them.

What lives here: building findings. What does not: deciding them (``plan_*``), cases and notifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from calsync.engine.compare import differences
from calsync.engine.events import Event
from calsync.engine.fingerprint import field_of_path, flatten
from calsync.engine.plan_values import Finding, FindingKind, LinkState
from calsync.engine.policy import Role


def values_at(event: Event, paths: Iterable[str]) -> dict[str, object]:
    """The values of ``event`` at ``paths``, in order; None where it has none."""
    flat = flatten(event)
    return {path: flat.get(path) for path in sorted(paths)}


def both_edited(link: LinkState, *, lost: Mapping[str, object], asked: frozenset[str]) -> list[Finding]:
    """Some fields were changed on both sides."""
    if not lost:
        return []
    ending = "a person has to choose" if asked else "one version was taken, the other is kept here"
    text = f"Changed on both sides ({named(lost)}): {ending}."
    return [Finding(FindingKind.BOTH_EDITED, link.calendar_id, frozenset(lost), dict(lost), text)]


def copy_edited(link: LinkState, *, read: Event, paths: frozenset[str]) -> list[Finding]:
    """A copy was edited where edits do not travel."""
    if not paths:
        return []
    text = f"The copy of a meeting was edited here ({named(paths)}). Only the organiser can change it: it is put back."
    return [Finding(FindingKind.COPY_EDITED, link.calendar_id, paths, values_at(read, paths), text)]


def refused(link: LinkState, *, read: Event, paths: frozenset[str], masked: frozenset[str]) -> list[Finding]:
    """A copy was edited in fields that do not travel from it: because of whose copy it is, or because of a mask."""
    return [
        *copy_edited(link, read=read, paths=paths - masked if link.role is Role.TWIN else paths),
        *(mask_edited(link, read=read, paths=paths & masked) if link.role is Role.TWIN else []),
    ]


def mask_edited(link: LinkState, *, read: Event, paths: frozenset[str]) -> list[Finding]:
    """What a rule masks was edited in the masked copy."""
    if not paths:
        return []
    text = (
        f"The copy was edited here ({named(paths)}) where a rule masks the event: it is put back. Change the event "
        "itself, in the calendar where it was made."
    )
    return [Finding(FindingKind.COPY_EDITED, link.calendar_id, paths, values_at(read, paths), text)]


def edited_before_known(link: LinkState, *, wanted: Event, read: Event) -> list[Finding]:
    """A copy of ours was edited before its create was recorded: nothing was agreed yet, so it is brought to ``wanted``.

    Both as calendars are read, without our note. An occurrence tells something only where it has a value of its own:
    a series is made in several requests, and the last of them may be what is missing.
    """
    own = flatten(read).keys()
    paths = frozenset(path for path in differences(wanted, read) if not path.startswith("@") or path in own)
    if not paths:
        return []
    text = (
        f"The copy was edited here ({named(paths)}) before CalSync had noted that it made it: it is brought back to "
        "the event, and the edit is kept here."
    )
    return [Finding(FindingKind.COPY_EDITED, link.calendar_id, paths, values_at(read, paths), text)]


def left_behind(link: LinkState, *, lost: Mapping[str, object]) -> list[Finding]:
    """A series was moved away from under some of its exceptions."""
    if not lost:
        return []
    text = f"The series was moved to other days. What was changed on days that it has no more ({named(lost)}) is lost."
    return [Finding(FindingKind.BOTH_EDITED, link.calendar_id, frozenset(lost), dict(lost), text)]


def copy_deleted(link: LinkState) -> Finding:
    """A copy was deleted that its person may not delete for good."""
    text = "The copy of a meeting was deleted here. The meeting itself stands, so the copy is made again."
    return Finding(FindingKind.COPY_DELETED, link.calendar_id, frozenset(), {}, text)


def copy_ended(link: LinkState, *, read: Event, paths: frozenset[str]) -> Finding:
    """A colleague's copy was edited while its meeting was on its way out."""
    text = (
        f"The copy of a meeting was edited here ({named(paths)}) while it was being taken out, because the meeting was "
        "deleted or does not concern its person in this form any more. The edit is kept here."
    )
    return Finding(FindingKind.COPY_EDITED, link.calendar_id, paths, values_at(read, paths), text)


def delete_against_edit(link: LinkState, *, edited: Event, paths: frozenset[str], kept: bool) -> Finding:
    """One side deleted what the other had edited."""
    outcome = "the edit won: the event is made again" if kept else "the deletion won: the edit is kept here"
    text = f"Deleted on one side and edited on the other ({named(paths)}); {outcome}."
    return Finding(FindingKind.DELETE_AGAINST_EDIT, link.calendar_id, paths, values_at(edited, paths), text)


def part_edited(link: LinkState, *, read: Event, paths: frozenset[str]) -> list[Finding]:
    """A part of a series was edited in a way that says nothing clear about the whole."""
    if not paths:
        return []
    text = (
        f"This series stands here in parts, and one part was edited as a whole ({named(paths)}): it is put back. "
        "Change single occurrences here, or the series in the other calendar."
    )
    return [Finding(FindingKind.PART_EDITED, link.calendar_id, paths, values_at(read, paths), text)]


def part_ended(link: LinkState, *, read: Event, paths: frozenset[str]) -> Finding:
    """A part of a series was edited while the series came to stand there in another form."""
    text = (
        f"A part of this series was edited here ({named(paths)}) while the series was repeated in another way: the "
        "part has gone, the edit is kept here."
    )
    return Finding(FindingKind.PART_EDITED, link.calendar_id, paths, values_at(read, paths), text)


def part_became_a_meeting(link: LinkState) -> Finding:
    """People were invited to a part, so that nothing may be written to it any more."""
    text = (
        "This series stands here in parts, and people were invited to one of them: it is left to its owner from now on "
        "and follows the series no more."
    )
    return Finding(FindingKind.PART_EDITED, link.calendar_id, frozenset({"guests"}), {}, text)


def part_deleted(link: LinkState) -> Finding:
    """A part of a series was deleted, which says nothing clear about the whole."""
    text = (
        "This series stands here in parts, and one part was deleted: it is made again. Delete single occurrences or "
        "all parts here, or the series in the other calendar."
    )
    return Finding(FindingKind.PART_EDITED, link.calendar_id, frozenset(), {}, text)


_WORDS = {"body": "text", "when": "time", "show_as": "free or busy", "sensitivity": "privacy", "": "an occurrence"}


def named(paths: Iterable[str]) -> str:
    """The fields in words, each once: ``time, title``."""
    names = {field_of_path(path) for path in paths}
    return ", ".join(sorted(_WORDS.get(name, name) for name in names))
