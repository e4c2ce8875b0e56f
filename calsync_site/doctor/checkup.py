"""The whole checkup: everything in order, network calls beside the rest and never for long."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.conf import settings
from django.db.utils import DatabaseError

from calendars import gateway
from calsync.engine.events import Platform
from calsync_site.doctor import clocks, connections, queue
from calsync_site.doctor.configuration import look_at_settings
from calsync_site.doctor.database import look_at_database
from calsync_site.doctor.errands import Errands
from calsync_site.doctor.finding import Finding, State, problem
from calsync_site.doctor.keys import look_at_keys
from calsync_site.doctor.mailboxes import look_at_mailboxes
from calsync_site.doctor.rules import look_at_rules
from calsync_site.doctor.watches import look_at_watches

PATIENCE = 30.0  # seconds for all network calls together


def examine(*, now: datetime, patience: float = PATIENCE) -> list[Finding]:
    """Look at everything; returns the findings in the order of the report. Raises nothing that can be foreseen."""
    stored = look_at_database()
    usable = all(finding.state != State.PROBLEM for finding in stored)
    errands = Errands()
    unconfigured = _send(errands, usable=usable)
    here = [*look_at_settings(), *stored]
    if usable:
        here += _look_at_rows(now)
    return [*here, *unconfigured, *errands.collect(seconds=patience)]


def _send(errands: Errands, *, usable: bool) -> list[Finding]:
    """Begin all network calls; returns what needs none."""
    found: list[Finding] = []
    owns = connections.own_connections() if usable else []
    for own in owns:
        trial = partial(connections.try_own, own, connections.mailboxes_to_try(Platform(own.platform), owns, own))
        errands.send(trial, late=[connections.late(Platform(own.platform), own)])
    for platform in Platform:
        if not gateway.is_configured(platform):
            mapped = usable and bool(connections.mailboxes_to_try(platform, owns))
            found.append(connections.unconfigured(platform, needed=mapped))
            continue
        addresses = connections.mailboxes_to_try(platform, owns) if usable else []
        trial = partial(connections.try_connection, platform, addresses)
        errands.send(trial, late=[connections.late(platform)])
        errands.send(partial(clocks.compare_clock, platform), late=[])
    if settings.REDIS_URL:
        errands.send(queue.try_redis, late=[queue.redis_is_late()])
    else:
        found.append(queue.broker_is_database())
    return found


def _look_at_rows(now: datetime) -> list[Finding]:
    try:
        here = [*look_at_keys(), *look_at_rules(), *look_at_mailboxes(), *look_at_watches(now=now)]
        return [*here, *connections.look_at_expiry(now=now), *queue.look_at_queue(now=now)]
    except DatabaseError as error:
        text = f"The database broke off in the middle of the checkup ({type(error).__name__})."
        return [problem("database", text, "Try again; see the database server's log.")]
