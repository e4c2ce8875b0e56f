"""Install the queue's schedules."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from calsync_site.schedules import install_schedules


class Command(BaseCommand):
    """``manage.py schedule``."""

    help = (
        "Install or refresh the queue's schedules (polling, watches, sweeping, clean-up). Safe to repeat; "
        "the worker does it at its start."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Install and say what stands."""
        for name in install_schedules():
            self.stdout.write(name)
