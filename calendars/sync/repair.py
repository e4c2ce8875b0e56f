"""Repair: turn an audit's differences into planned work. Nothing is written here; the next turns do it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from calendars.models import Calendar, Link, LinkState, Operation
from calendars.sync.audit import Difference
from calendars.sync.complete import complete_links
from calendars.sync.locks import lock_person
from calendars.sync.tally import Tally


def repair(*, differences: Sequence[Difference], now: datetime, tally: Tally) -> int:
    """Plan what mends these differences; returns how many are dealt with."""
    mended = 0
    for difference in differences:
        mend = _MENDERS.get(difference.kind)
        if mend is not None:
            with transaction.atomic():
                lock_person(difference.calendar.account.person_id)
                mended += mend(difference, now)
    for calendar in {difference.calendar.pk: difference.calendar for difference in differences}.values():
        complete_links(calendar=calendar, now=now, tally=tally)
    return mended


def _mend_missing(difference: Difference, now: datetime) -> int:
    """A copy that vanished unseen is made anew; an event that we never met is read by a new complete round."""
    link = _link(difference)
    if link is None:
        return _read_anew(difference.calendar, now)
    if link.role == "origin":
        return 0 if difference.detail else _read_anew(difference.calendar, now)
    link.remote_id, link.version, link.generation = "", "", link.generation + 1
    link.key = link.new_key()
    link.save()
    return _plan(link, "create", now)


def _mend_drift(difference: Difference, now: datetime) -> int:
    link = _link(difference)
    if link is None:
        return _read_anew(difference.calendar, now)
    # Forget the guard and what was agreed: the copy is read and compared again, then written where it still differs.
    link.hub_map = {path: "" if path in difference.paths else print_ for path, print_ in link.hub_map.items()}
    link.hub_map |= {path: "" for path in difference.paths if path not in link.hub_map}
    link.version = ""
    link.save()
    _read_anew(difference.calendar, now)
    return _plan(link, "update", now)


def _mend_orphan(difference: Difference, now: datetime) -> int:
    link = _link(difference)
    return _plan(link, "delete", now) if link is not None and link.event.deleted_at is not None else 0


_MENDERS = {"missing": _mend_missing, "drifted": _mend_drift, "policy": _mend_drift, "orphans": _mend_orphan}


def _link(difference: Difference) -> Link | None:
    if not difference.remote_id:
        return None  # of the links without one it could be any
    links = Link.objects.filter(calendar=difference.calendar, remote_id=difference.remote_id)
    return links.exclude(state=LinkState.GONE).select_related("event").first()


def _read_anew(calendar: Calendar, now: datetime) -> int:
    Calendar.objects.filter(pk=calendar.pk).reread(now=now)
    Calendar.objects.filter(pk=calendar.pk).ring(now=now)
    return 1


def _plan(link: Link, kind: str, now: datetime) -> int:
    operation = Operation(link=link, calendar_id=link.calendar_id, kind=kind, due_at=now, planned_at=now, why="audit")
    Operation.objects.bulk_create([operation], ignore_conflicts=True)
    return 1
