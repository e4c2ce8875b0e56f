"""Before sync is switched on: whose calendars it would be, what no connection reaches, and what reading ahead tells.

Used alike by the command and by the console's page. Switching on itself is ``services.activate``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.db import transaction
from django.db.models import Count
from django_q.tasks import async_task
from redis import RedisError

from accounts.gateway import is_configured
from accounts.models import ReachedThrough, User
from accounts.selectors import own_connection_of, own_connections
from calendars import services
from calendars.models import Calendar, CalendarQuerySet
from calendars.sync import bell
from calendars.sync.preview import Preview, preview_person
from calsync.engine.events import Platform
from calsync.providers.base import ProviderError

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Ahead:
    """What activation would do, from reading both sides of people. ``troubles``: a sentence for each who failed."""

    people: int = 0
    preview: Preview = field(default_factory=Preview)
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whose calendars are in a scope, from rows alone."""

    people: int
    on_both: int  # people with a mailbox on both platforms
    calendars: int
    active: int  # of the calendars: switched on already


def in_scope(calendars: CalendarQuerySet) -> CalendarQuerySet:
    """Those that activation concerns: the primary ones of mailboxes in use."""
    return calendars.filter(account__is_active=True, is_primary=True)


def concerned(calendars: CalendarQuerySet) -> Concerned:
    """Count people and calendars."""
    people = User.objects.filter(linked_accounts__calendars__in=calendars).order_by()
    platforms = Count("linked_accounts__platform", distinct=True)
    return Concerned(
        people=people.distinct().count(),
        on_both=people.annotate(platforms=platforms).filter(platforms=2).count(),
        calendars=calendars.count(),
        active=calendars.filter(is_active=True).count(),
    )


def unreached(calendars: CalendarQuerySet) -> Iterator[tuple[Platform, str]]:
    """Mapped mailboxes that neither a connection of the console nor the environment's reaches."""
    for platform in Platform:
        if is_configured(platform):
            continue
        owns = own_connections(platform)
        mapped = calendars.filter(account__platform=platform.value, account__reached_through=ReachedThrough.TENANT)
        accounts = mapped.order_by("account__address")
        for address, chosen in accounts.values_list("account__address", "account__connection_id"):
            if own_connection_of(address, chosen, owns) is None:
                yield platform, address


def read_ahead(
    calendars: CalendarQuerySet,
    *,
    from_now: bool,
    now: datetime,
    most: int | None = None,
    seconds: float | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Ahead:
    """Read both sides of everybody and store nothing: of the first ``most``, and of nobody else after ``seconds``."""
    ahead, begun = Ahead(), time.monotonic()
    people = _by_person(calendars)[:most]
    for position, group in enumerate(people, start=1):
        if seconds is not None and ahead.people and time.monotonic() - begun > seconds:
            break
        ahead.people += 1
        try:
            preview_person(calendars=group, from_now=from_now, now=now, preview=ahead.preview)
        except ProviderError as error:
            ahead.troubles.append(f"{group[0].account.person}: {error} {error.remedy}")
        progress("Reading both sides", position, len(people))
    return ahead


def _by_person(calendars: CalendarQuerySet) -> list[Sequence[Calendar]]:
    ordered = calendars.select_related("account__person").order_by("account__person_id", "-account__platform", "pk")
    return [list(group) for _, group in groupby(ordered, key=lambda calendar: calendar.account.person_id)]


def begin(*, calendars: CalendarQuerySet, from_now: bool, now: datetime) -> int:
    """Switch sync on and let the workers do the rest; returns how many calendars were off before."""
    fresh = list(calendars.filter(is_active=False).values_list("pk", flat=True))
    services.activate(calendars=calendars, from_now=from_now, now=now)
    try:
        with transaction.atomic():
            for pk in fresh:
                async_task("calendars.tasks.look_up", pk, save=False)
    except RedisError as error:
        logger.warning("activation.not_queued error=%s", type(error).__name__)  # names and zones are a comfort
    bell.call(calendar_ids=fresh, now=now)
    return len(fresh)


def try_look_up(calendar: Calendar) -> None:
    """Names and zones are a comfort here: what really is wrong with a mailbox shows when it is read."""
    try:
        services.look_up(calendar)
    except ProviderError as error:
        logger.info("calendar.look_up_failed calendar=%s status=%s code=%s", calendar.pk, error.status, error.code)
