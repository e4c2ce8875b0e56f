"""What the queue runs: an id comes in, the clock is read, a service is called, nothing else."""

from __future__ import annotations

from django.utils import timezone

from calendars import activation, busy, health, policy_change, services, trials
from calendars.models import Calendar, Event
from calendars.signals import busy_time_changed
from calendars.sync import sweep as sweeping
from calendars.sync import watch as watching
from calendars.sync.admission import admit_due
from calendars.sync.tally import Tally
from calendars.sync.turn import follow_up


def work(calendar_id: int) -> None:
    """Take a turn on one calendar, and on those that it makes work for."""
    tally = Tally()
    follow_up(calendar_id=calendar_id, clock=timezone.now, tally=tally)
    if tally.busy_time:
        busy_time_changed.send(sender=Event)


def look_up(calendar_id: int) -> None:
    """Ask for the name and the zone of a calendar that was switched on."""
    if (calendar := Calendar.objects.select_related("account").filter(pk=calendar_id).first()) is not None:
        activation.try_look_up(calendar)


def poll() -> None:
    """Ring every calendar whose poll is due."""
    sweeping.poll_due(now=timezone.now())


def sweep() -> None:
    """Ring again where a bell was lost or a lease ran out with its holder."""
    sweeping.sweep(now=timezone.now())


def admit() -> None:
    """Let in the events whose time has come within the horizon of their rules."""
    admit_due(now=timezone.now())


def carry_rules_on() -> None:
    """Carry out the next batches of a change of rules."""
    policy_change.carry_on(now=timezone.now())


def renew_watches() -> None:
    """Make, renew and drop push channels as needed."""
    watching.ensure_watches(clock=timezone.now)


def roll_busy_time() -> None:
    """Look further ahead as time goes by."""
    busy.roll_forward(now=timezone.now())


def try_connections() -> None:
    """Ask connections for a token anew, and store at once what that shows."""
    if any(trials.try_connections(clock=timezone.now).values()):
        health.check_health(now=timezone.now())


def check_health() -> None:
    """Work out how calendars, mailboxes and connections are doing."""
    health.check_health(now=timezone.now())


def clean_up() -> None:
    """Drop what is kept only for a while."""
    services.clean_up(now=timezone.now())
