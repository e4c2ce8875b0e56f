"""Field paths and their fingerprints."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.engine.events import Field, Frequency, Recurrence, Rule, ShowAs, Timed, Weekday
from calsync.engine.fingerprint import changed, field_of_path, fingerprints, flatten, key_of_path, text_of, unflatten
from tests.engine.builders import ALICE, KEY, NINE, days, edit, occurrence, series, single, timed, weekly

FULL = replace(
    series(body="agenda", location="Room 1", show_as=ShowAs.FREE, uid="u", guests=(ALICE,), organizer="o@example.org"),
    exceptions={occurrence(1): {Field.TITLE: "Other", Field.WHEN: timed(minutes=30)}},
    cancelled=frozenset({occurrence(2)}),
)


def test_a_series_flattens_into_one_path_per_field_and_occurrence():
    paths = flatten(FULL)
    assert set(paths) == {
        "title", "body", "location", "when", "show_as", "sensitivity", "recurrence",
        "@2026-11-09T09:00/title", "@2026-11-09T09:00/when", "@2026-11-16T09:00",
    }  # fmt: skip
    assert paths["@2026-11-16T09:00"] == "cancelled"


def test_a_single_event_has_no_recurrence_path():
    assert "recurrence" not in flatten(single())


def test_a_cancelled_occurrence_hides_its_exception():
    event = replace(FULL, cancelled=frozenset({occurrence(1)}))
    assert [path for path in flatten(event) if path.startswith("@")] == ["@2026-11-09T09:00"]


@pytest.mark.parametrize("event", [FULL, single(), single(when=days()), series(when=days())])
def test_unflatten_is_the_reverse(event):
    assert unflatten(flatten(event), like=event) == event


def test_unflatten_keeps_what_has_no_path_and_drops_occurrences_without_a_rule():
    paths = {path: value for path, value in flatten(FULL).items() if path != "recurrence"}
    event = unflatten({**paths, "title": "New"}, like=FULL)
    assert (event.guests, event.uid, event.content.title) == (FULL.guests, "u", "New")
    assert (event.recurrence, event.exceptions, event.cancelled) == (None, {}, frozenset())


@pytest.mark.parametrize(
    ("path", "key", "name"),
    [
        ("title", None, "title"),
        ("@2026-11-02/body", "2026-11-02", "body"),
        ("@2026-11-02T09:00", "2026-11-02T09:00", ""),
    ],
)
def test_a_path_tells_its_occurrence_and_its_field(path, key, name):
    assert (key_of_path(path), field_of_path(path)) == (key, name)


SAME = [
    (single("Café"), single("Cafe\u0301")),
    (single(body="a \r\nb\n\n"), single(body="a\nb")),
    (single("  Budget "), single("Budget")),
    (single(when=timed(zone="Europe/Berlin")), single(when=timed(zone="Europe/Rome"))),
    (single(when=timed(zone="Europe/Berlin")), single(when=timed(zone="W. Europe Standard Time"))),
    (single(when=timed()), single(when=timed(end_zone="Europe/Rome"))),
    (single(when=timed()), single(when=Timed(NINE, NINE, "Europe/Berlin", "Europe/London"))),
    (
        series(recurrence=Recurrence((Rule(Frequency.WEEKLY, count=10),))),
        series(recurrence=weekly(Weekday.MO, count=10)),
    ),
    (
        replace(series(), exceptions={occurrence(): {Field.WHEN: timed(NINE.replace(hour=12), zone="Europe/Berlin")}}),
        replace(series(), exceptions={occurrence(): {Field.WHEN: timed(NINE.replace(hour=11), zone="UTC")}}),
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_another_spelling_of_the_same_is_no_change(one, other):
    assert changed(fingerprints(one, key=KEY), fingerprints(other, key=KEY)) == frozenset()


DIFFERENT = [
    (single(), single("budget"), {"title"}),
    (single(), single(body="x"), {"body"}),
    (single(), single(when=timed(minutes=61)), {"when"}),
    (single(), single(when=timed(zone="Europe/London")), {"when"}),
    (single(when=days()), single(when=days(count=2)), {"when"}),
    (single(when=days()), single(when=timed(NINE.replace(hour=0), minutes=24 * 60, zone="UTC")), {"when"}),
    (single(), series("Budget"), {"recurrence"}),
    (series(), series(recurrence=weekly(count=9)), {"recurrence"}),
    (series(), replace(series(), cancelled=frozenset({occurrence()})), {"@2026-11-02T09:00"}),
    (FULL, replace(FULL, exceptions={}), {"@2026-11-09T09:00/title", "@2026-11-09T09:00/when"}),
    (FULL, replace(FULL, guests=(), uid="", organizer=""), set()),
]


@pytest.mark.parametrize(("one", "other", "paths"), DIFFERENT)
def test_a_real_difference_shows_in_its_path_alone(one, other, paths):
    assert changed(fingerprints(one, key=KEY), fingerprints(other, key=KEY)) == paths


def test_a_fingerprint_is_sixteen_hex_digits_and_depends_on_key_and_path():
    event = edit(single("x"), body="x")
    prints = fingerprints(event, key=KEY)
    assert all(len(text) == 16 and set(text) <= set("0123456789abcdef") for text in prints.values())
    assert prints["title"] != prints["body"]
    assert prints["title"] != fingerprints(event, key=b"another")["title"]


def test_fingerprints_never_change_between_versions_of_the_program():
    assert fingerprints(single("Budget"), key=b"fixed")["title"] == "17b0699c32febe98"


@given(st.text(max_size=20), st.text(max_size=20))
def test_titles_that_read_differently_have_different_fingerprints(one, other):
    same_text = text_of(one, start=timed()) == text_of(other, start=timed())
    same_print = fingerprints(single(one), key=KEY)["title"] == fingerprints(single(other), key=KEY)["title"]
    assert same_text is same_print


def test_only_synced_values_have_a_text():
    with pytest.raises(TypeError, match="date"):
        text_of(date(2026, 11, 2), start=timed())
