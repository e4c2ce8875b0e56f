"""News from below; receivers only enqueue. What a lost bell leaves behind is found by the sweep."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django_q.tasks import async_task

from calendars.signals import busy_time_changed, findings_stored


@receiver(findings_stored, dispatch_uid="conflicts.open_cases")
def enqueue_opening(sender: Any, **kwargs: Any) -> None:  # noqa: ARG001 - Any: a signal's arguments
    """Have the cases opened by the queue."""
    async_task("conflicts.tasks.open_cases", save=False)


@receiver(busy_time_changed, dispatch_uid="conflicts.look_for_overlaps")
def enqueue_looking(sender: Any, **kwargs: Any) -> None:  # noqa: ARG001 - Any: a signal's arguments
    """Have double bookings looked for by the queue."""
    async_task("conflicts.tasks.look_for_overlaps", save=False)
