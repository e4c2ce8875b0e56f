"""What one platform cannot hold: long texts, events without length, several places, signs that no screen shows."""

from __future__ import annotations

from datetime import date

import pytest

from calendars.models import Finding
from tests.sync.sight import edit, other, read, settled

pytestmark = pytest.mark.one_database

LONG = " ".join(f"word{number}" for number in range(2000))
TITLE = "title " * 100
MARK = "shortened by CalSync"


def plain(words: str) -> dict:
    return {"contentType": "text", "content": words}


def test_a_text_too_long_for_google_is_shortened_in_the_copy_alone(world):
    ada = world.person("ada")
    ada.in_outlook(body=plain(LONG))
    world.activate()
    [copy] = ada.google
    assert len(copy["description"]) <= 8192
    assert copy["description"].startswith("word0 word1 ")
    assert MARK in copy["description"]
    assert read(ada, "outlook").content.body == LONG
    settled(world)


def test_a_long_text_with_a_guest_list_fits_and_keeps_the_list(world):
    ada = world.person("ada")
    guests = [{"emailAddress": {"address": f"g{n}@elsewhere.example", "name": f"<b>{n}</b>"}} for n in range(60)]
    ada.in_outlook(body=plain(LONG), attendees=guests)
    world.activate()
    [copy] = ada.google
    assert len(copy["description"]) <= 8192
    assert "g49@elsewhere.example" in copy["description"]
    assert MARK in copy["description"]
    settled(world)


def test_an_unrelated_edit_of_the_shortened_copy_leaves_the_whole_text_alone(world):
    ada = world.person("ada")
    ada.in_outlook(body=plain(LONG))
    world.activate()
    edit(ada, "google", title="Final")
    world.settle()
    assert read(ada, "outlook").content.title == "Final"
    assert read(ada, "outlook").content.body == LONG
    settled(world)


def test_an_edit_of_the_shortened_text_is_put_back_and_told(world):
    ada = world.person("ada")
    ada.in_outlook(body=plain(LONG))
    world.activate()
    before = ada.google[0]["description"]
    edit(ada, "google", body="short")
    world.settle()
    assert ada.google[0]["description"] == before
    assert read(ada, "outlook").content.body == LONG
    assert Finding.objects.get().kind == "copy_edited"
    settled(world)


def test_a_text_that_grew_too_long_in_the_copy_leaves_its_beginning_in_google(world):
    ada = world.person("ada")
    ada.in_google(description="short")
    world.activate()
    edit(ada, "outlook", body=LONG)
    world.settle()
    assert read(ada, "outlook").content.body == LONG
    assert MARK in ada.google[0]["description"]
    settled(world)


def test_a_title_too_long_for_outlook_is_shortened_in_the_copy_alone(world):
    ada = world.person("ada")
    ada.in_google(summary=TITLE)
    world.activate()
    [copy] = ada.outlook
    assert len(copy["subject"]) <= 255
    assert copy["subject"].endswith("\N{HORIZONTAL ELLIPSIS}")
    edit(ada, "outlook", place="Room 1")
    world.settle()
    assert ada.google[0]["summary"] == TITLE
    assert ada.google[0]["location"] == "Room 1"
    settled(world)


def test_line_ends_and_control_signs_of_a_title_do_not_reach_the_other_side(world):
    ada = world.person("ada")
    ada.in_google(summary="one\ntwo\x07\tthree", location="Hall 1\r\nDoor 2", description="a\x00\x0bb\x1b")
    world.activate()
    [copy] = ada.outlook
    assert copy["subject"] == "one two three"
    assert copy["location"]["displayName"] == "Hall 1 Door 2"
    assert read(ada, "outlook").content.body == "a\nb"
    settled(world)
    edit(ada, "outlook", body="c")
    world.settle()
    assert ada.google[0]["summary"] == "one\ntwo\x07\tthree"


def test_several_places_are_one_line_in_google_and_stay_several_in_outlook(world):
    ada = world.person("ada")
    ada.in_outlook(locations=[{"displayName": "Hall 1"}, {"displayName": "Hall 2"}])
    world.activate()
    assert ada.google[0]["location"] == "Hall 1; Hall 2"
    edit(ada, "google", title="Final")
    world.settle()
    assert [place["displayName"] for place in ada.outlook[0]["locations"]] == ["Hall 1", "Hall 2"]
    settled(world)


def test_an_edited_place_replaces_the_several_of_outlook(world):
    ada = world.person("ada")
    ada.in_outlook(locations=[{"displayName": "Hall 1"}, {"displayName": "Hall 2"}])
    world.activate()
    edit(ada, "google", place="Hall 3")
    world.settle()
    assert [place["displayName"] for place in ada.outlook[0]["locations"]] == ["Hall 3"]
    settled(world)


def test_an_event_without_length_lasts_a_minute_in_google_and_stays_without_in_outlook(world):
    ada = world.person("ada")
    ada.in_outlook(start="2026-12-01T09:00:00", end="2026-12-01T09:00:00")
    world.activate()
    [copy] = ada.google
    assert copy["end"]["dateTime"].startswith("2026-12-01T09:01:00")
    edit(ada, "google", title="Final")
    world.settle()
    [origin] = ada.outlook
    assert origin["subject"] == "Final"
    assert origin["start"] == origin["end"]
    settled(world)


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_formatting_and_links_reach_the_other_side(world, side):
    ada = world.person("ada")
    rich = 'See <b>all</b> of <a href="https://x.example/a?b=1&amp;c=2">this</a>'
    if side == "outlook":
        ada.in_outlook(body={"contentType": "html", "content": rich})
    else:
        ada.in_google(description=rich)
    world.activate()
    copy = ada.google[0]["description"] if side == "outlook" else ada.outlook[0]["body"]["content"]
    assert rich in copy
    settled(world)


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_scripts_and_handlers_never_reach_the_other_side(world, side):
    ada = world.person("ada")
    bad = '<b onclick="x()">a</b><script>y()</script><a href="javascript:z()">b</a><img src="https://x.example/p.png">'
    if side == "outlook":
        ada.in_outlook(body={"contentType": "html", "content": bad})
    else:
        ada.in_google(description=bad)
    world.activate()
    copy = ada.google[0]["description"] if side == "outlook" else ada.outlook[0]["body"]["content"]
    assert "<b>a</b>b" in copy
    assert not any(word in copy for word in ("onclick", "script", "y()", "z()", "<img"))
    settled(world)


@pytest.mark.parametrize("side", ["outlook", "google"])
def test_a_changed_text_replaces_the_formatted_one_of_the_other_side(world, side):
    ada = world.person("ada")
    ada.in_outlook(body={"contentType": "html", "content": "<p>Old <b>agenda</b></p>"})
    world.activate()
    edit(ada, side, body="New <i>agenda</i>")
    world.settle()
    assert read(ada, other(side)).content.body == "New agenda"
    shown = ada.google[0]["description"] if side == "outlook" else ada.outlook[0]["body"]["content"]
    assert "<i>agenda</i>" in shown
    settled(world)


def test_an_occurrence_with_a_text_of_its_own_keeps_its_words(world):
    ada = world.person("ada")
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday"}
    bounds = {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 3}
    made = ada.in_outlook(
        body={"contentType": "html", "content": "<b>Every</b> week"}, recurrence={"pattern": pattern, "range": bounds}
    )
    world.activate()
    own = {"contentType": "html", "content": "This <b>one</b>"}
    ada.edit_outlook(ada.occurrence_in_outlook(made["id"], date(2026, 12, 8)), body=own)
    world.settle()
    events = world.simulator.google.events(ada.address)
    assert {event.get("description") for event in events} == {"<b>Every</b> week", "This one"}
    settled(world)
