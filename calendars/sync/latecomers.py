"""Latecomers: colleagues whose calendar is switched on when meetings with them stand already.

What lives here: finding those meetings once, at activation, and bringing the copies in one calendar up to date. What
does not: guests of a page of changes (``colleagues``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts.models import LinkedAccount
from accounts.secrets import fingerprint_key
from calendars import rows
from calendars.models import Calendar, Event, Link, LinkState, Operation
from calendars.sync.locks import lock_people
from calendars.sync.reconsider import reconsider
from calendars.sync.tally import Tally
from calsync.engine import serial
from calsync.engine.plan import wanted_writes
from calsync.engine.policy import Role

PORTION = 100  # events of one transaction


def welcome(*, calendars: Sequence[Calendar], now: datetime) -> None:
    """Join the people of newly active calendars to the meetings that they are invited to.

    Who is invited stands sealed inside the events, so every event of the window is looked at: once for all of them.
    """
    joining = [calendar for calendar in calendars if calendar.is_primary and not calendar.leaves_existing_alone]
    people = {calendar.account.person_id for calendar in joining}
    accounts = LinkedAccount.objects.filter(person_id__in=people, person__is_active=True)  # former addresses, too
    addresses = set(accounts.order_by("pk").values_list("address", flat=True))
    if not addresses:
        return
    _release_natives(people, now=now)
    reconsider(list(_with_guests(addresses, now=now)), now=now, tally=Tally())
    for calendar in joining:
        if calendar.imported_at is not None:
            complete_copies(calendar=calendar, now=now, tally=Tally())


def complete_copies(*, calendar: Calendar, now: datetime, tally: Tally) -> None:
    """Plan what the copies of colleagues' meetings in this calendar lack: to be made, to be changed, to be deleted."""
    key = fingerprint_key()
    with transaction.atomic():
        lock_people([calendar.account.person_id])
        copies = Link.objects.filter(calendar=calendar, role=Role.COPY, state=LinkState.ACTIVE)
        due = [
            Operation(link=link, calendar=calendar, kind=kind, why="catching up", due_at=now, planned_at=now)
            for link in copies.select_related("event").order_by("pk")
            if (kind := _lacking(link, calendar, key=key))
        ]
        Operation.objects.bulk_create(due, ignore_conflicts=True)
    if due:
        tally.rung.add(calendar.pk)


def _lacking(link: Link, calendar: Calendar, *, key: bytes) -> str:
    """The kind of write that a copy needs; '' when it needs none."""
    if link.event.deleted_at is not None:
        return "delete" if link.remote_id else ""
    wanted = wanted_writes(rows.hub_state(link.event, [_at(link, calendar)]), key=key)
    return str(wanted[0].kind) if wanted else ""


def _at(link: Link, calendar: Calendar) -> Link:
    link.calendar = calendar
    return link


def _with_guests(addresses: set[str], *, now: datetime) -> Iterator[int]:
    """The meetings of the window to which one of these addresses is invited."""
    start = now - timedelta(days=settings.CALSYNC_WINDOW_BACK_DAYS)
    end = now + timedelta(days=settings.CALSYNC_WINDOW_AHEAD_DAYS)
    living = Event.objects.filter(deleted_at__isnull=True, whole__isnull=True, left_alone=False, starts_at__lt=end)
    reaching = living.filter(Q(is_series=True) | Q(ends_at__gt=start))
    for event in reaching.order_by("pk").iterator(chunk_size=500):
        hub = serial.load(event.content)
        if hub.organizes and any(guest.address in addresses for guest in hub.guests):
            yield event.pk


def _release_natives(people: set[int], *, now: datetime) -> None:
    """Who joins with a mailbox on the organisers' platform has those meetings as own events from now on."""
    both = (
        Calendar.objects.active()
        .filter(is_primary=True, account__person_id__in=people)
        .exclude(account__person__in=_on_one_platform(people))
    )
    natives = Link.objects.filter(calendar__in=both, role=Role.NATIVE).exclude(
        event__owner=F("calendar__account__person")
    )
    concerned = set(natives.order_by("pk").values_list("calendar_id", flat=True))
    if concerned:
        natives.delete()
        calendars = Calendar.objects.filter(pk__in=concerned)
        calendars.update(cursor="", window_start=None, window_end=None)
        calendars.ring(now=now)


def _on_one_platform(people: set[int]) -> list[int]:
    platforms: dict[int, set[str]] = defaultdict(set)
    active = Calendar.objects.active().filter(is_primary=True, account__person_id__in=people)
    for person_id, platform in active.order_by("pk").values_list("account__person_id", "account__platform"):
        platforms[person_id].add(platform)
    return [person_id for person_id, found in platforms.items() if len(found) < 2]
