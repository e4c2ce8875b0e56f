"""The queue's schedules, as rows; installed by an idempotent command and by the worker at its start."""

from __future__ import annotations

from django_q.models import Schedule

SCHEDULES: dict[str, tuple[str, int]] = {  # name -> (task, minutes)
    "calsync.poll": ("calendars.tasks.poll", 1),
    "calsync.sweep": ("calendars.tasks.sweep", 1),
    "calsync.rules": ("calendars.tasks.carry_rules_on", 1),
    "calsync.horizon": ("calendars.tasks.admit", 15),
    "calsync.watches": ("calendars.tasks.renew_watches", 1),
    "calsync.connections": ("calendars.tasks.try_connections", 1),
    "calsync.health": ("calendars.tasks.check_health", 1),
    "calsync.mail": ("notifications.tasks.send_mail", 1),
    "calsync.clean_up": ("calendars.tasks.clean_up", 60),
    "calsync.busy_time": ("conflicts.tasks.look_for_overlaps", 1),
    "calsync.busy_horizon": ("calendars.tasks.roll_busy_time", 60),
    "calsync.cases": ("conflicts.tasks.open_cases", 1),
    "calsync.settled_cases": ("conflicts.tasks.close_settled", 1),
}


def install_schedules() -> list[str]:
    """Make or correct every schedule; returns their names. Those of our prefix that no longer exist are removed."""
    for name, (task, minutes) in SCHEDULES.items():
        schedule, _ = Schedule.objects.get_or_create(
            name=name, defaults={"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}
        )
        wanted = {"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}
        if any(getattr(schedule, field) != value for field, value in wanted.items()):
            Schedule.objects.filter(pk=schedule.pk).update(**wanted)
    Schedule.objects.filter(name__startswith="calsync.").exclude(name__in=SCHEDULES).delete()
    return sorted(SCHEDULES)
