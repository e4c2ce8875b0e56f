"""``explain_event`` names the rule that decided; an audit tells what shows through a mask from what is merely old."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from calendars.models import Event
from tests.sync.laws import BUSY, HOLD, SKIP


def explained():
    out = StringIO()
    call_command("explain_event", str(Event.objects.get().pk), "--json", stdout=out)
    places = json.loads(out.getvalue())["places"]
    return next(one for one in places if one["name"].startswith("Google")), out.getvalue()


@pytest.mark.parametrize(
    ("then", "state", "code", "words"),
    [
        (BUSY, "in step", "masked", "Rule {rule} masks here: free or busy, location, text, title"),
        (SKIP, "not wanted", "rule", "Rule {rule} does not let it travel into this calendar."),
        ({"horizon": 3}, "not wanted", "rule_horizon", "Rule {rule} lets events travel 3 days ahead"),
        (HOLD, "held", "approval", "waits for an approval by manager"),
    ],
)
def test_the_rule_that_decided_is_named_and_no_content_is(world, laws, then, state, code, words):
    rule = laws.everybody(then)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist", location={"displayName": "Main Street"})
    world.activate()
    place, everything = explained()
    assert place["state"] == state
    [reason] = [reason for reason in place["reasons"] if reason["code"] == code]
    assert words.format(rule=rule.label) in reason["text"]
    assert "Dentist" not in everything
    assert "Main Street" not in everything


def test_a_copy_that_was_left_says_so(world, laws):
    ada = world.person("ada")
    made = ada.in_outlook(subject="Dentist")
    world.activate()
    laws.everybody(SKIP)
    ada.edit_outlook(made["id"], subject="Doctor")
    world.settle()
    place, _ = explained()
    assert "its copy was left as it is" in place["reasons"][0]["text"]


def test_an_audit_finds_what_shows_through_a_mask_and_repair_masks_it(world, laws):
    laws.everybody(BUSY)
    ada = world.person("ada")
    ada.in_outlook(subject="Dentist")
    world.activate()
    ada.edit_google(ada.google[0]["id"], summary="Dentist")
    report = world.audit()
    assert [(found.kind, found.paths) for found in report.differences] == [("policy", ("title",))]
    assert report.match_rate < 100
    out = StringIO()
    call_command("audit", "--repair", "--json", stdout=out)
    assert [item["summary"] for item in ada.google] == ["Busy"]
    assert world.audit().match_rate == 100.0
