from __future__ import annotations

from datetime import datetime

import pytest
from googleapiclient.errors import HttpError

from calsync.simulator.core import Guest, Invitation
from tests.simulator.google_world import ANNA, BOB, ROOT, serve_google, timed, weekly

OUTSIDER = "guest@elsewhere.example"


@pytest.fixture
def world():
    with serve_google() as running:
        running.core.domains[OUTSIDER] = "graph"
        running.landed = []
        running.core.deliver["graph"] = lambda invitation, recipient: running.landed.append((recipient, invitation))
        yield running


@pytest.fixture
def anna(world):
    return world.client(ANNA).events()


@pytest.fixture
def bob(world):
    return world.client(BOB).events()


def meeting(*guests: str, **more):
    return timed("2026-03-02T09:00", "2026-03-02T10:00", attendees=[{"email": guest} for guest in guests], **more)


def kinds(world) -> list[tuple[str, str, bool]]:
    return [(mail.kind, mail.recipient, mail.by_person) for mail in world.core.outbox]


def test_without_send_updates_nobody_is_mailed_and_only_google_guests_get_a_copy(world, anna):
    made = anna.insert(calendarId="primary", body=meeting(BOB, OUTSIDER)).execute()
    copy = world.store.get_event(BOB, made["id"])
    assert copy["iCalUID"] == made["iCalUID"]
    assert copy["organizer"] == {"email": ANNA}
    assert [guest.get("self", False) for guest in copy["attendees"]] == [True, False]
    assert world.core.outbox == []
    assert world.landed == []


def test_mails_follow_send_updates_and_say_who_acted(world, anna):
    made = anna.insert(calendarId="primary", body=meeting(BOB, OUTSIDER), sendUpdates="all").execute()
    assert kinds(world) == [("invitation", BOB, False), ("invitation", OUTSIDER, False)]
    recipient, invitation = world.landed[0]
    assert (recipient, invitation.method, invitation.uid) == (OUTSIDER, "request", made["iCalUID"])
    assert (invitation.start.isoformat(), invitation.start_zone) == ("2026-03-02T09:00:00", "Europe/Berlin")
    world.core.outbox.clear()
    anna.patch(calendarId="primary", eventId=made["id"], body={"summary": "X"}, sendUpdates="externalOnly").execute()
    assert kinds(world) == [("update", OUTSIDER, False)]
    world.core.outbox.clear()
    world.store.create_event(ANNA, meeting(BOB), send_updates="all")
    assert kinds(world) == [("invitation", BOB, True)]


def test_the_organizers_changes_reach_the_copies_and_a_guests_own_edits_stay(world, anna, bob):
    made = anna.insert(calendarId="primary", body=meeting(BOB)).execute()
    bob.patch(calendarId="primary", eventId=made["id"], body={"summary": "Bob's words", "colorId": "5"}).execute()
    assert world.store.get_event(ANNA, made["id"])["summary"] == "Planning"
    anna.patch(calendarId="primary", eventId=made["id"], body={"summary": "Anna's words"}).execute()
    copy = world.store.get_event(BOB, made["id"])
    assert (copy["summary"], copy["colorId"]) == ("Anna's words", "5")


def test_a_guest_changes_only_the_own_response_and_it_flows_back(world, anna, bob):
    made = anna.insert(calendarId="primary", body=meeting(BOB, OUTSIDER)).execute()
    answer = {"attendees": [{"email": BOB, "responseStatus": "accepted"}]}
    copy = bob.patch(calendarId="primary", eventId=made["id"], body=answer).execute()
    assert [guest["responseStatus"] for guest in copy["attendees"]] == ["accepted", "needsAction"]
    organizers = world.store.get_event(ANNA, made["id"])
    assert [guest["responseStatus"] for guest in organizers["attendees"]] == ["accepted", "needsAction"]


def test_the_same_patch_by_the_organizer_drops_everybody_else(world, anna):
    made = anna.insert(calendarId="primary", body=meeting(BOB, OUTSIDER)).execute()
    only = {"attendees": [{"email": OUTSIDER}]}
    seen = anna.patch(calendarId="primary", eventId=made["id"], body=only).execute()
    assert [guest["email"] for guest in seen["attendees"]] == [OUTSIDER]
    assert world.store.get_event(BOB, made["id"])["status"] == "cancelled"


def test_a_guest_must_not_touch_the_guest_flags(world, anna, bob):
    made = anna.insert(calendarId="primary", body=meeting(BOB, guestsCanModify=True)).execute()
    change = bob.patch(calendarId="primary", eventId=made["id"], body={"guestsCanModify": False})
    with pytest.raises(HttpError, match="Shared properties can only be changed by the organizer"):
        change.execute()
    replacement = bob.update(calendarId="primary", eventId=made["id"], body=meeting(BOB))
    with pytest.raises(HttpError, match="Shared properties can only be changed by the organizer"):
        replacement.execute()


def test_a_delete_without_mails_leaves_ghosts_and_with_mails_takes_the_copies(world, anna):
    first = anna.insert(calendarId="primary", body=meeting(BOB)).execute()
    anna.delete(calendarId="primary", eventId=first["id"]).execute()
    assert world.store.get_event(BOB, first["id"])["status"] == "confirmed"
    second = anna.insert(calendarId="primary", body=meeting(BOB, OUTSIDER), sendUpdates="all").execute()
    world.core.outbox.clear()
    anna.delete(calendarId="primary", eventId=second["id"], sendUpdates="all").execute()
    assert world.store.get_event(BOB, second["id"])["status"] == "cancelled"
    assert kinds(world) == [("cancellation", BOB, False), ("cancellation", OUTSIDER, False)]
    assert world.landed[-1][1].method == "cancel"


def test_deleting_a_copy_declines(world, anna, bob):
    made = anna.insert(calendarId="primary", body=meeting(BOB)).execute()
    bob.delete(calendarId="primary", eventId=made["id"]).execute()
    assert world.store.get_event(ANNA, made["id"])["attendees"][0]["responseStatus"] == "declined"
    anna.patch(calendarId="primary", eventId=made["id"], body={"summary": "Still"}).execute()
    assert world.store.get_event(BOB, made["id"])["status"] == "cancelled"


def test_exceptions_and_cancelled_occurrences_reach_the_copies(world, anna):
    made = anna.insert(calendarId="primary", body=weekly(attendees=[{"email": BOB}])).execute()
    renamed, cancelled = f"{made['id']}_20260309T080000Z", f"{made['id']}_20260316T080000Z"
    anna.patch(calendarId="primary", eventId=renamed, body={"summary": "Once"}).execute()
    anna.delete(calendarId="primary", eventId=cancelled, sendUpdates="all").execute()
    found = {event["id"]: event for event in world.store.events(BOB)}
    assert found[renamed]["summary"] == "Once"
    assert found[cancelled]["status"] == "cancelled"


def invitation(**more) -> Invitation:
    values = {
        "method": "request", "uid": "040000008200E00074C5B7101A82E008", "organizer": "chef@elsewhere.example",
        "organizer_name": "The Chef", "attendees": (Guest(ANNA), Guest("third@elsewhere.example", response="accepted")),
        "subject": "Menu", "body": "<p>Soup</p>", "body_is_html": True, "location": "Kitchen",
        "start": weekly_start(), "end": weekly_start().replace(hour=10), "start_zone": "Europe/Paris",
        "end_zone": "Europe/Paris", "recurrence": ("RRULE:FREQ=WEEKLY;COUNT=4",), "sender": "chef@elsewhere.example",
    }  # fmt: skip
    return Invitation(**values | more)


def weekly_start():
    return datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001 - wall clock


def test_a_mailed_invitation_lands_updates_and_is_cancelled(world):
    world.core.deliver["google"](invitation(), ANNA)
    (landed,) = world.store.events(ANNA)
    assert landed["id"].startswith("_")
    assert landed["organizer"] == {"email": "chef@elsewhere.example", "displayName": "The Chef"}
    assert landed["start"] == {"dateTime": "2026-03-02T09:00:00+01:00", "timeZone": "Europe/Paris"}
    assert landed["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=4"]
    one = {"recurrence": None, "original_start": weekly_start().replace(day=9)}
    moved = {"start": weekly_start().replace(day=10), "end": weekly_start().replace(day=10, hour=11)}
    world.core.deliver["google"](invitation(**one, **moved), ANNA)
    world.core.deliver["google"](invitation(method="cancel", recurrence=None, original_start=weekly_start()), ANNA)
    found = world.store.events(ANNA)
    assert [event["status"] for event in found] == ["confirmed", "confirmed", "cancelled"]
    assert found[1]["start"]["dateTime"] == "2026-03-10T09:00:00+01:00"
    world.core.deliver["google"](invitation(method="cancel"), ANNA)
    assert world.store.events(ANNA) == []


def test_an_answer_to_a_foreign_organizer_is_mailed_only_when_asked(world, anna):
    world.core.domains["chef@elsewhere.example"] = "graph"
    world.core.deliver["google"](invitation(recurrence=None), ANNA)
    (landed,) = world.store.events(ANNA)
    body = {"attendees": [{"email": ANNA, "responseStatus": "accepted"}]}
    anna.patch(calendarId="primary", eventId=landed["id"], body=body).execute()
    assert world.landed == []
    body = {"attendees": [{"email": ANNA, "responseStatus": "tentative"}]}
    anna.patch(calendarId="primary", eventId=landed["id"], body=body, sendUpdates="all").execute()
    assert [(recipient, mail.method, mail.response) for recipient, mail in world.landed] == [
        ("chef@elsewhere.example", "reply", "tentative")
    ]


def test_a_mailed_answer_is_noted_on_the_organizers_event(world):
    made = world.store.create_event(ANNA, meeting(OUTSIDER), send_updates="all")
    reply = invitation(method="reply", uid=made["iCalUID"], sender=OUTSIDER, response="accepted", recurrence=None)
    world.core.deliver["google"](reply, ANNA)
    guests = world.store.get_event(ANNA, made["id"])["attendees"]
    assert [(guest["email"], guest["responseStatus"]) for guest in guests] == [
        (ANNA, "accepted"),
        (OUTSIDER, "accepted"),
    ]


def test_busy_times_merge_and_leave_out_what_is_free_or_declined(world, anna):
    anna.insert(calendarId="primary", body=timed("2026-03-02T09:00", "2026-03-02T10:00")).execute()
    anna.insert(calendarId="primary", body=timed("2026-03-02T09:30", "2026-03-02T11:00")).execute()
    free = timed("2026-03-02T13:00", "2026-03-02T14:00", transparency="transparent")
    anna.insert(calendarId="primary", body=free).execute()
    declined = world.store.create_event(BOB, timed("2026-03-02T15:00", "2026-03-02T16:00", attendees=[{"email": ANNA}]))
    body = {"attendees": [{"email": ANNA, "responseStatus": "declined"}]}
    anna.patch(calendarId="primary", eventId=declined["id"], body=body).execute()
    window = {"timeMin": "2026-03-02T00:00:00+01:00", "timeMax": "2026-03-03T00:00:00+01:00"}
    asked = window | {"items": [{"id": ANNA}, {"id": "nobody@elsewhere.example"}]}
    answer = world.client(ROOT).freebusy().query(body=asked).execute()
    assert answer["calendars"][ANNA] == {"busy": [{"start": "2026-03-02T08:00:00Z", "end": "2026-03-02T10:00:00Z"}]}
    assert answer["calendars"]["nobody@elsewhere.example"]["errors"] == [{"domain": "global", "reason": "notFound"}]
