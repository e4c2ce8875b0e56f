"""Kept values in words, for people who may see them."""

from __future__ import annotations

from dataclasses import dataclass

from calendars.models import Finding
from calsync.engine import serial
from calsync.engine.events import AllDay, Recurrence, Timed
from calsync.engine.findings import named
from calsync.engine.fingerprint import key_of_path
from calsync.engine.recurrence import to_text

_LISTS = {"events": "Events", "approver": "Who decides"}
_INNER = {"links"}  # ids, of no use to a reader


@dataclass(frozen=True, slots=True)
class Kept:
    """One value that a case keeps."""

    name: str
    text: str


def kept_values(finding: Finding) -> list[Kept]:
    """The losing values, or what a brake held; in the order of their paths."""
    opened = {path: serial.load_value(value) for path, value in sorted(finding.values.items()) if path not in _INNER}
    return [Kept(_LISTS.get(path) or _name(path), _text(value)) for path, value in opened.items()]


def _name(path: str) -> str:
    key = key_of_path(path)
    name = named([path]).capitalize()
    return f"{name} on {key.replace('T', ' ')}" if key else name


def _text(value: object) -> str:
    match value:
        case None:
            return "(nothing)"
        case Timed():
            zone = value.zone if value.end_zone in (None, value.zone) else f"{value.zone}, ends in {value.end_zone}"
            return f"{value.start:%Y-%m-%d %H:%M} to {value.end:%Y-%m-%d %H:%M} ({zone})"
        case AllDay():
            return f"all day from {value.start} until before {value.end}"
        case Recurrence():
            return to_text(value)
    return str(value) or "(empty)"
