"""``make test``: every check, one after the other, each with its name and time; all of them even when one fails.

Arguments go to pytest. ``CALSYNC_TEST_REQUIRE=all`` fails where PostgreSQL, Redis or Chromium are missing.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import needs, services

ROOT = Path(__file__).resolve().parent.parent
SKIPS = ROOT / "var" / "skipped-tests.txt"
PATIENCE_SECONDS = 20.0
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run(['--no-logo']))"


@dataclass(slots=True)
class Outcome:
    """What became of one step."""

    name: str
    ok: bool
    seconds: float


@dataclass(slots=True)
class Run:
    """All steps so far. ``environment`` is this machine's, without its own settings for CalSync."""

    environment: dict[str, str]
    outcomes: list[Outcome] = field(default_factory=list)

    def step(self, name: str, arguments: Sequence[str], **extra: str) -> None:
        """Run ``python`` with these arguments and remember how it ended."""
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        code = run_to_the_end([sys.executable, *arguments], environment=self.environment | extra)
        self.outcomes.append(Outcome(name, code == 0, time.monotonic() - started))

    def fail(self, name: str, why: str) -> None:
        """Remember a step that could not even start."""
        print(f"\n== {name}\n{why}", flush=True)
        self.outcomes.append(Outcome(name, ok=False, seconds=0.0))


class Terminated(KeyboardInterrupt):
    """SIGTERM reached us alone. After Ctrl-C the terminal has told the child as well."""


# Neither adapters nor pretend providers know a database, and what is marked says the same on either: one pass does.
WITHOUT_DATABASE = ("--ignore=tests/providers", "--ignore=tests/simulator", "-m", "not one_database")


def main(pytest_arguments: Sequence[str]) -> int:
    """Run every step; 0 when all passed."""
    signal.signal(signal.SIGTERM, _terminated)  # as on Ctrl-C: the servers that were started are stopped on the way out
    SKIPS.parent.mkdir(exist_ok=True)
    SKIPS.write_text("")
    run = Run(environment=clean(os.environ))
    check_code(run)
    check_site(run)
    run_tests(run, pytest_arguments)
    return report(run)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without this machine's own settings: no check depends on them or reaches what they name."""
    ours = ("CALSYNC_", "DJANGO_", "MICROSOFT_", "GOOGLE_", "DATABASE_URL", "REDIS_URL", "PYTEST_ADDOPTS")
    kept = {name: value for name, value in environment.items() if not name.startswith(ours)}
    kept |= {name: value for name, value in environment.items() if name.startswith("CALSYNC_TEST_")}
    kept.pop("CALSYNC_TEST_DATABASE_URL", None)
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # the many processes that the tests start would compile everything anew
    return kept | {"CALSYNC_VAR": str(ROOT / "var" / "tests"), "CALSYNC_TEST_SKIPS_FILE": str(SKIPS)}


def check_code(run: Run) -> None:
    """What can be said without running the site."""
    run.step("format (ruff format)", ["-m", "ruff", "format", "--check", "."])
    run.step("lint (ruff check)", ["-m", "ruff", "check", "."])
    run.step("types (mypy)", ["-m", "mypy"])
    run.step("import contracts (import-linter)", ["-c", LINT_IMPORTS])


def check_site(run: Run) -> None:
    """Django's own checks, as on a developer's machine and as in production."""
    run.step("migrations (makemigrations --check)", ["manage.py", "makemigrations", "--check", "--dry-run"])
    run.step("system checks (check)", ["manage.py", "check", "--fail-level", "WARNING"])
    deploy = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    run.step("system checks in production (check --deploy)", deploy, **production())


def production() -> dict[str, str]:
    """Settings of a real installation. The secrets are made for this one call; no server is contacted."""
    return {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "DJANGO_ALLOWED_HOSTS": "calsync.example.com",
        "CALSYNC_PUBLIC_URL": "https://calsync.example.com",
        "CALSYNC_SEALING_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": "postgres://calsync@127.0.0.1:5432/calsync",
    }


def run_tests(run: Run, arguments: Sequence[str]) -> None:
    """The whole suite on SQLite and, where PostgreSQL is here, once more on a throw-away server."""
    pytest = ["-m", "pytest", "-q", "-n", str(min(2, os.cpu_count() or 1)), *arguments]
    if not arguments:  # the engine's tests know no database: they run once, measured, and not in the passes below
        run.step("tests of the engine, and their coverage", ["-m", "tests.engine_coverage"])
        pytest.append("--ignore=tests/engine")
    given = os.environ.get("CALSYNC_TEST_DATABASE_URL", "")
    if given or services.find_postgresql():
        # What needs PostgreSQL has its turn in the second pass: here it is left out, not skipped.
        run.step("tests on SQLite", [*pytest, "-m", "not needs_postgresql"])
        run_on_postgresql(run, pytest if arguments else [*pytest, *WITHOUT_DATABASE], given=given)
        return
    run.step("tests on SQLite", pytest)
    if needs.required():
        run.fail("tests on PostgreSQL", "PostgreSQL is not here, and CALSYNC_TEST_REQUIRE=all asks for it.")
        return
    with SKIPS.open("a") as file:
        file.write("Skipped because PostgreSQL is not here: the second pass, all tests on PostgreSQL\n")


def run_on_postgresql(run: Run, pytest: Sequence[str], *, given: str) -> None:
    """The second pass, on the server that was given or on one of our own."""
    name = "tests on PostgreSQL"
    if given:
        run.step(name, pytest, CALSYNC_TEST_DATABASE_URL=given)
        return
    try:
        with services.postgresql() as url:
            run.step(name, pytest, CALSYNC_TEST_DATABASE_URL=url)
    except services.ServiceError as error:
        run.fail(name, str(error))


def report(run: Run) -> int:
    """The closing lines: each step, then what was skipped and why."""
    print("\n== summary")
    for outcome in run.outcomes:
        print(f"{'ok    ' if outcome.ok else 'FAILED'} {outcome.seconds:6.1f} s  {outcome.name}")
    for line in dict.fromkeys(SKIPS.read_text().splitlines()):
        print(line)
    failed = [outcome.name for outcome in run.outcomes if not outcome.ok]
    print(f"Failed: {', '.join(failed)}." if failed else "All checks passed.", flush=True)
    return 1 if failed else 0


def run_to_the_end(command: Sequence[str], *, environment: Mapping[str, str]) -> int:
    """The exit code. An interrupted child gets time to stop what it started itself before it is killed."""
    process = subprocess.Popen(command, cwd=ROOT, env=dict(environment))
    try:
        return process.wait()
    except KeyboardInterrupt as interrupt:
        if isinstance(interrupt, Terminated):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
        raise


def _terminated(*_: object) -> None:
    raise Terminated


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Stopped.")
