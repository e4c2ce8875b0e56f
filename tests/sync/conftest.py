"""The world of the pipeline's tests: both pretend providers over real HTTP, a real database, and people in between."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import LinkedAccount, OrgUnit, User
from calendars import services
from calendars.models import Calendar
from calendars.sync import store
from calendars.sync.audit import AuditReport
from calendars.sync.run import RunReport, serve
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator
from tests.sync.company import Company
from tests.sync.laws import Laws

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class Person:
    """One person with a mailbox on either platform or both, and the hands of an end user on them."""

    user: User
    address: str
    world: World

    @property
    def outlook(self) -> list[dict]:
        return [event for event in self.world.simulator.graph.events(self.address) if not event.get("seriesMasterId")]

    @property
    def google(self) -> list[dict]:
        return [
            event
            for event in self.world.simulator.google.events(self.address)
            if event["status"] != "cancelled" and "recurringEventId" not in event
        ]

    def in_outlook(self, **fields) -> dict:
        return self.world.simulator.graph.create_event(self.address, outlook_body(**fields))

    def in_google(self, **fields) -> dict:
        return self.world.simulator.google.create_event(self.address, google_body(**fields))

    def edit_outlook(self, event_id: str, **body) -> dict:
        return self.world.simulator.graph.update_event(self.address, event_id, body)

    def edit_google(self, event_id: str, **body) -> dict:
        return self.world.simulator.google.patch_event(self.address, event_id, body)

    def delete_outlook(self, event_id: str) -> None:
        self.world.simulator.graph.delete_event(self.address, event_id)

    def occurrence_in_outlook(self, master_id: str, on: date) -> str:
        graph = self.world.simulator.graph
        event, _ = graph.find(graph.mailbox(self.address), master_id)
        return event.frame.instance(on)

    def delete_google(self, event_id: str) -> None:
        self.world.simulator.google.delete_event(self.address, event_id)


class World:
    """Both providers, the people, and the commands' services."""

    def __init__(self, simulator: Simulator, now: time_machine.Traveller) -> None:
        self.simulator = simulator
        self.now = now
        self.unit = OrgUnit.objects.create(name="Sales", path="/Sales")

    def person(self, name: str, *, outlook: bool = True, google: bool = True, zone: str = "Europe/Berlin") -> Person:
        address = f"{name}@meridian.example"
        user = User.objects.create_user(email=address, name=name.title(), org_unit=self.unit, time_zone=zone)
        accounts = []
        if outlook:
            self.simulator.graph.add_mailbox(address, name.title(), zone)
            accounts.append(LinkedAccount.objects.create(person=user, platform="outlook", address=address))
        if google:
            self.simulator.google.add_mailbox(address, name.title(), zone)
            accounts.append(LinkedAccount.objects.create(person=user, platform="google", address=address))
        services.ensure_primary_calendars(accounts)
        return Person(user, address, self)

    def open_mailbox(self, person: Person, platform: str) -> None:
        """One more mailbox for a person, of which CalSync does not know yet."""
        host = self.simulator.graph if platform == "outlook" else self.simulator.google
        host.add_mailbox(person.address, person.user.name, "Europe/Berlin")

    def map_mailbox(self, person: Person, platform: str) -> None:
        """Make a mailbox known to CalSync."""
        account = LinkedAccount.objects.create(person=person.user, platform=platform, address=person.address)
        services.ensure_primary_calendars([account])

    def activate(self, *, from_now: bool = False) -> RunReport:
        services.activate(calendars=Calendar.objects.all(), from_now=from_now, now=timezone.now())
        return self.settle()

    def settle(self) -> RunReport:
        return serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True, sleep=self.let_pass)

    def let_pass(self, seconds: float) -> None:
        """Move the clock on instead of waiting; other threads get a moment for what they are at."""
        time.sleep(0.01)
        self.now.shift(seconds)

    def turn(self, calendar: Calendar) -> None:
        """One worker's turn on one calendar, which has been rung."""
        Calendar.objects.filter(pk=calendar.pk).ring(now=timezone.now())
        take_turn(calendar_id=calendar.pk, clock=timezone.now, tally=Tally())

    def audit(self) -> AuditReport:
        return services.audit_calendars(calendars=Calendar.objects.all(), clock=timezone.now)

    @property
    def mails(self) -> list:
        """Mails that our writes caused (people's own mails left out)."""
        return [mail for mail in self.simulator.core.outbox if not mail.by_person]

    def provider_writes(self) -> int:
        return sum(call.is_write for call in self.simulator.core.ledger.calls)


def outlook_body(
    *, subject="Standup", start="2026-12-01T09:00:00", end="2026-12-01T09:30:00", zone="W. Europe Standard Time", **more
) -> dict:
    return {
        "subject": subject,
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


def google_body(
    *, summary="Standup", start="2026-12-01T09:00:00", end="2026-12-01T09:30:00", zone="Europe/Berlin", **more
) -> dict:
    return {
        "summary": summary,
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


@pytest.fixture(autouse=True)
def november() -> Iterator[time_machine.Traveller]:
    """The dates of these tests lie around this moment; the clock ticks on from it."""
    with time_machine.travel(NOW, tick=True) as now:
        yield now


@pytest.fixture
def simulator(november):
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def world(db, november, simulator, settings, tmp_path) -> World:
    key_file = tmp_path / "service-account.json"
    key_file.write_text(json.dumps(service_account_info(simulator.url)))
    settings.MICROSOFT_TENANT_ID = TENANT_ID
    settings.MICROSOFT_CLIENT_ID = CLIENT_ID
    settings.MICROSOFT_CLIENT_SECRET = CLIENT_SECRET
    settings.MICROSOFT_LOGIN_URL = simulator.url
    settings.MICROSOFT_GRAPH_URL = simulator.url
    settings.GOOGLE_API_URL = simulator.url
    settings.GOOGLE_SERVICE_ACCOUNT_FILE = str(key_file)
    return World(simulator, november)


@pytest.fixture
def laws(world) -> Laws:
    """Rules as the console saves them; there are none yet."""
    return Laws()


@pytest.fixture
def soon(monkeypatch):
    """Copies wait only for a moment for the invitation."""
    monkeypatch.setattr(store, "NATIVE_GRACE", timedelta(seconds=1))


@pytest.fixture
def company(world, here, soon):
    """Both are active; meeting mails do not arrive until a test lets them."""
    ada = world.person("ada", outlook=here == "outlook", google=here == "google")
    bo = world.person("bo", outlook=here == "google", google=here == "outlook")
    world.activate()
    world.simulator.core.switches.mail_arrives = False
    return Company(world, here, ada, bo)
