"""The house stands as planned: every room exists, and nothing is named after an attic."""

from __future__ import annotations

import pytest

NAMES = [
    *("manage.py", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", ".ci/run", "docs", "deploy"),
    *("calsync/engine", "calsync/providers/base.py", "calsync/providers/google", "calsync/providers/graph"),
    *("calsync/simulator", "accounts", "notifications", "syncrules", "calendars", "conflicts", "calsync_site"),
    *("calendars/models", "calendars/sync", "templates", "tests", "docs/style.md", "docs/decisions"),
]
ATTICS = {"utils", "util", "helpers", "helper", "common", "manager", "data", "info", "misc", "core_utils"}


@pytest.mark.parametrize("name", NAMES)
def test_the_room_exists(repository, name):
    assert (repository / name).exists()


def test_the_tests_of_a_change_start_with_one_command(repository):
    assert "make test" in (repository / ".ci" / "run").read_text()


def test_no_module_is_an_attic(repository, python_files):
    names = {path: path.stem if path.stem != "__init__" else path.parent.name for path in python_files}

    assert [str(path.relative_to(repository)) for path, name in names.items() if name in ATTICS] == []
