"""The supervisor of the queue's cluster: starts it, watches its signs of life, replaces it when it is stuck.

django-q2 cannot be trusted to notice that its own cluster is wedged (a killed idle worker takes the shared queue's lock
with it). Killing the whole group is safe: rows remember what is due.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import close_old_connections
from django.db.utils import DatabaseError
from django_q.tasks import async_task
from redis import RedisError

from calsync_site import heartbeat

logger = logging.getLogger(__name__)

BEAT_EVERY = 2.0  # seconds
STALLED_AFTER = 30.0  # seconds without a sign, with no worker busy
START_ALLOWANCE = 30.0  # seconds a cluster may take to its first sign
STOP_ALLOWANCE = 40.0  # seconds to finish what was begun
PR_SET_PDEATHSIG = 1


class Supervisor:
    """Runs one cluster until told to stop."""

    def __init__(self, *, processes: int, stalled_after: float = STALLED_AFTER) -> None:
        self.processes = processes
        self.stalled_after = stalled_after
        self.folder = settings.VAR_DIR / "worker" / str(os.getpid())
        self.stopping = threading.Event()
        self.restarts = 0
        self._cluster: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT; then stop the cluster cleanly."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        self._start()
        try:
            while not self.stopping.wait(BEAT_EVERY):
                self._queue("calsync_site.heartbeat.beat")
                self._look()
        finally:
            self._stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal's arguments
        self.stopping.set()

    def _start(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        environment = os.environ | {heartbeat.BEAT_DIR: str(self.folder), "CALSYNC_WORKERS": str(self.processes)}
        # Its own session: a Ctrl-C or a service manager's group signal must reach the cluster through us alone.
        self._cluster = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "qcluster"],
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        self._started = time.time()
        logger.info("worker.started pid=%s processes=%s", self._cluster.pid, self.processes)
        # What a killed cluster had fetched from the queue is not handed out again for long; the rows know it.
        self._queue("calendars.tasks.sweep")

    def _queue(self, task: str) -> None:
        close_old_connections()
        try:
            async_task(task, save=False, ack_failure=True)
        except (DatabaseError, OSError, RedisError) as error:
            logger.warning("worker.not_queued task=%s error=%s", task, type(error).__name__)
            self._started = time.time()  # no beat can be expected while the queue cannot be reached

    def _look(self) -> None:
        if self._cluster is None or self._cluster.poll() is not None:
            self._replace("exited")
        elif self._is_stalled():
            self._replace("stalled")

    def _is_stalled(self) -> bool:
        longest = settings.Q_CLUSTER["timeout"] + 30
        if heartbeat.has_busy_worker(self.folder, longest=longest):
            return False
        sign = heartbeat.last_sign(self.folder)
        allowance = self.stalled_after if sign > self._started else max(START_ALLOWANCE, self.stalled_after)
        return time.time() - max(sign, self._started) > allowance

    def _replace(self, why: str) -> None:
        self.restarts += 1
        logger.error("worker.replaced why=%s restarts=%s", why, self.restarts)
        self._kill_group()
        self._start()

    def _stop(self) -> None:
        """Ask the cluster's main process alone (a signal to the group makes it hang), wait, then end the group."""
        if self._cluster is None:
            return
        if self._cluster.poll() is None:
            self._cluster.send_signal(signal.SIGTERM)
            try:
                self._cluster.wait(STOP_ALLOWANCE)
            except subprocess.TimeoutExpired:
                logger.error("worker.killed why=does_not_stop")
        self._kill_group()
        logger.info("worker.stopped")

    def _kill_group(self) -> None:
        if self._cluster is None:
            return
        try:
            os.killpg(self._cluster.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._cluster.wait()


def _die_with_parent() -> None:
    """Have the cluster told to stop when the supervisor dies without a word (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
