"""Fixtures that every test may ask for. What belongs to one part of the house stands in that part's own conftest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import services

pytest_plugins = ["pytester", "tests.needs"]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis server of this test process alone. Mark the test ``needs_redis``."""
    with services.redis() as url:
        yield url


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser for ``playwright``'s ``executable_path``. Mark the test ``needs_chromium``."""
    path = services.find_chromium()
    assert path is not None, "mark the test needs_chromium"
    return path
