from __future__ import annotations

import pytest
from googleapiclient.errors import HttpError

from tests.simulator.google_world import ANNA, BOB, serve_google, timed, weekly


@pytest.fixture
def world():
    with serve_google() as running:
        yield running


@pytest.fixture
def anna(world):
    return world.client(ANNA).events()


def refused(call) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        call.execute()
    return caught.value.status_code, caught.value.error_details[0]["reason"]


def insert(events, body, **query):
    return events.insert(calendarId="primary", body=body, **query).execute()


def patch(events, event_id, body, **query):
    return events.patch(calendarId="primary", eventId=event_id, body=body, **query).execute()


def get(events, event_id, **query):
    return events.get(calendarId="primary", eventId=event_id, **query).execute()


def test_an_event_comes_back_as_google_words_it(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00", transparency="opaque", location=""))
    assert made["start"] == {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert made["iCalUID"] == made["id"] + "@google.com"
    assert len(made["id"]) == 26
    assert made["created"].endswith(".000Z")
    assert made["organizer"] == {"email": ANNA, "self": True}
    assert made["sequence"] == 0
    assert not {"transparency", "visibility", "location", "attendees", "recurrence"} & made.keys()


def test_the_etag_is_twice_updated_in_microseconds_and_always_rises(anna):
    first = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    second = patch(anna, first["id"], {"summary": "Other"})
    assert int(second["etag"].strip('"')) > int(first["etag"].strip('"'))
    milliseconds = int(second["etag"].strip('"')) // 2000
    assert second["updated"].endswith(f".{milliseconds % 1000:03d}Z")


def test_a_response_zone_changes_offsets_and_leaves_the_events_own_zone(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    seen = get(anna, made["id"], timeZone="America/New_York")
    assert seen["start"] == {"dateTime": "2026-03-02T03:00:00-05:00", "timeZone": "Europe/Berlin"}


def test_patch_merges_objects_replaces_arrays_and_removes_nulls(anna):
    extended = {"private": {"a": "1", "b": "2"}, "shared": {"c": "3"}}
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}
    made = insert(
        anna,
        timed(
            "2026-03-02T09:00", "2026-03-02T10:00", location="Room", extendedProperties=extended, reminders=reminders
        ),
    )
    change = {"location": None, "extendedProperties": {"private": {"a": None, "d": "4"}}}
    seen = patch(anna, made["id"], change | {"reminders": {"overrides": []}})
    assert "location" not in seen
    assert seen["extendedProperties"] == {"private": {"b": "2", "d": "4"}, "shared": {"c": "3"}}
    assert seen["reminders"] == {"useDefault": False}
    assert seen["summary"] == "Planning"


def test_an_update_removes_what_it_leaves_out(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00", location="Room", description="Text"))
    body = timed("2026-03-02T09:00", "2026-03-02T10:00")
    seen = anna.update(calendarId="primary", eventId=made["id"], body=body).execute()
    assert not {"location", "description"} & seen.keys()
    assert seen["iCalUID"] == made["iCalUID"]


def test_a_timed_event_becomes_all_day_only_when_the_time_is_removed(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    half = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}
    assert refused(anna.patch(calendarId="primary", eventId=made["id"], body=half)) == (400, "invalid")
    whole = {key: value | {"dateTime": None, "timeZone": None} for key, value in half.items()}
    assert patch(anna, made["id"], whole)["end"] == {"date": "2026-03-03"}


def test_an_id_is_used_up_even_after_the_event_is_deleted(anna):
    insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00", id="abcde12345"))
    again = anna.insert(calendarId="primary", body=timed("2026-03-02T09:00", "2026-03-02T10:00", id="abcde12345"))
    assert refused(again) == (409, "duplicate")
    anna.delete(calendarId="primary", eventId="abcde12345").execute()
    assert refused(again) == (409, "duplicate")


@pytest.mark.parametrize("wrong", ["abc", "UPPER12345", "with-dash", "xyzxyz"])
def test_an_id_outside_base32hex_is_refused(anna, wrong):
    body = timed("2026-03-02T09:00", "2026-03-02T10:00", id=wrong)
    assert refused(anna.insert(calendarId="primary", body=body)) == (400, "invalid")


def test_deleting_twice_is_gone_and_guarded_deleting_twice_is_stale(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    assert anna.delete(calendarId="primary", eventId=made["id"]).execute() == ""
    assert refused(anna.delete(calendarId="primary", eventId=made["id"])) == (410, "deleted")
    guarded = anna.delete(calendarId="primary", eventId=made["id"])
    guarded.headers["If-Match"] = made["etag"]
    assert refused(guarded) == (412, "conditionNotMet")
    assert get(anna, made["id"])["status"] == "cancelled"
    assert refused(anna.delete(calendarId="primary", eventId="neverthere")) == (404, "notFound")


def test_a_stale_version_is_refused_and_a_star_forces(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    patch(anna, made["id"], {"summary": "Second"})
    late = anna.patch(calendarId="primary", eventId=made["id"], body={"summary": "Third"})
    late.headers["If-Match"] = made["etag"]
    assert refused(late) == (412, "conditionNotMet")
    late.headers["If-Match"] = "*"
    assert late.execute()["summary"] == "Third"


def test_a_deleted_event_comes_back_when_its_status_is_confirmed(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    anna.delete(calendarId="primary", eventId=made["id"]).execute()
    assert patch(anna, made["id"], {"status": "confirmed"})["status"] == "confirmed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end": {"dateTime": "2026-03-02T09:00:00", "timeZone": "Europe/Berlin"}}, "timeRangeEmpty"),
        ({"end": {"date": "2026-03-03"}}, "invalid"),
        ({"start": {"dateTime": "2026-03-02T08:00:00"}}, "required"),
        ({"start": {"dateTime": "2026-03-02T08:00:00", "timeZone": "W. Europe Standard Time"}}, "invalid"),
        ({"start": None}, "required"),
        ({"transparency": "busy"}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2;UNTIL=20260401T000000Z"]}, "invalid"),
        ({"recurrence": ["RRULE:FREQ=HOURLY"]}, "invalid"),
        ({"recurrence": ["RRULE:DATE;TZID=Europe/Berlin:20260302T090000"]}, "invalid"),
        ({"attendees": [{"displayName": "No address"}]}, "required"),
        ({"summary": 5}, "badRequest"),
        ({"reminders": {"useDefault": True, "overrides": [{"method": "popup", "minutes": 5}]}},
         "cannotUseDefaultRemindersAndSpecifyOverride"),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused_with_its_reason(anna, change, reason):
    body = timed("2026-03-02T09:00", "2026-03-02T10:00") | change
    assert refused(anna.insert(calendarId="primary", body=body)) == (400, reason)


def test_a_series_needs_a_time_zone_even_when_the_offset_is_there(anna):
    times = {"start": {"dateTime": "2026-03-02T09:00:00+01:00"}, "end": {"dateTime": "2026-03-02T10:00:00+01:00"}}
    assert insert(anna, times)["start"]["timeZone"] == "Europe/Berlin"
    body = times | {"recurrence": ["RRULE:FREQ=DAILY"]}
    assert refused(anna.insert(calendarId="primary", body=body)) == (400, "required")


def test_an_unknown_parameter_and_a_wrong_enum_are_refused(world, anna):
    answer, body = world.http(ANNA).request(f"{world.url}/calendar/v3/calendars/primary/events?foo=1")
    assert answer.status == 400
    assert b"badRequest" in body
    answer, body = world.http(ANNA).request(f"{world.url}/calendar/v3/calendars/primary/events?orderBy=title")
    assert answer.status == 400


def test_over_long_property_keys_vanish_and_values_are_cut(anna):
    private = {"k" * 44: "v" * 1025, "l" * 45: "gone"}
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00", extendedProperties={"private": private}))
    assert made["extendedProperties"]["private"] == {"k" * 44: "v" * 1024}


def test_moving_raises_the_sequence_and_renaming_does_not(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    assert patch(anna, made["id"], {"summary": "Other"})["sequence"] == 0
    moved = timed("2026-03-02T11:00", "2026-03-02T12:00")
    assert patch(anna, made["id"], {"start": moved["start"], "end": moved["end"]})["sequence"] == 1
    assert refused(anna.patch(calendarId="primary", eventId=made["id"], body={"sequence": 0})) == (400, "invalid")


def test_recurrence_lines_come_back_in_googles_order(anna):
    lines = ["RRULE:BYDAY=MO;FREQ=WEEKLY;INTERVAL=1;COUNT=8", "EXDATE;TZID=Europe/Berlin:20260309T090000"]
    made = insert(anna, weekly() | {"recurrence": lines})
    assert made["recurrence"] == [lines[1], "RRULE:FREQ=WEEKLY;COUNT=8;BYDAY=MO"]


def test_instance_ids_carry_the_utc_start_and_shift_with_the_clocks(anna):
    made = insert(anna, weekly())
    found = anna.instances(calendarId="primary", eventId=made["id"]).execute()["items"]
    suffixes = [item["id"].removeprefix(made["id"] + "_") for item in found]
    assert len(found) == 8
    assert suffixes[3:5] == ["20260323T080000Z", "20260330T070000Z"]
    assert found[4]["start"]["dateTime"] == "2026-03-30T09:00:00+02:00"
    assert found[4]["recurringEventId"] == made["id"]
    assert found[4]["etag"] == made["etag"]


def test_an_unchanged_occurrence_can_be_read_and_changed_by_its_id(anna):
    made = insert(anna, weekly())
    instance = f"{made['id']}_20260316T080000Z"
    assert get(anna, instance)["originalStartTime"]["dateTime"] == "2026-03-16T09:00:00+01:00"
    assert refused(anna.get(calendarId="primary", eventId=f"{made['id']}_20260317T080000Z")) == (404, "notFound")
    moved = timed("2026-03-17T15:00", "2026-03-17T16:00")
    seen = patch(anna, instance, {"start": moved["start"], "end": moved["end"]})
    assert seen["id"] == instance
    assert seen["originalStartTime"]["dateTime"] == "2026-03-16T09:00:00+01:00"
    assert seen["sequence"] == 1
    assert "recurrence" not in seen


def test_an_all_day_series_names_its_instances_by_date(anna):
    body = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]}
    made = insert(anna, body)
    found = anna.instances(calendarId="primary", eventId=made["id"]).execute()["items"]
    assert [item["id"][-9:] for item in found] == ["_20260302", "_20260303", "_20260304"]
    assert found[2]["originalStartTime"] == {"date": "2026-03-04"}


def test_any_change_in_a_series_gives_all_of_it_one_version(world, anna):
    made = insert(anna, weekly())
    first = patch(anna, f"{made['id']}_20260309T080000Z", {"summary": "First"})
    second = patch(anna, f"{made['id']}_20260316T080000Z", {"summary": "Second"})
    assert get(anna, made["id"])["etag"] == get(anna, first["id"])["etag"] == second["etag"]
    world.core.switches.google_series_share_one_version = False
    third = patch(anna, f"{made['id']}_20260323T080000Z", {"summary": "Third"})
    assert get(anna, made["id"])["etag"] == second["etag"] != third["etag"]


def test_a_shorter_series_sweeps_exceptions_away_as_bare_tombstones(world, anna):
    made = insert(anna, weekly())
    kept = patch(anna, f"{made['id']}_20260309T080000Z", {"summary": "Kept"})
    lost = patch(anna, f"{made['id']}_20260406T070000Z", {"summary": "Lost"})
    _, token = world.full(world.client(ANNA))
    patch(anna, made["id"], {"recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20260330T215959Z;BYDAY=MO"]})
    items, _ = world.full(world.client(ANNA), syncToken=token)
    by_id = {item["id"]: item for item in items}
    assert by_id.keys() == {made["id"], kept["id"], lost["id"]}
    assert by_id[lost["id"]].keys() == {"kind", "etag", "id", "status"}
    assert by_id[kept["id"]]["summary"] == "Kept"


def test_a_stricter_visibility_of_one_occurrence_spreads_to_the_series(anna):
    made = insert(anna, weekly())
    patch(anna, f"{made['id']}_20260309T080000Z", {"visibility": "private"})
    assert get(anna, made["id"])["visibility"] == "private"
    patch(anna, f"{made['id']}_20260316T080000Z", {"visibility": "public"})
    assert get(anna, f"{made['id']}_20260316T080000Z")["visibility"] == "private"


def test_a_meet_link_needs_the_version_parameter(anna):
    request = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    body = timed("2026-03-02T09:00", "2026-03-02T10:00", conferenceData=request)
    assert "hangoutLink" not in insert(anna, body)
    made = insert(anna, body, conferenceDataVersion=1)
    assert made["hangoutLink"] == made["conferenceData"]["entryPoints"][0]["uri"]
    assert "hangoutLink" in patch(anna, made["id"], {"summary": "Still there"})
    assert "hangoutLink" not in patch(anna, made["id"], {"conferenceData": None}, conferenceDataVersion=1)


def test_special_events_keep_their_rules(world, anna):
    home = {"type": "homeOffice", "homeOffice": {}}
    day = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "eventType": "workingLocation"}
    right = day | {"visibility": "public", "transparency": "transparent", "workingLocationProperties": home}
    assert insert(anna, right)["workingLocationProperties"] == home
    assert refused(anna.insert(calendarId="primary", body=day))[1] == "malformedWorkingLocationEvent"
    away = timed("2026-03-02T09:00", "2026-03-02T17:00", eventType="outOfOffice")
    made = insert(anna, away)
    assert made["outOfOfficeProperties"] == {"autoDeclineMode": "declineNone"}
    assert refused(anna.patch(calendarId="primary", eventId=made["id"], body={"eventType": "default"}))[0] == 400
    mail = timed("2026-03-02T09:00", "2026-03-02T17:00", eventType="fromGmail")
    assert refused(anna.insert(calendarId="primary", body=mail))[0] == 400
    assert world.store.create_event(ANNA, mail | {"locked": True})["eventType"] == "fromGmail"


def test_an_import_is_an_upsert_by_uid_and_a_private_copy_for_foreign_organizers(world, anna):
    body = timed(
        "2026-03-02T09:00", "2026-03-02T10:00", iCalUID="040000008200E00074C5B7101A82E008@outlook", location="Oslo",
        organizer={"email": "chef@elsewhere.example"}, attendees=[{"email": ANNA, "responseStatus": "accepted"}],
    )  # fmt: skip
    first = anna.import_(calendarId="primary", body=body).execute()
    assert first["privateCopy"] is True
    assert first["id"].startswith("_")
    again = anna.import_(calendarId="primary", body={key: body[key] for key in body if key != "location"}).execute()
    assert again["id"] == first["id"]
    assert "location" not in again
    assert world.core.outbox == []
    assert refused(anna.import_(calendarId="primary", body=body | {"id": "abcde12345"})) == (400, "invalid")
    stranger = body | {"attendees": [{"email": "x@elsewhere.example"}]}
    refusal = refused(anna.import_(calendarId="primary", body=stranger))
    assert refusal == (400, "participantIsNeitherOrganizerNorAttendee")


def test_a_move_changes_the_organizer_and_keeps_id_and_uid(world, anna):
    second = world.store.add_calendar(ANNA, "Projects", "Europe/Berlin")
    made = insert(anna, weekly())
    _, token = world.full(world.client(ANNA))
    moved = anna.move(calendarId="primary", eventId=made["id"], destination=second).execute()
    assert (moved["id"], moved["iCalUID"], moved["organizer"]["email"]) == (made["id"], made["iCalUID"], second)
    gone, _ = world.full(world.client(ANNA), syncToken=token)
    assert [(item["id"], item["status"]) for item in gone] == [(made["id"], "cancelled")]


def test_nobody_reads_the_calendar_of_somebody_else(world):
    bob = world.client(BOB).events()
    assert refused(bob.list(calendarId=ANNA)) == (404, "notFound")


def test_a_partial_answer_holds_only_the_fields_asked_for(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    page = anna.list(calendarId="primary", fields="items(id,start/timeZone),nextSyncToken").execute()
    assert page["items"] == [{"id": made["id"], "start": {"timeZone": "Europe/Berlin"}}]
    assert page.keys() == {"items", "nextSyncToken"}


def test_moving_a_whole_series_sweeps_its_exceptions_and_renames_its_instances(anna):
    made = insert(anna, weekly())
    lost = patch(anna, f"{made['id']}_20260309T080000Z", {"summary": "Lost"})
    later = timed("2026-03-02T11:00", "2026-03-02T12:00")
    patch(anna, made["id"], {"start": later["start"], "end": later["end"]})
    assert refused(anna.get(calendarId="primary", eventId=f"{made['id']}_20260316T080000Z")) == (404, "notFound")
    assert get(anna, lost["id"])["status"] == "cancelled"
    found = anna.instances(calendarId="primary", eventId=made["id"]).execute()["items"]
    assert found[1]["id"] == f"{made['id']}_20260309T100000Z"
    assert found[1]["summary"] == "Planning"


def test_a_renamed_series_leaves_an_exceptions_own_title_and_passes_on_the_rest(anna):
    made = insert(anna, weekly())
    renamed = patch(anna, f"{made['id']}_20260309T080000Z", {"summary": "Own title"})
    patch(anna, made["id"], {"summary": "New title", "location": "Oslo"})
    seen = get(anna, renamed["id"])
    assert (seen["summary"], seen["location"]) == ("Own title", "Oslo")


def test_an_excluded_date_is_no_occurrence(anna):
    made = insert(anna, weekly())
    lines = ["RRULE:FREQ=WEEKLY;COUNT=8;BYDAY=MO", "EXDATE;TZID=Europe/Berlin:20260309T090000,20260316T090000"]
    patch(anna, made["id"], {"recurrence": lines})
    found = anna.instances(calendarId="primary", eventId=made["id"]).execute()["items"]
    assert [item["start"]["dateTime"][:10] for item in found[:2]] == ["2026-03-02", "2026-03-23"]
    assert len(found) == 6


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        (["WEEKLY;COUNT=3", "MONTHLY;COUNT=2"], ["03-02", "03-09", "03-16", "04-02"]),
        (["MONTHLY;COUNT=2", "WEEKLY;COUNT=3"], ["03-02", "03-09", "03-16", "04-02"]),
        (["DAILY;COUNT=3", "WEEKLY;COUNT=2;BYDAY=WE"], ["03-02", "03-03", "03-04", "03-11"]),
        (["WEEKLY;COUNT=3;BYDAY=TU", "WEEKLY;COUNT=2;BYDAY=WE"], ["03-02", "03-03", "03-04", "03-10"]),
    ],
    ids=["a month later", "in the other order", "one day of both", "neither makes the start"],
)
def test_every_rule_of_a_series_counts_for_itself(anna, rules, days):
    made = insert(anna, weekly() | {"recurrence": [f"RRULE:FREQ={rule}" for rule in rules]})
    found = anna.instances(calendarId="primary", eventId=made["id"]).execute()["items"]
    assert [item["start"]["dateTime"][5:10] for item in found] == days


def test_unknown_body_fields_are_ignored_unless_the_switch_refuses_them(world, anna):
    body = timed("2026-03-02T09:00", "2026-03-02T10:00", subject="Outlook's word")
    assert "subject" not in insert(anna, body)
    world.core.switches.google_unknown_fields_answer_400 = True
    assert refused(anna.insert(calendarId="primary", body=body)) == (400, "badRequest")


def test_a_patch_that_changes_nothing_gets_a_new_version_unless_switched(world, anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    second = patch(anna, made["id"], {"summary": "Planning"})
    assert second["etag"] != made["etag"]
    world.core.switches.google_idle_patch_keeps_version = True
    assert patch(anna, made["id"], {"summary": "Planning"})["etag"] == second["etag"]


def test_reminders_alone_do_not_move_the_version(anna):
    made = insert(anna, timed("2026-03-02T09:00", "2026-03-02T10:00"))
    seen = patch(anna, made["id"], {"reminders": {"useDefault": False}})
    assert seen["reminders"] == {"useDefault": False}
    assert (seen["etag"], seen["updated"]) == (made["etag"], made["updated"])
