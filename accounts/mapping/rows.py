"""Records to rows: what each column means and accepts."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from accounts.mapping.formulas import as_meant
from accounts.mapping.reading import Problem, Record
from accounts.models import Clearance
from accounts.timezones import zone_problem
from accounts.unit_paths import parse_path
from calsync.engine.events import Platform

MAX_ADDRESS = 254
MAX_NAME = 200
MAILBOX_COLUMNS: Mapping[Platform, str] = {
    Platform.OUTLOOK: "outlook_mailbox",
    Platform.GOOGLE: "google_mailbox",
}
_check_address = EmailValidator()


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person as a file or a directory wants them; None where it does not say.

    Addresses are lower-case; ``manager`` is an e-mail or ''.
    """

    line: int
    email: str
    name: str | None
    org_unit: str | None
    time_zone: str | None
    clearance: Clearance | None
    manager: str | None
    mailboxes: Mapping[Platform, str]  # only those that are named
    told_by: str = ""  # the platform of a directory
    directory_id: str = ""  # of the mailbox in that directory
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as far as it could be understood: only the columns that were right are in ``values``."""

    line: int
    values: Mapping[str, Any]  # str, or Clearance | None under "clearance"

    def mailbox(self, platform: Platform) -> str:
        """The address on one platform; '' when none is named or the cell is wrong."""
        return str(self.values.get(MAILBOX_COLUMNS[platform], ""))


def read_draft(record: Record) -> tuple[Draft, list[Problem]]:
    """Understand every cell; one Problem for each that is wrong."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for column, read in _CELLS.items():
        try:
            values[column] = read(_printable(as_meant(record.cells[column])))
        except ValueError as error:
            problems.append(Problem(record.line, f"{column}: {error}"))
    return Draft(record.line, values), problems


def as_row(draft: Draft) -> PersonRow:
    """The row of a draft in which every column was right."""
    values = draft.values
    return PersonRow(
        line=draft.line,
        email=values["email"],
        name=values["name"],
        org_unit=values["org_unit"],
        time_zone=values["time_zone"],
        clearance=values["clearance"],
        manager=values["manager"],
        mailboxes={platform: address for platform in MAILBOX_COLUMNS if (address := draft.mailbox(platform))},
    )


def _printable(cell: str) -> str:
    """Refuse line breaks and other control characters: they come from a quotation mark left open, or from harm."""
    if not cell.isprintable() and any(unicodedata.category(char) == "Cc" for char in cell):
        raise ValueError("the cell holds a line break or another control character")
    return cell


def is_address(text: str) -> bool:
    """Whether forms and rows would take it."""
    try:
        _check_address(text)
    except ValidationError:
        return False
    return len(text) <= MAX_ADDRESS


def _address(cell: str) -> str:
    if not cell:
        raise ValueError("an address is needed here")
    address = cell.lower()
    try:
        _check_address(address)
    except ValidationError:
        raise ValueError(f"{cell[:80]!r} is not an e-mail address") from None
    if len(address) > MAX_ADDRESS:
        raise ValueError(f"the address is longer than {MAX_ADDRESS} characters")
    return address


def _address_or_none(cell: str) -> str:
    return _address(cell) if cell else ""


def _name(cell: str) -> str | None:
    if not cell:
        return None
    if len(cell) > MAX_NAME:
        raise ValueError(f"the name is longer than {MAX_NAME} characters")
    return cell


@lru_cache(maxsize=10_000)
def _unit(cell: str) -> str | None:
    if not cell:
        return None
    return parse_path(cell)


def _zone(cell: str) -> str:
    if not cell:
        raise ValueError("a time zone is needed here, such as Europe/Berlin")
    if problem := zone_problem(cell):
        raise ValueError(problem)
    return cell


def _clearance(cell: str) -> Clearance | None:
    return Clearance.from_label(cell) if cell else None


_CELLS: Mapping[str, Callable[[str], Any]] = {
    "email": _address,
    "name": _name,
    "org_unit": _unit,
    "time_zone": _zone,
    "clearance": _clearance,
    "manager": _address_or_none,
    "outlook_mailbox": _address_or_none,
    "google_mailbox": _address_or_none,
}
