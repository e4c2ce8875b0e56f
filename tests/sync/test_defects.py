"""An error of our own stops one event at most, is told in the console, and never shows event text."""

import pytest

from calendars.models import Calendar, Event, Finding, Operation
from calendars.sync import decide as deciding
from calendars.sync import push as pushing
from calendars.sync import turn as turning

SECRET_TITLE = "Merger with Larkfield"


def breaks_on(title, original):
    """``original``, failing for events of this title as a defect in our code would."""

    def broken(*arguments, **named):
        if title in repr(arguments) + repr(named):
            raise ValueError(f"cannot handle {title}")
        return original(*arguments, **named)

    return broken


def test_one_event_that_breaks_the_decision_is_put_aside(world, monkeypatch, caplog):
    monkeypatch.setattr(deciding, "plan_new", breaks_on(SECRET_TITLE, deciding.plan_new))
    ada = world.person("ada")
    ada.in_outlook(subject=SECRET_TITLE)
    ada.in_outlook(subject="Lunch", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    report = world.activate()
    assert report.idle
    assert [event["summary"] for event in ada.google] == ["Lunch"]
    assert Finding.objects.get().kind == "malformed"
    assert SECRET_TITLE not in caplog.text
    assert "ValueError" in caplog.text


def test_one_event_that_breaks_the_push_is_parked_with_a_remedy(world, monkeypatch, caplog):
    monkeypatch.setattr(pushing, "projected_at", breaks_on(SECRET_TITLE, pushing.projected_at))
    ada = world.person("ada")
    ada.in_outlook(subject=SECRET_TITLE)
    ada.in_outlook(subject="Lunch", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    assert [event["summary"] for event in ada.google] == ["Lunch"]
    parked = Operation.objects.get(state="parked")
    assert parked.remedy
    assert SECRET_TITLE not in caplog.text + parked.reason
    assert Event.objects.count() == 2


def test_a_defect_in_one_calendar_lets_the_others_go_on(world, monkeypatch):
    ada, bo = world.person("ada", google=False), world.person("bo")
    monkeypatch.setattr(turning, "pull_changes", breaks_on(ada.address, turning.pull_changes))
    bo.in_outlook(subject="Lunch")
    report = world.activate()
    assert [event["summary"] for event in bo.google] == ["Lunch"]
    assert [calendar.account.address for calendar in report.troubled] == [ada.address]
    assert "ValueError" in Calendar.objects.get(account__address=ada.address).state_reason


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_no_event_text_reaches_the_log(world, caplog, level):
    caplog.set_level(level)
    ada = world.person("ada")
    ada.in_outlook(
        subject=SECRET_TITLE,
        body={"contentType": "text", "content": "the body is secret"},
        location={"displayName": "the secret room"},
        attendees=[{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}],
    )
    world.activate()
    ours = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.split(".")[0] in {"calendars", "accounts", "conflicts", "notifications", "syncrules", "calsync"}
    )
    for secret in (SECRET_TITLE, "body is secret", "secret room", "guest@elsewhere"):
        assert secret not in ours
