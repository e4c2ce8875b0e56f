"""README, CHANGELOG and docs say what is so: commands, settings and links exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
DECISION_LINES = 40


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text()


def anchors(page: Path) -> set[str]:
    """The names that headings get in a rendered page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def test_every_link_between_pages_resolves(repository, pages):
    assert {str(page.relative_to(repository)): broken_links(page) for page in pages if broken_links(page)} == {}


def test_a_broken_link_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One\n[here](#one) [away](https://example.com) [gone](missing.md) [lost](#two)\n")

    assert broken_links(page) == ["missing.md", "#two"]


def test_every_make_target_of_the_readme_exists(repository, readme):
    targets = set(re.findall(r"^([a-z]+):", (repository / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", readme, flags=re.MULTILINE))

    assert {"demo", "test"} <= named <= targets


def test_every_management_command_of_the_readme_exists(readme):
    named = set(re.findall(r"manage\.py ([a-z_]+)", readme))

    assert named
    assert named <= set(get_commands())


def test_every_option_of_the_readme_s_commands_exists(readme):
    for line in re.findall(r"manage\.py ([^`|\n]+(?:\|[^`|\n]+)*)`", readme.replace("\\|", "|")):
        name = line.split()[0]
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        known = {option for action in parser._actions for option in action.option_strings}
        assert set(re.findall(r"--[a-z][a-z-]*", line)) <= known, line


def test_every_setting_of_the_readme_is_read_somewhere(repository, readme, python_files):
    named = set(re.findall(r"`((?:CALSYNC|DJANGO|MICROSOFT|GOOGLE)_[A-Z_]+|DATABASE_URL|REDIS_URL)`", readme))
    source = "\n".join(path.read_text() for path in python_files if "house" not in path.parts)

    assert len(named) > 10
    assert {name for name in named if f'"{name}' not in source} == set()


def test_every_setting_of_the_site_is_in_the_readme(repository, readme):
    source = (repository / "calsync_site" / "settings.py").read_text()
    read = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", source))

    assert read
    assert {name for name in read if f"`{name}`" not in readme} == set()


def test_every_folder_of_the_readme_s_map_exists(repository, readme):
    named = re.findall(r"^\| `([\w./-]+/)` \|", readme, flags=re.MULTILINE)

    assert len(named) > 8
    assert [name for name in named if not (repository / name).is_dir()] == []


def test_the_changelog_tells_users_what_is_new(repository):
    unreleased = (repository / "CHANGELOG.md").read_text().split("## Unreleased")[1].split("\n## ")[0]

    assert re.findall(r"^- .+", unreleased, flags=re.MULTILINE)


def test_decisions_are_numbered_without_gaps_and_short(repository):
    notes = sorted((repository / "docs" / "decisions").glob("*.md"))

    assert [note.name[:4] for note in notes] == [f"{number:04d}" for number in range(1, len(notes) + 1)]
    assert [note.name for note in notes if len(note.read_text().splitlines()) > DECISION_LINES] == []
