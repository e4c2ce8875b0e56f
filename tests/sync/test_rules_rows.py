"""Rules as people write them, from their rows to both calendars: saved, seen first, applied, undone, nobody mailed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calendars import policy_change
from calendars.models import Link, PolicyChange
from calendars.sync.policy_effects import Effect
from syncrules.models import Rule, RuleScope
from syncrules.services.rules import change_rule
from syncrules.written import Draft, Whom
from tests.sync.company import BOTH_WAYS
from tests.sync.laws import save_rule


def apply_rules(world):
    now = timezone.now()
    change = policy_change.start(found=policy_change.preview(now=now), by=None, reason="privacy", now=now)
    while policy_change.carry_on(now=timezone.now()):
        pass
    world.settle()
    return change


@pytest.fixture
def ada(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Interview with Cem")
    ada.in_google(summary="Interview", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    ada.in_google(summary="Lunch", start="2026-12-03T09:00:00", end="2026-12-03T10:00:00")
    world.activate()
    return ada


def shown(ada):
    return sorted(item["summary"] for item in ada.google), sorted(item["subject"] for item in ada.outlook)


OPEN = (["Interview", "Interview with Cem", "Lunch"], ["Interview", "Interview with Cem", "Lunch"])


def test_a_rule_is_seen_first_applied_on_both_sides_and_undone(world, ada):
    made = save_rule({"details": "busy"}, when={"title": "interview"})
    assert policy_change.preview(now=timezone.now()).counts == {Effect.MASKED: 2}
    change = apply_rules(world)
    assert shown(ada) == (["Busy", "Interview", "Lunch"], ["Busy", "Interview with Cem", "Lunch"])
    assert {link.treatment["rule"] for link in Link.objects.exclude(treatment={})} == {f"{made.pk}v1"}
    assert world.audit().match_rate == 100.0

    policy_change.undo(change=change, by=None, reason="too much", now=timezone.now())
    while policy_change.carry_on(now=timezone.now()):
        pass
    world.settle()
    assert shown(ada) == OPEN
    made.refresh_from_db()
    assert not made.is_enabled
    assert world.audit().match_rate == 100.0
    assert world.mails == []


def test_undoing_the_second_change_goes_back_to_the_first(world, ada):
    made = save_rule({"details": "busy"}, when={"title": "interview"})
    apply_rules(world)
    draft = Draft(made.name, Whom(), {"title": "interview"}, {"do": "skip", "leaving": "remove"})
    change_rule(rule=made, draft=draft, by=None, why="more", now=timezone.now())
    second = apply_rules(world)
    assert shown(ada) == (["Interview", "Lunch"], ["Interview with Cem", "Lunch"])
    policy_change.undo(change=second, by=None, reason="less", now=timezone.now())
    while policy_change.carry_on(now=timezone.now()):
        pass
    world.settle()
    assert shown(ada) == (["Busy", "Interview", "Lunch"], ["Busy", "Interview with Cem", "Lunch"])
    made.refresh_from_db()
    assert (made.is_enabled, made.effects) == (True, {"details": "busy"})
    assert PolicyChange.objects.count() == 3
    assert world.mails == []


def test_a_rule_that_is_not_saved_can_be_seen_first(world, ada):
    draft = Rule(name="Draft", effects={"do": "skip", "leaving": "remove"}, changed_at=timezone.now())
    assert policy_change.preview(now=timezone.now(), instead=[draft]).counts == {Effect.REMOVED: 3}
    assert policy_change.preview(now=timezone.now()).counts == {}


@BOTH_WAYS
def test_a_rule_of_a_unit_holds_for_what_its_people_send_and_get(company):
    save_rule({"details": "title"}, whom=Whom(RuleScope.ORG_UNIT, org_unit=company.world.unit))
    company.invite(title="Review")
    company.world.settle()
    assert company.titles() == ["Review"]
    [copy] = company.items_of(company.bo)
    assert company.bo.address not in str(copy.get("description", "")) + str(copy.get("body", ""))
    company.assert_quiet()


def test_rules_changed_since_forbid_an_undo(world, ada):
    made = save_rule({"details": "busy"})
    change = apply_rules(world)
    draft = Draft(made.name, Whom(), {}, {"details": "title"})
    change_rule(rule=made, draft=draft, by=None, why="more", now=timezone.now() + timedelta(seconds=1))
    with pytest.raises(policy_change.ValidationError):
        policy_change.undo(change=change, by=None, reason="no", now=timezone.now())
