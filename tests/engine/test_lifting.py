"""Edits of a part, told of the whole event."""

from dataclasses import replace
from datetime import datetime

import pytest

from calsync.engine.events import Field, Frequency, Recurrence, Rule
from calsync.engine.parts import cancel, has_others, lift, lifted_path
from tests.engine.builders import edit, occurrence, series, single, timed

KEY = occurrence(1)
NAME = "rule FREQ=WEEKLY;BYDAY=MO"
LATER = timed(datetime.fromisoformat("2026-11-20T15:00"))
WHOLE = series("Stand-up", exceptions={KEY: {Field.WHEN: LATER}, occurrence(2): {Field.TITLE: "Retro"}})


@pytest.mark.parametrize(
    ("name", "path", "wanted"),
    [
        (KEY, "title", f"@{KEY}/title"),
        (KEY, "when", f"@{KEY}/when"),
        (KEY, "recurrence", None),
        (KEY, f"@{KEY}", None),
        (KEY, f"@{KEY}/title", None),
        (NAME, f"@{KEY}", f"@{KEY}"),
        (NAME, f"@{KEY}/title", f"@{KEY}/title"),
        (NAME, "title", None),
        (NAME, "when", None),
        (NAME, "recurrence", None),
    ],
)
def test_a_path_of_a_part_speaks_of_an_occurrence_of_the_whole(name, path, wanted):
    assert lifted_path(name, path) == wanted


def test_an_edit_of_a_single_part_becomes_an_exception_of_the_whole():
    read = single("Demo", when=LATER, body="not asked for")
    lifted = lift(WHOLE, KEY, read, ["title", "when", "recurrence"])
    assert lifted.exceptions[KEY] == {Field.TITLE: "Demo", Field.WHEN: LATER}
    assert lifted == replace(WHOLE, exceptions=lifted.exceptions)


def test_a_value_that_the_occurrence_inherits_takes_the_override_away():
    back = single("Stand-up", when=timed(datetime.fromisoformat("2026-11-09T09:00")))
    assert KEY not in lift(WHOLE, KEY, back, ["title", "when"]).exceptions


def test_what_happens_inside_a_series_part_happens_to_the_whole():
    read = series(
        "Another title",
        exceptions={KEY: {Field.WHEN: LATER}, occurrence(4): {Field.TITLE: "Party"}},
        cancelled=frozenset({occurrence(3)}),
    )
    paths = [f"@{occurrence(2)}/title", f"@{occurrence(3)}", f"@{occurrence(4)}/title", "title"]
    lifted = lift(WHOLE, NAME, read, paths)
    assert lifted.exceptions == {KEY: {Field.WHEN: LATER}, occurrence(4): {Field.TITLE: "Party"}}
    assert lifted.cancelled == {occurrence(3)}
    assert lifted.content == WHOLE.content


def test_an_occurrence_that_a_series_part_has_again_is_restored():
    gone = cancel(WHOLE, occurrence(2))
    assert (gone.cancelled, list(gone.exceptions)) == ({occurrence(2)}, [KEY])
    assert lift(gone, NAME, series(), [f"@{occurrence(2)}"]) == replace(gone, cancelled=frozenset())


def test_a_path_that_cannot_be_lifted_changes_nothing():
    assert lift(WHOLE, NAME, edit(WHOLE, title="x"), ["title", "when", "recurrence"]) == WHOLE


@pytest.mark.parametrize(
    ("rule", "goes_on"),
    [
        (Rule(Frequency.YEARLY, by_year_day=(306,)), True),
        (Rule(Frequency.DAILY, count=1), False),
    ],
)
def test_an_event_goes_on_without_an_occurrence_when_it_has_others(rule, goes_on):
    event = series(recurrence=Recurrence((rule,)))
    assert has_others(event, occurrence()) is goes_on
