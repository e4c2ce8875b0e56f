"""The queue's cluster under supervision."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from calsync_site.keycheck import refuse_wrong_keys
from calsync_site.schedules import install_schedules
from calsync_site.supervisor import Supervisor


class Command(BaseCommand):
    """``manage.py worker``."""

    help = (
        "Run the background work: pulls, pushes, polling, watches. Restarts a stuck cluster by itself; stops cleanly "
        "on SIGTERM and Ctrl-C. Several workers on several machines may share one database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Size."""
        parser.add_argument(
            "--processes",
            type=int,
            default=settings.Q_CLUSTER["workers"],
            metavar="N",
            help="worker processes (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Install the schedules and supervise."""
        if not 1 <= options["processes"] <= 64:
            raise CommandError("--processes takes a number from 1 to 64.", returncode=2)
        refuse_wrong_keys()
        install_schedules()
        Supervisor(processes=options["processes"]).run()
