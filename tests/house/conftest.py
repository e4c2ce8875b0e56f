"""What the tests of the house look at: the repository's own files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from tests.house.company import Company, found_company

PACKAGES = ("calsync", "accounts", "notifications", "syncrules", "calendars", "conflicts", "calsync_site")
NOT_OURS = {".git", ".venv", "var", "__pycache__", "static", "node_modules", "htmlcov"}


def files(root: Path, pattern: str = "*") -> list[Path]:
    """Files of the repository, in order: no environment, no caches, nothing that a run leaves behind."""
    found = (path for path in root.rglob(pattern) if path.is_file())
    return sorted(path for path in found if not _is_left_behind(path.relative_to(root)))


def _is_left_behind(path: Path) -> bool:
    return any(part in NOT_OURS or part.endswith("_cache") or part == ".hypothesis" for part in path.parts)


@pytest.fixture(scope="session")
def repository_files(repository: Path) -> list[Path]:
    """Every file of the repository."""
    return files(repository)


@pytest.fixture(scope="session")
def python_files(repository: Path) -> list[Path]:
    """Every Python file but the migrations, which Django writes."""
    return [path for path in files(repository, "*.py") if "migrations" not in path.parts]


@pytest.fixture(scope="session")
def pages(repository: Path) -> list[Path]:
    """Every page of documentation."""
    return files(repository, "*.md")


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Company]:
    """A company for all tests of a module: what each of them changes is taken back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield found_company()
        transaction.set_rollback(True)
