"""Queue: can work be queued, do workers show signs of life, does anything lie about that should have been done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import redis
from django.conf import settings
from django.db.models import Max
from django_q.models import Failure, OrmQ, Schedule, Task

from calendars.models import Calendar, Operation
from calsync_site import heartbeat
from calsync_site.doctor.finding import Finding, ok, problem, warning
from calsync_site.schedules import SCHEDULES

SILENT = timedelta(minutes=3)
"""Schedules make tasks every minute: a worker that shows no sign for this long is stuck or not there."""
LATE = timedelta(minutes=5)
"""Work that waits longer than this is not on its way."""
REDIS_TIMEOUT = 5.0  # seconds

_START = "Start it and keep it running: manage.py worker"


def look_at_queue(*, now: datetime) -> list[Finding]:
    """Everything about the queue, the broker itself left out (see ``try_redis``)."""
    worker = _worker(now)
    return [*_schedules(), worker, *_waiting(now), *_failures(now), *_bells(now)]


def broker_is_database() -> Finding:
    """The finding for the default broker: whoever reads our database can also queue."""
    return ok("queue.broker", "The queue lives in the database.")


def try_redis() -> list[Finding]:
    """Ask the Redis broker. The address stays out of the text: it may hold a password."""
    limits = {"socket_connect_timeout": REDIS_TIMEOUT, "socket_timeout": REDIS_TIMEOUT}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **limits) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        text = f"The queue's Redis server cannot be used ({type(error).__name__})."
        return [problem("queue.broker", text, "Check REDIS_URL, and that the server runs and lets us in.")]
    return [ok("queue.broker", "The queue's Redis server answers.")]


def redis_is_late() -> Finding:
    """The finding for a Redis server that does not answer in time."""
    return problem("queue.broker", "The queue's Redis server does not answer in time.", "Check REDIS_URL.")


def _schedules() -> list[Finding]:
    rows = {row.name: row for row in Schedule.objects.filter(name__in=SCHEDULES).order_by("pk")}
    wrong = [
        name
        for name, (task, minutes) in SCHEDULES.items()
        if name not in rows or (rows[name].func, rows[name].minutes) != (task, minutes)
    ]
    if not wrong:
        return [ok("queue.schedules", f"All {len(SCHEDULES)} schedules are installed.")]
    text = f"Schedules are missing or out of date: {', '.join(sorted(wrong))}."
    return [
        warning("queue.schedules", text, "manage.py schedule installs them; manage.py worker does it at its start.")
    ]


def last_sign() -> datetime | None:
    """When a worker last finished a task that is kept (schedules make some every minute), or beat on this machine."""
    kept = Task.objects.aggregate(last=Max("stopped"))["last"]
    beats = [heartbeat.last_sign(folder) for folder in (settings.VAR_DIR / "worker").glob("*")]
    local = [datetime.fromtimestamp(beat, UTC) for beat in beats if beat]
    return max([*local, *([kept] if kept else [])], default=None)


def _worker(now: datetime) -> Finding:
    sign = last_sign()
    if sign is not None and sign > now - SILENT:
        return ok("queue.worker", f"A worker finished a task {_ago(now - sign)} ago.")
    if sign is None and not Schedule.objects.filter(name__in=SCHEDULES).exists():
        text = "No worker was ever started: nothing is synced by itself."
    else:
        text = (
            f"No worker has shown a sign of life for {_ago(now - sign)}." if sign else "No worker shows a sign of life."
        )
    # Without active calendars, or before the first start, nothing is missed yet.
    needed = Calendar.objects.active().exists() and Schedule.objects.filter(name__in=SCHEDULES).exists()
    return problem("queue.worker", text, _START) if needed else warning("queue.worker", text, _START)


def _waiting(now: datetime) -> list[Finding]:
    if settings.REDIS_URL:
        return []  # a Redis queue does not tell how old its tasks are
    waiting = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=now).order_by("lock")
    oldest = waiting.first()
    if oldest is None or oldest.lock is None or oldest.lock > now - LATE:
        return [ok("queue.waiting", f"{waiting.count()} tasks wait, none for long.")]
    text = f"{waiting.count()} tasks wait, the oldest for {_ago(now - oldest.lock)}."
    return [problem("queue.waiting", text, "See that manage.py worker runs; give it more --processes when it is busy.")]


def _failures(now: datetime) -> list[Finding]:
    failed = Failure.objects.filter(stopped__gt=now - timedelta(days=1))
    if not (count := failed.count()):
        return []
    names = sorted(set(failed.values_list("func", flat=True)))
    text = f"{count} tasks failed in the last 24 hours: {', '.join(names)}."
    return [warning("queue.failures", text, "See the worker's log, and Failed tasks in the console.")]


def _bells(now: datetime) -> list[Finding]:
    unheard = Calendar.objects.unserved(now=now).filter(dirty_at__lt=now - LATE).count()
    overdue = Operation.objects.due(now=now - LATE).filter(calendar__in=Calendar.objects.free_now(now=now)).count()
    if not (unheard or overdue):
        return [ok("queue.bells", "No change waits unheard.")]
    minutes = round(LATE.total_seconds() / 60)
    text = f"For over {minutes} minutes, {unheard} calendars wait to be read and {overdue} planned writes to be made."
    return [problem("queue.bells", text, "See that manage.py worker runs; manage.py sync --until-idle catches up now.")]


def _ago(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} seconds"
