"""docs/fidelity.md proves what it says: every test and every sample that it names exists, and every sample is named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "fidelity.md").read_text()


@pytest.fixture(scope="module")
def samples(repository: Path) -> set[str]:
    source = ast.parse((repository / "tests" / "sync" / "test_fidelity.py").read_text())
    tables = [
        node for node in source.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SAMPLES"
    ]
    return set(ast.literal_eval(ast.List([key for key in tables[0].value.keys if key])))


def test_every_test_that_the_page_names_exists(repository, page):
    files = (path.read_text() for path in (repository / "tests").rglob("test_*.py"))
    existing = {name for source in files for name in re.findall(r"^def (test_\w+)", source, flags=re.MULTILINE)}
    named = set(re.findall(r"`(test_\w+)`", page))

    assert len(named) > 30
    assert named - existing == set()


def test_every_row_of_the_page_names_its_proof(page):
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| field")]

    assert len(rows) > 30
    assert [row for row in rows if not re.search(r"\| (`(test_\w+|\[[\w+-]+\])` )+\|$", row)] == []


def test_the_page_names_every_sample_and_no_other(page, samples):
    assert set(re.findall(r"`\[([\w+-]+)\]`", page)) == samples
