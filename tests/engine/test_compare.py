"""The comparison by meaning."""

from dataclasses import replace
from datetime import date

import pytest

from calsync.engine.compare import differences
from calsync.engine.events import Field, Frequency, OccurrenceKey, Recurrence, Rule, ShowAs
from tests.engine.builders import NINE, days, occurrence, series, single, timed, weekly

IN_LONDON = timed(NINE.replace(hour=8), zone="Europe/London")


def excepting(event, key, **fields):
    return replace(event, exceptions={**event.exceptions, key: {Field(name): value for name, value in fields.items()}})


SAME = [
    ("zones are compared by instants", single(), single(when=IN_LONDON)),
    ("text is normalised", single(body="a \n"), single(body="a")),
    ("guests do not count", single(uid="u"), single(organizer="o")),
    ("rules by their occurrences", series(), series(recurrence=Recurrence((Rule(Frequency.WEEKLY, count=10),)))),
    ("count and until", series(recurrence=weekly(count=3)), series(recurrence=weekly(until=date(2026, 11, 16)))),
    ("an exception that changes nothing", series(), excepting(series(), occurrence(1), title="Stand-up")),
    ("a cancelled occurrence that never was", series(), replace(series(), cancelled=frozenset({occurrence(11)}))),
    (
        "a cancelled key of another kind",
        series(),
        replace(series(), cancelled=frozenset({OccurrenceKey("2026-11-09")})),
    ),
    (
        "a series told in another zone",
        replace(excepting(series(), occurrence(1), title="x"), cancelled=frozenset({occurrence(2)})),
        replace(
            excepting(series(when=IN_LONDON), occurrence(1, hour=8), title="x"),
            cancelled=frozenset({occurrence(2, hour=8)}),
        ),
    ),
    ("an all-day series", series(when=days()), series(when=days())),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_the_same_meaning_is_no_difference(one, other):
    assert differences(one, other) == frozenset()
    assert differences(other, one) == frozenset()


K1 = occurrence(1)
DIFFERENT = [
    ("title", single("A"), single("B"), {"title"}),
    ("span", single(), single(when=timed(minutes=30)), {"when"}),
    ("all day against timed", single(when=days()), single(), {"when"}),
    ("several", single(), single("B", show_as=ShowAs.FREE), {"title", "show_as"}),
    ("series against single", series("Budget"), single(), {"recurrence"}),
    ("single against series", single("A"), series("B"), {"title", "recurrence"}),
    ("rule", series(), series(recurrence=weekly(count=9)), {"recurrence"}),
    ("cancelled", series(), replace(series(), cancelled=frozenset({K1})), {f"@{K1}"}),
    ("exception", excepting(series(), K1, title="x"), series(), {f"@{K1}/title"}),
    (
        "cancelled against edited",
        excepting(series(), K1, title="x"),
        replace(series(), cancelled=frozenset({K1})),
        {f"@{K1}"},
    ),
    ("master only", excepting(series("A"), K1, body="x"), excepting(series("B"), K1, body="x"), {"title"}),
    (
        "exception of another kind",
        excepting(series(when=days()), K1, when=timed()),
        series(when=days()),
        {f"@{K1}/when"},
    ),
]


@pytest.mark.parametrize(("one", "other", "paths"), [row[1:] for row in DIFFERENT], ids=[row[0] for row in DIFFERENT])
def test_a_real_difference_is_told_by_path(one, other, paths):
    assert differences(one, other) == paths
    assert differences(other, one) == paths
