"""The floor under the engine's coverage: what is below it fails, and says so."""

from __future__ import annotations

import pytest

from tests import engine_coverage
from tests import run as runner


def totals(*, branches: int, statements: int) -> dict[str, int]:
    return {
        "covered_branches": branches, "num_branches": 1000, "covered_lines": statements, "num_statements": 1000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("branches", "statements", "told"),
    [
        (1000, 1000, []),
        (950, 950, []),
        (949, 1000, ["94.9 % of the branches"]),
        (1000, 900, ["90.0 % of the statements"]),
        (900, 900, ["90.0 % of the branches", "90.0 % of the statements"]),
    ],
)
def test_only_what_is_below_the_floor_is_complained_about(branches, statements, told):
    complaint = engine_coverage.shortfall(totals(branches=branches, statements=statements))
    assert bool(complaint) == bool(told)
    assert all(text in complaint for text in told)


def test_a_run_that_takes_too_few_branches_fails(capfd):
    assert engine_coverage.main(["-n0", "-k", "backoff"]) == 1
    assert "the floor is 95 %" in capfd.readouterr().out


def test_the_engine_is_measured_once_and_left_out_of_the_passes_with_a_database(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(runner, "SKIPS", tmp_path / "skips.txt")
    monkeypatch.setattr(runner.services, "find_postgresql", lambda: None)
    monkeypatch.delenv("CALSYNC_TEST_DATABASE_URL", raising=False)
    monkeypatch.delenv("CALSYNC_TEST_REQUIRE", raising=False)
    monkeypatch.setattr(runner.Run, "step", lambda self, name, arguments, **extra: steps.append(list(arguments)))
    runner.run_tests(runner.Run(environment={}), [])
    assert steps[0] == ["-m", "tests.engine_coverage"]
    assert "--ignore=tests/engine" in steps[1]
    steps.clear()
    runner.run_tests(runner.Run(environment={}), ["tests/engine"])
    assert "--ignore=tests/engine" not in steps[0]
