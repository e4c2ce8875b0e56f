"""An installation of its own: folder, database, processes; the pretend providers live in the test's process."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator
from tests.queue import databases
from tests.queue.processes import PATIENCE, kill, marked, wait_until
from tests.services import free_port
from tests.settings import OURS, VAR

ROOT = Path(__file__).resolve().parents[2]
ADA = "ada@meridian.example"
LEASE_SECONDS = 2
SHOWN = ("2026-12-01T00:00:00Z", "2027-02-01T00:00:00Z")
Entry = tuple[str, str]  # title, start in UTC

PEOPLE = f"""email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox
{ADA},Ada,/Sales,Europe/Berlin,,,{ADA},{ADA}
"""

PREPARE = """
import sys, django
django.setup()
from django.core.management import call_command
from django.utils import timezone
from calendars import services
from calendars.models import Calendar
call_command("migrate", verbosity=0)
call_command("map_org_units", sys.argv[1], stdout=open(sys.argv[2], "w"))
services.activate(calendars=Calendar.objects.all(), from_now=False, now=timezone.now())
"""


class Installation:
    """Everything that one test starts. ``close`` ends it all."""

    def __init__(self, *, folder: Path, database_url: str, simulator: Simulator, **settings: str) -> None:
        self.folder, self.database_url, self.simulator = folder, database_url, simulator
        self.web_port = free_port()
        self.mark = f"CALSYNC_VAR={folder}"
        self.environment = self._environment(settings)
        key_file = folder / "google.json"
        key_file.write_text(json.dumps(service_account_info(simulator.url)))

    def start(self, *arguments: str, name: str) -> subprocess.Popen[bytes]:
        """A python process in a session of its own; its words go to a log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def manage(self, *arguments: str, name: str = "") -> subprocess.Popen[bytes]:
        """A management command, begun."""
        return self.start(str(ROOT / "manage.py"), *arguments, name=name or arguments[0])

    def run(self, *arguments: str) -> str:
        """A management command, to its good end; returns what it printed."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def sync(self) -> dict[str, Any]:
        """``sync --until-idle`` to its good end."""
        return json.loads(self.run("sync", "--until-idle", "--json"))

    def open_web(self) -> None:
        """The web server, answering."""
        bind = ["--bind", f"127.0.0.1:{self.web_port}", "--workers", "1", "--threads", "4", "--no-control-socket"]
        self.start("-m", "gunicorn", *bind, "calsync_site.wsgi", name="web")
        wait_until(self._web_answers, what="the web server answers")

    def open_worker(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A worker whose cluster has run a task."""
        begun = self.last_beat()
        worker = self.start(*arguments, name="worker") if arguments else self.manage("worker", "--processes", "2")
        wait_until(lambda: self.last_beat() > begun, what="the cluster runs a task")
        return worker

    def last_beat(self) -> float:
        """When a task last ran to its end, as a file time; 0 for never."""
        signs = list(self.folder.glob("worker/*/acknowledged"))
        return max((sign.stat().st_mtime for sign in signs if sign.exists()), default=0.0)

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the installation's database."""
        return databases.query(self.database_url, statement)

    def alive(self) -> set[int]:
        """Every living process of this installation, whoever started it."""
        return marked(self.mark)

    def close(self) -> None:
        """End whatever still lives."""
        while left := self.alive():
            kill(left)

    @contextmanager
    def killing(self, victims: Callable[[], Iterable[int]], *, at_change: int) -> Iterator[None]:
        """SIGKILL at the n-th change that a provider makes from now on, before that request is answered."""
        numbers = itertools.count(1)
        hooks = self.simulator.core.on_change

        def strike(*_: str) -> None:
            if next(numbers) == at_change:
                kill(victims())

        hooks.append(strike)
        try:
            yield
        finally:
            hooks.remove(strike)

    def sync_killed(self, *, at_change: int) -> None:
        """``sync --until-idle``, killed at the n-th change that it makes."""
        found: list[int] = []
        with self.killing(lambda: found, at_change=at_change):
            process = self.manage("sync", "--until-idle")
            found.append(process.pid)
            assert process.wait(PATIENCE) == -signal.SIGKILL, self.log("sync")

    # --- what stands at the providers ---

    def shown(self) -> tuple[Counter[Entry], Counter[Entry]]:
        """What Ada sees in Outlook and in Google: each occurrence with title and start, and how often it is there."""
        return Counter(self._shown_by_outlook()), Counter(self._shown_by_google())

    def in_step(self, titles: Counter[str]) -> bool:
        """Whether Ada sees the same on both sides, and each title so often."""
        outlook, google = self.shown()
        return outlook == google and Counter(title for title, _ in google.elements()) == titles

    def _shown_by_outlook(self) -> Iterator[Entry]:
        form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
        form["scope"] = "https://graph.microsoft.com/.default"
        login = requests.post(f"{self.simulator.url}/{TENANT_ID}/oauth2/v2.0/token", data=form, timeout=10).json()
        span = {"startDateTime": SHOWN[0], "endDateTime": SHOWN[1], "$top": "500"}
        for event in self._ask(f"/v1.0/users/{ADA}/calendarView", login["access_token"], span)["value"]:
            yield event["subject"], event["start"]["dateTime"][:16]

    def _shown_by_google(self) -> Iterator[Entry]:
        token = self.simulator.google.tokens.mint(ADA)
        span = {"timeMin": SHOWN[0], "timeMax": SHOWN[1], "singleEvents": "true", "timeZone": "UTC"}
        for event in self._ask("/calendar/v3/calendars/primary/events", token, span | {"maxResults": "500"})["items"]:
            yield event["summary"], event["start"]["dateTime"][:16]

    def _ask(self, path: str, token: str, query: dict[str, str]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(self.simulator.url + path, params=query, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def mails(self) -> list[Any]:
        """Mails that were not a person's own doing."""
        return [mail for mail in self.simulator.core.outbox if not mail.by_person]

    def in_outlook(self, title: str, *, day: int, **more: Any) -> str:
        """Ada makes an event in Outlook; returns its id."""
        span = {
            name: {"dateTime": f"2026-12-{day:02}T{hour}:00:00", "timeZone": "W. Europe Standard Time"}
            for name, hour in (("start", "09"), ("end", "10"))
        }
        return str(self.simulator.graph.create_event(ADA, {"subject": title} | span | more)["id"])

    def in_google(self, title: str, *, day: int, **more: Any) -> str:
        """Ada makes an event in Google; returns its id."""
        span = {
            name: {"dateTime": f"2026-12-{day:02}T{hour}:00:00", "timeZone": "Europe/Berlin"}
            for name, hour in (("start", "11"), ("end", "12"))
        }
        return str(self.simulator.google.create_event(ADA, {"summary": title} | span | more)["id"])

    def _web_answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/hooks/graph", timeout=2).close()
        except urllib.error.HTTPError:
            return True  # 405: only POST is served there
        except OSError:
            return False
        return True

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        foreign = (*OURS, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {
            "CALSYNC_VAR": str(self.folder),
            "CALSYNC_WINDOW_BACK_DAYS": "1000",  # the events of these tests have fixed dates
            "CALSYNC_LEASE_SECONDS": str(LEASE_SECONDS),
            "CALSYNC_PUBLIC_URL": f"http://127.0.0.1:{self.web_port}",
            "DATABASE_URL": self.database_url,
            "DJANGO_SECRET_KEY": os.environ["DJANGO_SECRET_KEY"],
            "CALSYNC_SEALING_KEYS": os.environ["CALSYNC_SEALING_KEYS"],
            "DJANGO_SETTINGS_MODULE": "calsync_site.settings",
            "GOOGLE_API_URL": self.simulator.url,
            "GOOGLE_SERVICE_ACCOUNT_FILE": str(self.folder / "google.json"),
            "MICROSOFT_CLIENT_ID": CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": CLIENT_SECRET,
            "MICROSOFT_GRAPH_URL": self.simulator.url,
            "MICROSOFT_LOGIN_URL": self.simulator.url,
            "MICROSOFT_TENANT_ID": TENANT_ID,
            "PYTHONPYCACHEPREFIX": str(VAR / "bytecode"),  # compiled once, not by each of the many processes
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        return kept | own | settings


def prepare(*, folder: Path, database_url: str) -> None:
    """Migrate a database, map Ada and switch her calendars on; nothing is read from a provider."""
    (folder / "people.csv").write_text(PEOPLE)
    with Simulator() as simulator:
        installation = Installation(folder=folder, database_url=database_url, simulator=simulator)
        process = installation.start(
            "-c", PREPARE, str(folder / "people.csv"), str(folder / "mapped.txt"), name="prepare"
        )
        assert process.wait(2 * PATIENCE) == 0, installation.log("prepare")
