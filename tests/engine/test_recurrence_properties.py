"""Properties that hold for every rule, with python-dateutil as the oracle."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calsync.engine import zones
from calsync.engine.events import Frequency, Recurrence
from calsync.engine.recurrence import (
    aligned,
    canonical,
    equivalent,
    expand,
    generates,
    key_of,
    last_day,
    normal_form,
    parse,
    to_lines,
    to_text,
)
from tests.engine.recurrence_rules import HORIZON, WEEK_AND_YEAR_PARTS, days, oracle, rules, starts

MODERATE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW = settings(MODERATE, max_examples=40)


@given(rules(), starts)
@MODERATE
def test_the_canonical_form_keeps_the_occurrences(rule, start):
    assert oracle(canonical(rule, start), start) == oracle(rule, start)


@given(rules(), starts)
@MODERATE
def test_the_canonical_form_is_its_own_canonical_form(rule, start):
    once = canonical(rule, start)
    assert canonical(once, start) == once


@given(rules(), starts)
@FEW
def test_expansion_equals_plain_dateutil(rule, start):
    end = start.start + HORIZON
    found = list(expand(start, Recurrence((rule,)), after=_instant(start.start), before=_instant(end), limit=400))
    assert found == [key_of(wall) for wall in oracle(rule, start) if wall < end]


@given(rules(), starts, st.integers(0, 4000), st.integers(1, 200))
@MODERATE
def test_a_window_late_in_a_series_shows_what_a_walk_from_its_start_shows(rule, start, skipped, width):
    lower = datetime.combine(start.start.date() + timedelta(days=skipped), time(12))
    upper = lower + timedelta(days=width)
    found = list(expand(start, Recurrence((rule,)), after=_instant(lower), before=_instant(upper)))
    walked = oracle(rule, start, until=upper, limit=100_000)
    assert found == [key_of(wall) for wall in walked if lower <= wall < upper]


@given(rules(), days, st.integers(0, 2000))
@FEW
def test_all_day_series_expand_by_date(rule, start, skipped):
    lower = datetime.combine(start.start + timedelta(days=skipped), time())
    upper = lower + timedelta(days=100)
    found = list(expand(start, Recurrence((rule,)), after=lower.replace(tzinfo=UTC), before=upper.replace(tzinfo=UTC)))
    walked = oracle(rule, start, until=upper, limit=100_000)
    assert found == [key_of(wall.date()) for wall in walked if lower <= wall < upper]


@given(rules(), starts)
@MODERATE
def test_writing_and_reading_a_canonical_rule_changes_nothing(rule, start):
    series = normal_form(Recurrence((rule,)), start=start)
    assert parse(to_lines(series, start=start), start=start).recurrence == series


@given(rules(), days)
@FEW
def test_writing_and_reading_an_all_day_rule_changes_nothing(rule, start):
    series = normal_form(Recurrence((rule,)), start=start)
    assert parse(to_lines(series, start=start), start=start).recurrence == series


@given(rules(), rules(), starts)
@FEW
def test_canonical_text_is_equal_exactly_for_equal_values(one, other, start):
    a, b = (normal_form(Recurrence((rule,)), start=start) for rule in (one, other))
    assert (to_text(a) == to_text(b)) == (a == b)


@given(rules(), starts)
@FEW
def test_moving_the_start_to_the_first_occurrence_changes_no_occurrence(rule, start):
    if rule.by_set_pos and rule.frequency == "WEEKLY":
        return  # positions count from the start's day in its first week
    first = aligned(start, Recurrence((rule,)))
    until = start.start + HORIZON
    moved = oracle(canonical(canonical(rule, start), first), first, until=until)
    assert moved == oracle(rule, start, until=until)


@given(rules(), starts)
@FEW
def test_every_occurrence_is_generated_and_the_minute_after_it_is_not(rule, start):
    series = Recurrence((rule,))
    for wall in oracle(rule, start)[:5]:
        assert generates(start, series, key_of(wall))
        assert not generates(start, series, key_of(wall + timedelta(minutes=1)))


@given(rules(), starts)
@FEW
def test_the_last_day_is_that_of_the_last_occurrence(rule, start):
    found = last_day(start, Recurrence((rule,)))
    if _is_endless(rule):
        assert found is None
    elif rule.until is not None:
        walked = oracle(rule, start, limit=100_000)
        assert found == (walked[-1].date() if walked else start.start.date())
    elif len(walked := oracle(rule, start)) == rule.count:
        assert found == walked[-1].date()
    else:
        assert found is not None


@given(rules(frequencies=(Frequency.YEARLY,), parts=WEEK_AND_YEAR_PARTS), starts)
@FEW
def test_week_numbers_and_days_of_the_year_expand_as_dateutil_expands_them(rule, start):
    end = start.start + HORIZON
    found = list(expand(start, Recurrence((rule,)), after=_instant(start.start), before=_instant(end), limit=400))
    assert found == [key_of(wall) for wall in oracle(rule, start) if wall < end]


@given(rules(), rules(), starts)
@FEW
def test_equivalence_agrees_with_the_occurrences(one, other, start):
    alike = oracle(one, start) == oracle(other, start) and (_is_endless(one) == _is_endless(other))
    if equivalent(Recurrence((one,)), Recurrence((other,)), start_a=start, start_b=start):
        assert alike
    elif alike:
        assert oracle(one, start, limit=2000) != oracle(other, start, limit=2000) or len(oracle(one, start)) < 40


def _is_endless(rule):
    return rule.count is None and rule.until is None


def _instant(wall):
    return zones.to_instant(wall, "Europe/Berlin")
