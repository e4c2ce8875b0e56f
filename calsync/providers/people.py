"""People as a directory tells of them: values that both adapters make and the import reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """One person's entry. Addresses are lower-case; '' where the directory says nothing.

    ``manager`` is the manager's directory id or address, whichever the directory gives.
    """

    directory_id: str  # stable: it survives every change of address
    address: str  # the primary one
    aliases: tuple[str, ...]  # all others
    name: str
    unit: str  # as the directory words it: a department, or a path
    manager: str
    enabled: bool
    zone: str = ""  # IANA


@dataclass(frozen=True, slots=True)
class DirectoryReading:
    """A directory, read to its end. ``left_out``: how many entries are no people, by reason."""

    people: tuple[DirectoryPerson, ...]
    units: tuple[str, ...] = ()  # paths, of a directory that has a tree of its own
    left_out: Mapping[str, int] | None = None
