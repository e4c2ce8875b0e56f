"""The console's pages of rules: written, refused, compared, restored, moved and tried."""

import json

import pytest
from django.urls import reverse

from accounts.models import User
from syncrules.models import Rule
from syncrules.services import create_rule
from syncrules.written import draft_of
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/syncrules/rule/"
FORM = {"name": "Busy", "scope": "everybody", "is_enabled": "on", "why": "asked for"}


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


def make(name="Busy"):
    draft = draft_of({"name": name, "when": {"series": True}, "then": {"details": "busy"}})
    return create_rule(draft=draft, by=None, why="first", now=NOW)


def test_a_rule_is_written_in_yaml_and_becomes_a_version(root):
    page = root.get(f"{LIST}add/")
    assert b"zone_distance: {at_least: 6}" in page.content
    answer = root.post(f"{LIST}add/", {**FORM, "conditions": "series: true", "effects": "details: busy"})
    assert answer.status_code == 302, answer.context["errors"]
    rule = Rule.objects.get()
    assert (rule.conditions, rule.effects, rule.version) == ({"series": True}, {"details": "busy"}, 1)
    assert rule.changed_by.email == "root@example.org"
    assert b"Busy" in root.get(LIST).content


@pytest.mark.parametrize(
    ("wrong", "field", "problem"),
    [
        ({"conditions": "weekday: xx"}, "conditions", "weekday: 'xx' is not known here"),
        ({"conditions": "a: ["}, "conditions", "This is no YAML: see line 1."),
        ({"effects": "do: hold"}, "effects", "say who decides"),
        ({"scope": "person"}, "person", "Say which one."),
        ({"why": ""}, "why", "required"),
        ({"name": "taken"}, "name", "Another rule has this name."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(root, wrong, field, problem):
    make("Taken")
    answer = root.post(f"{LIST}add/", {**FORM, "conditions": "", "effects": "", **wrong})
    assert answer.status_code == 200
    assert problem in " ".join(answer.context["adminform"].form.errors[field])
    assert Rule.objects.count() == 1


def test_a_change_is_compared_and_taken_back(root):
    rule = make()
    page = f"{LIST}{rule.pk}/change/"
    assert b"series: true" in root.get(page).content
    assert root.post(page, {**FORM, "conditions": "series: true", "effects": "do: skip"}).status_code == 302
    history = reverse("admin:syncrules_rule_history_of_rule", args=[rule.pk])
    assert b"details: busy" in root.get(history).content
    assert root.post(history, {"number": "9", "reason": "x"}).status_code == 200
    assert root.post(history, {"number": "1", "reason": "it was better"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.version, rule.effects) == (3, {"details": "busy"})


def test_a_rule_is_moved(root):
    make("A")
    second = make("B")
    page = reverse("admin:syncrules_rule_move", args=[second.pk])
    assert root.get(page).status_code == 200
    assert root.post(page, {"position": "1", "reason": "x"}).status_code == 302
    assert list(Rule.objects.order_by("position").values_list("name", flat=True)) == ["B", "A"]


def test_rules_are_tried_on_a_page(root):
    make()
    UserFactory(email="ada@example.org")
    page = reverse("admin:syncrules_rule_try_it")
    assert root.get(page).status_code == 200
    moment = {"timeZone": "UTC", "dateTime": "2026-11-30T10:00:00Z"}
    event = json.dumps({"summary": "Salary", "start": moment, "end": moment, "recurrence": ["RRULE:FREQ=DAILY"]})
    answer = root.post(page, {"person": "ada@example.org", "event": event})
    assert b"Busy decides: sync" in answer.content
    assert b"It is a series (daily) without an end." in answer.content
    wrong = root.post(page, {"person": "no@example.org", "event": "x"})
    assert "person" in wrong.context["form"].errors


def test_who_may_not_change_rules_sees_no_form(client):
    client.force_login(UserFactory(is_staff=True))
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(reverse("admin:syncrules_rule_try_it")).status_code == 403
