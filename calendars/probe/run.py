"""Carrying a probe out: from a subject to its steps, within a time that a waiting person bears."""

from __future__ import annotations

from functools import partial

from calendars.probe.clock import compare_clock
from calendars.probe.errands import Errands
from calendars.probe.google import try_google
from calendars.probe.microsoft import try_microsoft
from calendars.probe.steps import Step, in_order, problem
from calendars.probe.subject import Subject
from calendars.probe.trying import expiry_step, late
from calsync.engine.events import Platform

PATIENCE = 20.0  # seconds; a web server gives up on its worker after thirty


def try_subject(subject: Subject) -> list[Step]:
    """Everything but the clock. Asks the provider, not the database; raises nothing that can be foreseen."""
    if subject.credentials is None:
        where = "on the connection's page in the console" if subject.own else "in the environment"
        return [problem("credentials", subject.problem, f"Enter the credentials {where}.")]
    attempt = try_microsoft if subject.platform == Platform.OUTLOOK else try_google
    return [*attempt(subject), expiry_step(subject)]


def try_all(subject: Subject, *, patience: float = PATIENCE) -> list[Step]:
    """Every step in the order of the page, the clock among them. Without credentials nobody is asked anything."""
    if subject.credentials is None:
        return in_order(try_subject(subject))
    errands: Errands[Step] = Errands()
    errands.send(partial(try_subject, subject), late=[late(subject)])
    errands.send(lambda: [compare_clock(subject.platform)], late=[])
    return in_order(errands.collect(seconds=patience))
