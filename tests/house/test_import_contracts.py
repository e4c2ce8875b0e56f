"""The import contracts of pyproject.toml hold, and each of them notices a wrong import."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.conftest import PACKAGES
from tests.run import LINT_IMPORTS

WRONG_IMPORTS = [
    ("floors", "calsync.engine.events", "calsync.providers.base"),
    ("floors", "accounts.models", "calendars.models"),
    ("floors", "calendars.services", "conflicts.services"),
    ("floors", "conflicts.services", "calsync_site.settings"),
    ("rooms", "accounts.models", "accounts.services"),
    ("rooms", "calendars.rows", "calendars.sync"),
    ("rooms", "syncrules.services", "syncrules.admin"),
    ("library", "calsync.engine.events", "django.utils.timezone"),
    ("library", "calsync.simulator.core", "calendars.models"),
    ("pure-engine", "calsync.engine.events", "logging"),
    ("pure-engine", "calsync.engine.traits", "requests"),
    ("island", "calsync.simulator.core", "calsync.engine.events"),
    ("island", "calsync.simulator.core", "calsync.providers.base"),
    ("pretending", "calsync.providers.base", "calsync.simulator.core"),
    ("pretending", "calendars.services", "calsync.simulator.core"),
    ("pretending", "calsync_site.settings", "calsync.simulator.core"),
]


@pytest.fixture
def tree(repository: Path, tmp_path: Path) -> Path:
    """A copy of the code to plant wrong imports in."""
    for package in PACKAGES:
        shutil.copytree(repository / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT_IMPORTS.replace("'--no-logo'", "'--no-logo', *sys.argv[1:]")]
    return subprocess.run(
        [*command, "--no-cache", *arguments], cwd=tree, capture_output=True, text=True, check=False, timeout=120
    )


def plant(tree: Path, importer: str, imported: str) -> None:
    """Add the import to a module of ours; what does not exist yet is made."""
    if imported.split(".")[0] in PACKAGES:
        module_file(tree, imported)
    with module_file(tree, importer).open("a") as file:
        file.write(f"\nimport {imported}\n")


def module_file(tree: Path, module: str) -> Path:
    path = tree / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    path.touch()
    return path


def contracts(repository: Path) -> set[str]:
    settings = tomllib.loads((repository / "pyproject.toml").read_text())
    return {contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]}


def test_all_contracts_hold(tree):
    done = lint_imports(tree)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_has_a_wrong_import_to_notice(repository):
    assert {contract for contract, _, _ in WRONG_IMPORTS} == contracts(repository)


@pytest.mark.parametrize("contract", sorted({contract for contract, _, _ in WRONG_IMPORTS}))
def test_every_wrong_import_breaks_its_contract(tree, contract):
    planted = [(importer, imported) for name, importer, imported in WRONG_IMPORTS if name == contract]
    for importer, imported in planted:
        plant(tree, importer, imported)

    done = lint_imports(tree, "--contract", contract)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 kept, 1 broken" in done.stdout
    told = " ".join(done.stdout.split())
    for importer, imported in planted:
        assert f"{importer} -> {imported.removesuffix('.utils.timezone')}" in told


def test_a_command_of_the_site_may_start_the_simulator(tree):
    plant(tree, "calsync_site.management.commands.planted", "calsync.simulator.core")

    done = lint_imports(tree, "--contract", "pretending")

    assert done.returncode == 0, done.stdout + done.stderr
