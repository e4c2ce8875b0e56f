"""Runs inside a warmed-up process of an installation: each order is carried out by a fork of its own.

A new interpreter costs seconds, a fork milliseconds. No connection is open when it forks. Orders and answers are lines
of JSON. A child syncs, and breaks off in the way that its order says: killed, or cut off from its database.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections
from django.utils import timezone

from calendars import gateway
from calendars.models import Calendar
from calendars.sync.run import RunReport, serve
from calsync.engine.events import Platform

Order = dict[str, Any]  # JSON
Execute = Callable[..., Any]  # as Django hands it to wrappers


def main() -> None:
    """Answer orders until the input ends: start a child (its pid comes back) or wait for one (its exit code)."""
    _warm_up()
    print(json.dumps(0), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        elif (answer := os.fork()) == 0:
            _child(order)
        print(json.dumps(answer), flush=True)


def _warm_up() -> None:
    """Load what a first sync loads, tokens included, and leave no connection open."""
    serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True)
    gateway._adapters.__dict__.clear()
    for platform in Platform:
        gateway.adapter_of(None, platform)
    connections.close_all()
    gc.collect()
    gc.freeze()


def _child(order: Order) -> None:
    os.dup2(2, 1)  # the line to the test is the parent's
    code = 1
    try:
        code = _carry_out(order)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _carry_out(order: Order) -> int:
    settings.CALSYNC_LEASE_SECONDS = order.get("lease", settings.CALSYNC_LEASE_SECONDS)
    clock = _Clock(order.get("ahead", 0), patient=order.get("patient", False))
    trap = _Trap(order)
    with connection.execute_wrapper(trap):
        try:
            report = _sync(order, clock)
        except (DatabaseError, InterfaceError):
            if not order.get("go_on"):
                raise
            # As a worker does before its next task; the lease of the turn that broke off has to run out.
            close_old_connections()
            clock.sleep(100)
            report = _sync(order, clock)
    told = {"statements": trap.seen, "idle": report.idle, "writes": report.tally.writes.total()}
    Path(order["report"]).write_text(json.dumps(told))
    return 0


def _sync(order: Order, clock: _Clock) -> RunReport:
    calendars = Calendar.objects.all()
    platform = order.get("platform", "")
    scope = calendars.filter(account__platform=platform) if platform else calendars
    for _ in range(order.get("times", 1) - 1):
        serve(calendars=scope, clock=clock.now, until_idle=not platform, sleep=clock.sleep)
    return serve(calendars=scope, clock=clock.now, until_idle=not platform, sleep=clock.sleep)


class _Clock:
    """The real clock, moved on by the waits that are not waited for.

    A patient one waits: were others at work, each of two clocks would run ahead of the other's leases.
    """

    def __init__(self, ahead: float, *, patient: bool) -> None:
        self._ahead, self._patient = timedelta(seconds=ahead), patient

    def now(self) -> datetime:
        return timezone.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        if self._patient:
            time.sleep(seconds)
        else:
            self._ahead += timedelta(seconds=seconds)


class _Trap:
    """Counts statements; at the n-th the process dies, or loses its connection, before or after it is executed."""

    def __init__(self, order: Order) -> None:
        self.seen = 0
        self._kill_before, self._kill_after = order.get("kill_before", 0), order.get("kill_after", 0)
        self._cut_off = order.get("cut_off", 0)

    def __call__(self, execute: Execute, sql: str, params: object, many: bool, context: dict[str, Any]) -> Any:
        """As Django calls it around every statement."""
        self.seen += 1
        if self.seen == self._kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.seen == self._cut_off:
            _terminate(connection.connection.info.backend_pid)
        result = execute(sql, params, many, context)
        if self.seen == self._kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def _terminate(backend: int) -> None:
    """The server ends our session, as an operator or a failover would."""
    database = connection.settings_dict
    login = {"host": database["HOST"], "port": database["PORT"], "dbname": database["NAME"], "user": database["USER"]}
    with suppress(psycopg.OperationalError), psycopg.connect(**login, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
