"""The demo's processes: started in sessions of their own, stopped in reverse order, never left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_ALLOWANCE = 45.0  # seconds


class DemoFailed(Exception):
    """The demo cannot go on; the message is one clear line."""


def require_free_port(port: int) -> None:
    """Raise DemoFailed when something listens on a loopback port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoFailed(
                f"Port {port} is in use: stop what uses it, or choose others: make demo PORT=8790"
            ) from error


class Processes:
    """Everything that the demo has started."""

    def __init__(self, *, root: Path, environment: dict[str, str], logs: Path) -> None:
        self.root, self.environment, self.logs = root, environment, logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def manage(
        self, *arguments: str, quiet: bool = False, allowed: Sequence[int] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end; raises DemoFailed on an exit code that is not ``allowed``."""
        command = [sys.executable, str(self.root / "manage.py"), *arguments]
        output = subprocess.PIPE if quiet else None
        child = subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=self.environment,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
            cwd=self.root,
        )
        try:
            out, err = child.communicate()
        except BaseException:
            child.terminate()
            child.wait(STOP_ALLOWANCE)
            raise
        if child.returncode not in allowed:
            raise DemoFailed(f"manage.py {arguments[0]} failed ({child.returncode}): {_last_line(err) or 'see above'}")
        return subprocess.CompletedProcess(command, child.returncode, out or "", err or "")

    def start(self, name: str, *arguments: str) -> None:
        """Start a process that lives on; its output goes to a log file."""
        with (self.logs / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, *arguments],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C reaches the demo alone, which then stops the others in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                cwd=self.root,
            )
        self._running.append((name, child))

    def wait_for(self, name: str, url: str, *, seconds: float = 60.0) -> None:
        """Wait until a started process answers over HTTP; raises DemoFailed when it ends or stays silent."""
        child = dict(self._running)[name]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise DemoFailed(f"The {name} process ended: {self._log_line(name)}")
            try:
                urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise DemoFailed(f"The {name} process does not answer: see {self.logs / (name + '.log')}")

    def ended(self) -> str | None:
        """The name of a process that should live and does not."""
        return next((name for name, child in self._running if child.poll() is not None), None)

    def stop(self) -> None:
        """Stop everything, the last started first; what does not stop in time is killed with its group."""
        for _, child in reversed(self._running):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(STOP_ALLOWANCE)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        self._running.clear()

    def _log_line(self, name: str) -> str:
        return _last_line((self.logs / f"{name}.log").read_text(errors="replace"))


def _last_line(text: str | None) -> str:
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _die_with_parent() -> None:
    """Have a child told to stop when the demo dies without a word (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
