"""Meeting mails of the pretend Exchange, and the native copies that they land."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from calsync.simulator.core import Guest, Invitation
from calsync.simulator.graph import ids
from tests.simulator.graph_world import ALICE, BOB, code_of, guests, instances, serve_graph, single, weekly

EVENTS = f"/users/{ALICE}/events"
STRANGER = "carol@elsewhere.example"


@pytest.fixture
def client():
    with serve_graph() as running:
        yield running


def mails(client):
    found = [(one.kind, one.recipient) for one in client.sim.core.outbox]
    client.sim.core.outbox.clear()
    return found


def copy_of(client, address=BOB):
    (found,) = client.sim.graph.events(address)
    return found


def change(client, event, body):
    answer = client.patch(f"{EVENTS}/{event['id']}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_appointment_without_guests_mails_nobody(client):
    event = client.create(single())
    change(client, event, {"subject": "b"})
    client.delete(f"{EVENTS}/{event['id']}")
    assert mails(client) == []


def test_a_meeting_invites_everybody_and_lands_an_unanswered_copy(client):
    event = client.create(single(attendees=guests(BOB, STRANGER), location={"displayName": "Room 1"}))
    assert mails(client) == [("invitation", BOB), ("invitation", STRANGER)]
    copy = copy_of(client)
    assert (copy["isOrganizer"], copy["responseStatus"]["response"], copy["showAs"]) == (
        False,
        "notResponded",
        "tentative",
    )
    assert copy["organizer"]["emailAddress"] == {"name": "Alice Ames", "address": ALICE}
    assert copy["iCalUId"] == event["iCalUId"]
    assert (copy["subject"], copy["location"]["displayName"]) == ("Lunch", "Room 1")
    assert copy["id"] != event["id"]


def test_only_meaningful_changes_mail_all(client):
    event = client.create(single(attendees=guests(BOB)))
    mails(client)
    change(client, event, {"categories": ["red"], "showAs": "free", "reminderMinutesBeforeStart": 5})
    change(client, event, {"subject": "Lunch"})
    assert mails(client) == []
    change(client, event, {"subject": "Dinner"})
    assert mails(client) == [("update", BOB)]
    assert copy_of(client)["subject"] == "Dinner"


def test_a_changed_guest_list_mails_only_the_changed_guests(client):
    event = client.create(single(attendees=guests(BOB, STRANGER)))
    mails(client)
    change(client, event, {"attendees": guests(STRANGER, "dora@elsewhere.example")})
    assert mails(client) == [("cancellation", BOB), ("invitation", "dora@elsewhere.example")]
    assert copy_of(client)["isCancelled"]


def test_deleting_a_meeting_cancels_it_and_the_copy_stays_marked(client):
    event = client.create(single(attendees=guests(BOB)))
    mails(client)
    client.delete(f"{EVENTS}/{event['id']}")
    assert mails(client) == [("cancellation", BOB)]
    assert (copy_of(client)["isCancelled"], copy_of(client)["subject"]) == (True, "Canceled: Lunch")


def test_a_series_lands_as_a_series_and_its_exceptions_follow(client):
    master = client.create(weekly(attendees=guests(BOB)))
    first, second, *_ = instances(client, master)
    change(client, first, {"subject": "Special"})
    client.delete(f"{EVENTS}/{second['id']}")
    assert mails(client) == [("invitation", BOB), ("update", BOB), ("cancellation", BOB)]
    copy = copy_of(client)
    assert copy["recurrence"]["range"]["numberOfOccurrences"] == 4
    assert copy["exceptions"]["2026-11-02"]["subject"] == "Special"
    assert copy["exceptions"]["2026-11-09"]["isCancelled"]
    assert ids.cleaned(copy["exceptions"]["2026-11-02"]["iCalUId"]) == master["iCalUId"]


def test_a_change_of_a_series_mails_once_more_per_exception(client):
    master = client.create(weekly(attendees=guests(BOB)))
    change(client, instances(client, master)[0], {"subject": "Special"})
    mails(client)
    change(client, master, {"subject": "Renamed"})
    assert mails(client) == [("update", BOB), ("update", BOB)]


def test_a_guests_own_edit_stays_with_the_guest(client):
    client.create(single(attendees=guests(BOB)))
    mails(client)
    copy = copy_of(client)
    assert client.patch(f"/users/{BOB}/events/{copy['id']}", {"subject": "Mine", "showAs": "busy"}).status_code == 200
    assert client.delete(f"/users/{BOB}/events/{copy['id']}").status_code == 204
    assert mails(client) == []
    assert client.sim.graph.events(ALICE)[0]["subject"] == "Lunch"


def test_an_answer_reaches_the_organizer(client):
    event = client.create(single(attendees=guests(BOB)))
    mails(client)
    copy = copy_of(client)
    answer = client.post(f"/users/{BOB}/events/{copy['id']}/accept", {"comment": "yes"})
    assert (answer.status_code, answer.text) == (202, "")
    assert mails(client) == [("response", ALICE)]
    assert client.event(event["id"])["attendees"][0]["status"]["response"] == "accepted"
    assert copy_of(client)["responseStatus"]["response"] == "accepted"


def test_a_silent_decline_removes_the_copy_and_mails_nobody(client):
    event = client.create(single(attendees=guests(BOB)))
    mails(client)
    client.post(f"/users/{BOB}/events/{copy_of(client)['id']}/decline", {"sendResponse": False})
    assert client.sim.graph.events(BOB) == []
    assert mails(client) == []
    assert client.event(event["id"])["attendees"][0]["status"]["response"] == "none"


def test_an_organizer_cannot_answer_and_a_guest_cannot_cancel(client):
    event = client.create(single(attendees=guests(BOB)))
    assert code_of(client.post(f"{EVENTS}/{event['id']}/accept", {})) == (400, "ErrorInvalidRequest")
    copy = copy_of(client)
    refused = client.post(f"/users/{BOB}/events/{copy['id']}/cancel", {"comment": "no"})
    assert code_of(refused) == (400, "ErrorInvalidRequest")
    assert client.post(f"{EVENTS}/{event['id']}/cancel", {"comment": "no"}).status_code == 202
    assert copy_of(client)["isCancelled"]


def test_a_persons_own_meeting_is_told_apart_from_an_applications(client):
    client.sim.graph.create_event(ALICE, single(attendees=guests(BOB)))
    client.create(single(attendees=guests(BOB)))
    assert [one.by_person for one in client.sim.core.outbox] == [True, False]


def at(text):
    """A wall clock time."""
    return datetime.fromisoformat(text)


def letter(**more):
    facts = {
        "method": "request", "uid": "7abc@google.com", "organizer": "gina@gsuite.example", "organizer_name": "Gina",
        "attendees": (Guest(ALICE, "Alice"), Guest("gina@gsuite.example", "Gina", response="accepted")),
        "subject": "From afar", "body": "hello", "body_is_html": False, "location": "",
        "start": at("2026-11-02T09:00"), "end": at("2026-11-02T10:00"),
        "start_zone": "America/New_York", "end_zone": "America/New_York",
    }  # fmt: skip
    return Invitation(**(facts | more))


def land(client, invitation, address=ALICE):
    client.sim.core.deliver["graph"](invitation, address)


def test_a_foreign_invitation_lands_with_its_uid_wrapped(client):
    land(client, letter())
    copy = copy_of(client, ALICE)
    assert copy["uid"] == "7abc@google.com"
    assert copy["iCalUId"] == ids.foreign_object_id("7abc@google.com")
    assert bytes.fromhex(copy["iCalUId"]).endswith(b"7abc@google.com\x00")
    client.sim.core.switches.graph_foreign_uids_are_plain = True
    assert copy_of(client, ALICE)["iCalUId"] == "7abc@google.com"
    assert copy["start"] == {"dateTime": "2026-11-02T09:00:00.0000000", "timeZone": "America/New_York"}


def test_a_foreign_series_follows_its_organizers_mails(client):
    rule = ("RRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=5", "EXDATE;TZID=America/New_York:20261207T090000")
    land(client, letter(recurrence=rule))
    moved = {"start": at("2027-01-05T11:00"), "end": at("2027-01-05T12:00")}
    land(client, letter(subject="Moved", original_start=at("2027-01-04T09:00"), **moved))
    copy = copy_of(client, ALICE)
    assert copy["recurrence"]["pattern"]["type"] == "relativeMonthly"
    assert copy["cancelled"] == ["2026-12-07"]
    assert copy["exceptions"]["2027-01-04"]["subject"] == "Moved"
    assert copy["exceptions"]["2027-01-04"]["start"]["dateTime"] == "2027-01-05T11:00:00.0000000"
    land(client, letter(method="cancel"))
    assert copy_of(client, ALICE)["isCancelled"]


def test_a_rule_that_exchange_lacks_lands_as_one_event(client):
    land(client, letter(recurrence=("RRULE:FREQ=MONTHLY;BYMONTHDAY=3,9",)))
    assert copy_of(client, ALICE)["type"] == "singleInstance"


def test_a_foreign_all_day_invitation_lands_on_its_dates(client):
    land(client, letter(start=date(2026, 11, 2), end=date(2026, 11, 4), start_zone="", end_zone=""))
    copy = copy_of(client, ALICE)
    assert (copy["isAllDay"], copy["start"]["dateTime"], copy["end"]["dateTime"]) == (
        True,
        "2026-11-02T00:00:00.0000000",
        "2026-11-04T00:00:00.0000000",
    )


def test_a_meeting_between_the_platforms_is_one_meeting_with_two_native_copies(client):
    gina, google = "gina@gsuite.example", client.sim.google
    google.add_mailbox(gina, "Gina", "America/New_York", "/Sales")
    master = client.create(weekly(attendees=guests(gina)))
    (copy,) = google.events(gina)
    assert copy["iCalUID"] == master["iCalUId"]
    back = single("From Google", "2026-11-03T09:00:00", "2026-11-03T10:00:00")
    made = google.create_event(
        gina,
        {"summary": "Q", "start": back["start"], "end": back["end"], "attendees": [{"email": ALICE}]},
        send_updates="all",
    )
    (landed,) = [one for one in client.sim.graph.events(ALICE) if not one["isOrganizer"]]
    assert landed["uid"] == made["iCalUID"]
    assert client.post(f"{EVENTS}/{landed['id']}/accept", {}).status_code == 202
    answers = {guest["email"]: guest["responseStatus"] for one in google.events(gina) for guest in one["attendees"]}
    assert answers[ALICE] == "accepted"


def test_a_meeting_for_a_mailbox_elsewhere_is_handed_over_in_neutral_words(client):
    handed = []
    client.sim.core.domains["gina@gsuite.example"] = "google"
    client.sim.core.deliver["google"] = lambda invitation, recipient: handed.append((invitation, recipient))
    client.create(weekly(attendees=guests("gina@gsuite.example"), sensitivity="private"))
    (told, recipient), *_ = handed
    assert recipient == "gina@gsuite.example"
    assert told.recurrence == ("RRULE:FREQ=WEEKLY;INTERVAL=1;WKST=SU;BYDAY=MO;COUNT=4",)
    assert (told.start, told.start_zone) == (at("2026-11-02T10:00"), "Europe/Berlin")
    assert (told.organizer, told.method, told.is_private) == (ALICE, "request", True)
