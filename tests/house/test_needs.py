"""Tests whose needs are not met are skipped and named, or fail where everything is required."""

from __future__ import annotations

import pytest

SUITE = """
    import pytest

    @pytest.mark.needs_postgresql
    def test_locks_rows(): assert True

    @pytest.mark.needs_redis
    def test_rings_fast(): assert True

    def test_needs_nothing(): assert True

    @pytest.mark.skip(reason="another reason")
    def test_left_out(): assert True
"""


@pytest.fixture
def run(pytester, monkeypatch, repository):
    """Runs a small suite with the plugin, on a machine with nothing."""
    pytester.makepyfile(test_small=SUITE)
    monkeypatch.setenv("PYTHONPATH", str(repository))
    monkeypatch.setenv("PATH", str(pytester.path))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # no database, no site: they only cost time here
    for name in ("CALSYNC_TEST_REQUIRE", "CALSYNC_TEST_DATABASE_URL", "CALSYNC_TEST_SKIPS_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run_with(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        return pytester.runpytest_subprocess("-p", "tests.needs", "-p", "no:cacheprovider")

    return run_with


def test_what_is_missing_is_skipped_and_named_at_the_end(run):
    result = run()

    result.assert_outcomes(passed=1, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "Skipped because PostgreSQL is not here: test_small.py::test_locks_rows",
            "Skipped because Redis is not here: test_small.py::test_rings_fast",
        ]
    )
    assert "Chromium" not in result.stdout.str()


def test_what_is_missing_fails_where_everything_is_required(run):
    result = run(CALSYNC_TEST_REQUIRE="all")

    result.assert_outcomes(passed=1, errors=2, skipped=1)
    result.stdout.fnmatch_lines(["*Redis is not here, and CALSYNC_TEST_REQUIRE=all asks for it*"])


def test_what_is_here_is_run(run, pytester):
    server = pytester.path / "redis-server"
    server.touch(mode=0o755)

    result = run(CALSYNC_TEST_DATABASE_URL="postgres://somewhere", CALSYNC_TEST_REQUIRE="all")

    result.assert_outcomes(passed=3, skipped=1)
    assert "is not here" not in result.stdout.str()


def test_the_closing_lines_are_kept_for_the_caller(run, pytester):
    kept = pytester.path / "skips.txt"

    run(CALSYNC_TEST_SKIPS_FILE=kept)

    assert kept.read_text().splitlines() == [
        "Skipped because PostgreSQL is not here: test_small.py::test_locks_rows",
        "Skipped because Redis is not here: test_small.py::test_rings_fast",
    ]
