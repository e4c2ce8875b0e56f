"""A change of rules is shown before it is saved: in the console and by ``manage.py rules``; then applied and undone."""

import re

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import Clearance, TrailEntry, User
from calendars import policy_change, rule_changes
from calendars.models import Calendar, Operation, PolicyChange
from syncrules.models import Rule, RuleVersion
from syncrules.services import change_rule, create_rule
from syncrules.services.exchange import export_rules
from syncrules.services.rules import draft_as_it_is
from syncrules.written import draft_of

LIST = "/admin/syncrules/rule/"
ADD = f"{LIST}add/"
FORM = {"name": "Busy", "scope": "everybody", "is_enabled": "on", "why": "asked for"}
MASKS = {**FORM, "conditions": "title: private", "effects": "details: busy"}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def ada(world):
    ada = world.person("ada")
    for day in (1, 2, 3):
        ada.in_outlook(subject=f"Private {day}", start=f"2026-12-0{day}T09:00:00", end=f"2026-12-0{day}T10:00:00")
    ada.in_google(summary="Public", start="2026-12-09T09:00:00", end="2026-12-09T10:00:00")
    world.activate()
    return ada


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "x", name="Root"))
    return client


def make(name="Busy", **form):
    form = {"when": {"title": "private"}, "then": {"details": "busy"}, **form}
    return create_rule(draft=draft_of({"name": name, **form}), by=None, why="first", now=timezone.now())


def begin():
    now = timezone.now()
    policy_change.start(found=policy_change.preview(now=now), by=None, reason="start", now=now)
    finish()


def finish():
    while policy_change.carry_on(now=timezone.now()):
        pass


def sent_by(answer) -> dict[str, str]:
    """What the preview would send again, whichever button is pressed."""
    return dict(HIDDEN.findall(answer.content.decode().split("Nothing has been saved yet.")[1]))


def titles(ada):
    return sorted(item["summary"] for item in ada.google)


def test_a_new_rule_shows_its_numbers_and_saves_nothing(world, ada, root):
    world.simulator.core.ledger.clear()
    answer = root.post(ADD, MASKS)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "4 events were compared with the rules as they would be. For 3 of them something changes." in page
    assert "Copies masked" in page
    assert "/Sales" in page
    assert not Rule.objects.exists()
    assert not RuleVersion.objects.exists()
    assert not PolicyChange.objects.exists()
    assert not Operation.objects.open().exists()
    assert world.simulator.core.ledger.calls == []


def test_applied_it_is_saved_and_carried_out_in_batches_and_undone(world, ada, root, monkeypatch):
    monkeypatch.setattr(policy_change, "BATCH", 2)
    sent = sent_by(root.post(ADD, MASKS))
    answer = root.post(ADD, {**sent, "_apply": "1"})
    change = PolicyChange.objects.get()
    assert answer["Location"] == reverse("admin:calendars_policychange_change", args=[change.pk])
    assert (change.total, change.batches.count(), change.reason) == (3, 2, "asked for")
    assert Rule.objects.get().version == 1
    finish()
    world.settle()
    assert titles(ada) == ["Busy", "Busy", "Busy", "Public"]

    policy_change.undo(change=change, by=None, reason="no", now=timezone.now())
    finish()
    world.settle()
    assert titles(ada) == ["Private 1", "Private 2", "Private 3", "Public"]
    assert not Rule.objects.get().is_enabled
    assert world.mails == []


def test_a_rule_that_concerns_no_event_is_saved_at_once(world, ada, root):
    answer = root.post(ADD, {**MASKS, "conditions": "title: nowhere"})
    assert answer["Location"] == LIST
    assert Rule.objects.get().name == "Busy"
    assert not PolicyChange.objects.exists()


def test_back_to_editing_keeps_every_word(world, ada, root):
    sent = sent_by(root.post(ADD, MASKS))
    answer = root.post(ADD, {**sent, "_edit": "1"})
    form = answer.context["adminform"].form
    assert form["conditions"].value() == "title: private"
    assert (form["name"].value(), form["why"].value()) == ("Busy", "asked for")
    assert not form.errors
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("edit", "effect"),
    [
        ({"effects": "{do: skip, leaving: remove}"}, "removed"),
        ({"effects": "{do: hold, approver: manager}"}, "held for approval"),
        ({"is_enabled": ""}, "unmasked"),
        ({"conditions": "title: private 1"}, "unmasked"),
    ],
)
def test_an_edit_and_switching_off_show_their_numbers(world, ada, root, edit, effect):
    rule = make()
    begin()
    world.settle()
    page = f"{LIST}{rule.pk}/change/"
    answer = root.post(page, {**MASKS, **edit, "seen": "1"})
    assert f"Copies {effect}" in answer.content.decode()
    rule.refresh_from_db()
    assert (rule.version, rule.is_enabled, rule.effects) == (1, True, {"details": "busy"})
    root.post(page, {**sent_by(answer), "_apply": "1"})
    finish()
    rule.refresh_from_db()
    assert rule.version == 2
    assert policy_change.preview(now=timezone.now()).counts == {}


def test_what_another_saved_meanwhile_is_told_and_nothing_is_lost(world, ada, root):
    rule, bo = make(), User.objects.create_superuser("bo@example.org", "x", name="Bo")
    page = f"{LIST}{rule.pk}/change/"
    assert root.get(page).context["adminform"].form["seen"].value() == 1
    draft = draft_of({"name": "Busy", "when": {"title": "private"}, "then": {"details": "title"}})
    change_rule(rule=rule, draft=draft, by=bo, why="titles are fine", now=timezone.now())

    answer = root.post(page, {**MASKS, "conditions": "title: private 1", "seen": "1"})
    form = answer.context["adminform"].form
    told = " ".join(form.non_field_errors())
    assert "saved version 2 of this rule" in told
    assert "titles are fine" in told
    assert '"then" is now details: title.' in told
    assert form["conditions"].value() == "title: private 1"
    rule.refresh_from_db()
    assert (rule.version, rule.effects) == (2, {"details": "title"})

    answer = root.post(page, {**MASKS, "conditions": "title: private 1", "seen": form["seen"].value()})
    root.post(page, {**sent_by(answer), "_apply": "1"})
    rule.refresh_from_db()
    assert (rule.version, rule.conditions) == (3, {"title": "private 1"})


def test_rules_that_change_between_the_numbers_and_the_button_are_shown_anew(world, ada, root):
    sent = sent_by(root.post(ADD, MASKS))
    make("Other", when={"title": "private 1"}, then={"do": "skip"})
    answer = root.post(ADD, {**sent, "_apply": "1"})
    assert b"Rules have been changed in the meantime. Nothing was saved" in answer.content
    assert Rule.objects.count() == 1
    root.post(ADD, {**sent_by(answer), "_apply": "1"})
    assert Rule.objects.count() == 2


def test_while_another_change_is_carried_out_it_is_not_saved(world, ada, root):
    sent = sent_by(root.post(ADD, MASKS))
    now = timezone.now()
    other = PolicyChange.objects.create(state="running", state_since=now, reason="x", made_at=now)
    assert b"Another change of rules is being carried out" in root.post(ADD, MASKS).content
    answer = root.post(ADD, {**sent, "_apply": "1"})
    assert b"wait for its end, or stop it" in answer.content
    assert answer.context["adminform"].form["conditions"].value() == "title: private"
    assert not Rule.objects.exists()
    other.delete()
    root.post(ADD, {**sent, "_apply": "1"})
    assert Rule.objects.exists()


def test_moving_a_rule_shows_its_numbers_and_is_undone_to_the_same_place(world, ada, root):
    make("Titles", then={"details": "title"})
    busy = make("Busy")
    begin()
    world.settle()
    page = reverse("admin:syncrules_rule_move", args=[busy.pk])
    answer = root.post(page, {"position": "1", "reason": "stricter"})
    assert "Copies masked" in answer.content.decode()
    assert list(Rule.objects.order_by("position").values_list("name", flat=True)) == ["Titles", "Busy"]
    assert root.post(page, {**sent_by(answer), "_edit": "1"}).context["form"]["reason"].value() == "stricter"
    root.post(page, {**sent_by(answer), "_apply": "1"})
    assert list(Rule.objects.order_by("position").values_list("name", flat=True)) == ["Busy", "Titles"]
    finish()
    change = PolicyChange.objects.first()
    policy_change.undo(change=change, by=None, reason="no", now=timezone.now())
    assert list(Rule.objects.order_by("position").values_list("name", flat=True)) == ["Titles", "Busy"]


def test_restoring_a_version_shows_its_numbers(world, ada, root):
    rule = make()
    change_rule(
        rule=rule, draft=draft_of({"name": "Busy", "when": {"title": "nowhere"}}), by=None, why="x", now=timezone.now()
    )
    page = reverse("admin:syncrules_rule_history_of_rule", args=[rule.pk])
    answer = root.post(page, {"number": "1", "reason": "it was better"})
    assert "Copies masked" in answer.content.decode()
    root.post(page, {**sent_by(answer), "_apply": "1"})
    rule.refresh_from_db()
    assert (rule.version, rule.conditions) == (3, {"title": "private"})
    assert PolicyChange.objects.get().total == 3


def test_undoing_leaves_what_was_saved_without_touching_events(world, ada, root):
    root.post(ADD, {**MASKS, "name": "Elsewhere", "conditions": "title: nowhere"})
    sent = sent_by(root.post(ADD, MASKS))
    root.post(ADD, {**sent, "_apply": "1"})
    finish()
    policy_change.undo(change=PolicyChange.objects.get(), by=None, reason="no", now=timezone.now())
    assert dict(Rule.objects.values_list("name", "is_enabled")) == {"Elsewhere": True, "Busy": False}


def test_a_file_is_shown_line_by_line_with_its_numbers(world, ada, root):
    make()
    text = export_rules()
    Rule.objects.all().delete()
    page = reverse("admin:syncrules_rule_import_file")
    assert root.get(page).status_code == 200
    answer = root.post(page, {"text": text, "reason": "from the other system"})
    assert "Busy: created" in answer.content.decode()
    assert "Copies masked" in answer.content.decode()
    assert not Rule.objects.exists()
    root.post(page, {"text": text, "reason": "x", "_shown": answer.context["mark"], "_apply": "1"})
    assert Rule.objects.get().name == "Busy"
    again = root.post(page, {"text": text, "reason": "x"})
    assert "Busy: unchanged" in again.content.decode()
    assert root.get(reverse("admin:syncrules_rule_export_file")).content.decode() == text
    wrong = root.post(page, {"text": "form: 9", "reason": "x"})
    assert b"A file of rules begins with form: 1" in wrong.content


def test_the_command_shows_the_same_numbers(world, ada, tmp_path, capsys):
    make()
    file = tmp_path / "rules.yaml"
    file.write_text(export_rules())
    Rule.objects.all().delete()
    call_command("rules", "import", str(file), "--dry-run")
    told = capsys.readouterr().out
    assert "4 events compared; for 3 of them something changes." in told
    assert "copies masked: 3" in told
    assert not Rule.objects.exists()
    call_command("rules", "import", str(file), "--apply")
    assert (Rule.objects.count(), PolicyChange.objects.get().total) == (1, 3)


def test_titles_of_samples_take_the_clearance_and_leave_a_line(world, ada, root):
    page = root.post(ADD, MASKS).content.decode()
    assert "Private 1" not in page
    assert "Busy, ada@meridian.example" in page
    Calendar.objects.update(classification=Clearance.PUBLIC)
    page = root.post(ADD, MASKS).content.decode()
    assert "Private 1, ada@meridian.example" in page
    assert TrailEntry.objects.filter(action="content.seen").count() == 3


def test_who_may_not_steer_sees_the_numbers_and_saves_nothing(world, ada, client, django_user_model):
    cem = django_user_model.objects.create_user("cem@example.org", "x", is_staff=True)
    give(cem, "add_rule", "view_rule", "change_rule")
    client.force_login(cem)
    answer = client.post(ADD, MASKS)
    assert "Copies masked" in answer.content.decode()
    assert "Apply in batches" not in answer.content.decode()
    client.post(ADD, {**sent_by(answer), "_apply": "1"})
    assert not Rule.objects.exists()


@pytest.mark.parametrize("right", ["add_rule", "change_rule"])
def test_a_file_takes_the_right_to_make_rules_and_the_right_to_change_them(db, client, django_user_model, right):
    cem = django_user_model.objects.create_user("cem@example.org", "x", is_staff=True)
    give(cem, right, "view_rule")
    client.force_login(cem)
    page = reverse("admin:syncrules_rule_import_file")
    assert client.get(page).status_code == 403
    assert client.post(page, {"text": "form: 1\nrules: [{name: A}]", "reason": "x", "_apply": "1"}).status_code == 403
    assert not Rule.objects.exists()


def give(user, *codenames):
    permissions = user.user_permissions.model.objects.filter(codename__in=codenames)
    assert len(permissions) == len(codenames)
    user.user_permissions.add(*permissions)


def test_saving_it_as_it_is_changes_nothing(world, ada, root):
    rule = make()
    answer = root.post(f"{LIST}{rule.pk}/change/", {**MASKS, "seen": "1"})
    assert answer["Location"] == LIST
    rule.refresh_from_db()
    assert rule.version == 1
    assert draft_as_it_is(rule).effects == {"details": "busy"}


def test_a_change_is_not_made_on_rules_that_moved_after_the_look_ahead(world, ada):
    now = timezone.now()

    def change():
        return make()

    ahead = rule_changes.look_ahead(change=change, now=now)
    make("Other", when={"title": "nowhere"})
    with pytest.raises(rule_changes.RulesMoved):
        rule_changes.make(change=change, ahead=ahead, by=None, reason="x", now=now)
    assert [rule.name for rule in Rule.objects.all()] == ["Other"]
    assert not PolicyChange.objects.exists()


def test_looking_ahead_leaves_neither_versions_nor_lines(world, ada):
    lines = TrailEntry.objects.count()
    ahead = rule_changes.look_ahead(change=make, now=timezone.now())
    assert len(ahead.found.events) == 3
    assert (Rule.objects.count(), RuleVersion.objects.count(), TrailEntry.objects.count()) == (0, 0, lines)
