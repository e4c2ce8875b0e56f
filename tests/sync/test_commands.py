"""The operators' commands: what they print, what they return, what they refuse."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from calendars import services
from calendars.models import AuditRun, Calendar, Event
from conflicts.models import Case


def run(*arguments):
    """(exit code, output) of a command."""
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as exit_:
        return exit_.code, out.getvalue() + err.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue() + err.getvalue()


def test_sync_prints_the_agreed_document(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Budget")
    code, out = run("sync", "--until-idle", "--json")
    report = json.loads(out)
    assert code == 0
    keys = {"calendars", "pulled", "writes", "echoes", "held", "parked", "conflicts", "brakes", "due", "seconds"}
    assert keys <= report.keys()
    assert report["writes"] == {"google": {"create": 1}}
    assert report["calendars"] == 2
    assert report["due"] == 0


def test_sync_of_one_person_leaves_the_others_unread(world):
    ada, bo = world.person("ada"), world.person("bo")
    world.activate()
    ada.in_outlook(subject="Hers")
    bo.in_outlook(subject="His")
    code, _ = run("sync", "--until-idle", "--person", "ADA@meridian.example")
    assert code == 0
    assert len(ada.google) == 1
    assert bo.google == []


def test_sync_of_one_calendar_carries_its_news_to_the_other(world):
    ada = world.person("ada")
    world.activate()
    ada.in_outlook(subject="Hers")
    calendar = Calendar.objects.get(account__platform="outlook")
    code, _ = run("sync", "--until-idle", "--calendar", str(calendar.pk))
    assert code == 0
    assert len(ada.google) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["sync"],
        ["sync", "--person", "stranger@meridian.example"],
        ["sync", "--calendar", "4711"],
        ["audit"],
        ["activate_sync", "--all"],
        ["activate_sync", "--org-unit", "/Nowhere"],
    ],
)
def test_a_scope_with_nothing_in_it_is_a_usage_error(world, arguments):
    code, out = run(*arguments)
    assert code == 2
    assert "\n" not in out.strip()


def test_sync_says_what_it_could_not_do(world, settings):
    world.person("ada", google=False)
    world.activate()
    settings.MICROSOFT_CLIENT_SECRET = "expired"
    code, out = run("sync", "--until-idle")
    assert code == 1
    assert "action required" in out
    assert "Not everything could be read; calendars in trouble: 1." in out


def test_activation_without_a_connection_says_which_settings_are_missing(world, settings):
    world.person("ada", google=False)
    settings.MICROSOFT_CLIENT_SECRET = ""
    code, out = run("activate_sync", "--all")
    assert code == 2
    assert "MICROSOFT_CLIENT_SECRET" in out


def test_activation_reports_what_it_did(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Lunch")
    ada.in_google(summary="Lunch")
    ada.in_google(summary="Dinner", start="2026-12-02T19:00:00", end="2026-12-02T21:00:00")
    code, out = run("activate_sync", "--all")
    assert code == 0
    assert "2 calendars are active: 2 events, 1 pairs adopted, 1 copied, 0 held, 0 parked." in out


def test_a_dry_run_counts_and_changes_nothing(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Lunch")
    ada.in_google(summary="Lunch")
    ada.in_google(summary="Dinner", start="2026-12-02T19:00:00", end="2026-12-02T21:00:00")
    code, out = run("activate_sync", "--all", "--dry-run")
    assert code == 0
    assert "1 pairs adopted, 1 copied" in out
    assert not Event.objects.exists()
    assert not Calendar.objects.filter(is_active=True).exists()
    assert world.provider_writes() == 0


def test_activation_of_a_unit_reaches_the_units_below_it(world):
    ada = world.person("ada")
    code, _ = run("activate_sync", "--org-unit", "/Sales")
    assert code == 0
    assert Calendar.objects.filter(is_active=True, account__person=ada.user).count() == 2


def test_audit_prints_the_agreed_document_and_keeps_the_history(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    code, out = run("audit", "--json")
    report = json.loads(out)
    assert code == 0
    keys = {"match_rate", "matched", "missing", "drifted", "orphans", "duplicates", "unsupported", "conflicts"}
    assert keys <= report.keys()
    assert (report["match_rate"], report["matched"]) == (100.0, 1)
    assert AuditRun.objects.get().match_rate == 100.0


def test_audit_finds_what_was_changed_behind_our_back_and_mends_it(world):
    ada = world.person("ada")
    for day in (1, 2, 3):
        ada.in_outlook(subject=f"Day {day}", start=f"2026-12-0{day}T09:00:00", end=f"2026-12-0{day}T10:00:00")
    world.activate()
    first, second, _ = sorted(ada.google, key=lambda event: event["summary"])
    ada.edit_google(first["id"], summary="Changed")
    ada.delete_google(second["id"])
    ada.in_google(summary="Extra", start="2026-12-09T09:00:00", end="2026-12-09T10:00:00")
    code, out = run("audit", "--json")
    report = json.loads(out)
    assert code == 1
    assert (report["drifted"], report["missing"], report["matched"]) == (1, 2, 1)
    assert report["match_rate"] < 100
    assert "Changed" not in out
    code, out = run("audit", "--repair", "--json")
    assert json.loads(out)["match_rate"] == 100.0
    assert code == 0


def test_audit_calls_a_second_equal_event_a_duplicate(world):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    world.activate()
    ada.in_google(summary="Budget")
    report = world.audit()
    assert report.count("duplicates") == 1
    assert report.count("missing") == 0


def test_sync_opens_the_cases_of_what_it_found(world):
    ada = world.person("ada")
    ada.in_google(summary="Review", recurrence=["RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15"])
    world.activate()
    ada.edit_outlook(ada.outlook[0]["id"], subject="Only these")
    call_command("sync", "--until-idle")
    assert [(case.kind, case.state) for case in Case.objects.all()] == [("part_edited", "open")]


def test_audit_counts_a_series_that_stands_in_parts_once_and_misses_a_lost_part(world):
    ada = world.person("ada")
    ada.in_google(summary="Odd", recurrence=["RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=6"])
    world.activate()
    report = world.audit()
    assert (report.matched, report.differences) == (1, [])
    world.simulator.graph.delete_event(ada.address, ada.outlook[0]["id"], by_person=False)
    report = world.audit()
    assert [difference.kind for difference in report.differences] == ["missing"]


@pytest.mark.parametrize(
    "command",
    [
        "sync",
        "audit",
        "activate_sync",
        "explain_event",
        "remove_copies",
        "map_org_units",
        "simulate",
        "worker",
        "schedule",
    ],
)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        call_command(command, "--help")
    assert exit_.value.code == 0
    assert len(capsys.readouterr().out) > 300


def test_clean_up_drops_what_was_kept_long_enough_and_nothing_else(world, settings):
    ada = world.person("ada")
    ada.in_outlook(subject="Budget")
    ada.in_outlook(subject="Gone", start="2026-12-02T09:00:00", end="2026-12-02T10:00:00")
    world.activate()
    gone = next(event for event in ada.outlook if event["subject"] == "Gone")
    ada.delete_outlook(gone["id"])
    world.settle()
    assert services.clean_up(now=timezone.now()) == {
        "operations": 0,
        "events": 0,
        "entries": 0,
        "hook_counts": 0,
        "failures": 0,
    }
    later = timezone.now() + timedelta(days=settings.CALSYNC_KEEP_DONE_DAYS + 1)
    cleaned = services.clean_up(now=later)
    assert cleaned["operations"] == 3
    assert cleaned["events"] > 0
    assert Event.objects.count() == 1
    world.simulator.core.ledger.clear()
    assert world.settle().idle
    assert world.provider_writes() == 0


@pytest.mark.parametrize("command", [["sync"], ["audit"], ["activate_sync"]])
def test_an_empty_address_is_nobody_and_not_everybody(world, command):
    world.person("ada")
    world.activate()
    code, out = run(*command, "--person", "")
    assert code == 2
    assert "Nobody here has the address" in out


def test_a_series_whose_every_occurrence_was_renamed_is_still_there(world):
    ada = world.person("ada")
    made = ada.in_google(summary="Yearly", recurrence=["RRULE:FREQ=YEARLY"])
    world.activate()
    ada.edit_google(f"{made['id']}_20261201T080000Z", summary="Renamed")
    world.settle()
    world.simulator.google.expire_sync_tokens()
    world.settle()
    assert world.audit().match_rate == 100.0
    assert len(ada.google) == len(ada.outlook) == 1


def test_an_out_of_office_pair_that_was_adopted_matches(world):
    ada = world.person("ada")
    ada.in_google(summary="Away", eventType="outOfOffice", outOfOfficeProperties={"autoDeclineMode": "declineNone"})
    ada.in_outlook(subject="Away", showAs="oof")
    report = world.activate()
    assert report.tally.adopted == 1
    assert world.audit().match_rate == 100.0
