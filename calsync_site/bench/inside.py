"""What is measured from inside: tasks that run in a process of their own, with a fresh database, through the services.

``manage.py bench --inside TASK`` calls them; each answers one JSON document. What lives here: the phases and where
measuring begins and ends. What does not: starting processes, floors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import LinkedAccount, OrgUnit, User
from calendars import services
from calendars.models import Calendar, Link
from calendars.sync.run import RunReport, serve
from calendars.sync.watch import ensure_watches
from calsync_site.bench.crowd import ZONE, address
from calsync_site.bench.remote import order
from calsync_site.bench.usage import peak_bytes, starved_seconds

Numbers = dict[str, Any]  # figures by name, as JSON


def backfill(*, people: int) -> Numbers:
    """The first activation of people with both mailboxes."""
    _enrol(people, ["outlook", "google"])
    _forget()
    began, cpu, starved = time.perf_counter(), time.process_time(), starved_seconds()
    report = _activate()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    starved = starved_seconds() - starved
    _require_idle(report)
    written = Link.objects.exclude(role="origin").exclude(remote_id="").count()
    return {"seconds": seconds, "cpu": cpu, "starved": starved, "events": written}


def live(*, people: int) -> Numbers:
    """People in step, with push channels: ready for webhooks."""
    _enrol(people, ["outlook", "google"])
    _require_idle(_activate())
    return {"watches": ensure_watches(clock=timezone.now)["made"]}


def idle(*, people: int, latencies: Sequence[float]) -> Numbers:
    """Passes over people in step, on whose calendars nothing has happened."""
    _enrol(people, ["outlook", "google"])
    order(settings.MICROSOFT_GRAPH_URL, "latency", ms=0)
    _require_idle(_activate())
    return {"passes": [_idle_pass(ms) for ms in latencies]}


def pull(*, platform: str) -> Numbers:
    """The first read of one large mailbox of a person who has no other."""
    _enrol(1, [platform])
    before = peak_bytes()
    _forget()
    began = time.perf_counter()
    report = _activate()
    seconds = time.perf_counter() - began
    _require_idle(report)
    return {"seconds": seconds, "before": before, "peak": peak_bytes(), "events": report.tally.pulled}


TASKS: dict[str, Callable[..., Numbers]] = {"backfill": backfill, "live": live, "idle": idle, "pull": pull}


class Statements:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *call: Any) -> Any:  # Any: Django's own signature of a wrapper
        """Count one statement and carry it out."""
        self.count += 1
        return execute(*call)


def _idle_pass(latency: float) -> Numbers:
    order(settings.MICROSOFT_GRAPH_URL, "latency", ms=latency)
    _forget()
    statements = Statements()
    began = time.perf_counter()
    with connection.execute_wrapper(statements):
        report = serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True)
    seconds = time.perf_counter() - began
    _require_idle(report)
    totals = order(settings.MICROSOFT_GRAPH_URL, "totals")
    return {"seconds": seconds, "statements": statements.count, "latency": latency, **totals}


def _enrol(people: int, platforms: Sequence[str]) -> None:
    unit = OrgUnit.objects.create(name="Bench", path="/Bench")
    users = [
        User(email=address(number), name=f"Person {number}", org_unit=unit, time_zone=ZONE, password="!")  # noqa: S106 - unusable
        for number in range(people)
    ]
    User.objects.bulk_create(users)
    accounts = [
        LinkedAccount(person=user, platform=platform, address=user.email) for user in users for platform in platforms
    ]
    LinkedAccount.objects.bulk_create(accounts)
    services.ensure_primary_calendars(accounts)


def _activate() -> RunReport:
    services.activate(calendars=Calendar.objects.all(), from_now=False, now=timezone.now())
    return serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True)


def _require_idle(report: RunReport) -> None:
    if not report.idle or report.parked:
        reasons = [calendar.state_reason for calendar in report.troubled] + [one.reason for one in report.parked]
        raise RuntimeError(f"the run did not come to rest: {'; '.join(reasons) or 'something is still due'}")


def _forget() -> None:
    order(settings.MICROSOFT_GRAPH_URL, "forget")
