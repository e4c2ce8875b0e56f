"""What events are about stays out of terminals: no command prints it or logs it, whatever it finds."""

import logging

import pytest

from tests.sync.company import WEEKLY
from tests.sync.test_commands import run

SECRETS = ("Quarterly surprise", "Cellar", "whisper", "eve@elsewhere.test")
COMMANDS = [
    ("sync", "--json"),
    ("audit", "--json"),
    ("audit",),
    ("audit", "--repair"),
    ("activate_sync", "--all", "--dry-run"),
    ("remove_copies", "--all", "--dry-run"),
    ("remove_copies", "--all", "--yes"),
    ("doctor",),
    ("doctor", "--json"),
]


@pytest.fixture
def untidy(world):
    """Secrets on both sides, a series with an exception, both sides edited, and a copy that differs."""
    ada = world.person("ada")
    about = {"subject": SECRETS[0], "location": {"displayName": SECRETS[1]}}
    body = {"contentType": "text", "content": SECRETS[2]}
    guests = [{"emailAddress": {"address": SECRETS[3], "name": "Eve"}, "type": "required"}]
    made = ada.in_outlook(**about, body=body, attendees=guests)
    ada.in_google(
        summary=SECRETS[0], recurrence=WEEKLY["google"], start="2026-12-01T12:00:00", end="2026-12-01T13:00:00"
    )
    world.activate()
    ada.edit_outlook(made["id"], subject=f"{SECRETS[0]} 2")
    for item in ada.google:
        ada.edit_google(item["id"], summary=f"{SECRETS[0]} 3")
    return world


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_tells_what_events_are_about(untidy, caplog, command):
    with caplog.at_level(logging.DEBUG):
        _, told = run(*command)
    assert told.strip()
    assert [secret for secret in SECRETS if secret in told] == []
    ours = [record for record in caplog.records if not record.name.startswith(("urllib3", "httpx", "httpcore", "msal"))]
    logged = "\n".join(record.getMessage() for record in ours)
    assert [secret for secret in SECRETS if secret in logged] == []
