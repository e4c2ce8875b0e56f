"""Rows to engine values and back.

What lives here: translation only. Nothing here decides, queries or saves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from calendars import gateway
from calendars.models import Calendar, Event, Link
from calsync.engine import masking, serial
from calsync.engine.events import AllDay, When
from calsync.engine.events import Event as HubEvent
from calsync.engine.plan import HubState, LinkState, Place
from calsync.engine.policy import Role
from calsync.providers.base import Mailbox


def place_of(calendar: Calendar) -> Place:
    """A calendar as the engine sees it."""
    return Place(
        calendar_id=calendar.pk, platform=calendar.platform, traits=gateway.TRAITS[calendar.platform], writable=True
    )


def mailbox_of(calendar: Calendar) -> Mailbox:
    """A calendar as a provider addresses it."""
    return Mailbox(address=calendar.account.address, calendar_id=calendar.remote_id, zone=calendar.time_zone)


def colleague_place(calendar: Calendar) -> Place:
    """A colleague's calendar: it is written only while it is on, and once it has been read completely."""
    ready = calendar.is_active and calendar.account.is_active and calendar.imported_at is not None
    return replace(place_of(calendar), writable=ready)


def link_state(link: Link, calendar: Calendar) -> LinkState:
    """What was last agreed about one link."""
    role = Role(link.role)
    return LinkState(
        place=colleague_place(calendar) if role is Role.COPY else place_of(calendar),
        role=role,
        remote_id=link.remote_id,
        version=link.version,
        hub_map=link.hub_map,
        remote_map=link.remote_map,
        generation=link.generation,
        treatment=masking.load(link.treatment),
        asked=link.asked,
        answer=link.answer,
    )


def hub_state(event: Event, links: Iterable[Link]) -> HubState:
    """One hub event with its links (whose calendars must be loaded)."""
    states = tuple(link_state(link, link.calendar) for link in links)
    return HubState(event=serial.load(event.content), links=states, changed_at=event.changed_at)


def fill_event(row: Event, event: HubEvent, *, changed_at: datetime | None) -> Event:
    """Put an aggregate into its row (in memory)."""
    row.content = serial.dump(event)
    row.uid = event.uid[:1024]
    row.starts_at, row.ends_at = span_of(event.content.when)
    row.is_all_day = isinstance(event.content.when, AllDay)
    row.is_series = event.is_series
    row.show_as = event.content.show_as
    row.changed_at = changed_at or row.changed_at
    return row


def fill_link(row: Link, state: LinkState) -> Link:
    """Put a link's new state into its row (in memory), with a fresh key for a new generation."""
    row.role = state.role
    row.remote_id = state.remote_id
    row.version = state.version
    row.hub_map = dict(state.hub_map)
    row.remote_map = dict(state.remote_map)
    row.generation = max(row.generation, state.generation)  # a used key never comes back
    row.key = row.new_key()
    row.treatment, row.asked, row.answer = masking.dump(state.treatment), state.asked, state.answer
    return row


def occurrence_keys(event: HubEvent) -> list[str]:
    """The keys of a series' exceptions and cancelled occurrences, sorted."""
    return sorted({*event.exceptions, *event.cancelled})


def span_of(when: When) -> tuple[datetime, datetime]:
    """First start and end as UTC instants; all-day events as midnights UTC of their dates."""
    if isinstance(when, AllDay):
        return datetime.combine(when.start, time(), UTC), datetime.combine(when.end, time(), UTC)
    start = when.start.replace(tzinfo=ZoneInfo(when.zone)).astimezone(UTC)
    return start, when.end.replace(tzinfo=ZoneInfo(when.end_zone or when.zone)).astimezone(UTC)
