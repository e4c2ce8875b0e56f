"""Conditions about the clock: working hours, weekdays, distances; days on which clocks change, and far zones."""

import pytest

from calsync.engine.events import Field, OccurrenceKey, Timed
from calsync.engine.rules.facts import Party
from tests.engine.builders import days, single, timed, weekly
from tests.engine.rule_facts import ADA, asks, at, facts, hours, reasons, utc


def one(when, **known):
    return facts(single(when=when), **known)


def inside(when, shifts, condition="working_hours: inside"):
    return asks(condition, one(when, hours=shifts))


def lies(when, shifts, **more):
    extra = "".join(f", {name}: {value}" for name, value in more.items())
    ways = {way: f"working_hours: {{is: {way}{extra}}}" for way in ("inside", "outside", "partly")}
    found = [way for way, condition in ways.items() if inside(when, shifts, condition)]
    assert len(found) == 1, "every event lies in exactly one way"
    return found[0]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-02T09:00", "2026-11-02T17:00", "inside"),  # Monday, the whole day
        ("2026-11-02T08:59", "2026-11-02T10:00", "partly"),
        ("2026-11-02T16:30", "2026-11-02T17:30", "partly"),
        ("2026-11-02T17:00", "2026-11-02T18:00", "outside"),  # begins when work ends
        ("2026-11-02T07:00", "2026-11-02T09:00", "outside"),
        ("2026-11-07T10:00", "2026-11-07T11:00", "outside"),  # Saturday
        ("2026-11-06T16:00", "2026-11-09T10:00", "partly"),  # over the weekend
        ("2026-11-02T09:00", "2026-11-02T09:00", "inside"),  # a moment
        ("2026-11-02T17:00", "2026-11-02T17:00", "outside"),
        ("2026-01-01T00:00", "2026-12-31T00:00", "partly"),
    ],
)
def test_an_event_lies_inside_outside_or_partly_in_working_hours(start, end, expected):
    assert lies(at(start, end), hours("Europe/Berlin")) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-02T23:00", "2026-11-03T05:00", "inside"),  # Monday's shift ends on Tuesday
        ("2026-11-07T01:00", "2026-11-07T05:00", "inside"),  # Friday's shift, on Saturday morning
        ("2026-11-02T01:00", "2026-11-02T05:00", "outside"),  # Sunday has no shift
        ("2026-11-02T21:00", "2026-11-02T23:00", "partly"),
        ("2026-11-03T07:00", "2026-11-03T09:00", "outside"),
    ],
)
def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_starts(start, end, expected):
    assert lies(at(start, end), hours("Europe/Berlin", "22:00", "06:00")) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # New York is 6 hours behind Berlin, but 5 between 25 October and 1 November 2026.
        ("2026-10-23T15:00", "2026-10-23T16:00", "inside"),
        ("2026-10-26T14:00", "2026-10-26T15:00", "inside"),
        ("2026-11-02T14:00", "2026-11-02T15:00", "outside"),
        ("2026-11-02T15:00", "2026-11-02T16:00", "inside"),
        # ... and 5 between 8 and 29 March 2026.
        ("2026-03-06T14:00", "2026-03-06T15:00", "outside"),
        ("2026-03-09T14:00", "2026-03-09T15:00", "inside"),
        ("2026-03-30T14:00", "2026-03-30T15:00", "outside"),
    ],
)
def test_weeks_in_which_only_one_side_has_changed_its_clocks(start, end, expected):
    assert lies(at(start, end), hours("America/New_York")) == expected
    assert lies(at(start, end), hours("Europe/Berlin"), zone="America/New_York") == expected


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        # Berlin, 29 March 2026: there is no time between 2:00 and 3:00; a Sunday shift 01:00 to 04:00 has two hours.
        ("2026-03-29T00:00", "2026-03-29T02:00", "UTC", "inside"),
        ("2026-03-29T00:00", "2026-03-29T02:01", "UTC", "partly"),
        # Berlin, 25 October 2026: 2:00 to 3:00 comes twice; the same shift has four hours.
        ("2026-10-24T23:00", "2026-10-25T03:00", "UTC", "inside"),
        ("2026-10-24T22:59", "2026-10-25T03:00", "UTC", "partly"),
        ("2026-10-25T03:00", "2026-10-25T04:00", "UTC", "outside"),
    ],
)
def test_on_the_days_when_clocks_change_a_shift_is_an_hour_shorter_or_longer(start, end, zone, expected):
    assert lies(at(start, end, zone), hours("Europe/Berlin", "01:00", "04:00", "7")) == expected


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Pacific/Kiritimati", "2026-11-01T19:00", "2026-11-02T03:00"),  # UTC+14: Monday there
        ("Pacific/Pago_Pago", "2026-11-02T20:00", "2026-11-03T04:00"),  # UTC-11
        ("Asia/Kathmandu", "2026-11-02T03:15", "2026-11-02T11:15"),  # UTC+5:45
        ("Pacific/Chatham", "2026-11-01T19:15", "2026-11-02T03:15"),  # UTC+13:45 in summer
        ("Australia/Lord_Howe", "2026-11-01T22:00", "2026-11-02T06:00"),  # clocks change by half an hour
    ],
)
def test_working_hours_in_far_zones(zone, start, end):
    assert lies(at(start, end, "UTC"), hours(zone)) == "inside"
    assert lies(at(start, end, "UTC"), hours(zone, "09:01")) == "partly"
    assert lies(at(start, end, "UTC"), hours(zone, "09:00", "16:59")) == "partly"


def test_hours_and_days_can_be_given_in_the_rule():
    evening = 'working_hours: {is: inside, from: "18:00", to: "22:00", days: [sa]}'

    assert asks(evening, one(at("2026-11-07T18:00", "2026-11-07T20:00")))
    assert not asks(evening, one(at("2026-11-06T18:00", "2026-11-06T20:00")))
    assert asks("working_hours: {is: inside, days: [su]}", one(at("2026-11-01T09:00", "2026-11-01T10:00")))
    unquoted = "working_hours: {is: inside, from: 07:00, to: 23:00}"
    assert asks(unquoted, one(at("2026-11-02T22:00", "2026-11-02T23:00")))


def test_all_day_events_are_inside_on_working_days():
    assert lies(days(), hours("Europe/Berlin")) == "inside"
    assert lies(days(count=7), hours("Europe/Berlin")) == "partly"
    assert lies(days(count=1), hours("Europe/Berlin", days="67")) == "outside"
    assert lies(days(count=400), hours("Europe/Berlin", days="1234567")) == "inside"


def test_the_reason_names_hours_and_zone():
    assert reasons("working_hours: inside", one(at("2026-11-02T08:00", "2026-11-02T10:00"))) == [
        "It lies partly in the working hours 09:00 to 17:00 in Europe/Berlin."
    ]


@pytest.mark.parametrize(
    ("condition", "when", "expected"),
    [
        ("weekday: mo", at("2026-11-02T00:30", "2026-11-02T01:00"), True),
        ("weekday: su", at("2026-11-02T05:00", "2026-11-02T06:00", "Asia/Tokyo"), True),  # Sunday 21:00 in Berlin
        ("weekday: {days: mo, zone: event}", at("2026-11-02T05:00", "2026-11-02T06:00", "Asia/Tokyo"), True),
        ("weekday: {days: mo, zone: Asia/Tokyo}", at("2026-11-01T16:00", "2026-11-01T17:00"), True),
        ("weekday: {days: [tu], zone: Pacific/Kiritimati}", at("2026-11-02T11:30", "2026-11-02T12:00"), True),
        ("weekday: {days: [mo, tu], zone: Pacific/Pago_Pago}", at("2026-11-02T11:30", "2026-11-02T12:00"), False),
        ("weekday: {days: mo, zone: Pacific/Kiritimati}", days(), True),  # dates are the same everywhere
        ("weekday: {days: su, zone: event}", days(), False),
    ],
)
def test_the_weekday_is_that_of_the_zone(condition, when, expected):
    assert asks(condition, one(when)) is expected


@pytest.mark.parametrize(
    ("condition", "when", "expected"),
    [
        ("duration: {at_least: 60m}", timed(), True),
        ("duration: {at_least: 61m}", timed(), False),
        ("duration: {at_most: 1h}", timed(), True),
        ("duration: {at_least: 30m, at_most: 59m}", timed(), False),
        ("duration: {at_least: 1d}", days(), True),
        ("duration: {at_most: 1d}", days(count=2), False),
        ("duration: {at_most: 1h}", at("2026-03-29T01:30", "2026-03-29T03:30"), True),  # the night that lacks an hour
        ("duration: {at_least: 2h}", at("2026-10-25T02:30", "2026-10-25T03:30"), True),  # the night that has it twice
        ("all_day: true", days(), True),
        ("all_day: true", timed(), False),
        ("all_day: false", timed(), True),
    ],
)
def test_the_length_is_real_time(condition, when, expected):
    assert asks(condition, one(when)) is expected


def test_a_flight_lasts_as_long_as_it_does():
    flight = Timed(at("2026-11-02T10:00", "2026-11-02T13:00").start, at("2026-11-02T10:00", "2026-11-02T13:00").end,
                   "Europe/Berlin", "America/New_York")  # fmt: skip

    assert asks("duration: {at_least: 9h, at_most: 9h}", one(flight))


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-10-19T08:00", True), ("2026-10-19T07:59", False), ("2026-11-02T08:00", True), ("2026-12-01T00:00", True)],
)
def test_how_far_ahead_it_starts(now, expected):
    assert asks("ahead: {at_most: 2w}", one(timed(), now=utc(now))) is expected


def test_what_has_begun_is_not_ahead():
    assert not asks("ahead: {at_least: 0m}", one(timed(), now=utc("2026-11-02T08:01")))
    assert reasons("ahead: {at_least: 1d}", one(timed(), now=utc("2026-12-01T00:00"))) == [
        "It has started; asked is at least 24 h."
    ]


def test_a_series_is_as_far_ahead_as_its_next_occurrence():
    skipped, moved = OccurrenceKey("2027-03-01T09:00"), OccurrenceKey("2027-03-08T09:00")
    later = {moved: {Field.WHEN: at("2027-03-10T09:00", "2027-03-10T10:00")}}
    event = single(when=timed(), recurrence=weekly(), cancelled=frozenset({skipped}), exceptions=later)

    def ahead(now):
        return facts(event, now=utc(now)).next_start - utc(now)

    assert ahead("2027-02-22T07:00").total_seconds() == 3600
    assert ahead("2027-02-22T09:00").days == 15  # one is cancelled, the next was moved
    assert facts(single(when=timed(), recurrence=weekly(count=2)), now=utc("2027-01-01T00:00")).next_start == utc(
        "2026-11-02T08:00"
    )
    assert facts(single(when=days(), recurrence=weekly()), now=utc("2026-11-09T10:00")).next_start == utc(
        "2026-11-08T23:00"
    )


@pytest.mark.parametrize(
    ("zone", "when", "distance"),
    [
        ("America/New_York", at("2026-11-02T09:00", "2026-11-02T10:00"), 6),
        ("America/New_York", at("2026-10-26T09:00", "2026-10-26T10:00"), 5),
        ("Asia/Kathmandu", at("2026-11-02T09:00", "2026-11-02T10:00"), 4.75),
        ("Pacific/Kiritimati", at("2026-11-02T09:00", "2026-11-02T10:00"), 13),
        ("Europe/Madrid", at("2026-11-02T09:00", "2026-11-02T10:00"), 0),
    ],
)
def test_the_distance_of_clocks_on_that_day(zone, when, distance):
    guest = Party("g@example.org", inside=True, zone=zone)

    assert asks(f"zone_distance: {{at_least: {distance}, at_most: {distance}}}", one(when, guests=(ADA, guest)))


def test_only_the_colleague_s_clock_counts_where_a_copy_would_stand():
    far, near = (Party(f"{zone}@x.test", inside=True, zone=zone) for zone in ("Asia/Tokyo", "Europe/Paris"))

    assert asks("zone_distance: {at_most: 0}", one(timed(), guests=(far, near), colleague=near))
    assert asks("zone_distance: {at_least: 8}", one(timed(), guests=(far, near)))


def test_unknown_zones_are_no_distance():
    assert not asks("zone_distance: {at_least: 0}", one(timed(), guests=(Party("x@y.test"),)))
    assert reasons("zone_distance: {at_least: 0}", one(timed())) == ["The zones of host and guests are not known."]
