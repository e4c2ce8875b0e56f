"""``rules export|import`` and ``try_rule``, as they are typed."""

import json

import pytest
from django.core.management import CommandError, call_command

from accounts.services.units import ensure_units
from syncrules.models import Rule
from syncrules.services import create_rule
from syncrules.written import draft_of
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
GRAPH = {
    "id": "A1",
    "subject": "Salary of Kim",
    "body": {"contentType": "text", "content": "secret"},
    "start": {"dateTime": "2026-11-30T22:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-11-30T23:00:00", "timeZone": "UTC"},
    "showAs": "busy",
    "sensitivity": "private",
    "categories": ["Pay"],
}
GOOGLE = {
    "id": "g1",
    "summary": "Lunch",
    "start": {"dateTime": "2026-11-30T12:00:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-11-30T13:00:00+01:00", "timeZone": "Europe/Berlin"},
    "recurrence": ["RRULE:FREQ=WEEKLY"],
}
ICAL = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:u1
SUMMARY:Review
DTSTART;TZID=W. Europe Standard Time:20261130T220000
DURATION:PT90M
RRULE:FREQ=DAILY;COUNT=5
CATEGORIES:Red,Blue
ORGANIZER:mailto:ada@example.org
ATTENDEE;PARTSTAT=ACCEPTED:mailto:Eve@elsewhere.test
ATTENDEE;CUTYPE=ROOM:mailto:room@example.org
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def ada():
    ensure_units(["/Sales"])
    return UserFactory(email="ada@example.org")


def make(**form):
    return create_rule(draft=draft_of(form), by=None, why="test", now=NOW)


@pytest.fixture
def trial(ada, tmp_path, capsys):
    def run(event, *arguments):
        file = tmp_path / "event.json"
        file.write_text(event if isinstance(event, str) else json.dumps(event))
        call_command("try_rule", str(file), "--person", "ada@example.org", *arguments)
        out = capsys.readouterr().out
        return json.loads(out) if "--json" in arguments else out

    return run


def test_the_deciding_rule_its_reasons_and_what_is_shown_are_told(trial):
    make(name="Series stay", when={"series": True}, then={"do": "skip"})
    late = make(name="Late is private", when={"working_hours": "outside", "category": "pay"}, then={"details": "busy"})
    told = trial(GRAPH, "--json")
    assert (told["rule"], told["name"], told["scope"]) == (late.label, "Late is private", "everybody")
    assert [(one["name"], one["ok"]) for one in told["trace"]] == [("Series stay", False), ("Late is private", True)]
    assert told["trace"][0]["conditions"][0]["reason"] == "It is a single event."
    assert told["shown"]["content"]["title"] == "Busy"
    assert "secret" not in json.dumps(told)
    assert told["treatment"]["level"] == "busy"


def test_a_reader_gets_the_same_in_words(trial):
    make(name="Late is private", when={"working_hours": "outside"}, then={"details": "busy"})
    told = trial(GRAPH)
    assert "Late is private decides" in told
    assert "+ working_hours: It lies outside the working hours 09:00 to 17:00 in Europe/Berlin." in told
    assert "title: Busy" in told
    assert "Salary" not in told


def test_google_s_json_comes_from_google(trial):
    make(name="From Google", when={"direction": "google_to_outlook", "series": {"endless": True}}, then={"do": "skip"})
    told = trial(GOOGLE, "--json")
    assert (told["name"], told["source"], told["target"]) == ("From Google", "google", "outlook")
    assert told["shown"] is None


def test_icalendar_is_read_with_its_zone_series_guests_and_categories(trial):
    when = {
        "working_hours": "outside",
        "duration": {"at_least": "90m", "at_most": "90m"},
        "series": {"frequency": "daily", "endless": False},
        "guests": {"all": "outside"},
        "guest_count": {"at_most": 1},
        "category": "blue",
        "organizer": "inside",
        "response": "organizer",
        "provider": "google",
    }
    make(name="All of it", when=when)
    assert trial(ICAL, "--source", "google", "--json")["name"] == "All of it"


def test_a_copy_for_a_colleague_can_be_tried(trial):
    UserFactory(email="bo@example.org", time_zone="Asia/Tokyo")
    when = {"between": "colleagues", "zone_distance": {"at_least": 8}}
    make(name="Far", when=when, then={"do": "hold", "approver": "guest"})
    told = trial(GRAPH, "--colleague", "bo@example.org", "--json")
    assert (told["name"], told["treatment"]["passage"], told["shown"]) == ("Far", "hold", None)
    assert trial(GRAPH, "--json")["name"].startswith("Default")


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("{", "The text begins like JSON and is none."),
        ("{}", "The JSON holds no event: start is missing."),
        ("hello", "The iCalendar text cannot be read"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "The file holds no VEVENT."),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Top secret\nEND:VEVENT\nEND:VCALENDAR\n", "The event has no DTSTART."),
        (ICAL.replace("W. Europe Standard Time", "Mars"), "The event is in a time zone that nobody knows."),
        (json.dumps({**GOOGLE, "start": {"dateTime": "secret"}}), "Google's event cannot be read"),
        (json.dumps({**GRAPH, "start": {"dateTime": "secret"}}), "A date or time is missing"),
    ],
)
def test_what_is_no_event_is_refused_without_repeating_it(trial, event, problem):
    with pytest.raises(CommandError) as refusal:
        trial(event)
    assert refusal.value.returncode == 2
    assert problem in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_an_unknown_person_is_refused(ada, tmp_path):
    (tmp_path / "event.json").write_text("{}")
    with pytest.raises(CommandError, match="Nobody here has the address"):
        call_command("try_rule", str(tmp_path / "event.json"), "--person", "no@example.org")


def test_rules_go_to_a_file_and_come_back(ada, tmp_path, capsys):
    make(name="Sales", **{"for": {"unit": "/Sales"}}, then={"details": "busy"})
    file = tmp_path / "rules.yaml"
    call_command("rules", "export", str(file))
    Rule.objects.all().delete()
    call_command("rules", "import", str(file), "--dry-run")
    assert not Rule.objects.exists()
    assert "created     Sales" in capsys.readouterr().out
    call_command("rules", "import", str(file))
    capsys.readouterr()
    call_command("rules", "export", "-")
    assert capsys.readouterr().out == file.read_text()


def test_a_wrong_file_of_rules_changes_nothing(ada, tmp_path):
    file = tmp_path / "rules.yaml"
    file.write_text("form: 1\nrules:\n- name: A\n  then: {do: fly}\n")
    with pytest.raises(CommandError, match=r"Nothing has changed.\n.*do: 'fly' is not known here"):
        call_command("rules", "import", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("rules", "import", str(tmp_path / "none.yaml"))


CHANGED = """BEGIN:VEVENT
UID:u1
RECURRENCE-ID;TZID=W. Europe Standard Time:20261202T220000
SUMMARY:Salary of Kim
DTSTART;TZID=W. Europe Standard Time:20261202T230000
DURATION:PT90M
END:VEVENT
END:VCALENDAR
"""


def test_a_changed_occurrence_of_an_icalendar_series_counts_and_is_masked_with_it(trial):
    make(name="Pay", when={"title": "salary"}, then={"details": "busy"})
    told = trial(ICAL.replace("END:VCALENDAR\n", CHANGED), "--json")
    assert told["name"] == "Pay"
    assert list(told["shown"]["exceptions"]) == ["2026-12-02T22:00"]
    assert "Salary" not in json.dumps(told["shown"])
