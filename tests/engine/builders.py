"""Short ways to write down events, places and links for the engine's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Frequency,
    Guest,
    OccurrenceKey,
    Platform,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    Weekday,
)
from calsync.engine.plan import HubState, LinkState, Place, Role, Sighting, settle
from calsync.engine.traits import Traits
from calsync.engine.transform import project

KEY = b"a key for tests only"
NINE = datetime.fromisoformat("2026-11-02T09:00")  # a Monday
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

ALICE = Guest("alice@example.org", "Alice")
BOB = Guest("bob@example.org", "Bob", optional=True)

OUTLOOK_TRAITS = Traits(
    platform=Platform.OUTLOOK,
    show_as={level: level for level in ShowAs},
    sensitivities={level: level for level in Sensitivity},
    expressible=lambda recurrence: len(recurrence.rules) == 1 and not recurrence.extra_starts,
)
GOOGLE_TRAITS = Traits(
    platform=Platform.GOOGLE,
    show_as={level: ShowAs.FREE if level is ShowAs.FREE else ShowAs.BUSY for level in ShowAs},
    sensitivities={
        level: Sensitivity.NORMAL if level is Sensitivity.NORMAL else Sensitivity.PRIVATE for level in Sensitivity
    },
    expressible=lambda recurrence: True,
)
OUTLOOK = Place(1, Platform.OUTLOOK, OUTLOOK_TRAITS)
GOOGLE = Place(2, Platform.GOOGLE, GOOGLE_TRAITS)
COLLEAGUE = Place(3, Platform.GOOGLE, GOOGLE_TRAITS)


def timed(
    start: datetime = NINE, *, minutes: int = 60, zone: str = "Europe/Berlin", end_zone: str | None = None
) -> Timed:
    return Timed(start, start + timedelta(minutes=minutes), zone, end_zone)


def days(first: date = date(2026, 11, 2), *, count: int = 1) -> AllDay:
    return AllDay(first, first + timedelta(days=count))


def single(title: str = "Budget", *, when: Timed | AllDay | None = None, **fields: object) -> Event:
    """A single event; content fields and event fields alike may be given by name."""
    own = {name: fields.pop(name) for name in ("body", "location", "show_as", "sensitivity") if name in fields}
    return Event(content=Content(when=when or timed(), title=title, **own), **fields)


def weekly(
    *days_of_week: Weekday, count: int | None = None, interval: int = 1, until: date | None = None
) -> Recurrence:
    by_day = tuple((None, day) for day in days_of_week or (Weekday.MO,))
    return Recurrence((Rule(Frequency.WEEKLY, interval=interval, by_day=by_day, count=count, until=until),))


def series(title: str = "Stand-up", *, recurrence: Recurrence | None = None, **fields: object) -> Event:
    return replace(single(title, **fields), recurrence=recurrence or weekly(count=10))


def occurrence(week: int = 0, *, hour: int = 9) -> OccurrenceKey:
    """The key of the series' occurrence ``week`` weeks after its first Monday."""
    return OccurrenceKey((NINE.replace(hour=hour) + timedelta(weeks=week)).isoformat(timespec="minutes"))


def edit(event: Event, **fields: object) -> Event:
    """The event with changed content fields."""
    return replace(event, content=replace(event.content, **fields))


def sighting(event: Event | None, *, version: str = "v2", minutes: int = 0, remote_id: str = "r") -> Sighting:
    """The event as read from a calendar, changed ``minutes`` after NOW."""
    return Sighting(remote_id, version, event, NOW + timedelta(minutes=minutes))


def agreed(event: Event, place: Place, role: Role, *, echo: Event | None = None) -> LinkState:
    """A link whose copy is just what the hub wants there."""
    shown = echo or project(event, traits=place.traits, role=role)
    link = LinkState(place, role)
    return settle(
        link, hub_event_as_written=event, remote_id=f"r{place.calendar_id}", version="v1", echo=shown, key=KEY
    )


def hub_of(event: Event, *roles: tuple[Place, Role], minutes: int | None = None) -> HubState:
    """A hub event that agrees with all its copies; by default an Outlook origin and a Google twin."""
    links = tuple(agreed(event, place, role) for place, role in roles or ((OUTLOOK, Role.ORIGIN), (GOOGLE, Role.TWIN)))
    return HubState(event, links, None if minutes is None else NOW + timedelta(minutes=minutes))
