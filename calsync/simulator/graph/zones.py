"""Windows and IANA zone names, by the CLDR data that tzlocal carries. Exchange thinks in Windows names."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal import windows_tz

WINDOWS_TO_IANA: dict[str, str] = windows_tz.win_tz
IANA_TO_WINDOWS: dict[str, str] = windows_tz.tz_win
SPECIAL = {"tzone://microsoft/utc": "UTC", "utc": "UTC", "etc/utc": "UTC", "etc/gmt": "UTC", "gmt": "UTC", "z": "UTC"}
_WINDOWS_LOWER = {name.lower(): iana for name, iana in WINDOWS_TO_IANA.items()}


@cache
def iana_of(name: str) -> str | None:
    """The IANA zone of a Windows or IANA name; None when nobody knows it."""
    folded = name.strip().lower()
    if folded in SPECIAL:
        return "UTC"
    if folded in _WINDOWS_LOWER:
        return _WINDOWS_LOWER[folded]
    return name if name in available_timezones() else None


@cache
def windows_of(name: str) -> str:
    """The Windows name of a zone, or the name itself when CLDR has none."""
    iana = iana_of(name)
    if iana is None:
        return name
    return "UTC" if iana == "UTC" else IANA_TO_WINDOWS.get(iana, name)


@cache
def zone_info(iana: str) -> ZoneInfo:
    """The zone of an IANA name that was checked before."""
    return ZoneInfo(iana)


def same_zone(one: str, other: str) -> bool:
    """Whether two spellings mean the same zone for Exchange (Europe/Berlin equals W. Europe Standard Time)."""
    return windows_of(one) == windows_of(other)
