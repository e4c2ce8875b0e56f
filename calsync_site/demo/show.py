"""The demo's way: prepare, start, map, activate, show; then keep living, or check and end."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync_site.demo.processes import DemoFailed, Processes, require_free_port

ADMIN = "admin@calsync.example"
PEOPLE, EVENTS = 40, 1000
EDITS_ONCE = 40
EDIT_EVERY = 3.0  # seconds
SETTLE_ROUNDS = 20
# Not taken over from the shell: settings of a real installation, foreign certificates.
FOREIGN = (
    "CALSYNC_", "CURL_CA_", "DATABASE_", "DJANGO_", "GOOGLE_", "MICROSOFT_", "PYTHONDONT", "REDIS_", "REQUESTS_CA_"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the closing audit saw."""

    audit: dict[str, Any]  # Any: the audit's JSON document
    mails: int

    @property
    def good(self) -> bool:
        """Whether everything matches and nobody was mailed."""
        return self.audit["match_rate"] == 100.0 and not self.audit["unread"] and self.mails == 0


class Demo:
    """One run. ``say`` prints a line for the reader."""

    def __init__(self, *, root: Path, folder: Path, port: int, say: Callable[[str], None]) -> None:
        self.root, self.folder, self.port, self.say = root, folder, port, say
        self.console = f"http://127.0.0.1:{port}"
        self.providers = f"http://127.0.0.1:{port + 1}"
        self._manage = str(root / "manage.py")
        self.password = secrets.token_urlsafe(9)
        self.processes = Processes(root=root, environment=self._environment(), logs=folder)

    def begin(self) -> None:
        """Everything up to the first complete sync, with the report."""
        for port in (self.port, self.port + 1):
            require_free_port(port)
        self._fresh_folder()
        self._start_providers()
        self.say("Preparing a database ...")
        self.processes.manage("migrate", "--verbosity", "0", quiet=True)
        self._start_servers()
        self.processes.manage("createsuperuser", "--noinput", "--email", ADMIN, quiet=True)
        self.say("Mapping a pretend company ...")
        mapped = self.processes.manage("map_org_units", str(self.folder / "company.csv"), quiet=True).stdout
        self.say("\n".join(line for line in mapped.splitlines() if line and not line.startswith("line ")))
        self.say("Activating sync ...")
        self.processes.manage("activate_sync", "--all")
        self.say(self.processes.manage("audit", quiet=True, allowed=(0, 1)).stdout.strip())
        collisions = json.loads(self.processes.manage("overlaps", "--all", "--json", quiet=True).stdout)["overlaps"]
        people = len({one["person"] for one in collisions})
        self.say(f"Double bookings in the next 30 days: {len(collisions)}, of {people} people.")

    def prove(self) -> Outcome:
        """Let people edit, wait until nothing is due, audit both sides."""
        self.say(f"{EDITS_ONCE} edits by pretend people ...")
        for _ in range(EDITS_ONCE):
            self._post("/_sim/act", {"times": 1})
            time.sleep(0.05)
        self._wait_until_idle()
        audit = json.loads(self.processes.manage("audit", "--json", quiet=True, allowed=(0, 1)).stdout)
        mails = [mail for mail in self._get("/_sim/outbox")["mails"] if not mail["by_person"]]
        return Outcome(audit, len(mails))

    def live(self) -> None:
        """Go on until Ctrl-C: people make edits, copies follow."""
        self.say(f"\nConsole: {self.console}/admin/   log in as {ADMIN} with password {self.password}")
        self.say("Pretend people go on making edits; Ctrl-C stops everything.")
        while True:
            time.sleep(EDIT_EVERY)
            if name := self.processes.ended():
                raise DemoFailed(f"The {name} process ended: see {self.folder / (name + '.log')}")
            self._post("/_sim/act", {"times": 1})

    def end(self) -> None:
        """Stop everything that was started."""
        self.processes.stop()

    def _start_providers(self) -> None:
        files = ["--csv", str(self.folder / "company.csv"), "--key-file", str(self.folder / "google.json")]
        size = ["--people", str(PEOPLE), "--events", str(EVENTS)]
        self.say("Starting the pretend Microsoft 365 and Google Workspace ...")
        self.processes.start("providers", self._manage, "simulate", "--port", str(self.port + 1), *size, *files)
        self.processes.wait_for("providers", f"{self.providers}/_sim/state")

    def _start_servers(self) -> None:
        self.say("Starting the web server and the workers ...")
        where = ["--bind", f"127.0.0.1:{self.port}", "--workers", "2", "--threads", "4"]
        manner = ["--log-level", "warning", "--no-control-socket"]
        self.processes.start("web", "-m", "gunicorn", *where, *manner, "calsync_site.wsgi")
        self.processes.wait_for("web", f"{self.console}/admin/login/")
        self.processes.start("worker", self._manage, "worker")

    def _wait_until_idle(self) -> None:
        """Idle is when two looks in a row find nothing to write: a late webhook may bring work between them."""
        quiet = 0
        for _ in range(SETTLE_ROUNDS):
            run = self.processes.manage("sync", "--until-idle", "--json", quiet=True, allowed=(0, 1))
            report = json.loads(run.stdout)
            quiet = quiet + 1 if not report["writes"] and not report["due"] else 0
            if quiet == 2:
                return
            time.sleep(1)
        raise DemoFailed("The sync did not come to rest.")

    def _fresh_folder(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def _environment(self) -> dict[str, str]:
        own = {
            "CALSYNC_VAR": str(self.folder),
            "CALSYNC_SEALING_KEYS": Fernet.generate_key().decode(),
            "CALSYNC_PUBLIC_URL": self.console,
            "DATABASE_URL": f"sqlite:///{self.folder / 'calsync.sqlite3'}",
            "DJANGO_SUPERUSER_PASSWORD": self.password,
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_SETTINGS_MODULE": "calsync_site.settings",
            "GOOGLE_API_URL": self.providers,
            "GOOGLE_SERVICE_ACCOUNT_FILE": str(self.folder / "google.json"),
            "MICROSOFT_CLIENT_ID": CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": CLIENT_SECRET,
            "MICROSOFT_GRAPH_URL": self.providers,
            "MICROSOFT_LOGIN_URL": self.providers,
            "MICROSOFT_TENANT_ID": TENANT_ID,
            "PYTHONPYCACHEPREFIX": str(self.root / "var" / "bytecode"),  # a dozen processes start: let them start fast
            "PYTHONUNBUFFERED": "1",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        proxies = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        return kept | proxies | own

    def _get(self, path: str) -> Any:  # Any: JSON
        with urllib.request.urlopen(self.providers + path, timeout=30) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def _post(self, path: str, body: dict[str, object]) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.providers + path, json.dumps(body).encode(), headers)  # noqa: S310 - loopback
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - loopback
