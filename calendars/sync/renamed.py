"""Renamed mailboxes: the same mailbox under a new address goes on where it was, and nothing is copied anew.

A mapping file that names another address for somebody's mailbox disables the old account and makes a new one. Whether
the two are one mailbox only the mailbox itself can tell: by events that bear the very ids that we know.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db.models import F

from accounts.models import Health, LinkedAccount
from calendars.models import Calendar, CalendarQuerySet, Event, Link, LinkState, Operation
from calsync.engine import serial
from calsync.engine.events import Event as HubEvent
from calsync.providers.base import Item

logger = logging.getLogger(__name__)

GOES_ON = "The mailbox has a new address; its new calendar goes on from here."


def carry_activation_over(accounts: Sequence[LinkedAccount], *, now: datetime) -> int:
    """Switch on the new primary calendars of people whose calendar there was active before; returns how many."""
    # Few people have one, however long the file is.
    retired = Calendar.objects.filter(is_primary=True, is_active=True, account__is_active=False).order_by("-pk")
    former = {(row.account.person_id, row.account.platform): row for row in retired.select_related("account")}
    carried = 0
    for account in accounts:
        before = former.get((account.person_id, account.platform))
        calendar = (
            Calendar.objects.filter(account=account, is_primary=True, activated_at=None).first() if before else None
        )
        if before is None or calendar is None:
            continue
        calendar.is_active, calendar.activated_at = True, now
        calendar.leaves_existing_alone = before.leaves_existing_alone
        calendar.enter(Health.IMPORTING, now=now)
        calendar.save()
        Calendar.objects.filter(pk=calendar.pk).ring(now=now)
        carried += 1
    return carried


def read_anew(account_ids: Sequence[int], *, now: datetime) -> None:
    """Let the calendars of mailboxes with a new address be read completely: a cursor may hold the old address.

    Whoever is reading one of them at this moment loses the lease, so that the old cursor is not stored again.
    """
    calendars = Calendar.objects.filter(account__in=account_ids)
    calendars.update(cursor="", fence=F("fence") + 1)
    calendars.active().ring(now=now)


def take_over(*, calendar: Calendar, items: Sequence[Item], now: datetime) -> None:
    """Move the links of a former calendar here, in the caller's transaction, if these items prove that it is this one.

    Events of the mailbox's owner prove it: at Google the same id in two mailboxes is found for guests of one meeting.
    """
    if calendar.imported_at is not None:
        return
    own = {item.remote_id: item.event for item in items if item.event is not None and item.event.organizes}
    known = Link.objects.filter(state=LinkState.ACTIVE, remote_id__in=own, calendar__in=_former(calendar))
    proven = {link.calendar_id for link in known.select_related("event") if _is_own(own[link.remote_id], link.event)}
    for former in _former(calendar).filter(pk__in=proven):
        _move(former, calendar, now=now)


def _is_own(read: HubEvent, known: Event) -> bool:
    """Whether an event is its owner's here and there: without guests, or organised by the owner in both mailboxes."""
    return not read.guests or serial.load(known.content).organizes


def _former(calendar: Calendar) -> CalendarQuerySet:
    """The primary calendars that the same person had on the same platform under addresses out of use."""
    account = calendar.account
    others = Calendar.objects.filter(account__person_id=account.person_id, account__platform=account.platform)
    return others.filter(is_primary=True, account__is_active=False).exclude(pk=calendar.pk).order_by("-pk")


def _move(former: Calendar, calendar: Calendar, *, now: datetime) -> None:
    here = Link.objects.filter(calendar=calendar)
    moving = Link.objects.filter(calendar=former).exclude(event__in=list(here.values_list("event_id", flat=True)))
    moving = moving.exclude(remote_id__in=list(here.exclude(remote_id="").values_list("remote_id", flat=True)))
    moved = list(moving.values_list("pk", flat=True))
    moving.update(calendar=calendar)
    Operation.objects.filter(link__in=moved).update(calendar=calendar)
    Link.objects.filter(calendar=former).update(state=LinkState.GONE)
    former.enter(Health.DISABLED, now=now, reason=GOES_ON)
    # Should the old address ever come back, it begins anew: what it knew is no longer its own.
    Calendar.objects.filter(pk=former.pk).update(
        is_active=False, cursor="", imported_at=None, activated_at=None, fence=F("fence") + 1,
        **former.state_values(),
    )  # fmt: skip
    logger.info("calendar.renamed former=%s calendar=%s links=%s", former.pk, calendar.pk, len(moved))
