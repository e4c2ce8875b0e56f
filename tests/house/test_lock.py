"""The lock files: everything pinned and hashed, and no word about where it is downloaded from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCKS = ("requirements.txt", "requirements-dev.txt")


def pins(path: Path) -> dict[str, set[Version]]:
    """Each package with its versions: several when they differ by Python or platform."""
    found: dict[str, set[Version]] = {}
    for line in requirement_lines(path):
        requirement = Requirement(line.split(" --hash=")[0])
        version = next(iter(requirement.specifier)).version
        found.setdefault(canonicalize_name(requirement.name), set()).add(Version(version))
    return found


def requirement_lines(path: Path) -> list[str]:
    """One line for each requirement, its hashes behind it."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    return [re.sub(r"\s+", " ", line) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def wanted(repository: Path, *, dev: bool) -> list[Requirement]:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + (project["optional-dependencies"]["dev"] if dev else [])
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_address(repository, lock):
    lines = requirement_lines(repository / lock)

    assert [line for line in lines if re.search(r"://| @ |^-|--(index|find)", line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(repository, lock):
    lines = requirement_lines(repository / lock)

    assert len(lines) > 20
    assert [line for line in lines if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


@pytest.mark.parametrize(("lock", "dev"), [("requirements.txt", False), ("requirements-dev.txt", True)])
def test_every_dependency_of_the_project_is_in_the_lock(repository, lock, dev):
    locked = pins(repository / lock)

    for requirement in wanted(repository, dev=dev):
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in {lock}: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_both_locks_agree(repository):
    run, develop = (pins(repository / lock) for lock in LOCKS)

    assert {name: develop.get(name) for name in run} == run
