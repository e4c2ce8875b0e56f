"""Questions about calendars, events and work, each with a name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from accounts.models import Clearance, ReachedThrough, User
from accounts.reach import Viewer, may
from accounts.roles import SEE_CONTENT
from calendars.models import Calendar, CalendarQuerySet, Event, Finding, Link, LinkState, Operation, Watch
from calsync.engine import serial
from calsync.engine.events import Sensitivity
from calsync.providers.base import Known

CONSENT_CHECK = timedelta(minutes=4)
"""A person's own consent is tried by reading: no trial of a connection would show that it was withdrawn."""

LEVEL_OF: dict[Sensitivity, Clearance] = {
    Sensitivity.NORMAL: Clearance.PUBLIC,
    Sensitivity.PERSONAL: Clearance.CONFIDENTIAL,
    Sensitivity.PRIVATE: Clearance.CONFIDENTIAL,
    Sensitivity.CONFIDENTIAL: Clearance.RESTRICTED,
}
"""What an event is at least, by its owner's wish."""


def classification_of(event: Event) -> Clearance:
    """The highest of the owner's calendars in which the event stands or stood, and of its own sensitivity."""
    standing = Link.objects.filter(event=event.whole or event, calendar__account__person=F("event__owner"))
    calendars = list(standing.order_by("pk").values_list("calendar__classification", flat=True))
    hub = serial.load(event.content)
    own = (value for override in hub.exceptions.values() for value in override.values())
    wishes = [hub.content.sensitivity, *(value for value in own if isinstance(value, Sensitivity))]
    return Clearance(max([*(calendars or [Clearance.RESTRICTED]), *(LEVEL_OF[wish] for wish in wishes)]))


def may_see_content(viewer: Viewer, event: Event) -> bool:
    """Whether somebody sees what an event is about. Everybody else sees its time and that the owner is busy.

    The owner does; others need a right to it and the clearance.
    """
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if viewer.pk == event.owner_id:
        return True
    return may(viewer, SEE_CONTENT, event) and viewer.may_see(classification_of(event))


def may_see_kept(viewer: Viewer, finding: Finding) -> bool:
    """Whether somebody sees the values that a finding keeps: as the event's content, as it is and as it was kept.

    What a brake held in a whole calendar counts as the highest level.
    """
    if not isinstance(viewer, User) or not viewer.is_active:
        return False
    if viewer.pk == finding.person_id:
        return True
    level = Clearance.RESTRICTED if finding.event is None else classification_of(finding.event)
    if not viewer.may_see(level) or not may(viewer, SEE_CONTENT, finding):
        return False
    opened = (serial.load_value(value) for path, value in finding.values.items() if path != "links")
    return all(viewer.may_see(LEVEL_OF[value]) for value in opened if isinstance(value, Sensitivity))


def with_owner(calendar_id: int) -> Calendar | None:
    """One calendar with its account, person and unit."""
    return (
        Calendar.objects.select_related("account__person__org_unit", "account__connection")
        .filter(pk=calendar_id)
        .first()
    )


def partners_of(calendar: Calendar) -> list[Calendar]:
    """The same person's active primary calendars on the other platform (topology T1)."""
    if not calendar.is_primary:
        return []
    return list(
        Calendar.objects.active()
        .filter(account__person_id=calendar.account.person_id, is_primary=True)
        .exclude(account__platform=calendar.account.platform)
        .select_related("account")
        .order_by("pk")
    )


def known_items(calendar_id: int, remote_ids: Iterable[str]) -> dict[str, Known]:
    """What we hold about remote ids of one calendar, for an adapter."""
    links = Link.objects.filter(calendar_id=calendar_id, remote_id__in=list(remote_ids))
    links = links.exclude(state=LinkState.GONE, withheld="")  # of what a rule has left there, the end is noted
    return {
        remote_id: Known(version=version, occurrences=frozenset(occurrences))
        for remote_id, version, occurrences in links.values_list("remote_id", "version", "occurrences")
    }


def due_calendar_ids(calendars: CalendarQuerySet, *, now: datetime) -> list[int]:
    """Of these calendars, the ones that want a turn now: rung, or with a due operation."""
    wanting = Calendar.objects.unserved(now=now) | Calendar.objects.free_now(now=now).filter(reread_at__lte=now)
    ringing = set(wanting.filter(pk__in=calendars.values("pk")).values_list("pk", flat=True))
    pushing = (
        Operation.objects.due(now=now)
        .filter(calendar__in=calendars)
        .filter(calendar__in=Calendar.objects.free_now(now=now))
    )
    found = ringing | set(pushing.values_list("calendar_id", flat=True).distinct())
    return sorted(found - _resting(now=now))


def _resting(*, now: datetime) -> set[int]:
    """Calendars with a write that broke off and whose time has not come: until then they neither read nor write."""
    broken_off = Operation.objects.interrupted().order_by("pk")
    waiting = broken_off.filter(due_at__gt=now).values_list("calendar_id", flat=True)
    return set(waiting) - set(broken_off.filter(due_at__lte=now).values_list("calendar_id", flat=True))


def poll_interval(calendar: Calendar, *, now: datetime) -> timedelta:
    """How long a calendar may go unread: a live watch makes polling a mere safety net."""
    if not Watch.objects.filter(calendar=calendar).announcing(now=now).exists():
        return timedelta(seconds=settings.CALSYNC_POLL_SECONDS)
    rarely = timedelta(seconds=settings.CALSYNC_POLL_WATCHED_SECONDS)
    return min(rarely, CONSENT_CHECK) if calendar.account.reached_through == ReachedThrough.CONSENT else rarely
