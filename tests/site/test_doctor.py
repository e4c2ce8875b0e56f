"""``manage.py doctor``: what it finds, over the pretend providers, and what it never says."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Success

from accounts.models import Health
from calendars import services
from calendars.models import Calendar, Event, Operation, Watch, WatchState
from calendars.sync import bell
from calsync.simulator.core import Fault
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator
from calsync_site.doctor.checkup import examine
from calsync_site.doctor.finding import Finding, State
from calsync_site.schedules import install_schedules
from tests.factories import AccountFactory, UserFactory
from tests.services import free_port

ADA = "ada@meridian.example"


@pytest.fixture
def simulator():
    with Simulator() as simulator:
        simulator.graph.add_mailbox(ADA, "Ada", "Europe/Berlin")
        simulator.google.add_mailbox(ADA, "Ada", "Europe/Berlin")
        yield simulator


@pytest.fixture
def connected(simulator, settings, tmp_path):
    """Both connections configured; nobody mapped."""
    key_file = tmp_path / "service-account.json"
    key_file.write_text(json.dumps(service_account_info(simulator.url)))
    settings.MICROSOFT_TENANT_ID = TENANT_ID
    settings.MICROSOFT_CLIENT_ID = CLIENT_ID
    settings.MICROSOFT_CLIENT_SECRET = CLIENT_SECRET
    settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = settings.GOOGLE_API_URL = simulator.url
    settings.GOOGLE_SERVICE_ACCOUNT_FILE = str(key_file)
    settings.VAR_DIR = tmp_path
    return simulator


@pytest.fixture
def ada(db, connected):
    """Ada with both mailboxes, active and healthy, and a worker that was at work a moment ago."""
    person = UserFactory(email=ADA)
    accounts = [AccountFactory(person=person, platform=platform, address=ADA) for platform in ("outlook", "google")]
    services.ensure_primary_calendars(accounts)
    services.activate(calendars=Calendar.objects.all(), from_now=False, now=timezone.now())
    Calendar.objects.update(state=Health.HEALTHY, done=1, wanted=1, dirty_at=None)
    install_schedules()
    finished(ago=timedelta(seconds=20))
    return person


def finished(*, ago: timedelta) -> None:
    """A worker has finished a task."""
    Success.objects.all().delete()
    stopped = timezone.now() - ago
    Success.objects.create(
        id="1" * 32, name="one", func="calendars.tasks.poll", started=stopped, stopped=stopped, success=True
    )


def checkup(**options) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(now=timezone.now(), **options)}


def problems(findings: dict[str, Finding]) -> list[str]:
    return [name for name, finding in findings.items() if finding.state == State.PROBLEM]


def run_command(*arguments: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_a_sound_installation_has_no_problem_and_exit_code_0(ada):
    out, code = run_command("--json")
    report = json.loads(out)
    assert (report["ok"], code) == (True, 0), report
    assert [set(check) for check in report["checks"]] == [{"name", "state", "text", "remedy"}] * len(report["checks"])
    states = {check["name"]: check["state"] for check in report["checks"]}
    fine = ["connection.outlook", "connection.google", "clock.outlook", "clock.google", "keys", "database", "mailboxes"]
    fine += ["queue.broker", "queue.schedules", "queue.worker", "queue.waiting", "queue.bells"]
    assert {name: states[name] for name in fine} == dict.fromkeys(fine, "ok")


def test_a_problem_is_told_with_its_remedy_and_exit_code_1(ada, settings):
    settings.MICROSOFT_CLIENT_SECRET = "not the secret"
    out, code = run_command()
    assert code == 1
    assert "problem  connection.outlook: The client secret is wrong. Microsoft refused the app registration's" in out
    assert "-> Make a new client secret in the Entra admin center" in out
    assert out.strip().splitlines()[-1].startswith("1 problems, ")


def test_neither_secrets_nor_event_text_are_ever_said(ada, settings):
    settings.MICROSOFT_CLIENT_SECRET = "not-the-secret-9f3"
    now = timezone.now()
    event = Event(owner=ada, starts_at=now, ends_at=now, show_as="busy", content={"title": "Layoffs"})
    event.save()
    out, _ = run_command("--json")
    private = json.loads(open(settings.GOOGLE_SERVICE_ACCOUNT_FILE).read())["private_key"]  # noqa: SIM115
    for secret in (
        "not-the-secret-9f3",
        "Layoffs",
        settings.SECRET_KEY,
        *settings.CALSYNC_SEALING_KEYS,
        private[40:80],
    ):
        assert secret not in out


def test_a_mailbox_behind_an_access_policy_names_the_policy(ada, connected):
    connected.graph.mailbox(ADA).denied = True
    found = checkup()["connection.outlook"]
    assert found.state == State.PROBLEM
    assert ADA in found.text
    assert f"Test-ApplicationAccessPolicy -Identity {ADA}" in found.remedy


def test_missing_delegation_names_client_id_and_scopes(ada, connected, settings):
    connected.google.tokens.delegated.clear()
    found = checkup()["connection.google"]
    assert found.state == State.PROBLEM
    assert service_account_info(connected.url)["client_id"] in found.remedy
    assert "https://www.googleapis.com/auth/calendar.events" in found.remedy


def test_one_unknown_mailbox_does_not_condemn_the_connection(ada):
    AccountFactory(platform="google", address="nobody@meridian.example")
    Calendar.objects.filter(account__platform="google").update(failures=3)
    services.ensure_primary_calendars([AccountFactory(platform="google", address="nil@meridian.example")])
    assert checkup()["connection.google"].state == State.OK


def test_a_provider_that_is_not_there_is_a_problem_line(ada, settings):
    settings.GOOGLE_API_URL = f"http://127.0.0.1:{free_port()}"
    found = checkup()
    assert found["connection.google"].state == State.PROBLEM
    assert "127.0.0.1" in found["connection.google"].remedy
    assert found["clock.google"].state == State.WARNING
    assert found["connection.outlook"].state == State.OK


def test_a_provider_that_never_answers_does_not_keep_the_doctor_waiting(ada, connected):
    connected.core.faults.append(Fault("graph", "delay", times=99, seconds=8.0))
    begun = time.monotonic()
    found = checkup(patience=1.0)
    assert time.monotonic() - begun < 6
    assert found["connection.outlook"].text == "Microsoft 365 does not answer in time."


def test_a_clock_that_is_off_is_a_problem(ada, connected):
    connected.core.clock.advance(timedelta(seconds=90))
    found = checkup()["clock.outlook"]
    assert found.state == State.PROBLEM
    assert found.text.endswith("s slow.")


def test_an_installation_without_connections_is_told_what_to_set(db, settings):
    found = checkup()
    assert found["connection.outlook"].state == found["connection.google"].state == State.WARNING
    assert "MICROSOFT_TENANT_ID" in found["connection.outlook"].remedy
    AccountFactory(platform="google")
    assert checkup()["connection.google"].state == State.PROBLEM


def test_a_calendar_in_trouble_is_shown_with_its_reason(ada):
    calendar = Calendar.objects.get(account__platform="google")
    calendar.enter(Health.ACTION_REQUIRED, now=timezone.now(), reason="The licence is gone.")
    calendar.save()
    found = checkup()[f"mailbox.{calendar.pk}"]
    assert (found.state, "The licence is gone." in found.text) == (State.PROBLEM, True)
    Calendar.objects.update(state=Health.DELAYED)
    assert checkup()[f"mailbox.{calendar.pk}"].state == State.WARNING


def test_watches_are_counted_and_the_reason_of_a_refusal_is_told(ada, settings):
    assert "CALSYNC_PUBLIC_URL is unset" in checkup()["watches"].text
    settings.CALSYNC_PUBLIC_URL = "http://127.0.0.1:8780"
    now = timezone.now()
    outlook, google = Calendar.objects.order_by("-account__platform")
    live = Watch(calendar=outlook, secret="s", state=WatchState.LIVE, state_since=now)
    live.lives_until(now + timedelta(days=2), now=now)
    live.save()
    refused = Watch(calendar=google, secret="s", state_since=now)
    refused.enter(WatchState.REFUSED, now=now, reason="Address not reachable.")
    refused.save()
    found = checkup()
    assert found["watches"].text.startswith("1 of 2 ")
    assert "Address not reachable." in found["watches.refused.google"].text
    assert "watches.expiring" not in found
    Watch.objects.filter(pk=live.pk).update(renew_at=now - timedelta(hours=1))
    assert "watches.expiring" in checkup()


def test_missing_schedules_and_a_silent_worker_are_told(ada):
    finished(ago=timedelta(minutes=30))
    Schedule.objects.filter(name="calsync.sweep").delete()
    found = checkup()
    assert found["queue.worker"].text == "No worker has shown a sign of life for 30 minutes."
    assert found["queue.worker"].state == State.PROBLEM
    assert "calsync.sweep" in found["queue.schedules"].text


def test_a_worker_that_was_never_started_is_a_warning(ada):
    Schedule.objects.all().delete()
    Success.objects.all().delete()
    assert checkup()["queue.worker"].state == State.WARNING


def test_an_old_task_and_a_bell_that_nobody_heard_are_problems(ada, django_capture_on_commit_callbacks):
    early = timezone.now() - timedelta(minutes=20)
    with django_capture_on_commit_callbacks(execute=True):
        bell.ring(calendar_ids=[Calendar.objects.first().pk], now=early)
    OrmQ.objects.update(lock=early)
    found = checkup()
    assert "the oldest for 20 minutes" in found["queue.waiting"].text
    assert "1 calendars wait to be read" in found["queue.bells"].text
    assert {"queue.waiting", "queue.bells"} <= set(problems(found))


def test_a_redis_server_that_is_not_there_is_a_problem_without_its_password(ada, settings):
    settings.REDIS_URL = f"redis://:hush-hush@127.0.0.1:{free_port()}/0"
    found = checkup()["queue.broker"]
    assert found.state == State.PROBLEM
    assert "hush-hush" not in found.text + found.remedy


@pytest.mark.needs_redis
def test_a_redis_server_that_answers_is_fine(ada, settings, redis_url):
    settings.REDIS_URL = redis_url
    assert checkup()["queue.broker"].state == State.OK


def test_sealed_values_that_no_key_opens_are_counted_by_column(ada, settings):
    now = timezone.now()
    Event(owner=ada, starts_at=now, ends_at=now, show_as="busy", content={"title": "Layoffs"}).save()
    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode()]
    found = checkup()["keys"]
    assert found.state == State.PROBLEM
    assert "calendars.Event.content (1 of 1)" in found.text
    assert "CALSYNC_SEALING_KEYS" in found.remedy


def test_a_sealing_key_that_is_none_is_told_without_a_traceback(ada, settings):
    settings.CALSYNC_SEALING_KEYS = ["certainly not"]
    found = checkup()
    assert found["keys"].state == State.PROBLEM
    assert "certainly not" not in found["keys"].text


def test_parked_writes_are_worth_a_warning(ada):
    now = timezone.now()
    event = Event.objects.create(owner=ada, starts_at=now, ends_at=now, show_as="busy", content={})
    calendar = Calendar.objects.first()
    link = event.links.create(calendar=calendar, role="twin")
    Operation.objects.create(link=link, calendar=calendar, kind="create", state="parked", due_at=now, planned_at=now)
    assert checkup()["mailboxes.parked"].state == State.WARNING


def test_a_migration_that_is_not_applied_is_a_problem_and_nothing_else_is_asked_of_the_tables(ada):
    [(_, latest)] = MigrationLoader(connection).graph.leaf_nodes("calendars")
    MigrationRecorder(connection).record_unapplied("calendars", latest)
    found = checkup()
    assert f"calendars.{latest}" in found["database"].text
    assert found["database"].remedy == "manage.py migrate"
    assert "mailboxes" not in found


def test_a_wrong_setting_is_among_the_findings(db, settings):
    settings.CALSYNC_PUBLIC_URL = "http://calsync.example.org"
    found = checkup()["settings.calsync.E002"]
    assert found.state == State.PROBLEM
    assert "https" in found.remedy


def test_a_database_server_that_is_not_there_is_one_problem_line(db, settings, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(free_port()))
    found = checkup()
    assert found["database"].state == State.PROBLEM
    assert "DATABASE_URL" in found["database"].remedy
    assert "keys" not in found
