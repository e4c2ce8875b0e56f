"""The stage of one run: both pretend providers, the rows of the people, the clock, the post, and a worker's verbs.

What lives here: setting up, taking turns, waiting for quiet. What does not: choosing steps (``machine``), judging.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.db import connection, transaction
from django.test import Client, override_settings
from django.utils import timezone
from werkzeug.wrappers import Request, Response

from accounts.models import LinkedAccount, OrgUnit, User
from calendars import selectors, services
from calendars.models import Calendar, Watch
from calendars.sync.run import RunReport, serve
from calendars.sync.sweep import poll_due
from calendars.sync.tally import Tally
from calendars.sync.turn import take_turn
from calendars.sync.watch import ensure_watches
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.http import HttpServer
from calsync.simulator.server import Simulator
from tests.soak.seam import Seam, another_process, forget_connections
from tests.soak.sides import Google, Outlook, Side

BASE = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ADDRESS = "ada@meridian.example"
BO, CEM = "bo@meridian.example", "cem@meridian.example"  # one platform each: Outlook, Google
OTHER = {"outlook": "google", "google": "outlook"}
ZONE = "Europe/Berlin"
QUIET_MOVES = (0, 3, 3, 15, 15, 130, 15, 130, 15)
"""Minutes to move on between the looks for work: past back-offs, leases of the dead, storm and quota pauses."""


MOST_STATEMENTS = 4_000  # of one verb; a turn needs some dozens for each event


class Endless(BaseException):
    """A worker goes round in circles. Nothing on the way out may take it for an error of an event."""


@contextmanager
def ends() -> Iterator[None]:
    """What is done inside comes to an end."""
    left = MOST_STATEMENTS

    def count(run: Any, *call: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Endless
        return run(*call)

    try:
        with connection.execute_wrapper(count):
            yield
    except Endless as error:
        raise AssertionError("a worker goes round in circles") from error


@dataclass(slots=True)
class Letter:
    """One notification that a provider has sent and that has not arrived yet."""

    path: str
    headers: dict[str, str]
    body: bytes


class Post:
    """Takes the providers' notifications and keeps them, so that they arrive when and as a step says."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._server = HttpServer(self._answer)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _answer(self, request: Request) -> Response:
        if token := request.args.get("validationToken"):
            return Response(token, mimetype="text/plain")
        told = {name: value for name, value in request.headers.items() if name.startswith("X-Goog")}
        self.letters.append(Letter(request.path, told, request.get_data()))
        return Response(status=202)


@dataclass
class Studio:
    """What all runs of one test share."""

    folder: Path
    clock: time_machine.Traveller
    post: Post
    examples: int = 0
    steps: int = 0
    writes: int = 0
    acts: int = 0
    kills: int = 0


@contextmanager
def studio(folder: Path) -> Iterator[Studio]:
    """Time stands still here unless it is moved; a wait of the worker's moves it."""
    post, real_sleep, mine = Post(), time.sleep, threading.get_ident()
    with time_machine.travel(BASE, tick=False) as clock:

        def sleep(seconds: float) -> None:
            if threading.get_ident() == mine:
                clock.shift(seconds)
            else:
                real_sleep(seconds)

        post.start()
        time.sleep = sleep
        try:
            yield Studio(folder, clock, post)
        finally:
            time.sleep = real_sleep
            post.stop()
            forget_connections()


@dataclass
class Stage:
    """One run: everything is new, and nothing of it stays."""

    studio: Studio
    seam: Seam = field(default_factory=Seam)

    def __post_init__(self) -> None:
        self.studio.clock.move_to(BASE)
        self.studio.post.letters.clear()
        random.seed(0)  # jitter
        forget_connections()
        self._block = transaction.atomic()
        self._block.__enter__()
        self.simulator = Simulator().start()
        self._settings = self._configured()
        self._settings.enable()
        self.core = self.simulator.core
        self._people()

    def _configured(self) -> override_settings:
        """Of this run only: put one upon another, those of hundreds of runs outgrow the stack."""
        url = self.simulator.url
        key = self.studio.folder / f"key-{self.simulator.port}.json"
        key.write_text(json.dumps(service_account_info(url)))
        return override_settings(
            MICROSOFT_TENANT_ID=TENANT_ID,
            MICROSOFT_CLIENT_ID=CLIENT_ID,
            MICROSOFT_CLIENT_SECRET=CLIENT_SECRET,
            MICROSOFT_LOGIN_URL=url,
            MICROSOFT_GRAPH_URL=url,
            GOOGLE_API_URL=url,
            GOOGLE_SERVICE_ACCOUNT_FILE=str(key),
            CALSYNC_PUBLIC_URL=self.studio.post.url,
        )

    def _people(self) -> None:
        unit = OrgUnit.objects.create(name="Sales", path="/Sales")
        user = User.objects.create_user(email=ADDRESS, name="Ada", org_unit=unit, time_zone=ZONE)
        self.simulator.graph.add_mailbox(ADDRESS, "Ada", ZONE)
        self.simulator.google.add_mailbox(ADDRESS, "Ada", ZONE)
        accounts = [
            LinkedAccount.objects.create(person=user, platform=platform, address=ADDRESS)
            for platform in ("outlook", "google")
        ]
        services.ensure_primary_calendars(accounts)
        self.sides: dict[str, Side] = {
            "outlook": Outlook(self.simulator.graph, ADDRESS),
            "google": Google(self.simulator.google, ADDRESS),
        }
        self.calendar_ids = {calendar.account.platform: calendar.pk for calendar in Calendar.objects.all()}

    def add_colleagues(self) -> None:
        """Bo and Cem; to be called before all is activated."""
        unit = OrgUnit.objects.get()
        hosts = (("outlook", BO, self.simulator.graph), ("google", CEM, self.simulator.google))
        for platform, address, host in hosts:
            name = address.split("@")[0].title()
            user = User.objects.create_user(email=address, name=name, org_unit=unit, time_zone=ZONE)
            host.add_mailbox(address, name, ZONE)
            account = LinkedAccount.objects.create(person=user, platform=platform, address=address)
            services.ensure_primary_calendars([account])
            self.calendar_ids[address] = Calendar.objects.get(account=account).pk

    def close(self) -> None:
        """Leave nothing behind."""
        self.studio.writes += self.writes()
        self.simulator.stop()
        self._settings.disable()
        transaction.set_rollback(True)
        self._block.__exit__(None, None, None)

    # --- the worker's verbs ---------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Begin to keep the calendars in step."""
        services.activate(calendars=Calendar.objects.all(), from_now=False, now=timezone.now())
        self.serve()
        ensure_watches(clock=timezone.now)

    def turn(self, side: str, *, ring: bool) -> bool:
        """A worker's turn on one calendar: Ada's on that platform, or a colleague's of that address."""
        if ring:
            Calendar.objects.filter(pk=self.calendar_ids[side]).ring(now=timezone.now())
        with ends():
            return take_turn(calendar_id=self.calendar_ids[side], clock=timezone.now, tally=Tally())

    def other_turn(self, side: str) -> bool:
        """Another worker's turn, while one is in the middle of its own."""
        with another_process():
            return self.turn(side, ring=True)

    def work_off(self, *, backwards: bool) -> None:
        """Workers take every calendar that is due, once."""
        due = selectors.due_calendar_ids(Calendar.objects.all(), now=timezone.now())
        with ends():
            for calendar_id in reversed(due) if backwards else due:
                take_turn(calendar_id=calendar_id, clock=timezone.now, tally=Tally())

    def poll(self) -> None:
        """What the schedule does every minute or so."""
        poll_due(now=timezone.now())
        ensure_watches(clock=timezone.now)

    def deliver(self, which: int, *, times: int) -> None:
        """Let one of the waiting notifications arrive: not at all, once, or twice."""
        self.core.notifier.wait_idle()
        letters = self.studio.post.letters
        if not letters:
            return
        letter = letters.pop(which % len(letters))
        for _ in range(times):
            Client().post(letter.path, letter.body, "application/json", headers=letter.headers)

    def serve(self) -> RunReport:
        """Everything that is due, until nothing is."""
        with ends():
            return serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True, sleep=time.sleep)

    def move(self, by: timedelta) -> None:
        """The clock goes on."""
        self.studio.clock.shift(by)

    def expire_cursors(self, side: str) -> None:
        """The provider forgets where we were."""
        if side == "outlook":
            self.simulator.graph.expire_delta_tokens(ADDRESS)
        else:
            self.simulator.google.expire_sync_tokens(ADDRESS)

    # --- quiet ----------------------------------------------------------------------------------------------------

    def quiet(self) -> RunReport:
        """All trouble ends; everybody works until nothing is left to do, however long back-offs and pauses are."""
        self.core.faults.clear()
        self.core.fault_uses.clear()
        for minutes in QUIET_MOVES:
            self.move(timedelta(minutes=minutes))
            report = self.serve()
            if report.idle and minutes and not Calendar.objects.filter(lease_until__isnull=False).exists():
                break
        return report

    def writes(self) -> int:
        """Writes that reached the providers."""
        return sum(call.is_write for call in self.core.ledger.calls)

    def mails(self) -> int:
        """Mails that our writes caused; those of people's own acts are left out."""
        return sum(not mail.by_person for mail in self.core.outbox)

    def watches(self) -> int:
        """Live push channels."""
        return Watch.objects.filter(state="live").count()
