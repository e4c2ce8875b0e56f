"""Nothing in the repository is secret, and nothing names the machine on which it was written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SECRETS = {
    "a private key": r"BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}",
    "a Google token": r"\bya29\.[\w-]{30,}|\bAIza[\w-]{35}|\bGOCSPX-[\w-]{20,}",
    "a Microsoft secret": r"\b[\w~.-]{3}8Q~[\w~.-]{31,}",
    "a signed token": r"\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}",
    "a chat token": r"\bxox[abp]-[\w-]{20,}",
    "a cloud key": r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}",
}
MACHINE_PATH = r"(?<![\w/.~-])/(?:work|root|farm|home/\w+|Users/\w+)/"
PACKAGE_HOST = r"py(?:pi)\.org|pythonh(?:osted)\.org|registry\.np(?:mjs)\.org"


def matches(root: Path, paths: list[Path], pattern: str) -> list[str]:
    expression = re.compile(pattern)
    found = []
    for path in paths:
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(root)}: {match.group()[:40]}" for match in expression.finditer(text)]
    return found


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_in_the_repository(repository, repository_files, name):
    assert matches(repository, repository_files, SECRETS[name]) == []


def test_no_path_of_a_machine_is_in_the_repository(repository, repository_files):
    assert matches(repository, repository_files, MACHINE_PATH) == []


def test_no_package_host_is_in_the_repository(repository, repository_files):
    assert matches(repository, repository_files, PACKAGE_HOST) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (SECRETS["a private key"], "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "A" * 64),
        (SECRETS["a signed token"], ".".join(["eyJ" + "a" * 24, "eyJ" + "b" * 24, "c" * 24])),
        (MACHINE_PATH, "open('/" + "root/notes.txt')"),
        (PACKAGE_HOST, "https://py" + "pi.org/simple"),
    ],
)
def test_a_planted_one_is_noticed(tmp_path, pattern, text):
    planted = tmp_path / "planted.txt"
    planted.write_text(text)

    assert len(matches(tmp_path, [planted], pattern)) == 1
