"""Storing events as JSON."""

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calsync.engine import serial
from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    Frequency,
    Guest,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    Weekday,
)  # fmt: skip
from tests.engine.builders import days, occurrence, series, single, timed, weekly

TEXT = st.text(max_size=8)
ZONES = st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kolkata"])
WHENS = st.one_of(
    st.builds(AllDay, st.dates(), st.dates()),
    st.builds(Timed, st.datetimes(), st.datetimes(), ZONES, st.none() | ZONES),
)
CONTENTS = st.builds(Content, WHENS, TEXT, TEXT, TEXT, st.sampled_from(ShowAs), st.sampled_from(Sensitivity))
NUMBERS = st.lists(st.integers(-31, 31), max_size=2).map(tuple)
DAYS = st.sampled_from(Weekday)
RULES = st.builds(
    Rule,
    st.sampled_from(Frequency),
    st.integers(1, 99),
    st.lists(st.tuples(st.none() | st.integers(-5, 5), DAYS), max_size=2).map(tuple),
    NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS,
    DAYS,
    st.none() | st.integers(1, 99),
    st.none() | st.dates(),
)  # fmt: skip
KEYS = st.dates().map(date.isoformat) | st.datetimes().map(lambda moment: moment.isoformat(timespec="minutes"))
OVERRIDES = st.fixed_dictionaries(
    {Field.TITLE: TEXT},
    optional={
        Field.WHEN: WHENS,
        Field.SHOW_AS: st.sampled_from(ShowAs),
        Field.SENSITIVITY: st.sampled_from(Sensitivity),
    },
)
EVENTS = st.builds(
    Event,
    CONTENTS,
    st.none() | st.builds(Recurrence, st.lists(RULES, max_size=2).map(tuple), st.lists(KEYS, max_size=2).map(tuple)),
    st.dictionaries(KEYS, OVERRIDES, max_size=2),
    st.frozensets(KEYS, max_size=2),
    TEXT,
    TEXT,
    st.booleans(),
    st.lists(st.builds(Guest, TEXT, TEXT, TEXT, st.booleans(), st.booleans()), max_size=2).map(tuple),
    st.frozensets(st.sampled_from(Field)),
    TEXT,
)


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_the_round_trip_through_json_is_exact(event):
    again = serial.load(json.loads(json.dumps(serial.dump(event))))
    assert again == event
    assert serial.dump(again) == serial.dump(event)


def test_the_stored_form_is_deterministic_and_versioned():
    one = replace(series(), exceptions={occurrence(2): {Field.TITLE: "b"}, occurrence(1): {Field.BODY: "a"}})
    other = replace(series(), exceptions=dict(reversed(one.exceptions.items())))
    assert json.dumps(serial.dump(one)) == json.dumps(serial.dump(other))
    assert serial.dump(one)["version"] == 1


def test_an_enum_comes_back_as_an_enum():
    event = serial.load(serial.dump(single(show_as=ShowAs.FREE)))
    assert isinstance(event.content.show_as, ShowAs)


@pytest.mark.parametrize("data", [{}, {"version": 2}, {**serial.dump(single()), "version": "1"}])
def test_an_unknown_form_is_refused(data):
    with pytest.raises(serial.UnknownForm, match="stored event has form"):
        serial.load(data)


@pytest.mark.parametrize(
    "value",
    [None, "text", "", timed(end_zone="UTC"), days(), weekly(count=3), ShowAs.FREE, Sensitivity.PRIVATE, "cancelled"],
)
def test_a_losing_value_survives_storage(value):
    again = serial.load_value(json.loads(json.dumps(serial.dump_value(value))))
    assert again == value
    assert type(again) is type(value)


def test_other_values_are_refused():
    with pytest.raises(TypeError, match="datetime"):
        serial.dump_value(datetime.fromisoformat("2026-11-02T09:00"))
    with pytest.raises(serial.UnknownForm):
        serial.load_value({"text": 3})


def test_what_an_older_program_stored_is_read_without_a_link_or_formatting():
    stored = serial.dump(Event(Content(timed(), body="Agenda", markup="<b>Agenda</b>"), join="https://meet.example/x"))
    assert serial.load(stored).content.markup == "<b>Agenda</b>"
    assert serial.load(stored).join == "https://meet.example/x"

    del stored["join"], stored["content"]["markup"]

    assert (serial.load(stored).content.markup, serial.load(stored).join) == ("", "")
