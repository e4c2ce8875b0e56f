"""Both pretend directories behind one port, and the command that reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO

from django.core.management import call_command

from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator

ADMIN = "root@g.lark.example"


@dataclass
class Directories:
    """Hands of both administrators."""

    simulator: Simulator

    def hire_outlook(self, name: str, *, unit: str = "Sales", zone: str = "Europe/Berlin", **facts):
        user = self.simulator.graph.add_mailbox(f"{name}@lark.example", name.title(), zone, unit)
        return _set(user, facts)

    def hire_google(self, name: str, *, unit: str = "/Sales", domain: str = "g.lark.example", **facts):
        address = f"{name}@{domain}"
        self.simulator.google.add_mailbox(address, name.title(), "Europe/Berlin", unit, admin=address == ADMIN)
        return _set(self.simulator.google.users[address], facts)

    def read(self, source: str, **options) -> dict:
        """Run the command; what it says."""
        out = StringIO()
        call_command("import_directory", source=source, json=True, stdout=out, stderr=StringIO(), **options)
        return json.loads(out.getvalue())


def _set(row, facts):
    for name, value in facts.items():
        setattr(row, name, value)
    return row


def point_at(settings, simulator: Simulator, folder) -> None:
    """Let the settings lead to the simulator."""
    key = folder / "key.json"
    key.write_text(json.dumps(service_account_info(simulator.url)))
    settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID = TENANT_ID, CLIENT_ID
    settings.MICROSOFT_CLIENT_SECRET = CLIENT_SECRET
    settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = settings.GOOGLE_API_URL = simulator.url
    settings.GOOGLE_SERVICE_ACCOUNT_FILE, settings.GOOGLE_ADMIN_SUBJECT = str(key), ADMIN
