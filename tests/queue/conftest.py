"""Installations with processes of their own. The database is prepared once and copied for every test."""

from __future__ import annotations

import sys

import pytest

from calsync.simulator.server import Simulator
from tests.queue import databases
from tests.queue.forks import Forks
from tests.queue.installation import ADA, Installation, prepare


def pytest_collection_modifyitems(items):
    for item in items:
        if "installation" in item.fixturenames and sys.platform != "linux":
            item.add_marker(pytest.mark.skip(reason="Linux is not here: processes are found in /proc"))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    with databases.empty_database(folder) as url:
        prepare(folder=folder, database_url=url)
        yield url


@pytest.fixture
def simulator():
    with Simulator() as simulator:
        simulator.graph.add_mailbox(ADA, "Ada", "Europe/Berlin")
        simulator.google.add_mailbox(ADA, "Ada", "Europe/Berlin")
        yield simulator


@pytest.fixture
def installation(prepared, simulator, tmp_path, request):
    """Ada's. ``@pytest.mark.parametrize("installation", [{NAME: value}], indirect=True)`` adds settings."""
    with databases.copy_of(prepared, tmp_path) as url:
        made = Installation(folder=tmp_path, database_url=url, simulator=simulator, **getattr(request, "param", {}))
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def forks(installation):
    """A warmed-up process of the installation, which syncs in forks."""
    made = Forks(installation)
    try:
        yield made
    finally:
        made.close()
