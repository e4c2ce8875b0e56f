"""What somebody changed in a series while it was being written is left as they want it."""

from dataclasses import replace

import pytest

from calsync.engine.differing import with_edits_of
from calsync.engine.events import Field
from tests.engine.builders import edit, occurrence, series, timed

FIRST, SECOND = {Field.TITLE: "First"}, {Field.TITLE: "Second"}


@pytest.mark.parametrize(
    ("wanted", "actual", "kept"),
    [
        ({occurrence(1): FIRST}, {occurrence(1): FIRST, occurrence(2): SECOND}, {occurrence(2): SECOND}),
        ({occurrence(1): FIRST}, {occurrence(2): SECOND}, {occurrence(2): SECOND}),
        ({occurrence(1): FIRST}, {occurrence(1): SECOND}, {}),  # ours, and written again
    ],
)
def test_what_others_changed_during_a_write_is_left_as_they_want_it(wanted, actual, kept):
    goal = with_edits_of(replace(series(), exceptions=actual), replace(series(), exceptions=wanted), before=series())
    assert goal.exceptions == wanted | kept


@pytest.mark.parametrize("changed", [{"title": "New"}, {"when": timed(minutes=30)}])
def test_what_a_written_master_makes_of_its_exceptions_is_ours(changed):
    wanted = edit(series(), **changed)
    assert with_edits_of(replace(wanted, exceptions={occurrence(1): FIRST}), wanted, before=series()) == wanted
