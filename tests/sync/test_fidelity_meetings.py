"""Online meetings, notes and reminders: links stay where they work and are shown as text; the rest stays."""

from __future__ import annotations

import pytest

from calendars.models import Finding
from calsync.engine.note import END_MARKER, MARKER
from tests.sync.sight import edit, read, settled

pytestmark = pytest.mark.one_database

MEET = {"conferenceData": {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}}
GUESTS = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]


def teams(person) -> str:
    """A Teams meeting in Outlook; its link."""
    made = person.in_outlook(body={"contentType": "html", "content": "<p>Agenda</p>"}, isOnlineMeeting=True)
    return made["onlineMeeting"]["joinUrl"]


def meet(person) -> str:
    """A meeting with a Meet link in Google; its link."""
    return person.in_google(description="Agenda", **MEET)["hangoutLink"]


def test_a_teams_link_is_shown_once_in_google(world):
    ada = world.person("ada")
    link = teams(ada)
    world.activate()
    assert ada.google[0]["description"].count(link) == 1
    assert ada.google[0]["description"].startswith("Agenda")
    settled(world)


def test_an_edit_in_google_leaves_the_teams_meeting_whole(world):
    ada = world.person("ada")
    link = teams(ada)
    world.activate()
    edit(ada, "google", title="Final", place="Room 1")
    world.settle()
    [origin] = ada.outlook
    assert origin["subject"] == "Final"
    assert origin["onlineMeeting"]["joinUrl"] == link
    assert origin["body"]["content"].count(link) == 1
    settled(world)


def test_an_edited_text_of_a_teams_meeting_is_put_back_in_google_and_told(world):
    ada = world.person("ada")
    link = teams(ada)
    world.activate()
    edit(ada, "google", body="Agenda v2")
    world.settle()
    assert ada.google[0]["description"].count(link) == 1
    assert ada.outlook[0]["onlineMeeting"]["joinUrl"] == link
    assert Finding.objects.get().kind == "copy_edited"
    settled(world)


def test_a_changed_text_of_a_teams_meeting_reaches_google_from_outlook(world):
    ada = world.person("ada")
    link = teams(ada)
    world.activate()
    edit(ada, "outlook", body=ada.outlook[0]["body"]["content"].replace("Agenda", "Agenda v2"))
    world.settle()
    assert ada.google[0]["description"].startswith("Agenda v2")
    assert ada.google[0]["description"].count(link) == 1
    settled(world)


def test_a_meet_link_is_shown_once_in_outlook(world):
    ada = world.person("ada")
    link = meet(ada)
    world.activate()
    assert read(ada, "outlook").content.body == f"Agenda\n\nJoin online: {link} (kept by CalSync)"
    settled(world)


def test_a_text_edited_in_outlook_reaches_google_without_the_link(world):
    ada = world.person("ada")
    link = meet(ada)
    world.activate()
    edit(ada, "outlook", body=f"Agenda v2<br><br>Join online: {link} (kept by CalSync)")
    world.settle()
    assert ada.google[0]["description"] == "Agenda v2"
    assert ada.google[0]["hangoutLink"] == link
    assert read(ada, "outlook").content.body.count(link) == 1
    settled(world)


def test_a_meet_link_that_is_removed_leaves_outlook_too(world):
    ada = world.person("ada")
    meet(ada)
    world.activate()
    ada.edit_google(ada.google[0]["id"], conferenceData=None)
    world.settle()
    assert "hangoutLink" not in ada.google[0]
    assert read(ada, "outlook").content.body == "Agenda"
    settled(world)


def test_a_guest_list_that_was_edited_in_the_copy_is_put_back(world):
    ada = world.person("ada")
    ada.in_outlook(body={"contentType": "text", "content": "Agenda"}, attendees=GUESTS)
    world.activate()
    before = ada.google[0]["description"]
    edit(ada, "google", body=f"Agenda\n\n{MARKER}\n- nobody\n{END_MARKER}")
    world.settle()
    assert ada.google[0]["description"] == before
    assert not Finding.objects.exists()
    settled(world)


def test_a_link_line_that_was_taken_out_of_the_copy_comes_back(world):
    ada = world.person("ada")
    link = meet(ada)
    world.activate()
    edit(ada, "outlook", body="Agenda")
    world.settle()
    assert read(ada, "outlook").content.body.count(link) == 1
    assert ada.google[0]["description"] == "Agenda"
    settled(world)


def test_reminders_are_left_to_each_side(world):
    ada = world.person("ada")
    ada.in_outlook(isReminderOn=True, reminderMinutesBeforeStart=45)
    world.activate()
    assert ada.google[0]["reminders"] == {"useDefault": True}
    own = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}
    edit(ada, "google", reminders=own)
    settled(world)
    for side, title in (("google", "Second"), ("outlook", "Third")):
        edit(ada, side, title=title)
        world.settle()
    [outlook], [google] = ada.outlook, ada.google
    assert (outlook["subject"], google["summary"]) == ("Third", "Third")
    assert (outlook["isReminderOn"], outlook["reminderMinutesBeforeStart"]) == (True, 45)
    assert google["reminders"] == own


def test_a_new_reminder_is_no_change_for_the_other_side(world):
    ada = world.person("ada")
    ada.in_outlook()
    world.activate()
    edit(ada, "outlook", reminderMinutesBeforeStart=5, isReminderOn=False)
    settled(world)
    assert ada.google[0]["reminders"] == {"useDefault": True}


@pytest.mark.parametrize("fields", [{"categories": ["Red"]}, {"importance": "high"}])
def test_what_only_outlook_knows_is_no_change_and_stays(world, fields):
    ada = world.person("ada")
    ada.in_outlook(**fields)
    world.activate()
    edit(ada, "google", title="Final")
    world.settle()
    assert ada.outlook[0] | fields == ada.outlook[0]
    settled(world)


def test_the_colour_of_google_is_no_change_and_stays(world):
    ada = world.person("ada")
    ada.in_google(colorId="5")
    world.activate()
    edit(ada, "outlook", title="Final")
    world.settle()
    assert (ada.google[0]["summary"], ada.google[0]["colorId"]) == ("Final", "5")
    settled(world)


def test_an_attachment_of_google_is_no_change_and_stays(world):
    ada = world.person("ada")
    file = {"fileUrl": "https://drive.example/1", "title": "Plan"}
    ada.in_google(attachments=[file])
    world.activate()
    edit(ada, "outlook", title="Final")
    world.settle()
    assert (ada.google[0]["summary"], ada.google[0]["attachments"]) == ("Final", [file])
    settled(world)
