"""Pages that name a test as their proof name one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def missing_proofs(page: Path, repository: Path) -> list[str]:
    """The tests that a page names and that are not there."""
    return [
        f"{file}::{test}"
        for file, test in PROOF.findall(page.read_text())
        if not (repository / file).is_file() or f"def {test}(" not in (repository / file).read_text()
    ]


def unproven_rows(page: Path) -> list[str]:
    """The rows of a page's tables that name no test."""
    rows = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith("| trouble |") and not PROOF.search(row)]


def test_every_test_that_a_page_names_exists(repository, pages):
    assert {page.name: missing for page in pages if (missing := missing_proofs(page, repository))} == {}


@pytest.mark.parametrize("name", ["trouble.md"])
def test_every_row_of_a_page_of_promises_names_its_proof(repository, name):
    page = repository / "docs" / name
    assert len(PROOF.findall(page.read_text())) > 20
    assert unproven_rows(page) == []


def test_a_proof_that_does_not_exist_is_noticed(tmp_path, repository):
    page = tmp_path / "page.md"
    page.write_text("| a | `tests/house/test_proofs.py::test_nothing_of_the_kind` |\n| b | nothing |\n")
    assert missing_proofs(page, repository) == ["tests/house/test_proofs.py::test_nothing_of_the_kind"]
    assert unproven_rows(page) == ["| b | nothing |"]
