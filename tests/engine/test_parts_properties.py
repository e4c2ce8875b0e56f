"""Properties of the parts of any event, with python-dateutil as the oracle of what occurs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from calsync.engine import zones
from calsync.engine.events import Content, Event, Field, Frequency, OccurrenceKey, Recurrence, Rule, Timed
from calsync.engine.parts import crossing, is_split, parts_of
from calsync.engine.recurrence import key_of, normal_form, start_of
from calsync.providers.graph import TRAITS
from tests.engine.builders import series, timed
from tests.engine.recurrence_rules import WEEK_AND_YEAR_PARTS, oracle, rules, starts

MODERATE = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
recurrences = st.one_of(
    st.tuples(rules()),
    st.tuples(rules()),
    st.tuples(rules(), rules()),
    st.tuples(rules(parts=WEEK_AND_YEAR_PARTS, frequencies=(Frequency.YEARLY,))),
)
extras = st.lists(st.integers(0, 900), max_size=2)


@st.composite
def wholes(draw):
    """An event that Graph cannot hold as one, some of its occurrences cancelled, moved or renamed."""
    start = draw(starts)
    extra = [key_of(start.start + timedelta(days=day, hours=3)) for day in draw(extras)]
    recurrence = normal_form(Recurrence(draw(recurrences), tuple(extra)), start=start)
    event = series(when=start, recurrence=recurrence)
    assume(is_split(event, TRAITS))
    some = draw(
        st.lists(
            st.sampled_from(_occurring(event, start.start + timedelta(days=900))[:60] or [None]),
            max_size=4,
            unique=True,
        )
    )
    exceptions = {}
    for key in filter(None, some[1:]):
        shifted = start_of(key) + timedelta(hours=draw(st.integers(-900, 900)))
        exceptions[key] = {Field.WHEN: timed(shifted)} if draw(st.booleans()) else {Field.TITLE: "other"}
    return replace(event, exceptions=exceptions, cancelled=frozenset(filter(None, some[:1])))


horizons = st.tuples(st.integers(-100, 1500), st.integers(1, 800))


@given(wholes(), horizons)
@MODERATE
def test_the_parts_have_every_occurrence_of_the_whole_once_and_no_other(event, horizon):
    lower, upper = _walls(event, horizon)
    found = [key for part in _parts(event, horizon).items() for key in _keys_of(*part, upper=upper)]
    inside = [key for key in found if lower <= start_of(key) < upper]
    wanted = [key for key in _occurring(event, upper) if lower <= start_of(key) < upper]
    assert sorted(inside) == sorted(set(wanted) - event.cancelled)


@given(wholes(), horizons)
@MODERATE
def test_every_series_part_fits_and_every_exception_is_in_one_part(event, horizon):
    parts = _parts(event, horizon)
    exceptions = {}
    for name, part in parts.items():
        assert len(name) <= 255
        if part.recurrence is None:
            exceptions[OccurrenceKey(name)] = part.content
            continue
        assert TRAITS.expressible(part.recurrence)
        assert not crossing(part)
        assert part.content.when.start == _first(part)
        assert not exceptions.keys() & part.exceptions.keys()
        exceptions |= part.exceptions
    lower, upper = _walls(event, horizon)
    assert all(key in exceptions for key in event.exceptions if lower <= start_of(key) < upper)


TWO_RULES = Event(
    Content(
        Timed(datetime.fromisoformat("2019-01-01T09:30"), datetime.fromisoformat("2019-01-01T10:30"), "Europe/Berlin")
    ),
    Recurrence(
        (
            Rule(Frequency.MONTHLY, by_month_day=(28, 29), count=1),
            Rule(Frequency.YEARLY, by_month_day=(28, 29), by_month=(1,)),
        )
    ),
)


@example(TWO_RULES, {"count": 30}, (0, 1))
@given(wholes(), st.sampled_from([{"count": 30}, {"until": datetime(2029, 5, 5, tzinfo=UTC).date()}, {}]), horizons)
@MODERATE
def test_a_part_of_one_name_begins_alike_whatever_the_end(event, end, horizon):
    bounds = {"count": None, "until": None} | end
    other = Recurrence(tuple(replace(rule, **bounds) for rule in event.recurrence.rules), event.recurrence.extra_starts)
    ours, theirs = _parts(event, horizon), _parts(replace(event, recurrence=other), horizon)
    for name in ours.keys() & theirs.keys():
        assert ours[name].content.when == theirs[name].content.when
    shared = [[name for name in one if name in ours.keys() & theirs.keys()] for one in (ours, theirs)]
    assert shared[0] == shared[1]


def _parts(event, horizon):
    lower, upper = (zones.to_instant(wall, "Europe/Berlin") for wall in _walls(event, horizon))
    return parts_of(event, traits=TRAITS, after=lower, before=upper)


def _walls(event, horizon):
    lower = datetime.combine(event.content.when.start.date() + timedelta(days=horizon[0]), datetime.min.time())
    return lower, lower + timedelta(days=horizon[1])


def _occurring(event, upper):
    """The keys of all occurrences of the whole before ``upper``, cancelled ones too."""
    start = event.content.when
    walls = {wall for rule in event.recurrence.rules for wall in oracle(rule, start, until=upper, limit=100_000)}
    return sorted({*map(key_of, walls), *event.recurrence.extra_starts})


def _keys_of(name, part, *, upper):
    if part.recurrence is None:
        return [OccurrenceKey(name)]
    walls = oracle(part.recurrence.rules[0], part.content.when, until=upper, limit=100_000)
    return [key for key in map(key_of, walls) if key not in part.cancelled]


def _first(part):
    far = part.content.when.start + timedelta(days=366 * 8)
    return oracle(part.recurrence.rules[0], part.content.when, until=far, limit=1)[0]
