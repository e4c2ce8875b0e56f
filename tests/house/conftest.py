"""What the tests of the house look at: the repository's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

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
