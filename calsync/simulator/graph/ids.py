"""Identities on the wire: store entry ids, instance ids with the original date inside, GlobalObjectIds, change keys.

The byte layout follows decoded real ids: an instance's id is its master's with the marker ``01 51 00 08`` and eight
bytes of .NET ticks of the original date where the master has one zero byte, and ``10`` at the end. The immutable
flavour has another frame; that instances look alike in it is assumed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

NAMESPACE = uuid.UUID("6f2c1d0e-51b0-4f0c-9b3e-5a4d7e2f8c10")
INSTANCE_MARK = bytes.fromhex("01510008")
PROVIDER = bytes.fromhex("460000000000")
GOID_PREFIX = "040000008200E00074C5B7101A82E008"
NO_DATE = "00000000"
DEFAULT_MARK = bytes.fromhex("00032400")
IMMUTABLE_MARK = bytes.fromhex("0009")
IMMUTABLE_PROVIDER = bytes.fromhex("2E00000000001D840311AA6611CD9BC800AA002F845A0D00")
VCAL_UID = b"vCal-Uid" + bytes.fromhex("01000000")


def stable_uuid(*words: str) -> str:
    """A UUID that is the same in every run."""
    return str(uuid.uuid5(NAMESPACE, "/".join(words)))


@lru_cache(maxsize=10_000)
def stable_bytes(length: int, *words: str) -> bytes:
    """Bytes that are the same in every run."""
    return hashlib.sha256("/".join(words).encode()).digest()[:length]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@dataclass(frozen=True, slots=True)
class Frame:
    """The two halves of an entry id, around the place where an instance carries its date."""

    head: bytes
    tail: bytes

    def whole(self) -> str:
        """The id of a single event or master."""
        return _text(self.head + b"\x00" + self.tail)

    def instance(self, on: date) -> str:
        """The id of the occurrence that was born on this date (wall clock of the series)."""
        return _text(self.head + INSTANCE_MARK + ticks_of(on).to_bytes(8, "big") + self.tail[:-1] + b"\x00\x10")


def event_frame(mailbox_guid: str, number: int) -> Frame:
    """The default (mutable) id of the ``number``-th item of a mailbox."""
    head = DEFAULT_MARK + mailbox_guid.encode()
    return Frame(head, PROVIDER + _folder(mailbox_guid, b"\x01\x0d") + number.to_bytes(6, "big") + b"\x00\x00")


def immutable_frame(mailbox_guid: str, number: int) -> Frame:
    """The immutable id of the same item."""
    return Frame(
        IMMUTABLE_MARK, IMMUTABLE_PROVIDER + uuid.UUID(mailbox_guid).bytes + number.to_bytes(8, "big") + b"\x00\x00"
    )


def calendar_id(mailbox_guid: str, number: int) -> str:
    """The id of a calendar folder."""
    head = DEFAULT_MARK + mailbox_guid.encode() + b"\x00"
    return _text(head + PROVIDER + _folder(mailbox_guid, b"\x01\x06") + number.to_bytes(6, "big") + b"\x00\x00")


def _folder(mailbox_guid: str, kind: bytes) -> bytes:
    return b"\x07\x00" + stable_bytes(16, mailbox_guid, "store") + b"\x00\x00\x00\x00" + kind + b"\x00\x00"


def split_instance_id(event_id: str) -> tuple[str, date | None]:
    """(id of the master or single event, original date or None). Raises ValueError when it is no id at all."""
    try:
        raw = base64.b64decode(event_id, altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not an id") from error
    if not raw.startswith((DEFAULT_MARK, IMMUTABLE_MARK)) or len(raw) < 30:
        raise ValueError("not an id")
    at = 40 if raw.startswith(DEFAULT_MARK) else 2
    if raw[at : at + 4] != INSTANCE_MARK or raw[-1:] != b"\x10":
        return event_id, None
    on = date_of(int.from_bytes(raw[at + 4 : at + 12], "big"))
    return _text(raw[:at] + b"\x00" + raw[at + 12 : -1]), on


def ticks_of(on: date) -> int:
    """.NET ticks (100 ns since year 1) of a date's midnight."""
    return (on.toordinal() - 1) * 864_000_000_000


def date_of(ticks: int) -> date:
    """The date of such ticks; raises ValueError outside the calendar."""
    days = ticks // 864_000_000_000
    if not 0 <= days < date.max.toordinal():
        raise ValueError("no such date")
    return date.fromordinal(days + 1)


def change_key(mailbox_guid: str, sequence: int) -> str:
    """The version of an item, as in ``changeKey`` and inside ``@odata.etag``."""
    return base64.b64encode(stable_bytes(16, mailbox_guid, "change") + sequence.to_bytes(6, "big")).decode()


def global_object_id(created_at: datetime, seed: str) -> str:
    """A new meeting's GlobalObjectId with zeroed date bytes, upper-case hex."""
    filetime = int((created_at - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10
    stamp = filetime.to_bytes(8, "little").hex().upper()
    payload = stable_bytes(16, "goid", seed).hex().upper()
    return f"{GOID_PREFIX}{NO_DATE}{stamp}{'0' * 16}10000000{payload}"


def foreign_object_id(uid: str) -> str:
    """The GlobalObjectId that wraps the UID of an invitation from elsewhere (MS-OXOCAL 2.2.1.27)."""
    payload = VCAL_UID + uid.encode() + b"\x00"
    size = len(payload).to_bytes(4, "little").hex().upper()
    return f"{GOID_PREFIX}{NO_DATE}{'0' * 32}{size}{payload.hex().upper()}"


def is_object_id(uid: str) -> bool:
    """Whether a UID is one that Exchange made."""
    return uid.upper().startswith(GOID_PREFIX)


def cleaned(object_id: str) -> str:
    """The object id with its date bytes zeroed: equal for all instances and all copies of a meeting."""
    if not is_object_id(object_id):
        return object_id
    return object_id[:32].upper() + NO_DATE + object_id[40:].upper()


def dated(object_id: str, on: date) -> str:
    """The object id of one instance: four bytes of its original date."""
    if not is_object_id(object_id):
        return object_id
    return f"{object_id[:32]}{on.year:04X}{on.month:02X}{on.day:02X}{object_id[40:]}"
