"""The runner behind ``make test``: nothing of this machine leaks in, one failed step fails the whole."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests import run as runner


@pytest.fixture
def run(tmp_path, monkeypatch):
    skips = tmp_path / "skips.txt"
    skips.touch()
    monkeypatch.setattr(runner, "SKIPS", skips)
    return runner.Run(environment={})


def test_settings_of_this_machine_do_not_reach_the_checks():
    machine = {"DATABASE_URL": "postgres://live", "GOOGLE_API_URL": "x", "REDIS_URL": "y", "PATH": "/bin"}

    cleaned = runner.clean(machine | {"CALSYNC_TEST_REQUIRE": "all", "CALSYNC_TEST_DATABASE_URL": "postgres://z"})

    assert cleaned["PATH"] == "/bin"
    assert cleaned["CALSYNC_TEST_REQUIRE"] == "all"
    assert not {"DATABASE_URL", "GOOGLE_API_URL", "REDIS_URL", "CALSYNC_TEST_DATABASE_URL"} & cleaned.keys()


def test_one_failed_step_fails_the_run_after_all_steps_ran(run, capfd):
    run.step("first", ["-c", "raise SystemExit(3)"])
    run.step("second", ["-c", "print('second ran')"])

    assert runner.report(run) == 1
    shown = capfd.readouterr().out
    assert "second ran" in shown
    assert shown.rstrip().endswith("Failed: first.")


def test_a_run_without_failure_ends_with_what_was_skipped(run, capfd):
    run.step("only", ["-c", "pass"])
    runner.SKIPS.write_text("Skipped because Redis is not here: tests/a.py::test_b\n" * 2)

    assert runner.report(run) == 0
    assert capfd.readouterr().out.count("Skipped because Redis") == 1


def test_without_postgresql_a_required_run_fails_and_another_names_it(run, monkeypatch):
    monkeypatch.setattr(runner.services, "find_postgresql", lambda: None)
    monkeypatch.delenv("CALSYNC_TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(runner.Run, "step", lambda self, name, arguments, **extra: None)

    monkeypatch.delenv("CALSYNC_TEST_REQUIRE", raising=False)
    runner.run_tests(run, [])
    assert "PostgreSQL is not here" in runner.SKIPS.read_text()
    assert run.outcomes == []

    monkeypatch.setenv("CALSYNC_TEST_REQUIRE", "all")
    runner.run_tests(run, [])
    assert [outcome.ok for outcome in run.outcomes] == [False]


def test_the_second_pass_leaves_out_what_knows_no_database_and_nothing_else(run, monkeypatch, repository):
    steps = {}
    monkeypatch.setattr(runner.Run, "step", lambda self, name, arguments, **extra: steps.update({name: arguments}))
    monkeypatch.setenv("CALSYNC_TEST_DATABASE_URL", "postgres://somewhere")
    runner.run_tests(run, [])
    left_out = [word for word in steps["tests on PostgreSQL"] if word not in steps["tests on SQLite"]]
    assert set(left_out) <= set(runner.WITHOUT_DATABASE)
    for option in (word for word in left_out if word.startswith("--ignore")):
        files = (repository / option.partition("=")[2]).glob("*.py")
        assert not [file for file in files if "django_db" in file.read_text() or "needs_postgresql" in file.read_text()]


def test_an_ended_run_lets_its_step_clean_up(repository, tmp_path):
    noted = tmp_path / "noted"
    step = (
        "import pathlib, sys, time\nnoted = pathlib.Path(sys.argv[1])\n"
        "try:\n    noted.write_text('started')\n    time.sleep(60)\nfinally:\n    noted.write_text('cleaned up')\n"
    )
    code = (
        "import signal, sys\nfrom tests import run\nsignal.signal(signal.SIGTERM, run._terminated)\n"
        "run.Run({}).step('long', ['-c', sys.argv[1], sys.argv[2]])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, step, str(noted)], cwd=repository, stderr=subprocess.PIPE)
    give_up_at = time.monotonic() + 20
    while not (noted.exists() and noted.read_text()) and time.monotonic() < give_up_at:
        time.sleep(0.05)

    process.terminate()
    process.communicate(timeout=20)

    assert process.returncode != 0
    assert noted.read_text() == "cleaned up"
