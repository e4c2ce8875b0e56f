"""Entries of a directory as rows of a mapping: what it may say about whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accounts.directory.matching import Match
from accounts.mapping.checks import circles
from accounts.mapping.rows import MAX_NAME, PersonRow
from accounts.models import User
from accounts.unit_paths import parse_path
from calsync.engine.events import Platform
from calsync.providers.people import DirectoryPerson


def rows_of(
    matches: Sequence[Match], *, people: Mapping[int, User], platform: Platform, time_zone: str
) -> tuple[list[PersonRow], list[str]]:
    """A row for each match, and sentences about what had to be left out.

    One directory tells a person's name and place, the first that knew them; another only adds its mailbox. A zone is
    told of new people only: whoever is here may have set their own.
    """
    emails = {match.entry.directory_id: _email(match, people) for match in matches}
    referred = {name: emails[match.entry.directory_id] for match in matches for name in _names(match.entry)}
    managers = {match.entry.directory_id: _manager(match.entry, referred) for match in matches}
    dropped = _break_circles(matches, emails, managers, people)
    rows: list[PersonRow] = []
    for number, match in enumerate(matches, start=1):
        person = people.get(match.person_id or 0)
        entry = match.entry
        tells = person is None or person.told_by in ("", platform.value)
        unit, problem = _unit(entry)
        if problem and tells:
            dropped.append(f"{emails[entry.directory_id]}: {problem}")
        rows.append(
            PersonRow(
                line=number,
                email=emails[entry.directory_id],
                name=(_one_line(entry.name)[:MAX_NAME].strip() or None) if tells else None,
                org_unit=unit if tells else None,
                time_zone=(entry.zone or time_zone) if person is None else None,
                clearance=None,
                manager=managers[entry.directory_id] if tells else None,
                mailboxes={platform: entry.address},
                told_by=platform.value if tells else "",
                directory_id=entry.directory_id,
                aliases=entry.aliases,
            )
        )
    return rows, dropped


def _one_line(text: str) -> str:
    """Without line breaks and control characters, which no form and no file would take."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _email(match: Match, people: Mapping[int, User]) -> str:
    return match.entry.address if match.person_id is None else people[match.person_id].email


def _names(entry: DirectoryPerson) -> tuple[str, ...]:
    """Everything by which others may refer to an entry as their manager."""
    return (entry.directory_id, entry.address, *entry.aliases)


def _manager(entry: DirectoryPerson, referred: Mapping[str, str]) -> str | None:
    """The manager's e-mail, '' for none; None, which changes nothing, when it is nobody of ours."""
    if not entry.manager:
        return ""
    return None if entry.manager in _names(entry) else referred.get(entry.manager)


def _break_circles(
    matches: Sequence[Match], emails: Mapping[str, str], managers: dict[str, str | None], people: Mapping[int, User]
) -> list[str]:
    """Leave out one manager of each circle; a directory does not forbid them."""
    above = {person.email: (people[person.manager_id].email if person.manager_id else "") for person in people.values()}
    ids = {emails[match.entry.directory_id]: match.entry.directory_id for match in matches}
    told = {email: manager for email, one in ids.items() if (manager := managers[one]) is not None}
    dropped = []
    for circle in circles({**above, **told}):
        first = min((email for email in circle if email in told), default="")
        if first:
            managers[ids[first]] = None
            dropped.append(f"{first}: the directory has a circle of managers; this one's is left out")
    return dropped


def _unit(entry: DirectoryPerson) -> tuple[str | None, str]:
    """The path of the entry's unit, and why it has none although the directory names one."""
    if not entry.unit.strip(" /"):
        return None, ""
    try:
        return parse_path("/" + _one_line(entry.unit).strip("/")), ""
    except ValueError as error:
        return None, f"left out of its unit: {error}"
