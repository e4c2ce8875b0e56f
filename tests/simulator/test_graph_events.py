"""Single events on the pretend Graph: creating, reading, changing, deleting, finding."""

from __future__ import annotations

import http.client
import json

import pytest

from calsync.simulator.graph import ids
from tests.simulator.graph_world import ALICE, BOB, code_of, escaped, serve_graph, single

EVENTS = f"/users/{ALICE}/events"
MARK = "String {66f5a359-4659-4830-9070-00040ec6ac6e} Name CalSync"


def ending(text, zone):
    return {"dateTime": text, "timeZone": zone}


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def test_times_come_back_in_utc_with_seven_digits_and_the_zone_is_told_apart(client):
    event = client.create(single(zone="Europe/Berlin"))
    assert event["start"] == {"dateTime": "2026-11-10T11:00:00.0000000", "timeZone": "UTC"}
    assert event["originalStartTimeZone"] == "W. Europe Standard Time"


def test_the_zone_may_be_reported_as_it_was_sent(client):
    client.sim.core.switches.graph_projects_windows_names = False
    assert client.create(single(zone="Europe/Vienna"))["originalStartTimeZone"] == "Europe/Vienna"


@pytest.mark.parametrize("zone", ["Tokyo Standard Time", "Asia/Tokyo"])
def test_a_preferred_zone_is_applied_echoed_and_told_back(client, zone):
    made = client.create(single())
    answer = client.get(f"{EVENTS}/{made['id']}", Prefer=f'outlook.timezone="{zone}", IdType="ImmutableId"')
    assert answer.json()["start"] == {"dateTime": "2026-11-10T20:00:00.0000000", "timeZone": zone}
    assert answer.headers["Preference-Applied"] == f'outlook.timezone="{zone}", IdType="ImmutableId"'


def test_preferences_may_come_in_several_headers(client):
    made = client.create(single())
    line = http.client.HTTPConnection("127.0.0.1", client.sim.port, timeout=5)
    line.putrequest("GET", f"/v1.0{EVENTS}/{made['id']}")
    line.putheader("Authorization", client.session.headers["Authorization"])
    line.putheader("Prefer", 'outlook.timezone="Asia/Tokyo"')
    line.putheader("Prefer", "outlook.body-content-type=text, IdType=ImmutableId")
    line.endheaders()
    answer = line.getresponse()
    shown = json.loads(answer.read())
    assert (shown["start"]["timeZone"], shown["body"]["contentType"]) == ("Asia/Tokyo", "text")
    assert shown["id"] != made["id"]
    assert answer.headers["Preference-Applied"].count("=") == 3


def test_an_offset_inside_date_time_pins_the_instant_beside_any_zone(client):
    event = client.create(single(start="2026-11-10T12:00:00Z", end="2026-11-10T13:00:00Z"))
    assert event["start"]["dateTime"] == "2026-11-10T12:00:00.0000000"


@pytest.mark.parametrize(
    ("change", "status_and_code"),
    [
        ({"start": {"dateTime": "2026-11-10T12:00:00"}}, (400, "TimeZoneNotSupportedException")),
        ({"start": {"dateTime": "2026-11-10T12:00:00", "timeZone": ""}}, (400, "TimeZoneNotSupportedException")),
        ({"start": ending("2026-11-10T12:00:00", "Mars/Base")}, (400, "TimeZoneNotSupportedException")),
        ({"start": None}, (400, "ErrorInvalidRequest")),
        ({"end": ending("2026-11-10T11:00:00", "Europe/Berlin")}, (400, "ErrorPropertyValidationFailure")),
        ({"end": ending("2036-11-10T11:00:00", "UTC")}, (400, "ErrorCalendarDurationIsTooLong")),
        ({"isAllDay": True}, (400, "ErrorInvalidRequest")),
        ({"summary": "Google's word"}, (400, "RequestBodyRead")),
        ({"showAs": "opaque"}, (400, "RequestBodyRead")),
        ({"subject": 7}, (400, "RequestBodyRead")),
        ({"attendees": [{"emailAddress": {"address": "nobody"}}]}, (400, "ErrorInvalidRecipients")),
        ({"singleValueExtendedProperties": [{"id": "CalSync", "value": "1"}]}, (400, "ErrorInvalidProperty")),
    ],
)  # fmt: skip
def test_a_wrong_event_is_refused_and_nothing_is_stored(client, change, status_and_code):
    assert code_of(client.post(EVENTS, single() | change)) == status_and_code
    assert client.sim.graph.events(ALICE) == []


def test_enum_values_are_read_without_case_and_written_in_the_servers_spelling(client):
    event = client.create(single(showAs="WorkingElsewhere", sensitivity="PRIVATE", importance="High"))
    assert (event["showAs"], event["sensitivity"], event["importance"]) == ("workingElsewhere", "private", "high")


def test_a_text_body_comes_back_as_html_unless_text_is_preferred(client):
    made = client.create(single(body={"contentType": "text", "content": "one <two>\nthree"}))
    assert made["body"]["contentType"] == "html"
    assert "one &lt;two&gt;<br>" in made["body"]["content"]
    assert made["bodyPreview"] == "one <two>\r\nthree"
    plain = client.event(made["id"], Prefer='outlook.body-content-type="text"')["body"]
    assert plain["contentType"] == "text"
    assert plain["content"].strip() == "one <two>\r\nthree"


def test_writing_a_location_replaces_all_locations(client):
    two = {"locations": [{"displayName": "Room 1"}, {"displayName": "Room 2"}]}
    made = client.create(single(**two))
    assert made["location"]["displayName"] == "Room 1; Room 2"
    after = client.patch(f"{EVENTS}/{made['id']}", {"location": {"displayName": "Cellar"}}).json()
    assert [one["displayName"] for one in after["locations"]] == ["Cellar"]


def test_every_change_moves_the_version_and_a_stale_one_is_refused(client):
    made = client.create(single())
    path = f"{EVENTS}/{made['id']}"
    after = client.patch(path, {"subject": "b"}, If_Match=made["@odata.etag"])
    assert after.status_code == 200
    assert after.json()["@odata.etag"] == f'W/"{after.json()["changeKey"]}"' != made["@odata.etag"]
    assert code_of(client.patch(path, {"subject": "c"}, If_Match=made["@odata.etag"])) == (
        412,
        "ErrorIrresolvableConflict",
    )
    assert code_of(client.delete(path, If_Match=made["@odata.etag"])) == (412, "ErrorIrresolvableConflict")
    assert client.event(made["id"])["subject"] == "b"


def test_a_patch_leaves_out_what_it_does_not_name_and_null_clears(client):
    made = client.create(single(categories=["red"], body={"contentType": "text", "content": "x"}))
    after = client.patch(f"{EVENTS}/{made['id']}", {"subject": None, "body": None}).json()
    assert (after["subject"], after["body"]["content"], after["categories"]) == (None, "", ["red"])


def test_a_deleted_event_is_gone(client):
    made = client.create(single())
    assert client.delete(f"{EVENTS}/{made['id']}").status_code == 204
    assert code_of(client.get(f"{EVENTS}/{made['id']}")) == (404, "ErrorItemNotFound")
    assert code_of(client.delete(f"{EVENTS}/{made['id']}")) == (404, "ErrorItemNotFound")


def test_ids_are_case_sensitive_and_nonsense_is_malformed(client):
    made = client.create(single())
    assert code_of(client.get(f"{EVENTS}/{made['id'].swapcase()}"))[0] in (400, 404)
    assert code_of(client.get(f"{EVENTS}/not an id")) == (400, "ErrorInvalidIdMalformed")


def test_both_flavours_of_id_open_the_same_event(client):
    made = client.create(single())
    fixed = client.event(made["id"], Prefer='IdType="ImmutableId"')["id"]
    assert fixed != made["id"]
    assert client.event(fixed)["id"] == made["id"]


def test_another_mailbox_does_not_know_the_event(client):
    made = client.create(single())
    assert code_of(client.get(f"/users/{BOB}/events/{made['id']}")) == (404, "ErrorItemNotFound")


def test_one_day_events_end_at_the_next_midnight_and_are_anchored_in_utc(client):
    body = single(start="2026-11-10T00:00:00", end="2026-11-11T00:00:00", isAllDay=True, zone="Asia/Tokyo")
    event = client.create(body)
    assert event["start"]["dateTime"] == "2026-11-10T00:00:00.0000000"
    assert event["originalStartTimeZone"] == "UTC"
    shifted = client.event(event["id"], Prefer='outlook.timezone="Asia/Tokyo"')
    assert shifted["start"]["dateTime"] == "2026-11-10T09:00:00.0000000"


def test_an_all_day_event_may_stay_anchored_in_its_own_zone(client):
    client.sim.core.switches.graph_all_day_keeps_zone = True
    body = single(start="2026-11-10T00:00:00", end="2026-11-11T00:00:00", isAllDay=True, zone="Asia/Tokyo")
    assert client.create(body)["start"]["dateTime"] == "2026-11-09T15:00:00.0000000"


def test_all_day_cannot_be_patched_without_its_times(client):
    made = client.create(single())
    answer = client.patch(f"{EVENTS}/{made['id']}", {"isAllDay": True})
    assert answer.json()["error"]["message"] == "Missing parameters: Event.Start"


def test_a_transaction_id_creates_once_and_names_the_event(client):
    made = client.create(single(transactionId="k1"))
    again = client.post(EVENTS, single("other", transactionId="k1"))
    assert code_of(again) == (400, "ErrorDuplicateTransactionId")
    assert again.json()["error"]["@event.existingEventId"] == made["id"]
    assert len(client.sim.graph.events(ALICE)) == 1


def test_a_transaction_id_may_answer_with_the_existing_event_but_stays_burnt_after_deletion(client):
    client.sim.core.switches.graph_duplicate_transaction_answers_400 = False
    made = client.create(single(transactionId="k1"))
    assert client.create(single(transactionId="k1"))["id"] == made["id"]
    client.delete(f"{EVENTS}/{made['id']}")
    assert code_of(client.post(EVENTS, single(transactionId="k1"))) == (400, "ErrorDuplicateTransactionId")


def test_extended_properties_are_never_echoed_but_expanded_and_found(client):
    made = client.create(single(singleValueExtendedProperties=[{"id": MARK, "value": "pair-1"}]))
    client.create(single("other", singleValueExtendedProperties=[{"id": MARK, "value": "pair-2"}]))
    assert "singleValueExtendedProperties" not in made
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{MARK}')"
    shown = client.event(made["id"], f"?{expand}")
    assert shown["singleValueExtendedProperties"] == [{"id": MARK, "value": "pair-1"}]
    search = escaped(f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'pair-1')")
    found = client.get(f"{EVENTS}?$filter={search}&{expand}").json()["value"]
    assert [one["id"] for one in found] == [made["id"]]
    lower = search.replace("CalSync", "calsync")
    assert client.get(f"{EVENTS}?$filter={lower}").json()["value"] == []


def test_a_changed_extended_property_is_found_by_its_new_value_only(client):
    made = client.create(single(singleValueExtendedProperties=[{"id": MARK, "value": "old"}]))
    client.patch(f"{EVENTS}/{made['id']}", {"singleValueExtendedProperties": [{"id": MARK, "value": "new"}]})
    search = "singleValueExtendedProperties/any(ep:ep/id eq '{}' and ep/value eq '{}')"
    counts = [
        len(client.get(f"{EVENTS}?$filter={escaped(search.format(MARK, value))}").json()["value"])
        for value in ("old", "new")
    ]
    assert counts == [0, 1]


def test_a_list_has_pages_of_ten_and_absolute_links(client):
    for number in range(23):
        client.create(single(f"e{number}"))
    link, seen, sizes = EVENTS, [], []
    while link:
        body = client.get(link).json()
        seen += [one["subject"] for one in body["value"]]
        sizes.append(len(body["value"]))
        link = body.get("@odata.nextLink", "")
        assert not link or link.startswith(client.sim.url)
    assert sizes == [10, 10, 3]
    assert seen == [f"e{number}" for number in range(23)]
    assert len(client.get(f"{EVENTS}?$top=50").json()["value"]) == 23
    assert client.get(f"{EVENTS}?$top=1001").status_code == 400


def test_the_size_of_a_page_may_be_preferred(client):
    for number in range(5):
        client.create(single(f"e{number}"))
    assert len(client.get(EVENTS, Prefer="odata.maxpagesize=2").json()["value"]) == 2


def test_only_selected_properties_come_along_with_tag_and_id(client):
    made = client.create(single())
    shown = client.event(made["id"], "?$select=subject,originalStart")
    assert set(shown) == {"@odata.context", "@odata.etag", "id", "subject", "originalStart"}
    assert "originalStart" not in made
    assert code_of(client.get(f"{EVENTS}/{made['id']}?$select=summary")) == (400, "BadRequest")


def test_lists_are_filtered_and_ordered(client):
    for day in (12, 10, 11):
        client.create(single(f"day {day}", f"2026-11-{day}T12:00:00", f"2026-11-{day}T13:00:00"))
    client.patch(f"{EVENTS}/{client.sim.graph.events(ALICE)[2]['id']}", {"categories": ["red"]})

    def subjects(options: str) -> list[str]:
        answer = client.get(f"{EVENTS}?{options}")
        assert answer.status_code == 200, answer.text
        return [one["subject"] for one in answer.json()["value"]]

    assert subjects("$orderby=start/dateTime") == ["day 10", "day 11", "day 12"]
    assert subjects("$orderby=lastModifiedDateTime desc")[0] == "day 11"
    assert subjects("$filter=start/dateTime ge '2026-11-11T00:00:00Z' and not(subject eq 'day 12')") == ["day 11"]
    assert subjects("$filter=startsWith(subject,'day 1') and categories/any(c:c eq 'red')") == ["day 11"]
    assert subjects("$filter=lastModifiedDateTime gt 2030-01-01T00:00:00Z") == []
    assert code_of(client.get(f"{EVENTS}?$filter=subject is 'x'")) == (400, "BadRequest")


def test_an_online_meeting_lives_in_the_body(client):
    made = client.create(single(isOnlineMeeting=True))
    link = made["onlineMeeting"]["joinUrl"]
    assert link in made["body"]["content"]
    after = client.patch(f"{EVENTS}/{made['id']}", {"body": {"contentType": "html", "content": "bare"}}).json()
    assert (after["isOnlineMeeting"], after["onlineMeeting"]) == (False, None)


def test_secondary_calendars_hold_their_own_events(client):
    made = client.post(f"/users/{ALICE}/calendars", {"name": "Team"})
    assert made.status_code == 201
    path = f"/users/{ALICE}/calendars/{made.json()['id']}"
    inside = client.post(f"{path}/events", single("inside")).json()
    assert [one["subject"] for one in client.get(f"{path}/events").json()["value"]] == ["inside"]
    assert client.get(EVENTS).json()["value"] == []
    assert client.event(inside["id"])["subject"] == "inside"
    assert code_of(client.get(f"/users/{ALICE}/calendars/nope/events")) == (404, "ErrorFolderNotFound")
    assert [one["name"] for one in client.get(f"/users/{ALICE}/calendars").json()["value"]] == ["Calendar", "Team"]


def test_the_python_face_and_the_wire_are_one_store(client):
    made = client.sim.graph.create_event(ALICE, single("by hand"))
    assert client.event(made["id"])["subject"] == "by hand"
    client.sim.graph.update_event(ALICE, made["id"], {"subject": "again"})
    stored = client.sim.graph.events(ALICE)[0]
    assert (stored["subject"], stored["start"]["timeZone"]) == ("again", "Europe/Berlin")
    client.sim.graph.delete_event(ALICE, made["id"])
    assert client.sim.graph.events(ALICE) == []


def test_object_ids_carry_a_date_on_instances_only():
    whole = "040000008200E00074C5B7101A82E00807E80309" + "00" * 20
    assert ids.cleaned(whole)[32:40] == "00000000"
    assert ids.cleaned(ids.foreign_object_id("abc@google.com")) == ids.foreign_object_id("abc@google.com")
