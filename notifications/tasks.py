"""What the queue runs: the clock is read, a service is called, nothing else."""

from __future__ import annotations

from django.utils import timezone

from notifications import mail


def send_mail() -> None:
    """Mail what waits to be mailed."""
    mail.send_due(now=timezone.now())
