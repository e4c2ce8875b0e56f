"""Names of time zones, and wall clock time to instants and back.

What lives here: the mapping between Windows and IANA names (CLDR's windowsZones, by way of tzlocal's data), which
names mean the same zone, and the two conversions between naive wall clock time and aware UTC. What does not: dates of
all-day events (they have no zone), any default zone: an unknown name is an error and never silently UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz

_WINDOWS: Final[dict[str, str]] = dict(win_tz)
_WINDOWS_OF_IANA: Final[dict[str, str]] = {iana: windows for iana, windows in tz_win.items() if iana}

# Windows names that Exchange still hands out and CLDR has dropped.
_LEGACY_WINDOWS: Final[dict[str, str]] = {
    "tzone://Microsoft/Utc": "Etc/UTC",
    "Kamchatka Standard Time": "Asia/Kamchatka",
    "Mexico Standard Time": "America/Mexico_City",
    "Mexico Standard Time 2": _WINDOWS["Mountain Standard Time (Mexico)"],
    "Mid-Atlantic Standard Time": "Etc/GMT+2",
}

# Links of the tz database that CLDR's table leaves out, with the zone they point to.
_LINKS: Final[dict[str, str]] = {
    "CST6CDT": "America/Chicago",
    "EST5EDT": "America/New_York",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
    "GMT": "Etc/GMT",
    "US/East-Indiana": "America/Indiana/Indianapolis",
    "Europe/Uzhgorod": "Europe/Kyiv",
    "Europe/Zaporozhye": "Europe/Kyiv",
}

_WITHOUT_WINDOWS: Final = ("Antarctica/Troll",)  # zones that Windows does not have at all

_IANA_BY_FOLDED: Final[dict[str, str]] = {
    name.casefold(): name for name in (*_WINDOWS_OF_IANA, *_LINKS, *_WITHOUT_WINDOWS)
}
_IANA_BY_FOLDED_WINDOWS: Final[dict[str, str]] = {
    name.casefold(): iana for name, iana in (*_WINDOWS.items(), *_LEGACY_WINDOWS.items())
}
_WHOLE_HOURS = re.compile(r"(?:GMT|UTC)([+-])0?(\d{1,2})(?::?00)?", re.IGNORECASE)
_NOT_ZONES = ("posix/", "right/")  # copies of the whole database beside it on some systems


class UnknownZone(ValueError):
    """A time zone name that neither the tz database nor Windows knows."""


@lru_cache(maxsize=1024)
def to_iana(name: str) -> str | None:
    """The IANA name for a Windows or IANA name, whatever its case; None when unknown or custom.

    ``tzone://Microsoft/Custom`` and ``Customized Time Zone`` carry no rules that we could use: they are unknown.
    A whole-hour offset such as ``GMT+02:00`` becomes the fixed zone ``Etc/GMT-2`` (signs are reversed there).
    """
    folded = name.strip().casefold()
    known = _IANA_BY_FOLDED.get(folded) or _IANA_BY_FOLDED_WINDOWS.get(folded) or _fixed_offset(folded)
    if known is not None:
        return known
    is_new_zone = "/" in folded and not folded.startswith(_NOT_ZONES) and _load(name.strip()) is not None
    return name.strip() if is_new_zone else None


@lru_cache(maxsize=1024)
def to_windows(iana: str) -> str | None:
    """The Windows name for an IANA (or already Windows) name; None when Windows has no such zone."""
    name = to_iana(iana)
    return _WINDOWS_OF_IANA.get(_LINKS.get(name, name)) if name else None


@lru_cache(maxsize=1024)
def canonical(zone: str) -> str:
    """One IANA name for all spellings of a zone: those that share a Windows zone are one. Raises UnknownZone.

    A trip through Outlook may bring ``Europe/Rome`` back as ``W. Europe Standard Time``, which reads as
    ``Europe/Berlin``: such a change of name is not a change of the event.
    """
    name = to_iana(zone)
    if name is None:
        raise UnknownZone(f"unknown time zone {zone!r}")
    windows = to_windows(name)
    return _WINDOWS[windows] if windows else _LINKS.get(name, name)


def windows_names() -> frozenset[str]:
    """Every Windows zone name of CLDR's table."""
    return frozenset(_WINDOWS)


def same(a: str, b: str) -> bool:
    """Whether two names mean the same zone; unknown names are the same only when spelled alike."""
    if a == b:
        return True
    try:
        return canonical(a) == canonical(b)
    except UnknownZone:
        return False


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """The rules of a zone, by IANA or Windows name. Raises UnknownZone."""
    iana = to_iana(name)
    found = _load(iana) if iana else None
    if found is None:
        raise UnknownZone(f"unknown time zone {name!r}")
    return found


def to_instant(wall: datetime, zone: str) -> datetime:
    """Aware UTC of a naive wall clock time.

    A time in the spring gap is read with the offset before the gap and a doubled autumn hour as the first of the two,
    as RFC 5545 section 3.3.5 says.
    """
    return wall.replace(tzinfo=zone_info(zone), fold=0).astimezone(UTC)


def to_wall(instant: datetime, zone: str) -> datetime:
    """Naive wall clock time in ``zone`` of an aware instant (the fold is dropped)."""
    return instant.astimezone(zone_info(zone)).replace(tzinfo=None, fold=0)


def _fixed_offset(folded: str) -> str | None:
    match = _WHOLE_HOURS.fullmatch(folded)
    if match is None or int(match[2]) > 12:
        return None
    hours = int(match[2])
    return f"Etc/GMT{'-' if match[1] == '+' else '+'}{hours}" if hours else "Etc/UTC"


def _load(iana: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(iana)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
