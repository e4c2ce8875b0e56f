"""Google's event resources read into values, with captured answers where there are any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calsync.engine.events import AllDay, Event, Guest, Sensitivity, ShowAs, Timed
from calsync.providers.google import mapping
from calsync.providers.google.mapping import event_of
from calsync.providers.google.series import assemble, bare_instance, belongs_to
from calsync.providers.google.times import (
    Unreadable,
    instance_id,
    key_of_original,
    original_of_suffix,
    split_instance_id,
    to_wire,
)
from tests.providers.google_script import cancelled_instance, changed_instance, event, timed, weekly
from tests.providers.sides import wall

ZONE = "Europe/Berlin"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "protocols" / "corpus" / "google"


def read(**fields: Any) -> Event:
    return event_of(event(**fields), zone=ZONE, address="ann@example.com")


# --- times ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "zone", "wall_clock"),
    [
        ({"dateTime": "2026-08-03T10:00:00+02:00", "timeZone": "Europe/Berlin"}, "Europe/Berlin", "2026-08-03T10:00"),
        (
            {"dateTime": "2026-08-03T10:00:00+02:00", "timeZone": "America/New_York"},
            "America/New_York",
            "2026-08-03T04:00",
        ),
        ({"dateTime": "2026-08-03T08:00:00Z"}, "Europe/Berlin", "2026-08-03T10:00"),
        ({"dateTime": "2026-08-03T08:00:00.000Z", "timeZone": "Europe/Berlin"}, "Europe/Berlin", "2026-08-03T10:00"),
        ({"dateTime": "2026-08-03T10:00:00"}, "Europe/Berlin", "2026-08-03T10:00"),
        ({"dateTime": "2026-08-03T10:00:00+02:00", "timeZone": "Nowhere/City"}, "Europe/Berlin", "2026-08-03T10:00"),
    ],
)
def test_times_are_told_on_the_wall_clock_of_the_events_own_zone(start, zone, wall_clock):
    when = read(start=start, end={**start, "dateTime": "2026-08-03T09:00:00Z"}).content.when

    assert (when.start, when.zone) == (wall(wall_clock), zone)


def test_an_end_in_another_zone_keeps_it():
    when = read(start=timed(9), end=timed(12, zone="Asia/Tokyo") | {"dateTime": "2026-12-01T19:00:00"}).content.when

    assert when == Timed(wall("2026-12-01T09:00"), wall("2026-12-01T19:00"), ZONE, "Asia/Tokyo")


def test_a_span_across_the_hour_that_comes_twice_keeps_its_length():
    start = {"dateTime": "2026-10-25T02:45:00+02:00", "timeZone": ZONE}
    end = {"dateTime": "2026-10-25T02:15:00+01:00", "timeZone": ZONE}

    when = read(start=start, end=end).content.when

    assert (when.end - when.start).total_seconds() == 1800


@pytest.mark.parametrize("end", [{"date": "2026-12-02"}, {"date": "2026-12-01"}, None])
def test_a_day_without_a_good_end_is_one_day(end):
    assert read(start={"date": "2026-12-01"}, end=end).content.when == AllDay(date(2026, 12, 1), date(2026, 12, 2))


@pytest.mark.parametrize(
    "fields",
    [
        {"start": None, "end": None},
        {"start": "soon"},
        {"start": {"date": "2026-13-45"}},
        {"start": {"dateTime": "half past nine"}},
        {"start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Nowhere/City"}},
        {"start": timed(11)},
        {"recurrence": ["RRULE:FREQ=HOURLY"]},
    ],
)
def test_what_cannot_be_understood_is_said_without_the_events_words(fields):
    with pytest.raises(Unreadable) as problem:
        read(summary="Takeover", **fields)

    assert "Takeover" not in str(problem.value)
    assert str(problem.value).endswith(".")


def test_a_change_between_timed_and_all_day_clears_the_other_form():
    days, hour = (
        AllDay(date(2026, 12, 1), date(2026, 12, 2)),
        Timed(wall("2026-12-01T09:00"), wall("2026-12-01T10:00"), ZONE),
    )

    assert to_wire(days, was=hour)["start"] == {"date": "2026-12-01", "dateTime": None, "timeZone": None}
    assert to_wire(hour, was=days)["start"] == {"dateTime": "2026-12-01T09:00:00", "timeZone": ZONE, "date": None}
    assert to_wire(hour)["start"] == {"dateTime": "2026-12-01T09:00:00", "timeZone": ZONE}


def test_a_patch_of_a_time_clears_the_other_form_even_when_the_kind_before_is_only_believed():
    days = AllDay(date(2026, 12, 1), date(2026, 12, 2))
    believed = AllDay(date(2026, 11, 30), date(2026, 12, 1))
    hour = Timed(wall("2026-12-01T09:00"), wall("2026-12-01T10:00"), ZONE)

    assert to_wire(days, was=believed)["end"] == {"date": "2026-12-02", "dateTime": None, "timeZone": None}
    assert to_wire(hour, was=hour)["end"] == {"dateTime": "2026-12-01T10:00:00", "timeZone": ZONE, "date": None}


# --- occurrences ------------------------------------------------------------------------------------------


def test_instance_ids_are_the_original_start_in_utc_and_follow_the_clocks():
    series = Timed(wall("2026-03-17T09:00"), wall("2026-03-17T10:00"), ZONE)

    assert instance_id("s", "2026-03-24T09:00", series=series) == "s_20260324T080000Z"
    assert instance_id("s", "2026-03-31T09:00", series=series) == "s_20260331T070000Z"
    assert instance_id("s", "2026-03-31", series=AllDay(date(2026, 3, 17), date(2026, 3, 18))) == "s_20260331"


@pytest.mark.parametrize("suffix", ["20260331T070000Z", "20260331"])
def test_the_suffix_of_an_instance_id_tells_its_key(suffix):
    base, found = split_instance_id(f"_odd_base_{suffix}")

    series = (
        AllDay(date(2026, 3, 17), date(2026, 3, 18))
        if len(suffix) == 8
        else Timed(wall("2026-03-17T09:00"), wall("2026-03-17T10:00"), ZONE)
    )
    assert base == "_odd_base"
    assert key_of_original(original_of_suffix(found), series=series) == (
        "2026-03-31" if len(suffix) == 8 else "2026-03-31T09:00"
    )


@pytest.mark.parametrize("remote_id", ["abc", "abc_R20260331T070000", "abc_2026", "_20260331T070000"])
def test_other_ids_are_not_taken_apart(remote_id):
    assert split_instance_id(remote_id) is None


def test_a_tombstone_may_belong_to_the_tail_of_a_split():
    assert belongs_to("base_20260331T070000Z", "base")
    assert belongs_to("base_20260331T070000Z", "base_R20260324T080000")
    assert not belongs_to("base_20260331T070000Z", "base2")
    assert not belongs_to("base", "base")


def test_an_instance_without_its_original_start_is_known_by_its_id():
    raw = changed_instance("s1", "2026-12-08", originalStartTime=None)

    found = mapping.instance(raw, zone=ZONE, address="ann@example.com").original
    series = Timed(wall("2026-12-01T09:00"), wall("2026-12-01T10:00"), ZONE)
    assert key_of_original(found, series=series) == "2026-12-08T09:00"


def test_originals_of_another_kind_are_left_from_before():
    master = mapping.single(weekly(), zone=ZONE, address="")
    day = bare_instance("s1_20261208", series_id="s1", version="")

    assert assemble(master, [day]).event.cancelled == frozenset()


def test_cancelled_lines_and_cancelled_instances_are_one_set():
    master = mapping.single(
        weekly(recurrence=["EXDATE;TZID=Europe/Berlin:20261215T090000", "RRULE:FREQ=WEEKLY;BYDAY=TU"]),
        zone=ZONE,
        address="",
    )
    part = mapping.instance(cancelled_instance("s1", "2026-12-08"), zone=ZONE, address="")

    whole = assemble(master, [part])

    assert whole.event.cancelled == {"2026-12-08T09:00", "2026-12-15T09:00"}
    assert whole.by_line == {"2026-12-15T09:00"}


def test_an_exception_told_in_another_zone_is_regular_when_it_is_the_same_instant():
    master = mapping.single(weekly(), zone=ZONE, address="")
    same = {"dateTime": "2026-12-08T03:00:00-05:00", "timeZone": "America/New_York"}
    part = mapping.instance(
        changed_instance("s1", "2026-12-08", start=same, end={**same, "dateTime": "2026-12-08T04:00:00-05:00"}),
        zone=ZONE,
        address="",
    )

    assert dict(assemble(master, [part]).event.exceptions) == {}


# --- fields -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "show_as"),
    [
        ({}, ShowAs.BUSY),
        ({"status": "tentative"}, ShowAs.TENTATIVE),
        ({"transparency": "transparent"}, ShowAs.FREE),
        ({"transparency": "transparent", "status": "tentative"}, ShowAs.FREE),
        ({"transparency": "opaque"}, ShowAs.BUSY),
    ],
)
def test_how_an_event_weighs(fields, show_as):
    assert read(**fields).content.show_as is show_as


@pytest.mark.parametrize(
    ("visibility", "sensitivity"),
    [
        (None, Sensitivity.NORMAL),
        ("default", Sensitivity.NORMAL),
        ("public", Sensitivity.NORMAL),
        ("private", Sensitivity.PRIVATE),
        ("confidential", Sensitivity.PRIVATE),
    ],
)
def test_who_may_look_into_it(visibility, sensitivity):
    assert read(visibility=visibility).content.sensitivity is sensitivity


@pytest.mark.parametrize(
    ("description", "body"),
    [
        (None, ""),
        ("plain\ntext", "plain\ntext"),
        ("R&amp;D &lt;team&gt;", "R&D <team>"),
        ("https://example.com/?a=1&copy=2", "https://example.com/?a=1&copy=2"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<b>Agenda</b>\n<ul><li>first</li><li>second</li></ul>", "Agenda\n- first\n- second"),
        ('<a href="https://meet.example/x">Join</a>', "Join <https://meet.example/x>"),
        ("mail <ann@example.com>", "mail <ann@example.com>"),
    ],
)
def test_descriptions_are_read_as_people_see_them(description, body):
    assert read(description=description).content.body == body


def test_an_event_made_alone_has_neither_organiser_nor_guests():
    found = read()

    assert (found.organizer, found.organizes, found.guests) == ("", True, ())


def test_guests_are_told_without_the_organiser_and_in_order():
    found = read(
        attendees=[
            {"email": "Zoe@Example.com", "displayName": "Zoe", "responseStatus": "accepted", "optional": True},
            {"email": "ann@example.com", "organizer": True, "self": True, "responseStatus": "accepted"},
            {"email": "room@resource.calendar.google.com", "resource": True, "responseStatus": "needsAction"},
        ]
    )

    assert (found.organizer, found.organizes) == ("ann@example.com", True)
    assert found.guests == (
        Guest("room@resource.calendar.google.com", resource=True),
        Guest("zoe@example.com", "Zoe", "accepted", optional=True),
    )


def test_an_invitation_is_organised_by_somebody_else_and_free_when_declined():
    invitation = {
        "organizer": {"email": "Boss@Example.com"},
        "attendees": [
            {"email": "boss@example.com", "organizer": True, "responseStatus": "accepted"},
            {"email": "ann@example.com", "self": True, "responseStatus": "declined"},
        ],
    }

    found = read(**invitation)

    assert (found.organizer, found.organizes, found.content.show_as) == ("boss@example.com", False, ShowAs.FREE)


# --- captured answers -------------------------------------------------------------------------------------


def resources(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in a captured document that looks like an event."""
    if isinstance(value, list):
        for one in value:
            yield from resources(one)
    elif isinstance(value, dict):
        if value.get("id") and ({"start", "status"} & value.keys()):
            yield value
        for inner in value.values():
            yield from resources(inner)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="captured answers are not beside the repository")
def test_every_captured_event_is_read_or_said_to_be_unreadable():
    read_count = problems = 0
    for path in sorted(CORPUS.glob("*.json")):
        for raw in resources(json.loads(path.read_text())):
            if mapping.is_cancelled(raw):
                continue
            try:
                found = event_of(raw, zone=ZONE, address="ann@example.com")
            except Unreadable:
                problems += 1
            else:
                read_count += 1
                assert isinstance(found.content.when, Timed | AllDay)

    assert read_count > 50
    assert problems < 10


@pytest.mark.skipif(not CORPUS.is_dir(), reason="captured answers are not beside the repository")
def test_a_captured_series_is_put_together():
    document = json.loads((CORPUS / "delta_recurring_edit_single_single_instance_3.json").read_text())
    found = list(resources(document))
    master = mapping.single(next(raw for raw in found if raw.get("recurrence")), zone=ZONE, address="")
    parts = [mapping.instance(raw, zone=ZONE, address="") for raw in found if raw.get("recurringEventId")]

    whole = assemble(master, parts)

    assert parts
    assert len(whole.event.exceptions) == len(parts)
