"""Generous bounds on what docs/style.md asks for: they catch giants, not every long line of thought."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES = 60
FILE_LINES = 400
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def long_functions(source: str) -> list[str]:
    found = ((node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions(ast.parse(source)))
    return [f"{name}: {lines} lines" for name, lines in found if lines > FUNCTION_LINES]


def hidden_imports(source: str) -> list[str]:
    """Imports inside functions. An AppConfig's ``ready`` has to: models are not loaded before it."""
    return [
        f"{function.name}, line {node.lineno}"
        for function in functions(ast.parse(source))
        if function.name != "ready"
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def cannot_fail(source: str) -> list[str]:
    return [
        node.name
        for node in functions(ast.parse(source))
        if node.name.startswith("test_") and not any(asserts(inner) for inner in ast.walk(node))
    ]


def asserts(node: ast.AST) -> bool:
    """Whether this can fail: an assert, ``pytest.raises`` and kin, a call with assert_ or expect_ in its name."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"raises", "warns", "fail", "fnmatch_lines"} or "assert_" in name or "expect_" in name


def findings(root: Path, paths: list[Path], look) -> list[str]:
    return [f"{path.relative_to(root)}: {found}" for path in paths for found in look(path.read_text())]


def test_no_function_is_a_giant(repository, python_files):
    assert findings(repository, python_files, long_functions) == []


def test_no_file_is_a_giant(repository, python_files):
    lengths = {path: len(path.read_text().splitlines()) for path in python_files}

    assert [f"{path.relative_to(repository)}: {n}" for path, n in lengths.items() if n > FILE_LINES] == []


def test_nothing_is_imported_inside_a_function(repository, python_files):
    ours = [path for path in python_files if "tests" not in path.relative_to(repository).parts]

    assert findings(repository, ours, hidden_imports) == []


def test_every_test_can_fail(repository, python_files):
    tests = [path for path in python_files if path.name.startswith("test_")]

    assert findings(repository, tests, cannot_fail) == []


def test_a_test_without_assertion_is_noticed():
    source = (
        "def test_nothing():\n    run()\n\ndef test_something():\n    with pytest.raises(ValueError):\n        run()\n"
    )

    assert cannot_fail(source) == ["test_nothing"]


def test_a_giant_function_is_noticed():
    body = "    step()\n" * FUNCTION_LINES

    assert long_functions(f"def giant():\n{body}\ndef small():\n    step()\n") == [f"giant: {FUNCTION_LINES + 1} lines"]


def test_a_hidden_import_is_noticed():
    source = "def late():\n    import json\n\ndef ready(self):\n    import receivers\n"

    assert hidden_imports(source) == ["late, line 2"]
