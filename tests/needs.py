"""What some tests need from the machine, as a pytest plugin: they are skipped and *named* where it is not there.

``@pytest.mark.needs_postgresql`` (the test runs only against PostgreSQL), ``needs_redis`` and ``needs_chromium``.
``CALSYNC_TEST_REQUIRE=all`` turns such a skip into a failure. ``CALSYNC_TEST_SKIPS_FILE`` collects the closing lines
for a caller that runs pytest more than once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import services


def _on_postgresql() -> bool:
    return os.environ.get("CALSYNC_TEST_DATABASE_URL", "").startswith("postgres")


NEEDS: dict[str, tuple[str, Callable[[], object]]] = {
    "needs_postgresql": ("PostgreSQL", _on_postgresql),
    "needs_redis": ("Redis", services.find_redis),
    "needs_chromium": ("Chromium", services.find_chromium),
}


def required() -> bool:
    """Whether a need that cannot be met is a failure."""
    return os.environ.get("CALSYNC_TEST_REQUIRE", "") == "all"


def pytest_configure(config: pytest.Config) -> None:
    for marker, (name, _) in NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: runs only where {name} is here")
    config.addinivalue_line("markers", "one_database: about events or pages, not rows: not repeated on PostgreSQL")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (name, here) in NEEDS.items():
        if item.get_closest_marker(marker) is None or here():
            continue
        if required():
            pytest.fail(f"{name} is not here, and CALSYNC_TEST_REQUIRE=all asks for it", pytrace=False)
        pytest.skip(f"{name} is not here")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("skipped", [])
    for name, _ in NEEDS.values():
        missed = sorted(report.nodeid for report in reports if _reason(report) == f"Skipped: {name} is not here")
        if missed:
            _say(terminalreporter, f"Skipped because {name} is not here: {', '.join(missed)}")


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else ""


def _say(terminalreporter: pytest.TerminalReporter, line: str) -> None:
    terminalreporter.write_line(line, yellow=True)
    if path := os.environ.get("CALSYNC_TEST_SKIPS_FILE"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
