"""The pretend Microsoft 365 and Google Workspace on loopback."""

from __future__ import annotations

import json
import signal
import threading
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from calsync.simulator.company import seed
from calsync.simulator.google.oauth import OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator

HELP = """Serve a pretend Microsoft 365 tenant and Google Workspace domain on loopback, in memory, until Ctrl-C.

It behaves like the providers do on the wire, wrong requests included. With --people it holds a pretend company;
--csv writes the file for manage.py map_org_units, --key-file the pretend Google key file.

  manage.py simulate --port 8901 --people 40 --events 1000 --csv var/company.csv --key-file var/google.json"""


class Command(BaseCommand):
    """``manage.py simulate``."""

    help = HELP
    requires_system_checks = ()  # it needs none of the settings, and makes the key file that one of them names

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:  # Any: Django's own signature
        """Keep the line breaks of the help text."""
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, and how big."""
        parser.add_argument(
            "--port", type=int, default=8901, help="port on 127.0.0.1 (default: %(default)s; 0 picks one)"
        )
        parser.add_argument("--people", type=int, default=0, help="size of the pretend company (default: none)")
        parser.add_argument("--events", type=int, default=1000, help="events of the company (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same company")
        parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="answer this much later")
        parser.add_argument("--csv", metavar="FILE", help="write the company's mapping file")
        parser.add_argument("--key-file", metavar="FILE", help="write the pretend Google service account's key file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        try:
            simulator = Simulator(port=options["port"])
        except OSError as error:
            raise CommandError(f"Port {options['port']} cannot be used: {error}", returncode=2) from error
        simulator.core.switches.latency_ms = options["latency"]
        if options["people"]:
            company = seed(simulator, people=options["people"], events=options["events"], seed=options["seed"])
            if options["csv"]:
                Path(options["csv"]).write_text(company.csv(), encoding="utf-8")
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        with simulator:
            if options["key_file"]:
                Path(options["key_file"]).write_text(json.dumps(service_account_info(simulator.url)), encoding="utf-8")
            self.stdout.write(_settings(simulator.url, options["key_file"]))
            self.stdout.flush()  # into a file or pipe, too: it goes on until it is stopped
            stopping.wait()


def _settings(url: str, key_file: str | None) -> str:
    """What to set so that CalSync talks to this simulator."""
    return "\n".join(
        [
            f"The pretend providers are at {url}. Settings that reach them:",
            f"MICROSOFT_LOGIN_URL={url} MICROSOFT_GRAPH_URL={url} GOOGLE_API_URL={url}",
            f"MICROSOFT_TENANT_ID={TENANT_ID} MICROSOFT_CLIENT_ID={CLIENT_ID} MICROSOFT_CLIENT_SECRET={CLIENT_SECRET}",
            f"GOOGLE_SERVICE_ACCOUNT_FILE={key_file or 'FILE (give --key-file FILE)'}",
            f"GOOGLE_LOGIN_URL={url}",
            f"GOOGLE_OAUTH_CLIENT_ID={OAUTH_CLIENT_ID} GOOGLE_OAUTH_CLIENT_SECRET={OAUTH_CLIENT_SECRET}",
        ]
    )
