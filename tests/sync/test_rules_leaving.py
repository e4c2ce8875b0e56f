"""Events that leave their rule, and come back: the copy is left, masked or removed, never doubled; nobody is mailed."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from calendars.models import Event, EventEntry, Finding, Link, Operation
from calendars.sync.admission import admit_due
from calsync.engine.treatment import Leaving
from tests.sync.company import BOTH_WAYS, WEEKLY
from tests.sync.laws import HOLD, SKIP


def quiet(world):
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0
    assert world.mails == []


def test_what_no_rule_lets_through_has_no_copy_and_is_never_asked_for_again(world, laws):
    rule = laws.everybody(SKIP, titled="secret")
    ada = world.person("ada")
    ada.in_outlook(subject="secret plan")
    ada.in_google(summary="lunch")
    world.activate()
    assert ada.google[0]["summary"] == "lunch"
    assert len(ada.google) == 1
    assert Link.objects.get(withheld="skipped").treatment["rule"] == rule.label
    assert world.audit().match_rate == 100.0
    quiet(world)
    ada.edit_outlook(ada.outlook[0]["id"], subject="open plan")
    world.settle()
    assert sorted(item["summary"] for item in ada.google) == ["lunch", "open plan"]
    quiet(world)


@pytest.mark.parametrize(
    ("leaving", "shown"),
    [("keep", ["Plan"]), ("mask", ["Busy"]), ("remove", [])],
)
@pytest.mark.parametrize("weekly", [False, True])
def test_a_copy_whose_event_leaves_its_rule_and_comes_back(world, laws, leaving, shown, weekly):
    laws.everybody({**SKIP, "leaving": leaving}, titled="secret")
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan", **({"recurrence": WEEKLY["outlook"]} if weekly else {}))
    world.activate()
    [copy] = ada.google
    ada.edit_outlook(made["id"], subject="secret plan")
    world.settle()
    assert [item["summary"] for item in ada.google] == shown
    assert world.audit().match_rate == 100.0
    quiet(world)
    ada.edit_outlook(made["id"], subject="secret plan 2")
    world.settle()
    assert [item["summary"] for item in ada.google] == shown
    ada.edit_outlook(made["id"], subject="Open plan")
    world.settle()
    [now] = ada.google
    assert now["summary"] == "Open plan"
    assert (now["id"] == copy["id"]) == (leaving != "remove")
    assert len(ada.outlook) == 1
    quiet(world)


def test_what_happens_to_a_copy_that_was_left_is_not_followed(world, laws):
    laws.everybody(SKIP, titled="secret")
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="secret plan")
    world.settle()
    ada.edit_google(ada.google[0]["id"], summary="My own note")
    world.settle()
    assert ([item["subject"] for item in ada.outlook], Event.objects.count()) == (["secret plan"], 1)
    ada.edit_outlook(made["id"], subject="Open")
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Open"]
    quiet(world)


def test_a_left_copy_that_its_person_deletes_takes_nothing_with_it(world, laws):
    laws.everybody(SKIP, titled="secret")
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="secret plan")
    world.settle()
    ada.delete_google(ada.google[0]["id"])
    world.settle()
    assert [item["subject"] for item in ada.outlook] == ["secret plan"]
    ada.edit_outlook(made["id"], subject="Open")
    world.settle()
    assert ada.google == []
    quiet(world)


def test_what_a_person_made_on_both_sides_is_never_removed(world, laws):
    laws.everybody({**SKIP, "leaving": "remove"}, titled="secret")
    ada = world.person("ada")
    made = ada.in_outlook(subject="Plan")
    ada.in_google(summary="Plan")
    world.activate()
    ada.edit_outlook(made["id"], subject="secret plan")
    world.settle()
    assert [item["summary"] for item in ada.google] == ["Plan"]
    assert Link.objects.get(withheld="kept")
    quiet(world)


def test_a_pair_that_no_rule_lets_be_one_stays_two_and_quiet(world, laws):
    laws.everybody(SKIP)
    ada = world.person("ada")
    ada.in_outlook(subject="Plan")
    ada.in_google(summary="Plan")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Other")
    ada.edit_outlook(ada.outlook[0]["id"], subject="Another")
    world.settle()
    assert (ada.google[0]["summary"], ada.outlook[0]["subject"]) == ("Other", "Another")
    assert Operation.objects.count() == 0
    quiet(world)


@BOTH_WAYS
@pytest.mark.parametrize("leaving", [*Leaving])
def test_a_colleagues_copy_leaves_and_comes_back_without_a_mail(company, laws, leaving):
    laws.everybody({**SKIP, "leaving": leaving}, titled="secret")
    made = company.invite(title="Review")
    company.world.settle()
    assert company.titles() == ["Review"]
    company.edit(made, title="secret review")
    company.world.settle()
    expected = {"keep": ["Review"], "mask": ["Busy"], "remove": []}
    assert company.titles() == expected[leaving]
    company.edit(made, title="Review again")
    company.world.settle()
    assert company.titles() == ["Review again"]
    company.assert_quiet()
    assert company.world.audit().match_rate == 100.0


@BOTH_WAYS
def test_a_held_copy_waits_for_its_approval_and_a_new_time_asks_again(company, laws):
    laws.everybody(HOLD)
    made = company.invite(title="Review")
    company.world.settle()
    assert company.titles() == []
    finding = Finding.objects.get(kind="approval")
    assert (finding.person, finding.link.calendar) == (company.bo.user, company.calendar(company.bo))
    company.edit(made, title="Review 2")
    company.world.settle()
    assert Finding.objects.count() == 1, "a new title asks nobody again"
    company.decide(finding, "release")
    company.world.settle()
    assert company.titles() == ["Review 2"]
    company.edit(made, title="Review 3")
    company.world.settle()
    assert company.titles() == ["Review 3"]
    company.move(made, "14:00")
    company.world.settle()
    assert company.times() != ["14:00"], "the new time waits"
    again = Finding.objects.get(kind="approval", settled_at=None)
    company.decide(again, "release")
    company.world.settle()
    assert company.times() == ["14:00"]
    company.assert_quiet()


@BOTH_WAYS
def test_a_refused_copy_is_not_made_and_a_refused_move_takes_the_old_one_out(company, laws):
    laws.everybody(HOLD)
    made = company.invite(title="Review")
    company.world.settle()
    company.decide(Finding.objects.get(), "refuse")
    company.world.settle()
    company.edit(made, title="Review 2")
    company.world.settle()
    assert company.titles() == []
    assert Finding.objects.count() == 1
    company.move(made, "14:00")
    company.world.settle()
    company.decide(Finding.objects.get(settled_at=None), "release")
    company.world.settle()
    assert company.titles() == ["Review 2"]
    company.move(made, "15:00")
    company.world.settle()
    company.decide(Finding.objects.get(settled_at=None), "refuse")
    company.world.settle()
    assert company.titles() == []
    company.assert_quiet()


@BOTH_WAYS
def test_an_approval_of_what_has_moved_since_is_refused_with_a_sentence(company, laws):
    laws.everybody(HOLD)
    made = company.invite(title="Review")
    company.world.settle()
    first = Finding.objects.get()
    company.move(made, "14:00")
    company.world.settle()
    with pytest.raises(ValidationError):
        company.decide(first, "release")
    assert company.titles() == []


@BOTH_WAYS
def test_a_held_copy_of_a_deleted_meeting_goes_with_it(company, laws):
    made = company.invite(title="Review")
    company.world.settle()
    laws.everybody(HOLD)
    company.move(made, "14:00")
    company.world.settle()
    assert company.times() != ["14:00"]
    company.delete(made)
    company.world.settle()
    assert company.titles() == []
    company.assert_quiet()


def test_an_event_beyond_the_horizon_comes_in_when_its_time_has_come(world, laws):
    laws.everybody({"horizon": 30})
    ada = world.person("ada")
    ada.in_outlook(subject="Soon")
    ada.in_outlook(subject="Later", start="2027-03-01T09:00:00", end="2027-03-01T10:00:00")
    world.activate()
    assert [item["summary"] for item in ada.google] == ["Soon"]
    assert Link.objects.get(withheld="beyond")
    assert admit_due(now=timezone.now()) == 0
    quiet(world)
    with time_machine.travel(timezone.now() + timedelta(days=90), tick=True):
        assert admit_due(now=timezone.now()) == 1
        world.settle()
        assert sorted(item["summary"] for item in ada.google) == ["Later", "Soon"]
        assert EventEntry.objects.filter(kind="let_through").exists()
        quiet(world)
