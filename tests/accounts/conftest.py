"""What the tests of linking share: both pretend providers, Ada, and her browser."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from calsync.simulator.server import Simulator
from tests.accounts.linking import own_consent_only
from tests.factories import UserFactory

ADA = "ada@meridian.example"


@pytest.fixture
def simulator(db, settings):
    with Simulator() as simulator:
        for name in ("ada", "bo"):
            simulator.graph.add_mailbox(f"{name}@meridian.example", name.title(), "Europe/Berlin")
            simulator.google.add_mailbox(f"{name}@meridian.example", name.title(), "Europe/Berlin")
        own_consent_only(simulator, settings)
        yield simulator


@pytest.fixture
def ada(db) -> User:
    return UserFactory(email=ADA)


@pytest.fixture
def browser(ada) -> Client:
    browser = Client()
    browser.force_login(ada)
    return browser
