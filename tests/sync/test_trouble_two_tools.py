"""Another tool on the same calendars: one that puts our writes back, one that copies events as we do."""

from collections import Counter
from datetime import timedelta

import pytest

from calendars.models import Finding, Operation
from tests.sync.endings import Patience, assert_well, titles

pytestmark = pytest.mark.one_database

ROUNDS = 9


@pytest.mark.parametrize("where", ["outlook", "google"])
def test_a_tool_that_puts_our_writes_back_is_not_fought_without_end(world, where):
    ada, clock = world.person("ada"), Patience()
    ada.in_outlook(subject="Mine")
    world.activate()
    for number in range(ROUNDS):
        put_back(ada, where)
        clock.settle()
        edit_other(ada, where, f"Mine {number}")
        clock.settle()
        clock.sleep(5)
    writes = Operation.objects.filter(state="done").values_list("calendar__account__platform", flat=True)
    assert max(Counter(writes).values()) <= 8
    assert Operation.objects.filter(error_code="storm").exists()
    assert world.mails == []
    assert all(len(side) == 1 for side in titles(ada))
    clock.sleep(15 * 60)  # the other tool is switched off
    clock.wait_it_out()
    [title] = titles(ada)[0]
    assert_well(world, clock, ada, [title])


def put_back(person, where):
    """The other tool wants the old title."""
    if where == "outlook":
        person.edit_outlook(person.outlook[0]["id"], subject="Theirs")
    else:
        person.edit_google(person.google[0]["id"], summary="Theirs")


def edit_other(person, where, title):
    """The person keeps working on the other side."""
    if where == "outlook":
        person.edit_google(person.google[0]["id"], summary=title)
    else:
        person.edit_outlook(person.outlook[0]["id"], subject=title)


@pytest.mark.parametrize("ways", ["both ways", "to google", "to outlook"])
def test_a_tool_that_copies_whatever_it_finds_does_not_multiply_events_with_us(world, ways):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    ada.in_outlook(subject="Budget") if ways != "to outlook" else ada.in_google(summary="Budget")
    tool = CopyingTool(ada, ways)
    for _ in range(ROUNDS):
        clock.settle()
        tool.work()
        clock.sleep(60)
    clock.wait_it_out()
    assert len(ada.outlook) <= 6
    assert len(ada.google) <= 6
    assert world.mails == []
    assert ways == "both ways" or "another tool seems to copy" in Finding.objects.first().text
    before = titles(ada)
    for _ in range(3):
        tool.work()
        clock.wait_it_out()
    assert titles(ada) == before


class CopyingTool:
    """A simple sync of somebody else's: copies every event that it has not made or copied itself."""

    def __init__(self, person, ways="both ways"):
        self.person, self.ways = person, ways
        self.known = set()

    def work(self):
        for event in self.person.outlook if self.ways != "to outlook" else ():
            if event["id"] not in self.known:
                self.known |= {event["id"], self.person.in_google(summary=event["subject"])["id"]}
        for event in self.person.google if self.ways != "to google" else ():
            if event["id"] not in self.known:
                self.known |= {event["id"], self.person.in_outlook(subject=event["summary"])["id"]}


def test_once_the_other_tool_is_off_the_surplus_can_be_cleared_by_hand(world):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    ada.in_outlook(subject="Budget")
    tool = CopyingTool(ada, "to google")
    for _ in range(ROUNDS):
        clock.settle()
        tool.work()
        clock.sleep(60)
    clock.wait_it_out()
    for event in ada.google:
        if event["id"] in tool.known:
            ada.delete_google(event["id"])
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Budget"])


def test_the_copies_of_a_tool_that_was_faster_are_adopted(world):
    ada, clock = world.person("ada"), Patience()
    world.activate()
    ada.in_outlook(subject="Budget")
    CopyingTool(ada).work()
    clock.wait_it_out()
    assert_well(world, clock, ada, ["Budget"])
    assert clock.ahead < timedelta(minutes=30)
