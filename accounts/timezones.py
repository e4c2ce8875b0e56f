"""Which time zone names are accepted for people: IANA names, spelled exactly."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError

_NOT_PLACES = frozenset({"Factory", "localtime", "posixrules"})  # in the database, yet no zone of anybody


@lru_cache(maxsize=1)
def iana_names() -> frozenset[str]:
    """Every IANA zone name that this machine's zone data knows."""
    return frozenset(available_timezones()) - _NOT_PLACES


@lru_cache(maxsize=1)
def _by_folded_name() -> dict[str, str]:
    return {name.casefold(): name for name in iana_names()}


def suggestion(name: str) -> str:
    """The IANA name that differs only in case, blanks or a slash too many; '' when there is none."""
    return _by_folded_name().get(name.strip().strip("/").replace(" ", "_").casefold(), "")


def zone_problem(name: str) -> str:
    """Why ``name`` is no IANA zone, for a person; '' when it is one."""
    if name in iana_names():
        return ""
    hint = suggestion(name)
    return f"{name!r} is not an IANA time zone" + (f"; did you mean {hint}?" if hint else ", such as Europe/Berlin")


def validate_zone(name: str) -> None:
    """Field validator; raises ValidationError."""
    if problem := zone_problem(name):
        raise ValidationError(problem, code="zone")
