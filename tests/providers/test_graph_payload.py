"""Neutral values to Graph's JSON, and the identities within Graph's ids."""
# ruff: noqa: DTZ001 - wall clock times are naive

from __future__ import annotations

import base64
from datetime import date, datetime

import pytest

from calsync.engine.events import (
    AllDay,
    Content,
    Event,
    Frequency,
    Recurrence,
    Rule,
    Sensitivity,
    ShowAs,
    Timed,
    Weekday,
)
from calsync.providers.base import CannotRepresent
from calsync.providers.graph.identity import HEX_PREFIX, clean_uid, original_day
from calsync.providers.graph.payload import begun_at_first_occurrence, changed_event, content_fields, new_event
from calsync.providers.graph.times import on_wire
from tests.providers.graph_shapes import at, read

TAIL = "00000000000000001000000000000000"


# --- identity ---------------------------------------------------------------------------------------------


def test_the_uid_is_the_same_for_a_series_and_its_occurrences():
    master = f"{HEX_PREFIX}00000000A0B1C2D3E4F50607{TAIL}"
    occurrence = f"{HEX_PREFIX}07E80309A0B1C2D3E4F50607{TAIL}"

    assert clean_uid(occurrence.lower()) == clean_uid(master) == master


def test_a_foreign_meeting_is_known_by_its_foreign_uid():
    payload = b"vCal-Uid\x01\x00\x00\x00abc123@google.com\x00"
    value = HEX_PREFIX + "00" * 20 + len(payload).to_bytes(4, "little").hex().upper() + payload.hex().upper()

    assert clean_uid(value) == "abc123@google.com"


@pytest.mark.parametrize("value", ["abc@google.com", "040000008200E00074=", ""])
def test_a_uid_of_another_form_is_kept(value):
    assert clean_uid(value) == value


def test_the_original_date_is_told_by_occurrence_ids():
    ticks = (datetime(2020, 1, 8) - datetime(1, 1, 1)).days * 864_000_000_000
    entry = b"\x00" * 30 + b"\x01\x51\x00\x08" + ticks.to_bytes(8, "big") + b"F" * 20 + b"\x10"

    assert original_day(base64.urlsafe_b64encode(entry).decode()) == date(2020, 1, 8)
    assert original_day("OID.AAMkADAGAADDdm4NAAA=.2020-04-30") == date(2020, 4, 30)
    assert original_day("AAMkADM0ZGRhMjdjLTA==") is None
    assert original_day(None) is None


# --- writing ----------------------------------------------------------------------------------------------


def berlin(day, hour, minute=0):
    start = datetime(2026, 10, day, hour, minute)
    return Timed(start, start.replace(hour=hour + 1), "Europe/Berlin")


def test_a_new_event_carries_its_key_and_no_guests():
    body = new_event(Event(content=Content(when=berlin(22, 9), title="Lunch", body="x")), key="k-1")

    assert body["transactionId"] == "k-1"
    assert body["singleValueExtendedProperties"][0]["value"] == "k-1"
    assert not {"attendees", "isReminderOn", "recurrence"} & body.keys()


def test_what_is_written_reads_back_as_it_was():
    wanted = Event(
        content=Content(
            when=berlin(22, 9),
            title="Lunch",
            body="a\nb",
            location="L",
            show_as=ShowAs.OUT_OF_OFFICE,
            sensitivity=Sensitivity.PERSONAL,
        )
    )
    body = new_event(wanted, key="k")
    raw = {
        **body,
        "id": "E",
        "originalStartTimeZone": body["start"]["timeZone"],
        "originalEndTimeZone": body["end"]["timeZone"],
    }

    assert read(raw).content == wanted.content


def test_a_series_starts_with_its_first_occurrence_and_in_its_own_zone():
    rule = Rule(Frequency.WEEKLY, by_day=((None, Weekday.MO),))
    thursday = Event(
        content=Content(when=Timed(datetime(2026, 10, 22, 0, 30), datetime(2026, 10, 22, 1), "Europe/Berlin")),
        recurrence=Recurrence((rule,)),
    )
    body = new_event(begun_at_first_occurrence(thursday), key="k")

    assert body["start"]["dateTime"] == "2026-10-26T00:30:00"
    assert body["recurrence"]["range"]["startDate"] == "2026-10-26"
    assert "recurrenceTimeZone" not in body["recurrence"]["range"]


def test_a_rule_without_a_form_in_outlook_is_refused_before_any_request():
    rule = Rule(Frequency.MONTHLY, by_month_day=(1, 15))

    with pytest.raises(CannotRepresent):
        new_event(Event(content=Content(when=berlin(1, 9)), recurrence=Recurrence((rule,))), key="k")


def test_an_update_sends_only_what_differs():
    before = Event(content=Content(when=berlin(22, 9), title="A", body="text"))
    after = Event(
        content=Content(
            when=Timed(before.content.when.start, before.content.when.end, "Europe/Vienna"), title="B", body="text"
        )
    )

    assert changed_event(after, before) == {"subject": "B"}


def test_a_reshaped_series_sends_span_and_rule_together():
    rule = Recurrence((Rule(Frequency.DAILY),))
    before = Event(content=Content(when=berlin(22, 9), title="A"), recurrence=rule)
    after = Event(content=Content(when=berlin(22, 10), title="A"), recurrence=rule)

    assert changed_event(after, before).keys() == {"start", "end", "isAllDay", "recurrence"}


def test_a_series_that_becomes_a_single_event_clears_the_rule():
    before = Event(content=Content(when=berlin(22, 9)), recurrence=Recurrence((Rule(Frequency.DAILY),)))

    assert changed_event(Event(content=before.content), before)["recurrence"] is None


def test_text_is_sent_in_the_form_in_which_it_is_compared():
    sent = content_fields(Content(when=berlin(22, 9), body="a \r\nb < c"))["body"]

    assert sent == {"contentType": "html", "content": "a<br>b &lt; c"}


def test_all_day_is_written_as_midnights_in_utc():
    assert on_wire(AllDay(date(2026, 10, 22), date(2026, 10, 24))) == {
        "isAllDay": True,
        "start": at("2026-10-22T00:00:00"),
        "end": at("2026-10-24T00:00:00"),
    }


def test_zones_are_written_by_their_windows_names_where_there_is_one():
    fields = on_wire(
        Timed(datetime(2026, 1, 5, 9), datetime(2026, 1, 5, 10), "Europe/Vienna", end_zone="Antarctica/Troll")
    )

    assert fields["start"] == at("2026-01-05T09:00:00", "W. Europe Standard Time")
    assert fields["end"] == at("2026-01-05T10:00:00", "Antarctica/Troll")
