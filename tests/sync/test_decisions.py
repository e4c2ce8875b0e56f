"""Deciding about versions: what lost can be swapped in, travels, and can be swapped back."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from calendars import decisions
from calendars.choices import CHOICES, Decision, choices
from calendars.models import Calendar, Event, Finding, Operation
from calendars.sync.run import serve
from calsync.engine import serial
from calsync.engine.plan import FindingKind
from conflicts.services import open_cases

INVITED = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]


def serve_only(person, platform):
    """Read one side only, as when the other's worker is late."""
    chosen = Calendar.objects.filter(account__person=person.user, account__platform=platform)
    return serve(calendars=chosen, clock=timezone.now, until_idle=False)


def subjects(person) -> tuple[list[str], list[str]]:
    return sorted(event["subject"] for event in person.outlook), sorted(event["summary"] for event in person.google)


def quiet(world):
    before = world.provider_writes()
    assert world.settle().idle
    assert world.provider_writes() == before


def edited_on_both_sides(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], subject="From Outlook")
    ada.edit_google(ada.google[0]["id"], summary="From Google")
    world.settle()
    return ada, Finding.objects.get(kind="both_edited")


def test_the_losing_version_is_swapped_in_and_travels(world):
    ada, found = edited_on_both_sides(world)
    winner = ada.outlook[0]["subject"]
    loser = ({"From Outlook", "From Google"} - {winner}).pop()
    assert subjects(ada) == ([winner], [winner])
    decisions.swap(found, now=timezone.now())
    assert serial.load_value(found.values["title"]) == winner
    assert world.settle().idle
    assert subjects(ada) == ([loser], [loser])
    quiet(world)


def test_a_swap_is_undone_by_swapping_back(world):
    ada, found = edited_on_both_sides(world)
    winner = ada.outlook[0]["subject"]
    decisions.swap(found, now=timezone.now())
    world.settle()
    assert [choice.decision for choice in choices(found)] == [Decision.SWAP_BACK]
    decisions.swap_back(found, now=timezone.now())
    world.settle()
    assert subjects(ada) == ([winner], [winner])
    assert [choice.decision for choice in choices(found)] == [Decision.SWAP]


def test_a_second_click_does_not_swap_back(world):
    ada, found = edited_on_both_sides(world)
    loser = serial.load_value(found.values["title"])
    twice = Finding.objects.get(pk=found.pk)
    decisions.swap(found, now=timezone.now())
    assert decisions.swap(twice, now=timezone.now()) == "That has been decided already."
    world.settle()
    assert subjects(ada) == ([loser], [loser])


def test_what_was_edited_since_is_not_touched_by_a_swap(world):
    ada, found = edited_on_both_sides(world)
    loser = serial.load_value(found.values["title"])
    ada.edit_google(ada.google[0]["id"], location="Room 9")
    world.settle()
    decisions.swap(found, now=timezone.now())
    world.settle()
    assert subjects(ada) == ([loser], [loser])
    assert ada.outlook[0]["location"]["displayName"] == ada.google[0]["location"] == "Room 9"


def test_accepting_leaves_everything_as_it_is(world):
    ada, found = edited_on_both_sides(world)
    before = subjects(ada)
    decisions.accept(found, now=timezone.now())
    quiet(world)
    assert subjects(ada) == before
    assert decisions.is_done(found)
    assert choices(found) == ()
    with pytest.raises(ValidationError):
        decisions.swap(found, now=timezone.now())


def test_a_deleted_event_cannot_be_swapped(world):
    ada, found = edited_on_both_sides(world)
    ada.delete_outlook(ada.outlook[0]["id"])
    world.settle()
    with pytest.raises(ValidationError, match="deleted since"):
        decisions.swap(found, now=timezone.now())
    found.refresh_from_db()
    assert (found.decision, found.settled_at) == ("", None)


def test_the_edit_of_a_copy_never_travels_where_it_would_mail_guests(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Review", attendees=INVITED)
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Hijacked")
    world.settle()
    found = Finding.objects.get(kind="copy_edited")
    with pytest.raises(ValidationError, match="would mail its guests"):
        decisions.swap(found, now=timezone.now())
    quiet(world)
    assert subjects(ada) == (["Review"], ["Review"])
    assert world.mails == []


def test_the_edit_of_a_copy_may_be_taken_once_the_guests_are_gone(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Review", attendees=INVITED)
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Better name")
    world.settle()
    ada.edit_outlook(ada.outlook[0]["id"], attendees=[])
    world.settle()
    decisions.swap(Finding.objects.get(kind="copy_edited"), now=timezone.now())
    world.settle()
    assert subjects(ada) == (["Better name"], ["Better name"])
    assert world.mails == []


def edit_won(world):
    """Deleted in Outlook while it was edited in Google: the event was made again."""
    ada = world.person("ada")
    ada.in_outlook(subject="Draft")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Important now")
    serve_only(ada, "google")
    ada.delete_outlook(ada.outlook[0]["id"])
    world.settle()
    assert subjects(ada) == (["Important now"], ["Important now"])
    return ada, Finding.objects.get(kind="delete_against_edit")


def test_an_event_that_an_edit_saved_is_deleted_after_all(world):
    ada, found = edit_won(world)
    decisions.swap(found, now=timezone.now())
    assert world.settle().idle
    assert subjects(ada) == ([], [])
    quiet(world)


def test_an_event_that_was_deleted_after_all_is_made_again(world):
    ada, found = edit_won(world)
    decisions.swap(found, now=timezone.now())
    world.settle()
    decisions.swap_back(found, now=timezone.now())
    assert world.settle().idle
    assert subjects(ada) == (["Important now"], ["Important now"])
    assert world.audit().match_rate == 100.0
    assert Event.objects.count() == 1
    quiet(world)


def test_a_deletion_turned_round_before_it_was_written_writes_only_what_is_missing(world):
    ada, found = edit_won(world)
    decisions.swap(found, now=timezone.now())
    decisions.swap_back(found, now=timezone.now())
    assert world.settle().idle
    assert subjects(ada) == (["Important now"], ["Important now"])
    assert not Operation.objects.filter(kind="delete", state="done").exists()


def test_an_event_that_is_no_longer_kept_cannot_be_swapped(world):
    _, found = edit_won(world)
    Event.objects.all().delete()
    with pytest.raises(ValidationError, match="no longer kept"):
        decisions.swap(Finding.objects.get(pk=found.pk), now=timezone.now())


def test_a_series_swaps_its_time_and_rule_back_and_forth(world):
    ada = world.person("ada")
    ada.in_google(summary="Weekly", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"])
    world.activate()
    ada.edit_google(ada.google[0]["id"], recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
    pattern = ada.outlook[0]["recurrence"]["pattern"]
    shorter = {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 3}
    ada.edit_outlook(ada.outlook[0]["id"], recurrence={"pattern": pattern, "range": shorter})
    world.settle()
    found = Finding.objects.get(kind="both_edited")
    before = ada.google[0]["recurrence"]
    decisions.swap(found, now=timezone.now())
    world.settle()
    swapped = ada.google[0]["recurrence"]
    assert {before[0], swapped[0]} == {f"RRULE:FREQ=WEEKLY;COUNT={count};BYDAY=TU" for count in (3, 5)}
    decisions.swap_back(found, now=timezone.now())
    world.settle()
    assert ada.google[0]["recurrence"] == before
    quiet(world)


def test_every_kind_has_a_decision_with_its_words():
    assert set(CHOICES) == set(FindingKind)
    for offered in CHOICES.values():
        assert len({choice.decision for choice in offered}) == len(offered) > 0
        assert all(choice.label and choice.sentence.endswith(".") for choice in offered)


def test_an_obstacle_that_somebody_has_seen_stays_an_obstacle(world):
    ada = world.person("ada")
    found = Finding.objects.create(
        kind="cannot_represent", person=ada.user, text="x", created_at=timezone.now(), case_opened_at=timezone.now()
    )
    decisions.accept(found, now=timezone.now())
    assert (found.decision, found.settled_at, decisions.is_done(found)) == ("accept", None, True)


def test_a_click_in_the_console_reaches_the_other_side(world, admin_client):
    ada, found = edited_on_both_sides(world)
    loser = serial.load_value(found.values["title"])
    open_cases(now=timezone.now())
    page = reverse("admin:conflicts_case_decide", args=[found.case.pk, "swap"])
    told = admin_client.post(page, {"reason": "agreed by phone"}, follow=True).content.decode()
    assert "The other version is written to both sides now" in told
    world.settle()
    assert subjects(ada) == ([loser], [loser])
