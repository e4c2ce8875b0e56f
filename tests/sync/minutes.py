"""The worker's minutes: everything that the schedule runs each minute, and the queued turns, by a clock moved on."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import LinkedAccount, TenantConnection
from calendars import tasks
from calsync.simulator.graph.tenant import TENANT_ID


def work_off() -> int:
    """Do what a worker would: every queued task, once; returns how many there were."""
    done = 0
    while (queued := OrmQ.objects.order_by("pk").first()) is not None:
        task = queued.task
        queued.delete()
        if task["func"] == "calendars.tasks.work":
            tasks.work(*task["args"])
            done += 1
    return done


def pass_minutes(world, count: int) -> None:
    """So many minutes of a running worker, and every notification that comes meanwhile."""
    for _ in range(count):
        world.now.shift(60)
        tasks.poll()
        tasks.sweep()
        tasks.renew_watches()
        tasks.try_connections()
        world.simulator.core.notifier.wait_idle(10)
        work_off()
        world.simulator.core.notifier.wait_idle(10)
        work_off()
        tasks.check_health()


def minutes_until(world, seen, most: int) -> int:
    """How many minutes pass until something is seen."""
    for passed in range(1, most + 1):
        pass_minutes(world, 1)
        if seen():
            return passed
    raise AssertionError(f"not seen within {most} minutes")


def connect(world) -> dict[str, TenantConnection]:
    """The connections that reach everybody of the world, as the mapping makes them."""
    rows = {
        platform: TenantConnection.objects.create(
            platform=platform, name=f"Meridian {platform}", tenant=tenant, from_environment=True,
            state_since=timezone.now(),
        )
        for platform, tenant in (("outlook", TENANT_ID), ("google", "meridian.example"))
    }  # fmt: skip
    for platform, row in rows.items():
        LinkedAccount.objects.filter(platform=platform).update(connection=row)
    return rows
