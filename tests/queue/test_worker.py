"""``manage.py worker`` in real processes: killed, wedged, told to stop; changes arrive through a real web server."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.queue.installation import Installation
from tests.queue.processes import PATIENCE, children, kill, tree, wait_until

QUICK = """
import django
django.setup()
from calsync_site.supervisor import Supervisor
Supervisor(processes=1, stalled_after=4.0).run()
"""


def watch(installation: Installation) -> None:
    """Web server open, first copies made, push channels live."""
    installation.open_web()
    installation.run("activate_sync", "--all")
    live = installation.query("SELECT COUNT(*) FROM calendars_watch WHERE state = 'live'")
    assert live == [(2,)], installation.log("web")


def queue_worker(supervisor: subprocess.Popen[bytes]) -> int:
    """The cluster's first worker process: its sentinel starts the workers first, then monitor and pusher."""
    (sentinel,) = [pid for pid in tree(supervisor.pid) if len(children(pid)) > 2]
    return children(sentinel)[0]


def is_settled(installation: Installation) -> bool:
    """Whether all calendars were read and every planned write is recorded."""
    unread = "SELECT COUNT(*) FROM calendars_calendar WHERE wanted > done"
    unwritten = "SELECT COUNT(*) FROM calendars_operation WHERE state IN ('planned', 'in_flight')"
    return installation.query(unread) == installation.query(unwritten) == [(0,)]


def is_idle(installation: Installation) -> bool:
    """Whether everything is settled and no worker is at a task."""
    return is_settled(installation) and not list(installation.folder.glob("worker/*/busy-*"))


def end(worker: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
    worker.send_signal(number)
    return worker.wait(PATIENCE)


def test_a_worker_killed_with_all_its_processes_in_mid_push_loses_and_doubles_nothing(installation):
    watch(installation)
    worker = installation.open_worker()
    installation.simulator.core.switches.notification_delay_ms = 500  # the edits come first, then the hooks
    for day in (1, 2, 3, 4):
        installation.in_outlook(f"Outlook {day}", day=day)
        installation.in_google(f"Google {day}", day=day)
    with installation.killing(lambda: tree(worker.pid), at_change=3):
        assert worker.wait(PATIENCE) == -signal.SIGKILL
        wait_until(lambda: not {"qcluster", "worker"} & commands(installation), what="the cluster is dead")
    second = installation.open_worker()
    made = Counter(f"{side} {day}" for side in ("Outlook", "Google") for day in (1, 2, 3, 4))
    # The providers hold all copies once the last request is through; that ours are recorded takes a second worker.
    wait_until(lambda: is_settled(installation), what="every write is recorded", seconds=90)
    assert end(second) == 0
    assert installation.in_step(made), installation.shown()
    assert installation.sync()["writes"] == {}
    assert installation.in_step(made)
    assert installation.mails == []


def commands(installation: Installation) -> set[str]:
    """The management commands that run in this installation."""
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in installation.alive()]
    return {line[2].decode() for line in lines if len(line) > 2 and line[1].endswith(b"manage.py")}


def strike(installation: Installation, supervisor: subprocess.Popen[bytes], number: int) -> None:
    """Signal an idle worker process right after a beat, and wait until tasks run again."""
    wait_until(lambda: is_idle(installation), what="nothing is left to do")
    earlier = installation.last_beat()
    wait_until(lambda: installation.last_beat() > earlier, what="the next beat")
    struck = installation.last_beat()
    kill([queue_worker(supervisor)], number)
    wait_until(lambda: installation.last_beat() > struck + 4, what="tasks run again")


def test_tasks_run_again_after_an_idle_worker_process_was_killed_or_froze(installation):
    supervisor = installation.open_worker("-c", QUICK)
    strike(installation, supervisor, signal.SIGKILL)
    strike(installation, supervisor, signal.SIGSTOP)
    assert "worker.replaced why=stalled" in installation.log("worker")
    assert end(supervisor) == 0
    assert installation.alive() == set()


def test_sigterm_to_the_whole_process_group_stops_everything(installation):
    worker = installation.open_worker()
    assert len(tree(worker.pid)) > 6  # below the supervisor: main, sentinel, two workers, monitor, pusher
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0
    assert installation.alive() == set()
    assert list(installation.folder.glob("worker/*")) == []


@pytest.fixture
def on_redis(installation, redis_url) -> Installation:
    installation.environment["REDIS_URL"] = redis_url
    return installation


@pytest.mark.needs_redis
def test_on_the_redis_broker_a_bell_reaches_a_worker_and_the_change_arrives(on_redis):
    watch(on_redis)
    on_redis.open_worker()
    on_redis.in_outlook("Budget", day=1)
    # Sooner than any schedule of the new cluster: only the bell can have brought it.
    wait_until(lambda: on_redis.in_step(Counter(Budget=1)), what="the copy stands in Google", seconds=20)
    assert on_redis.query("SELECT COUNT(*) FROM django_q_ormq") == [(0,)]
    assert on_redis.mails == []
