"""Names of time zones, and wall clock time to instants and back."""

from datetime import UTC, datetime

import pytest

from calsync.engine import zones


@pytest.mark.parametrize(
    ("name", "iana"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Europe/Rome", "Europe/Rome"),
        ("europe/rome", "Europe/Rome"),
        ("  America/New_York ", "America/New_York"),
        ("UTC", "UTC"),
        ("tzone://Microsoft/Utc", "Etc/UTC"),
        ("Kamchatka Standard Time", "Asia/Kamchatka"),
        ("Mexico Standard Time", "America/Mexico_City"),
        ("Mexico Standard Time 2", "America/Mazatlan"),
        ("Mid-Atlantic Standard Time", "Etc/GMT+2"),
        ("UTC-11", "Etc/GMT+11"),
        ("GMT+02:00", "Etc/GMT-2"),
        ("UTC-5", "Etc/GMT+5"),
        ("GMT+00:00", "Etc/UTC"),
        ("Antarctica/Troll", "Antarctica/Troll"),
        ("PST8PDT", "PST8PDT"),
    ],
)
def test_a_name_of_either_kind_has_its_iana_name(name, iana):
    assert zones.to_iana(name) == iana


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "tzone://Microsoft/Custom",
            "Customized Time Zone",
            "Europe/Atlantis",
            "../etc/passwd",
            "Europe",
            "GMT+15",
        ),
        *("GMT+05:30", "localtime", "posix/Europe/Berlin", "Factory", "\0"),
    ],
)
def test_an_unknown_or_custom_name_is_unknown_and_never_utc(name):
    assert zones.to_iana(name) is None
    with pytest.raises(zones.UnknownZone):
        zones.canonical(name)
    with pytest.raises(zones.UnknownZone):
        zones.to_instant(datetime(2026, 1, 1), name)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("iana", "windows"),
    [
        ("Europe/Rome", "W. Europe Standard Time"),
        ("Europe/Paris", "Romance Standard Time"),
        ("W. Europe Standard Time", "W. Europe Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("CST6CDT", "Central Standard Time"),
        ("Antarctica/Troll", None),
        ("Europe/Atlantis", None),
    ],
)
def test_an_iana_name_has_its_windows_name_when_windows_knows_the_zone(iana, windows):
    assert zones.to_windows(iana) == windows


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Europe/Rome", "W. Europe Standard Time"),
        ("Europe/Rome", "Europe/Berlin"),
        ("UTC", "tzone://Microsoft/Utc"),
        ("Etc/GMT", "GMT"),
        ("Asia/Calcutta", "asia/kolkata"),
        ("US/Eastern", "Eastern Standard Time"),
        ("Antarctica/Troll", "antarctica/troll"),
        ("Nowhere", "Nowhere"),
    ],
)
def test_spellings_of_one_zone_are_the_same(a, b):
    assert zones.same(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Europe/Berlin", "Europe/London"),
        ("UTC", "Europe/London"),
        ("Europe/Berlin", "Nowhere"),
        ("Nowhere", "Nirgends"),
    ],
)
def test_different_zones_are_not_the_same(a, b):
    assert not zones.same(a, b)


def test_every_windows_name_goes_to_iana_and_back():
    from_windows = {name: zones.to_windows(zones.to_iana(name)) for name in zones.windows_names()}
    assert len(from_windows) > 130
    assert {name for name, back in from_windows.items() if name != back} == set()


def test_the_canonical_name_is_a_zone_with_the_same_offsets():
    moments = [datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 4, 7, 10)]
    for name in ("Europe/Rome", "America/Toronto", "Asia/Katmandu", "Pacific/Auckland", "GMT+02:00"):
        ours, representative = zones.zone_info(name), zones.zone_info(zones.canonical(name))
        assert [at.astimezone(ours).utcoffset() for at in moments] == [
            at.astimezone(representative).utcoffset() for at in moments
        ]


def test_a_time_in_the_spring_gap_is_read_with_the_offset_before_it():
    instant = zones.to_instant(datetime(2027, 3, 28, 2, 30), "Europe/Berlin")  # noqa: DTZ001
    assert instant == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert zones.to_wall(instant, "Europe/Berlin") == datetime(2027, 3, 28, 3, 30)  # noqa: DTZ001


def test_a_doubled_autumn_hour_is_the_first_of_the_two():
    instant = zones.to_instant(datetime(2026, 10, 25, 2, 30, fold=1), "Europe/Berlin")  # noqa: DTZ001
    assert instant == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert zones.to_wall(second, "Europe/Berlin").fold == 0
