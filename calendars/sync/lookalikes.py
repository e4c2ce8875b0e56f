"""Lookalikes: a person's events that are like those which a page brings new, looked up once for the whole page.

Two brakes ask about them: events that multiply because another tool copies our copies, and deleted events that another
tool makes again. What lives here: counting. What does not: when there are too many (``multiplied``, ``returns``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from calendars import rows
from calendars.models import Event
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.engine.fingerprint import normal_text

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Row:
    """An event without what is sealed of it."""

    pk: int
    starts_at: datetime
    ends_at: datetime
    is_series: bool
    uid: str
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """The living events, and those deleted within the last hour, that begin or are named like new ones."""

    found: tuple[_Row, ...] = ()

    @classmethod
    def load(cls, *, owner_id: int, new: Sequence[HubEvent], now: datetime) -> Lookalikes:
        """One query, none when nothing is new."""
        if not new:
            return cls()
        starts = {rows.span_of(event.content.when)[0] for event in new}
        uids = {event.uid[:1024] for event in new if event.uid}
        alike = Event.objects.filter(Q(starts_at__in=starts) | Q(uid__in=uids, deleted_at__isnull=False))
        recent = alike.filter(Q(deleted_at=None) | Q(deleted_at__gt=now - HOUR), owner_id=owner_id, whole=None)
        values = recent.order_by("pk").values_list("pk", "starts_at", "ends_at", "is_series", "uid", "deleted_at")
        return cls(tuple(_Row(*value) for value in values))

    def standing(self, read: HubEvent, *, most: int) -> int:
        """How many living events have the same title and time; 0 without opening anything sealed when fewer than
        ``most`` have the same time.
        """
        span = rows.span_of(read.content.when)
        living = (row for row in self.found if row.deleted_at is None and row.is_series == read.is_series)
        same = [row.pk for row in living if (row.starts_at, row.ends_at) == span]
        return _of_that_title(same, read) if len(same) >= most else 0

    def deleted(self, read: HubEvent) -> int:
        """How many events of the last hour that are deleted now had this uid, or this title and start."""
        start, _ = rows.span_of(read.content.when)
        gone = [row for row in self.found if row.deleted_at is not None]
        by_uid = {row.pk for row in gone if row.uid == read.uid[:1024] != ""}
        by_start = [row.pk for row in gone if row.starts_at == start and row.pk not in by_uid]
        return len(by_uid) + (_of_that_title(by_start, read) if by_start else 0)


def _of_that_title(pks: Sequence[int], read: HubEvent) -> int:
    contents = Event.objects.filter(pk__in=pks).order_by("pk").values_list("content", flat=True)
    return sum(_title(serial.load(content)) == _title(read) for content in contents)


def _title(event: HubEvent) -> str:
    return normal_text(event.content.title).casefold().strip()
