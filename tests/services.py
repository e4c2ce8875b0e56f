"""Throw-away servers for the tests: PostgreSQL and Redis on a free port of loopback, gone when the block ends.

A server is a child in a session of its own (Ctrl-C reaches the tests first) and is stopped by its own process id. On
Linux it also ends when the process that started it is killed.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis as redis_client

START_SECONDS = 30.0
STOP_SECONDS = 10.0
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
QUICK_NOT_SAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class ServiceError(RuntimeError):
    """A server did not start. The text ends with the last lines of its log."""


def find_postgresql() -> Path | None:
    """The folder of PostgreSQL's server binaries, the newest of several, or None. Root also needs the user postgres."""
    if os.geteuid() == 0 and not _has_account("postgres"):
        return None
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major_version, reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def find_redis() -> Path | None:
    """The redis-server binary, or None."""
    found = shutil.which("redis-server")
    return Path(found) if found else None


def find_chromium() -> Path | None:
    """The browser's binary, or None."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Path(found) if found else None


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server with an empty database ``calsync``; yields its ``postgres://`` address."""
    binaries = find_postgresql()
    if binaries is None:
        raise ServiceError("PostgreSQL's server binaries are not here")
    account = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    port = free_port()
    with _folder(owner=account) as folder:
        _init_cluster(binaries, folder, account=account)
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *QUICK_NOT_SAFE]
        command = [str(binaries / "postgres"), "-D", str(folder / "data")]
        for setting in settings:
            command += ["-c", setting]
        admin = f"postgres://postgres@127.0.0.1:{port}/postgres"
        with _server(command, folder=folder, account=account, ready=lambda: _create_database(admin)):
            yield f"postgres://postgres@127.0.0.1:{port}/calsync"


@contextmanager
def redis() -> Iterator[str]:
    """An empty Redis server that keeps nothing on disk; yields its ``redis://`` address."""
    binary = find_redis()
    if binary is None:
        raise ServiceError("redis-server is not here")
    port = free_port()
    with _folder(owner=None) as folder:
        quiet = ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", *quiet]
        with _server(command, folder=folder, account=None, ready=lambda: _ping(port)):
            yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _major_version(folder: Path) -> int:
    found = re.search(r"\d+", folder.parent.name)
    return int(found.group()) if found else 0


@contextmanager
def _folder(*, owner: str | None) -> Iterator[Path]:
    """A private folder under the system's temporary one, which other accounts can reach."""
    folder = Path(tempfile.mkdtemp(prefix="calsync-", dir="/tmp" if owner else None))
    try:
        if owner:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _init_cluster(binaries: Path, folder: Path, *, account: str | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust"]
    command += ["-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(
        command, user=account, group=account, extra_groups=[] if account else None,
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ServiceError(f"initdb failed: {done.stderr.strip()[-500:]}")


@contextmanager
def _server(command: list[str], *, folder: Path, account: str | None, ready: Callable[[], bool]) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, user=account, group=account, extra_groups=[] if account else None,
            cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )  # fmt: skip
    try:
        _wait_until(ready, process=process, log=log)
        yield
    finally:
        _stop(process)


def _wait_until(ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise ServiceError(f"{process.args[0]} did not start: {log.read_text(errors='replace')[-500:]}")  # type: ignore[index]
        time.sleep(0.05)


def _end_with_parent() -> None:
    """Runs in the child before the server: the kernel interrupts it when its parent is gone."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, then insist. SIGINT is PostgreSQL's fast shutdown (it disconnects clients) and Redis' ordinary one."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _create_database(admin: str) -> bool:
    try:
        with psycopg.connect(admin, autocommit=True, connect_timeout=2) as connection:
            connection.execute("CREATE DATABASE calsync")
    except psycopg.OperationalError:
        return False
    return True


def _ping(port: int) -> bool:
    try:
        with redis_client.Redis(port=port, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis_client.ConnectionError:
        return False
