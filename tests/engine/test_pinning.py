"""A series told in the zone that a rule names, without moving a single occurrence of it."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from calsync.engine.events import Field
from calsync.engine.pinning import pinned
from calsync.engine.plan import Role
from calsync.engine.transform import project
from calsync.engine.treatment import Treatment
from tests.engine.builders import GOOGLE_TRAITS, days, occurrence, series, single, timed, weekly

SUMMER = datetime.fromisoformat("2026-06-01T09:00")


@pytest.mark.parametrize(
    ("event", "zone", "told_in"),
    [
        (series(when=timed(zone="Europe/Madrid")), "Europe/Berlin", "Europe/Berlin"),
        (series(when=timed(zone="Europe/Vienna")), "", "Europe/Vienna"),
        (series(when=timed(zone="Europe/London")), "Europe/Berlin", "Europe/London"),
        (series(when=timed(zone="Africa/Lagos"), recurrence=weekly(count=10)), "Europe/Berlin", "Europe/Berlin"),
        (series(when=timed(zone="Africa/Lagos"), recurrence=weekly(count=40)), "Europe/Berlin", "Africa/Lagos"),
        (series(when=timed(SUMMER, zone="Africa/Lagos"), recurrence=weekly(count=3)), "Europe/Berlin", "Africa/Lagos"),
        (series(when=timed(zone="Europe/Madrid", end_zone="Europe/Paris")), "Europe/Berlin", "Europe/Madrid"),
        (series(when=timed(zone="Europe/Madrid")), "Nowhere/Land", "Europe/Madrid"),
        (single(when=timed(zone="Europe/Madrid")), "Europe/Berlin", "Europe/Madrid"),
    ],
)
def test_a_series_is_pinned_only_where_both_clocks_agree(event, zone, told_in):
    told = pinned(event, zone)
    assert told.content.when == replace(event.content.when, zone=told_in)


def test_whole_days_have_no_zone():
    event = series(when=days(date(2026, 11, 2)))
    assert pinned(event, "Europe/Berlin") == event


def test_a_copy_is_pinned_and_the_event_itself_never_is():
    event = replace(series(when=timed(zone="Europe/Madrid")), exceptions={occurrence(): {Field.TITLE: "Retro"}})
    rule = Treatment(pinned_zone="Europe/Berlin")
    copy = project(event, traits=GOOGLE_TRAITS, role=Role.TWIN, treatment=rule)
    assert copy.content.when.zone == "Europe/Berlin"
    assert copy.exceptions == event.exceptions
    assert project(event, traits=GOOGLE_TRAITS, role=Role.ORIGIN, treatment=rule) == event
