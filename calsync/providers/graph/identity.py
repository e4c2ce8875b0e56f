"""Identities inside Graph's opaque-looking values: iCalendar UIDs and the original dates of occurrences.

Layouts: iCalUId is a hex GlobalObjectId ([MS-OXOCAL] section 2.2.1.27); occurrence ids embed .NET ticks of a date.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date, datetime, timedelta

HEX_PREFIX = "040000008200E00074C5B7101A82E008"
DATE_DIGITS = slice(32, 40)  # YYYYMMDD in hex: zero on masters and singles, the original date on occurrences
PAYLOAD_DIGITS = 80  # after prefix, date, creation time, eight zero bytes and a size
FOREIGN = b"vCal-Uid\x01\x00\x00\x00"
TICKS_MARK = b"\x01\x51\x00\x08"
DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


def clean_uid(value: str) -> str:
    """The UID that all occurrences and all mailboxes of a meeting share.

    A meeting that came from another system carries that system's UID within the hex form: then it is that one, which
    is what Google shows as iCalUID. A value that is not in hex form is taken as it is.
    """
    digits = value.strip().upper()
    if not digits.startswith(HEX_PREFIX) or not re.fullmatch(r"[0-9A-F]{40,}", digits) or len(digits) % 2:
        return value.strip()
    foreign = _foreign_uid(bytes.fromhex(digits[PAYLOAD_DIGITS:]))
    return foreign or digits[: DATE_DIGITS.start] + "00000000" + digits[DATE_DIGITS.stop :]


def _foreign_uid(payload: bytes) -> str:
    if not payload.startswith(FOREIGN):
        return ""
    text = payload[len(FOREIGN) :].split(b"\x00", 1)[0]
    return text.decode("utf-8", errors="replace")


def original_day(value: object) -> date | None:
    """The original date named by an ``occurrenceId`` (``OID.<master id>.<date>``), or by an occurrence's id itself."""
    if not isinstance(value, str):
        return None
    dates = DATED.findall(value[-25:])
    if dates:
        try:
            return date.fromisoformat(dates[-1])
        except ValueError:
            return None
    return _day_of_ticks(value)


def _day_of_ticks(item_id: str) -> date | None:
    """A fallback only: the date within a default-flavoured id of an occurrence or exception."""
    try:
        entry = base64.urlsafe_b64decode(item_id + "=" * (-len(item_id) % 4))
    except (ValueError, binascii.Error):
        return None
    at = entry.find(TICKS_MARK)
    ticks = int.from_bytes(entry[at + 4 : at + 12], "big") if at >= 0 else 0
    days = ticks // 864_000_000_000
    plausible = ticks % 864_000_000_000 == 0 and 584_000 < days < 1_643_000  # the years 1600 to 4500
    return (datetime(1, 1, 1) + timedelta(days=days)).date() if plausible else None  # noqa: DTZ001
