"""Finding the counterpart of an event on first contact."""

from dataclasses import replace

import pytest

from calsync.engine.adopt import find_match
from calsync.engine.events import Frequency, Recurrence, Rule
from tests.engine.builders import NINE, days, series, single, timed, weekly

LATER = timed(NINE.replace(hour=15))
NOON_IN_UTC = timed(NINE.replace(hour=8), zone="UTC")

MATCHES = [
    ("the same uid", single(uid="u"), [single("x"), single("Moved", uid="u", when=LATER)], 1),
    ("an empty uid says nothing", single("A"), [single("B")], None),
    ("the same uid, organiser known on one side", single(uid="u", organizer="o"), [single("x", uid="u")], 0),
    (
        "the same uid, another organiser",
        single("A", uid="u", organizer="o"),
        [single("B", uid="u", organizer="p")],
        None,
    ),
    ("a series is no single", single(uid="u"), [series("Budget", uid="u")], None),
    ("series by uid", series(uid="u"), [single(uid="u"), series("x", uid="u")], 1),
    (
        "occurrences of one series by start",
        single("A", uid="u"),
        [single("A", uid="u", when=LATER), single("B", uid="u")],
        1,
    ),
    ("two with one uid and one start", single(uid="u"), [single(uid="u"), single(uid="u")], None),
    ("title, start and end", single("Budget  Q3 "), [single("Other"), single("budget q3")], 1),
    ("another uid is no obstacle", single(uid="u"), [single(uid="v")], 0),
    ("the same instants in another zone", single(), [single(when=NOON_IN_UTC)], 0),
    ("two that look the same", single(), [single(), single()], None),
    ("another end", single(), [single(when=timed(minutes=30))], None),
    ("another title", single("A"), [single("B")], None),
    ("all day", single(when=days()), [single(when=days(count=2)), single(when=days())], 1),
    (
        "all day is not timed",
        single(when=days()),
        [single(when=timed(NINE.replace(hour=0), minutes=1440, zone="UTC"))],
        None,
    ),
    ("series by look", series(), [series(recurrence=Recurrence((Rule(Frequency.WEEKLY, count=10),)))], 0),
    ("series with another rule", series(), [series(recurrence=weekly(interval=2, count=10))], None),
    ("nothing there", single(), [], None),
]


@pytest.mark.parametrize(
    ("event", "candidates", "index"), [row[1:] for row in MATCHES], ids=[row[0] for row in MATCHES]
)
def test_the_one_same_meeting_is_found(event, candidates, index):
    assert find_match(event, candidates) == index


def test_the_uid_counts_before_the_look():
    assert find_match(single(uid="u"), [single(), replace(single("x"), uid="u")]) == 1
