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

from accounts.models import LinkedAccount, OrgUnit, PeopleGroup, User
from calendars import policy_change, rule_changes, services
from calendars.models import Calendar, Link
from calendars.sync.run import RunReport, serve
from calendars.sync.watch import ensure_watches
from calsync_site.bench import judging
from calsync_site.bench.crowd import ZONE, address
from calsync_site.bench.diaries import busy
from calsync_site.bench.remote import order
from calsync_site.bench.usage import peak_bytes, starved_seconds
from syncrules.models import Rule
from syncrules.services import create_rule, move_rule
from syncrules.written import Draft, Whom

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


def policy(*, people: int, rules: int) -> Numbers:
    """One more rule over events that stand: looked at before it is made, then carried into every tenth of them."""
    _enrol(people, ["outlook", "google"])
    _lay_down(rules - 1)
    _require_idle(_activate())
    _forget()
    began = time.perf_counter()
    ahead = rule_changes.look_ahead(change=_one_more_rule, now=timezone.now())
    seconds = time.perf_counter() - began
    requests = order(settings.MICROSOFT_GRAPH_URL, "totals")["requests"]
    began = time.perf_counter()
    rule_changes.make(change=_one_more_rule, ahead=ahead, by=None, reason="bench", now=timezone.now())
    while policy_change.carry_on(now=timezone.now()):
        _require_idle(serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True))
    return {
        "seconds": seconds,
        "requests": requests,
        "applied": time.perf_counter() - began,
        "writes": order(settings.MICROSOFT_GRAPH_URL, "totals")["writes"],
        "seen": ahead.found.seen,
        "concerned": len(ahead.found.events),
        "rules": Rule.objects.in_force().count(),
    }


TASKS: dict[str, Callable[..., Numbers]] = {
    "backfill": backfill,
    "live": live,
    "idle": idle,
    "pull": pull,
    "policy": policy,
    "busy": busy,
}


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


def _lay_down(rules: int) -> None:
    """Rules of every kind for everybody, with the units and groups that they name."""
    OrgUnit.objects.bulk_create(OrgUnit(name=f"Unit {number}", path=f"/Unit {number}") for number in range(rules))
    PeopleGroup.objects.bulk_create(PeopleGroup(name=f"Group {number}") for number in range(rules))
    for number in range(rules):
        draft = Draft(f"rule {number}", Whom(), judging.conditions(number), {"details": "title"})
        create_rule(draft=draft, by=None, why="bench", now=timezone.now())


def _one_more_rule() -> Rule:
    """It is asked first, and holds for every tenth event."""
    draft = Draft("one more", Whom(), {"title": r"^event \d*0 made"}, {"details": "busy", "title": "Seen first"})
    rule = create_rule(draft=draft, by=None, why="bench", now=timezone.now())
    return move_rule(rule=rule, position=1, by=None, why="bench", now=timezone.now())


def _activate() -> RunReport:
    services.activate(calendars=Calendar.objects.all(), from_now=False, now=timezone.now())
    return serve(calendars=Calendar.objects.all(), clock=timezone.now, until_idle=True)


def _require_idle(report: RunReport) -> None:
    if not report.idle or report.parked:
        reasons = [calendar.state_reason for calendar in report.troubled] + [one.reason for one in report.parked]
        raise RuntimeError(f"the run did not come to rest: {'; '.join(reasons) or 'something is still due'}")


def _forget() -> None:
    order(settings.MICROSOFT_GRAPH_URL, "forget")
