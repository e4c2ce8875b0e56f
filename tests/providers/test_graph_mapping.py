"""Graph's JSON to neutral values, on shapes that Graph really sends."""
# ruff: noqa: DTZ001 - wall clock times are naive

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Field,
    Frequency,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    Weekday,
)
from calsync.providers.graph.mapping import series_item, single_item
from calsync.providers.graph.payload import changed_event
from calsync.providers.markup import from_html
from calsync.providers.text import normalised
from tests.providers.graph_shapes import ADA, at, event, read, read_series, weekly

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "protocols" / "corpus" / "graph"


def corpus(name):
    if not CORPUS.is_dir():
        pytest.skip("the protocol corpus is not beside the repository")
    return json.loads((CORPUS / name).read_text())


# --- times ------------------------------------------------------------------------------------------------


def test_wall_clock_time_comes_from_the_utc_projection_and_the_events_own_zone():
    assert read(event()).content.when == Timed(datetime(2026, 10, 22, 9), datetime(2026, 10, 22, 10), "Europe/Berlin")


def test_a_flight_keeps_both_of_its_zones():
    when = read(event(originalEndTimeZone="Eastern Standard Time")).content.when

    assert when == Timed(
        datetime(2026, 10, 22, 9), datetime(2026, 10, 22, 4), "Europe/Berlin", end_zone="America/New_York"
    )


def test_times_that_are_told_in_another_zone_or_with_an_offset_are_understood():
    told = read(event(start=at("2026-10-22T03:00:00", "Eastern Standard Time"), end=at("2026-10-22T10:00:00+02:00")))

    assert told.content.when == read(event()).content.when


@pytest.mark.parametrize("zone", ["tzone://Microsoft/Custom", "", None])
def test_a_zone_without_rules_is_read_in_the_calendars_zone(zone):
    assert read(event(originalStartTimeZone=zone, originalEndTimeZone=zone)).content.when.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        (at("2026-10-22T00:00:00.0000000"), at("2026-10-23T00:00:00.0000000"), "UTC"),
        (at("2026-10-21T22:00:00.0000000"), at("2026-10-22T22:00:00.0000000"), "W. Europe Standard Time"),
        (
            at("2026-10-22T00:00:00", "Tokyo Standard Time"),
            at("2026-10-23T00:00:00", "Tokyo Standard Time"),
            "Asia/Tokyo",
        ),
        (at("2026-10-21T11:00:00"), at("2026-10-22T11:00:00"), "New Zealand Standard Time"),
    ],
)
def test_all_day_events_are_dates_whatever_they_are_anchored_in(start, end, zone):
    raw = event(isAllDay=True, start=start, end=end, originalStartTimeZone=zone, originalEndTimeZone=zone)

    assert read(raw).content.when == AllDay(date(2026, 10, 22), date(2026, 10, 23))


@pytest.mark.parametrize(
    "start", [None, at("0001-01-01T00:00:00Z"), at("someday"), at("2026-10-22T09:00:00", "Nowhere")]
)
def test_an_event_without_a_usable_start_is_a_problem_and_no_deletion(start):
    item = single_item(event(start=start), mailbox=ADA)

    assert item.event is None
    assert item.problem
    assert "Lunch" not in item.problem
    assert item.version == 'W/"v1"'


def test_times_are_read_to_the_second_as_they_are_written():
    found = read(event(start=at("2026-10-22T07:00:00.9999999"), end=at("2026-10-22T08:00:00.5Z")))

    assert found.content.when == Timed(datetime(2026, 10, 22, 9), datetime(2026, 10, 22, 10), "Europe/Berlin")


def test_an_endless_end_does_not_break_the_reading():
    assert read(event(end=at("9999-12-31T23:59:59.9999999"))).content.when.end.year == 4500


# --- content ----------------------------------------------------------------------------------------------


def test_the_content_of_a_plain_event():
    raw = event(
        showAs="WorkingElsewhere",
        sensitivity="Private",
        location={"displayName": "Room 1"},
        locations=[{"displayName": "Room 1"}],
    )

    assert read(raw).content == Content(
        when=read(event()).content.when,
        title="Lunch",
        body="Bring cake",
        location="Room 1",
        show_as=ShowAs.ELSEWHERE,
        sensitivity=Sensitivity.PRIVATE,
    )


def test_several_places_become_one_line():
    raw = event(location={"displayName": "A"}, locations=[{"displayName": "A"}, {"displayName": "B"}])

    assert read(raw).content.location == "A; B"


def test_html_reads_as_its_text():
    markup = (
        "<html>\r\n<head><title>x</title><style>p {}</style></head>\r\n<body>\r\n<div>Hi&nbsp;all,<br>"
        "see  you\r\n there</div><ul><li>one</li><li>two &amp; three</li></ul>\r\n</body></html>"
    )

    assert from_html(markup) == "Hi all,\nsee you there\n- one\n- two & three"


def test_paragraphs_are_parted_by_a_blank_line():
    assert from_html("<p>one</p>\n<p>two</p>") == "one\n\ntwo"


def test_normal_text_is_its_own_normal_form():
    text = normalised("a \r\n\u00a0b\r\n\r\n")

    assert text == "a\n b"
    assert normalised(text) == text


def test_a_meeting_by_somebody_else():
    raw = event(
        isOrganizer=False,
        organizer={"emailAddress": {"name": "Bo", "address": "Bo@Contoso.com"}},
        responseStatus={"response": "tentativelyAccepted"},
        attendees=[
            {
                "type": "required",
                "status": {"response": "none"},
                "emailAddress": {"address": "ADA@contoso.com", "name": "Ada"},
            },
            {"type": "Optional", "status": {"response": "declined"}, "emailAddress": {"address": "cy@example.com"}},
            {"type": "required", "emailAddress": {"address": "bo@contoso.com"}},
        ],
    )
    found = read(raw)

    assert (found.organizes, found.organizer) == (False, "bo@contoso.com")
    assert [(g.address, g.response, g.optional) for g in found.guests] == [
        ("ada@contoso.com", "tentative", False),
        ("cy@example.com", "declined", True),
    ]


def test_an_appointment_without_guests_is_the_owners_own():
    found = read(event(isOrganizer=True, attendees=[], organizer={"emailAddress": {"address": "ada@contoso.com"}}))

    assert (found.organizes, found.organizer, found.guests) == (True, "", ())


def test_the_body_of_an_online_meeting_is_pinned_and_never_sent():
    found = read(event(isOnlineMeeting=True))
    edited = Event(content=Content(when=found.content.when, title="New", body="other"), pinned=found.pinned)

    assert found.pinned == {Field.BODY}
    assert changed_event(edited, found) == {"subject": "New"}


def test_a_cancelled_meeting_is_a_tombstone():
    item = single_item(event(isCancelled=True), mailbox=ADA)

    assert (item.event, item.problem) == (None, "")


# --- series -----------------------------------------------------------------------------------------------


def test_a_series_is_read_with_exceptions_and_cancelled_occurrences():
    moved = {
        "id": "X",
        "type": "exception",
        "subject": "Lunch, moved",
        "originalStart": "2026-11-02T08:00:00Z",
        "start": at("2026-11-03T09:30:00.0000000"),
        "end": at("2026-11-03T10:30:00.0000000"),
        "originalStartTimeZone": "W. Europe Standard Time",
    }
    found = read_series(weekly(), exceptions=[moved], cancelled=["OID.S1.2026-11-09"])

    assert found.recurrence == Recurrence(rules=(Rule(Frequency.WEEKLY, by_day=((None, Weekday.MO),)),))
    assert found.cancelled == {"2026-11-09T09:00"}
    assert found.exceptions == {
        "2026-11-02T09:00": {
            Field.WHEN: Timed(datetime(2026, 11, 3, 10, 30), datetime(2026, 11, 3, 11, 30), "Europe/Berlin"),
            Field.TITLE: "Lunch, moved",
        }
    }


def test_an_exception_without_original_start_is_keyed_by_its_occurrence_id():
    stub = {"id": "X", "Subject": "Other", "OccurrenceId": "OID.S1.2026-11-02", "originalStart": None}

    assert read_series(weekly(), exceptions=[stub]).exceptions == {"2026-11-02T09:00": {Field.TITLE: "Other"}}


def test_the_last_change_of_a_series_may_be_that_of_an_exception():
    own = {"id": "X", "originalStart": "2026-11-02T08:00:00Z", "lastModifiedDateTime": "2026-10-07T00:00:00Z"}
    item = series_item(weekly(), exceptions=[own], cancelled=(), mailbox=ADA)

    assert item.changed_at == datetime(2026, 10, 7, tzinfo=UTC)


def test_all_day_occurrences_are_keyed_by_date_in_any_zone():
    days = {"isAllDay": True, "start": at("2026-10-18T11:00:00"), "end": at("2026-10-19T11:00:00")}
    zone = {"originalStartTimeZone": "New Zealand Standard Time", "originalEndTimeZone": "New Zealand Standard Time"}
    raw = weekly() | days | zone
    own = raw | {"type": "exception", "subject": "Other", "originalStart": "2026-10-25T11:00:00Z"}
    own |= {"start": at("2026-10-25T11:00:00"), "end": at("2026-10-26T11:00:00"), "recurrence": None}

    assert read_series(raw, exceptions=[own]).exceptions == {"2026-10-26": {Field.TITLE: "Other"}}


def test_an_occurrence_that_differs_in_nothing_is_no_exception():
    same = event(
        type="exception",
        originalStart="2026-10-26T08:00:00Z",
        start=at("2026-10-26T08:00:00"),
        end=at("2026-10-26T09:00:00"),
    )

    assert read_series(weekly(), exceptions=[same]).exceptions == {}


def test_an_exception_that_its_organiser_cancelled_is_a_cancelled_occurrence():
    gone = event(type="exception", originalStart="2026-10-26T08:00:00Z", isCancelled=True)

    assert read_series(weekly(), exceptions=[gone]).cancelled == {"2026-10-26T09:00"}


def test_a_series_in_an_unusable_zone_expands_in_the_events_own():
    raw = weekly()
    raw["recurrence"]["range"]["recurrenceTimeZone"] = "tzone://Microsoft/Custom"

    assert read_series(raw).content.when.zone == "Europe/Berlin"


def test_a_cancelled_date_told_in_utc_is_taken_to_the_series_own_day():
    early = {"start": at("2026-10-18T22:30:00"), "end": at("2026-10-18T23:00:00")}  # Mondays 00:30 in Berlin
    raw = weekly() | early

    assert read_series(raw, cancelled=["OID.S1.2026-10-25"]).cancelled == {"2026-10-26T00:30"}


def test_a_recurrence_that_is_not_understood_is_a_problem():
    raw = weekly()
    raw["recurrence"]["pattern"]["type"] = "lunar"
    item = series_item(raw, exceptions=(), cancelled=(), mailbox=ADA)

    assert (item.event, bool(item.problem)) == (None, True)


def test_a_series_begins_where_its_pattern_first_does():
    raw = weekly()
    raw["recurrence"]["pattern"]["daysOfWeek"] = ["tuesday", "thursday"]  # its start is a Monday

    assert read_series(raw).content.when == Timed(
        datetime(2026, 10, 20, 9), datetime(2026, 10, 20, 10), "Europe/Berlin"
    )


# --- real payloads ----------------------------------------------------------------------------------------


def test_a_real_series_creation_is_understood():
    raw = corpus("event_create_weekly_series_response.json")
    found = read_series(raw)

    assert found.content.when == Timed(datetime(2017, 9, 4, 12), datetime(2017, 9, 4, 14), "America/Los_Angeles")
    assert found.content.body == "Does late morning work for you?"
    assert found.recurrence.rules[0].until == date(2017, 12, 31)
    assert [guest.address for guest in found.guests] == ["adelev@contoso.onmicrosoft.com"]


def test_every_event_of_the_corpus_is_read_or_told_as_a_problem():
    raws = [
        raw
        for name in ("event_list_response.json", "calendarview_delta_page1.json", "calendarview_delta_full_beta.json")
        for raw in corpus(name).get("value", [])
    ]
    items = [single_item(raw, mailbox=ADA) for raw in raws if raw.get("subject") and not raw.get("recurrence")]

    assert items
    assert [item.problem for item in items if item.event is None] == []
