"""The whole checkup: everything in order, network calls beside the rest and never for long."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.conf import settings
from django.db.utils import DatabaseError

from accounts.gateway import is_configured
from accounts.selectors import own_connections
from calendars.probe.errands import Errands
from calendars.probe.subject import mailboxes_to_try, subject_of
from calsync.engine.events import Platform
from calsync_site.doctor import clocks, connections, queue
from calsync_site.doctor.configuration import look_at_settings
from calsync_site.doctor.database import look_at_database
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
    errands: Errands[Finding] = Errands()
    unconfigured = _send(errands, usable=usable, now=now)
    here = [*look_at_settings(), *stored]
    if usable:
        here += _look_at_rows(now)
    return [*here, *unconfigured, *errands.collect(seconds=patience)]


def _send(errands: Errands[Finding], *, usable: bool, now: datetime) -> list[Finding]:
    """Begin all network calls; returns what needs none."""
    found: list[Finding] = []
    for platform in Platform:
        owns = own_connections(platform) if usable else []
        for own in owns:
            subject = subject_of(own, platform, mailboxes=mailboxes_to_try(platform, owns, own), now=now)
            errands.send(partial(connections.try_connection, subject, own), late=[connections.late(subject, own)])
        addresses = mailboxes_to_try(platform, owns) if usable else []
        if not is_configured(platform):
            found.append(connections.unconfigured(platform, needed=bool(addresses)))
            continue
        subject = subject_of(None, platform, mailboxes=addresses, now=now)
        errands.send(partial(connections.try_connection, subject), late=[connections.late(subject)])
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
