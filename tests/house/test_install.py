"""``make install`` says in one line what is wrong, and does nothing when there is nothing to do.

The interpreter is a stand-in whose pip fails with words that real installers use.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

STAND_IN = """#!/bin/sh
case "$*" in
  "-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip --version") ;;
  "-m "*) cat "{folder}/words.txt"; exit "$(cat "{folder}/code.txt")" ;;
  *) exec "{python}" "$@" ;;
esac
"""
FAILURES = {
    "ERROR: Could not find a version that satisfies the requirement (from versions: none)\n"
    "ERROR: No matching distribution found for django": "index could not be reached",
    "WARNING: Retrying: [Errno -3] Temporary failure in name resolution": "index could not be reached",
    "error: command 'gcc' failed: No such file or directory\nERROR: Failed to build 'cffi'": "no compiler",
    "error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'": "no compiler",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "it was refused",
    "OSError: [Errno 28] No space left on device": "disk is full",
    "Traceback (most recent call last):\n  something new": "could not be installed",
}


@pytest.fixture
def install(repository, tmp_path):
    """Runs the script in a folder with a blank in its name, with a stand-in for Python."""
    folder = tmp_path / "a clone"
    (folder / "deploy").mkdir(parents=True)
    shutil.copy(repository / "deploy" / "install.sh", folder / "deploy")
    (folder / "requirements-dev.txt").write_text(
        "uv==1.0 \\\n    --hash=sha256:00\ndjango==5.2 \\\n    --hash=sha256:00\n"
    )
    stand_in = folder / "python-stand-in"

    def run(words: str = "", *, code: int = 1, **environment: str) -> subprocess.CompletedProcess[str]:
        (folder / "words.txt").write_text(words)
        (folder / "code.txt").write_text(str(code))
        stand_in.write_text(STAND_IN.format(folder=folder, python=sys.executable))
        stand_in.chmod(0o755)
        variables = {"PATH": os.environ["PATH"], "PYTHON": str(stand_in)} | environment
        command = ["sh", str(folder / "deploy" / "install.sh")]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)

    run.folder = folder
    return run


@pytest.mark.parametrize(("words", "told"), FAILURES.items(), ids=FAILURES.values())
def test_a_failed_installation_is_told_in_one_line(install, words, told):
    done = install(words)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert "Log: var/install.log" in done.stderr
    assert words.splitlines()[-1] in (install.folder / "var" / "install.log").read_text()


def test_a_second_run_does_nothing(install):
    assert install(code=0).stdout.splitlines()[-1] == "The environment in .venv is ready."

    assert install("would fail", code=1).stdout == "The environment in .venv is up to date.\n"


def test_a_changed_lock_is_installed(install):
    install(code=0)
    with (install.folder / "requirements-dev.txt").open("a") as lock:
        lock.write("msal==1.0 \\\n    --hash=sha256:00\n")

    assert "Installing 3 packages" in install(code=0).stdout


def test_a_failed_installation_is_tried_again(install):
    install("no network", code=1)

    assert install(code=0).returncode == 0


def test_an_interpreter_that_is_too_old_is_named(install, tmp_path):
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("sh", "cat", "cksum", "mkdir", "dirname"):
        (bare / tool).symlink_to(shutil.which(tool))
    old = bare / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *"info[:3]"*) echo 3.9.2 ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    script = install.folder / "deploy" / "install.sh"
    script.write_text(script.read_text().replace("/usr/bin/python3 /usr/local/bin/python3", ""))

    done = install(PYTHON="", PATH=str(bare), HOME=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("CalSync was not installed: it needs Python 3.11 or newer")
    assert f"found only {old} (3.9.2)" in done.stderr


def test_a_named_interpreter_that_does_not_work_is_refused(install):
    done = install(PYTHON="/nowhere/python3")

    assert done.stderr.splitlines() == [
        "CalSync was not installed: PYTHON=/nowhere/python3 is not a working Python 3.11 or newer with ssl and sqlite3."
    ]


def test_a_folder_that_cannot_be_written_is_told(install):
    (install.folder / "var").write_text("a file stands in the way")

    done = install()

    assert done.stderr.startswith("CalSync was not installed: the folder")
    assert len(done.stderr.splitlines()) == 1
