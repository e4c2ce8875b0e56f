"""Rules are checked when saved, versioned, ordered, compared and restored, and go to YAML and back unchanged."""

import pytest
import yaml
from django.core.exceptions import ValidationError

from accounts.models import PeopleGroup, User
from accounts.services.units import ensure_units
from syncrules.models import Rule
from syncrules.selectors import compare_versions, in_their_order, versions_of
from syncrules.services import change_rule, create_rule, import_rules, move_rule, restore_version, set_enabled
from syncrules.services.exchange import RulesFileError, export_rules
from syncrules.written import draft_of
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
BUSY = {"name": "Private stays private", "when": {"sensitivity": "private"}, "then": {"details": "busy"}}


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.org", "correct horse")


def make(form, by=None, why="asked for"):
    return create_rule(draft=draft_of(form), by=by, why=why, now=NOW)


def change(rule, form, why="asked for"):
    return change_rule(rule=rule, draft=draft_of(form), by=None, why=why, now=NOW)


def names():
    return [rule.name for rule in in_their_order()]


def test_a_new_rule_is_version_one_with_author_and_reason(root):
    rule = make(BUSY, by=root, why="works council")
    version = versions_of(rule)[0]
    assert (rule.version, rule.position, rule.changed_by) == (1, 1, root)
    assert (version.number, version.made_by, version.reason, version.made_at) == (1, root, "works council", NOW)
    assert version.written == {**BUSY, "for": "everybody", "enabled": True, "position": 1}


@pytest.mark.parametrize(
    ("form", "field", "problem"),
    [
        ({"when": {"weekday": "xx"}}, "conditions", "weekday: 'xx' is not known here; use mo, tu, we, th, fr, sa, su."),
        ({"when": {"title": "("}}, "conditions", "title: the pattern is no regular expression of RE2: missing ): (."),
        ({"then": {"do": "hold"}}, "effects", "do: hold and approver belong together: say who decides."),
        (
            {"then": {"do": "hold", "approver": "no@x.test"}},
            "effects",
            "approver: there is no active person 'no@x.test'.",
        ),
        ({"when": {"organizer": {"unit": "/No"}}}, "conditions", "There is no org unit '/No'."),
        ({"when": {"not": {"guests": {"all": {"group": "No"}}}}}, "conditions", "There is no group of people 'No'."),
        ({"name": " "}, "name", "A rule needs a name of at most 120 characters."),
    ],
)
def test_a_wrong_rule_is_refused_with_what_to_write(form, field, problem):
    with pytest.raises(ValidationError) as refusal:
        make({**BUSY, **form})
    assert refusal.value.message_dict == {field: [problem]}
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"colour": 1}, "'colour' is not known in a rule; use name, for, enabled, when, then."),
        ({"enabled": "yes"}, "enabled is true or false."),
        ({"for": {"unit": "/No"}}, "There is no org unit '/No'."),
        ({"for": {"team": "x"}}, "'team' is not known in for; use unit, group or person."),
        ({"for": "all"}, "for is everybody, or one of {unit: PATH}, {group: NAME} and {person: EMAIL}."),
    ],
)
def test_a_wrong_form_is_refused(form, problem):
    with pytest.raises(ValidationError) as refusal:
        draft_of({**BUSY, **form})
    assert refusal.value.messages == [problem]


def test_two_rules_cannot_have_one_name():
    make(BUSY)
    with pytest.raises(ValidationError, match="Another rule has this name"):
        make({**BUSY, "name": BUSY["name"].upper()})


def test_a_change_needs_a_reason_and_says_what_it_changed():
    rule = make(BUSY)
    with pytest.raises(ValidationError, match="Give a reason"):
        change(rule, {**BUSY, "then": {"details": "title"}}, why=" ")
    changed = change(rule, {**BUSY, "then": {"details": "title"}})
    after, before = versions_of(changed)
    told = [(one.name, one.before, one.after) for one in compare_versions(before, after)]
    assert told == [("then", "details: busy", "details: title")]
    assert {one.name for one in compare_versions(None, before)} == {
        "name",
        "for",
        "enabled",
        "when",
        "then",
        "position",
    }


def test_saving_what_is_so_already_makes_no_version():
    rule = make(BUSY)
    assert change(rule, BUSY).version == 1
    assert len(versions_of(rule)) == 1


def test_an_earlier_version_is_restored_as_a_new_one():
    rule = make(BUSY)
    change(rule, {**BUSY, "name": "Other", "then": {"do": "skip"}})
    restored = restore_version(rule=rule, number=1, by=None, why="it was better", now=NOW)
    assert (restored.version, restored.name, restored.effects) == (3, BUSY["name"], {"details": "busy"})
    with pytest.raises(ValidationError, match="no version 9"):
        restore_version(rule=rule, number=9, by=None, why="x", now=NOW)


def test_rules_are_put_in_order_within_their_scope():
    first, _, third = (make({"name": name}) for name in "ABC")
    move_rule(rule=third, position=1, by=None, why="x", now=NOW)
    assert names() == ["C", "A", "B"]
    move_rule(rule=first, position=99, by=None, why="x", now=NOW)
    assert names() == ["C", "B", "A"]
    assert list(Rule.objects.order_by("position").values_list("position", flat=True)) == [1, 2, 3]
    third.refresh_from_db()
    assert move_rule(rule=third, position=1, by=None, why="x", now=NOW).version == third.version


def test_the_list_begins_with_the_nearest_scopes():
    ensure_units(["/Sales/EMEA"])
    UserFactory(email="ada@example.org")
    for name, rank in (("Far", 9), ("Near", 1)):
        PeopleGroup.objects.create(name=name, rank=rank)
    for whom in ("everybody", {"unit": "/Sales"}, {"group": "Far"}, {"unit": "/Sales/EMEA"}, {"group": "Near"}):
        make({"name": str(whom), "for": whom})
    make({"name": "hers", "for": {"person": "ada@example.org"}})
    nearest_first = [{"group": "Near"}, {"group": "Far"}, {"unit": "/Sales/EMEA"}, {"unit": "/Sales"}, "everybody"]
    assert names() == ["hers", *map(str, nearest_first)]


def test_a_rule_that_gets_another_scope_is_the_last_there():
    PeopleGroup.objects.create(name="Board")
    make({"name": "A", "for": {"group": "Board"}})
    moved = change(make({"name": "B"}), {"name": "B", "for": {"group": "Board"}})
    assert (moved.position, names()) == (2, ["A", "B"])


def test_an_export_imports_back_unchanged():
    ensure_units(["/Sales"])
    make(BUSY)
    off = make(
        {
            "name": "Ünïcode",
            "for": {"unit": "/Sales"},
            "when": {"working_hours": {"is": "inside", "from": "17:00", "to": "09:00"}},
        }
    )
    set_enabled(rule=off, on=False, by=None, why="x", now=NOW)
    text = export_rules()
    lines = import_rules(text=text, by=None, why="again", now=NOW)
    assert {line.outcome for line in lines} == {"unchanged"}
    assert export_rules() == text
    Rule.objects.all().delete()
    assert {line.outcome for line in import_rules(text=text, by=None, why="new machine", now=NOW)} == {"created"}
    assert export_rules() == text


def test_an_import_creates_changes_moves_and_leaves_alone():
    for name in "ABC":
        make({"name": name})
    document = {"form": 1, "rules": [{"name": "B"}, {"name": "D"}, {"name": "A", "then": {"do": "skip"}}]}
    lines = import_rules(text=yaml.safe_dump(document), by=None, why="x", now=NOW)
    outcomes = [(line.name, line.outcome) for line in lines]
    assert outcomes == [("B", "moved"), ("D", "created"), ("A", "changed"), ("C", "left alone")]
    assert names() == ["B", "D", "A", "C"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "The file is no YAML: see line 1."),
        ("rules: []", "A file of rules begins with form: 1, then rules: with a list."),
        ("{form: 1, rules: 7}", "rules: is a list of at most 5000 rules."),
        ("{form: 1, rules: [{name: A, for: {unit: /No}}]}", "Rule 1 (A): There is no org unit '/No'."),
        ("{form: 1, rules: [{name: A}, {name: a}]}", "The name 'a' comes more than once."),
        ("{form: 1, rules: [{name: B}, {name: A, when: {x: 1}}]}", "A: 'x' is not known here"),
    ],
)
def test_a_wrong_file_changes_nothing_and_says_where(text, problem):
    with pytest.raises(RulesFileError) as refusal:
        import_rules(text=text, by=None, why="x", now=NOW)
    assert refusal.value.messages[0].startswith(problem)
    assert not Rule.objects.exists()
