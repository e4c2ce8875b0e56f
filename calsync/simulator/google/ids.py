"""Identifiers, versions and tokens in the forms that Google mints: nothing here knows about events.

Versions: an event's etag is the quoted decimal of 2 x ``updated`` in microseconds (checked on recorded events).
Ids: 26 characters of base32hex. Sync tokens: url-safe base64 of a protobuf message whose fields 1 and 2 are the
newest ``updated`` in microseconds, field 3 a small constant and fields 4 and 5 numbers of 32 bits.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ALPHABET = "0123456789abcdefghijklmnopqrstuv"
CLIENT_ID = re.compile(r"[0-9a-v]{5,1024}\Z")
INSTANCE_ID = re.compile(r"(.+)_(\d{8}(?:T\d{6}Z)?)\Z")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_id() -> str:
    """A fresh server-made id: 26 characters of base32hex."""
    number = secrets.randbits(130)
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(0, 130, 5))


def imported_id(ical_uid: str) -> str:
    """The id of an event that came with somebody else's iCalUID: ``_`` and the UID's bytes in base32hex."""
    return "_" + base64.b32hexencode(ical_uid.encode()).decode().lower().rstrip("=")


def etag(updated_us: int) -> str:
    """The quoted version of an event changed at ``updated_us`` (microseconds since 1970)."""
    return f'"{2 * updated_us}"'


def collection_etag(updated_us: int) -> str:
    """The opaque version word of a list."""
    return '"p32' + base64.b32hexencode(updated_us.to_bytes(8, "big")[2:]).decode().lower().rstrip("=") + 'o0o"'


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (at - EPOCH) // timedelta(microseconds=1)


def stamp_text(updated_us: int) -> str:
    """``updated`` as answered: UTC with milliseconds."""
    at = EPOCH + timedelta(microseconds=updated_us)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def created_text(created_us: int) -> str:
    """``created`` as answered: UTC, the milliseconds always ``.000``."""
    return f"{EPOCH + timedelta(seconds=created_us // 1_000_000):%Y-%m-%dT%H:%M:%S}.000Z"


def html_link(identifier: str, address: str) -> str:
    """The event's page; ``eid`` is unpadded base64 of id and calendar, gmail.com shortened to ``@m``."""
    short = re.sub(r"@gmail\.com$", "@m", re.sub(r"@group\.calendar\.google\.com$", "@g", address))
    eid = base64.urlsafe_b64encode(f"{identifier} {short}".encode()).decode().rstrip("=")
    return f"https://www.google.com/calendar/event?eid={eid}"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _pack(*numbers: int) -> str:
    message = b"".join(bytes([field << 3]) + _varint(number) for field, number in enumerate(numbers, start=1))
    return base64.urlsafe_b64encode(message).decode()


def _unpack(text: str, count: int) -> tuple[int, ...]:
    """The ``count`` numbers of a token; raises ValueError when it is none of ours."""
    try:
        message = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not a token") from error
    numbers: list[int] = []
    at = 0
    for field in range(1, count + 1):
        if at >= len(message) or message[at] != field << 3:
            raise ValueError("not a token")
        number, shift, at = 0, 0, at + 1
        while at < len(message):
            byte = message[at]
            number |= (byte & 127) << shift
            shift, at = shift + 7, at + 1
            if byte < 128:
                break
        numbers.append(number)
    if at != len(message):
        raise ValueError("not a token")
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class SyncToken:
    """A position in a calendar's history, the generation of valid tokens, and the hour when it was handed out."""

    updated_us: int
    generation: int
    hour: int

    def text(self) -> str:
        """The token as the client sees it."""
        return _pack(self.updated_us, self.updated_us, 5, self.generation, self.hour)

    @classmethod
    def parse(cls, text: str) -> SyncToken:
        """Read a token; raises ValueError when it is none of ours."""
        newest, _, _, generation, hour = _unpack(text, 5)
        return cls(newest, generation, hour)


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where the next page starts, and up to which change the whole round reads."""

    position: int
    limit: int
    newest_us: int

    def text(self) -> str:
        """The token as the client sees it."""
        return _pack(self.position, self.limit, self.newest_us)

    @classmethod
    def parse(cls, text: str) -> PageToken:
        """Read a token; raises ValueError when it is none of ours."""
        return cls(*_unpack(text, 3))
