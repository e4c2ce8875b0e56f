"""The surroundings of one measurement: folder, database, pretend providers, processes; all of it gone afterwards."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.fernet import Fernet

from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync_site.bench.remote import order
from calsync_site.demo.processes import DemoFailed, Processes

REPLAY_LIMIT = 600.0  # seconds
DATABASE = "calsync.sqlite3"
Numbers = dict[str, Any]  # figures by name, from JSON


class BenchFailed(Exception):
    """A measurement that cannot be believed or did not come to its end; the message is one clear line."""


class Stand:
    """One fresh stand. ``with Stand(...) as stand``; raises BenchFailed and DemoFailed.

    ``workshop`` is a folder that the stands of one bench share; it holds what need not be made twice.
    """

    def __init__(self, *, root: Path, workshop: Path) -> None:
        self.root, self.workshop = root, workshop
        self.folder = Path(tempfile.mkdtemp(prefix="stand-", dir=workshop))
        self.web_port, self.port = _free_port(), _free_port()
        self.url, self.web_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.web_port}"
        self.twin_url = ""
        environment = self._environment()
        self._providers = Processes(root=root, environment=environment, logs=self.folder)
        self._site = Processes(root=root, environment=environment, logs=self.folder)

    def __enter__(self) -> Self:
        try:
            key_file = str(self.folder / "google.json")
            stage = ["-m", "calsync_site.bench.stage", "--port", str(self.port), "--key-file", key_file]
            self._providers.start("providers", *stage)
            self._providers.wait_for("providers", f"{self.url}/_sim/state")
            self._make_database()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything that was started and remove the folder."""
        self.stop_site()
        self._providers.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def order(self, name: str, **words: object) -> Numbers:
        """Have the pretend providers do something."""
        return order(self.url, name, **words)

    def people(self, count: int, *, outlook: int | None, google: int | None, series: bool = False) -> None:
        """Make people with so many events on either platform, on the original and on its twin."""
        made = self.order("people", people=count, outlook=outlook, google=google, series=series, twin=True)
        self.twin_url = made["twin"]

    def inside(self, task: str, **words: object) -> Numbers:
        """Run a task of ``inside.py`` in a process of its own."""
        done = self._site.manage("bench", "--inside", task, "--words", json.dumps(words), quiet=True)
        answer: Numbers = json.loads(done.stdout)
        return answer

    def open_site(self) -> None:
        """The web server and the workers, as in production."""
        bind = ["--bind", f"127.0.0.1:{self.web_port}", "--workers", "2", "--threads", "4", "--log-level", "warning"]
        self._site.start("web", "-m", "gunicorn", *bind, "calsync_site.wsgi")
        self._site.wait_for("web", f"{self.web_url}/admin/login/")

    def open_worker(self) -> None:
        """The queue's cluster under its supervisor."""
        self._site.start("worker", str(self.root / "manage.py"), "worker")

    def stop_site(self) -> None:
        """Stop web server and workers."""
        self._site.stop()

    def bare_loop(self, *, at_twin: bool, most: int = 1_000_000) -> Numbers:
        """Send again what was heard since the last ``forget``, the first ``most`` of it; see ``replay``."""
        file = self.folder / "heard.jsonl"
        self.order("record", file=str(file))
        where = self.twin_url if at_twin else self.url
        command = [sys.executable, "-m", "calsync_site.bench.replay", str(file), where, str(most)]
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=self.root,
            env=self._site.environment,
            capture_output=True,
            text=True,
            timeout=REPLAY_LIMIT,
            check=False,
        )
        if done.returncode:
            raise BenchFailed(f"The bare loop failed: {(done.stderr.splitlines() or ['without a word'])[-1]}")
        answer: Numbers = json.loads(done.stdout)
        if answer["astray"]:
            raise BenchFailed(f"{answer['astray']} requests of the bare loop were answered otherwise than ours.")
        return answer

    def _make_database(self) -> None:
        """An empty database; migrated once for all stands of a workshop."""
        empty, own = self.workshop / "empty.sqlite3", self.folder / DATABASE
        if not empty.exists():
            self._site.manage("migrate", "--verbosity", "0", quiet=True)
            shutil.copy(own, empty)
        else:
            shutil.copy(empty, own)

    def _environment(self) -> dict[str, str]:
        own = {
            "CALSYNC_VAR": str(self.folder),
            "CALSYNC_SEALING_KEYS": Fernet.generate_key().decode(),
            "CALSYNC_PUBLIC_URL": self.web_url,
            "DATABASE_URL": f"sqlite:///{self.folder / DATABASE}",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_SETTINGS_MODULE": "calsync_site.settings",
            "GOOGLE_API_URL": self.url,
            "GOOGLE_SERVICE_ACCOUNT_FILE": str(self.folder / "google.json"),
            "MICROSOFT_CLIENT_ID": CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": CLIENT_SECRET,
            "MICROSOFT_GRAPH_URL": self.url,
            "MICROSOFT_LOGIN_URL": self.url,
            "MICROSOFT_TENANT_ID": TENANT_ID,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPYCACHEPREFIX": str(self.workshop / "bytecode"),  # else each process may compile everything anew
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        ours = ("CALSYNC_", "DJANGO_", "MICROSOFT_", "GOOGLE_", "REDIS_URL", "DATABASE_URL", "Q_CLUSTER")
        foreign = (*ours, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE")
        return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | own


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


__all__ = ["BenchFailed", "DemoFailed", "Stand"]
