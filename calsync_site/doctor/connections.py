"""Connections: the findings of their probes (``calendars.probe``), and of credentials that end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.gateway import SETTINGS
from accounts.models import TenantConnection
from calendars.alarms import NEW_CERTIFICATE, NEW_CREDENTIALS
from calendars.probe.run import try_subject
from calendars.probe.steps import Outcome, Step
from calendars.probe.subject import NAMES, Subject
from calendars.probe.trying import WARN_AHEAD
from calendars.probe.trying import late as late_step
from calsync.engine.events import Platform
from calsync_site.doctor.finding import Finding, State, problem, warning

ELSEWHERE = frozenset({"clock", "expiry", "directory"})
"""Steps that the doctor looks at by itself, or that calendars do not need."""


def look_at_expiry(*, now: datetime) -> list[Finding]:
    """Credentials that end soon or have ended, as far as their last day is known."""
    found = []
    for row in TenantConnection.objects.defer("credentials").order_by("pk"):
        if row.expires_on is None or row.expires_on > now.date() + WARN_AHEAD:
            continue
        name, remedy = f"expiry.{row.pk}", NEW_CERTIFICATE if row.from_environment else NEW_CREDENTIALS
        if row.expires_on < now.date():
            found.append(problem(name, f"The credentials of {row} ended on {row.expires_on}.", remedy))
        else:
            found.append(warning(name, f"The credentials of {row} end on {row.expires_on}.", remedy))
    return found


def unconfigured(platform: Platform, *, needed: bool) -> Finding:
    """The finding for a platform that the settings do not name."""
    text, remedy = f"No connection to {NAMES[platform]} is configured", f"Set {SETTINGS[platform]}."
    if needed:
        return problem(f"connection.{platform}", f"{text}, but mailboxes are mapped to it.", remedy)
    return warning(f"connection.{platform}", f"{text}.", remedy)


def late(subject: Subject, connection: TenantConnection | None = None) -> Finding:
    """The finding for a provider that did not answer in time."""
    return _finding(late_step(subject), _name(subject, connection), connection)


def try_connection(subject: Subject, connection: TenantConnection | None = None) -> list[Finding]:
    """Try a connection (None: the environment's). Asks the provider, not the database."""
    name = _name(subject, connection)
    steps = [step for step in try_subject(subject) if step.name not in ELSEWHERE]
    decisive = _decisive(steps)
    more = [step for step in steps if step.outcome in (Outcome.PROBLEM, Outcome.WARNING) and step is not decisive]
    return [
        _finding(decisive, name, connection),
        *(_finding(step, f"{name}.{step.name}", connection) for step in more),
    ]


def _decisive(steps: Sequence[Step]) -> Step:
    """The step that says how the connection is doing: the first problem, else a mailbox that works, else a warning."""
    for outcome in (Outcome.PROBLEM, Outcome.OK, Outcome.WARNING):
        for step in steps:
            if step.outcome == outcome and (outcome != Outcome.OK or step.name == "mailbox"):
                return step
    return steps[0]


def _finding(step: Step, name: str, connection: TenantConnection | None) -> Finding:
    text = f"{connection}: {step.text}" if connection else step.text
    return Finding(name, State(step.outcome), text, step.remedy)


def _name(subject: Subject, connection: TenantConnection | None) -> str:
    return f"connection.{connection.pk if connection else subject.platform}"
